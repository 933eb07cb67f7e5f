// The books a second time: what becomes of each receipt and who is owed what, by the words of design 3 to 5 and of the README alone.
// BigInt throughout; shares no code with the gateway.  Times are what the history says, order is the order of its lines.
import { priceInForce, priceOf } from "../e2e/recompute.mjs";
import { checkSum, settleAccounts } from "./debts.mjs";
import { Offers } from "./offers.mjs";
import { epochsUntil, share as sharePool } from "./pool.mjs";

const BPS = 10_000n, DAY = 24 * 3_600_000, MAX_AGE = DAY, MAX_AHEAD = 300_000;
const WAITS = new Set(["unknown-provider", "unknown-model", "unverified-creator", "unpriced"]);
export const DEBITS = new Set(["consumer", "treasury", "adjusted-down"]);
export const NOBODY = `0x${"00".repeat(20)}`, NO_MODEL = `0x${"00".repeat(32)}`;
const low = (text) => text.toLowerCase(), dayOf = (ms) => Math.floor(ms / DAY);

/** What one model is paid, its ancestors' parts with role `ancestral`. */
export function payModel(digest, x, role, ancestral, verified, give) {
  const model = verified(low(digest));
  let kept = x;
  for (const { parent, shareBps } of model.parents) {
    const part = (x * BigInt(shareBps)) / BPS;
    kept -= part;
    payModel(parent, part, ancestral, ancestral, verified, give);
  }
  give(model.creator, role, digest, kept);
}

/** {account, role, model, amount} of one receipt, parts of nothing left out, equal ones summed. */
export function sharesOf({ receipt, amount, split, payout, protocol, verified }) {
  const rows = new Map();
  const give = (account, role, model, x) => {
    const key = [low(account), role, low(model)].join(" ");
    if (x > 0n) rows.set(key, (rows.get(key) ?? 0n) + x);
  };
  const creator = (amount * BigInt(split.creator)) / BPS, tax = (amount * BigInt(split.protocol)) / BPS;
  give(payout, "provider", receipt.model, amount - creator - tax);
  payModel(receipt.model, creator, "creator", "lineage", verified, give);
  give(protocol, "protocol", receipt.model, tax);
  return [...rows].map(([key, x]) => { const [account, role, model] = key.split(" "); return { account, role, model, amount: x }; });
}

export class Model {
  constructor({ protocol, creditDays, quoteMax, mustSign }) {
    Object.assign(this, { protocol: low(protocol), creditDays, mustSign, now: 0, batch: 1, receiptMax: 0n });
    this.offers = new Offers(this, quoteMax);
    this.providers = new Map();      // address -> {payout, dailyLimit}
    this.consumers = new Map();      // address -> {creditLimit}, of the enrolled
    this.claims = new Map();         // digest -> [{creator, parents, verified}]
    this.prices = [];
    this.receipts = new Map();       // jobId provider -> {receipt, countersigned, state, code, ...}
    this.billed = new Map();         // jobId -> provider
    this.postings = new Map();       // batch account role model -> amount
    this.counts = new Map();         // batch -> accepted receipts
    this.worth = new Map();          // batch -> what its receipts, and the pool, came to
    this.corrected = new Map();      // batch -> what was corrected upwards
    this.settled = { last: 0, leaves: new Map(), debts: new Map() };
    this.opened = 0;                 // when the open batch was
    this.terms = [];                 // of the popularity pool: {since, epochMs, budget, capBps}
    this.booked = 0;                 // epochs
    this.poolCarry = 0n;
    this.ticks = 0;
    this.posts = 0;                  // submissions
  }

  /** A time of its own for each thing that happens, as the gateway's groups have. */
  moment() { return this.now + ++this.ticks / 1000; }

  // ---- settings; what they were waited for is judged again

  admit(provider, payout, dailyLimit) {
    this.providers.set(low(provider), { payout: low(payout ?? provider), dailyLimit: dailyLimit && BigInt(dailyLimit) });
    this.judgeWaiting();
  }
  /** max: a quarter of what the contract lets a settlement grow by; 0: not known yet. */
  cap(max) { this.receiptMax = BigInt(max); }
  expel(provider) { this.providers.delete(low(provider)); this.offers.withdraw(low(provider)); }
  enroll(consumer, creditLimit) { this.consumers.set(low(consumer), { creditLimit: creditLimit && BigInt(creditLimit) }); }
  dismiss(consumer) { this.consumers.delete(low(consumer)); }
  claim(digest, creator, parents) {
    const list = this.claims.get(digest) ?? [];
    this.claims.set(digest, [...list, { creator: low(creator), parents, verified: false }]);
  }
  verify(digest, creator) { this.claims.get(digest).find((c) => c.creator === low(creator)).verified = true; this.judgeWaiting(); }
  /** False: refused, as a market has moved the price since it would take effect. */
  price(version) {
    if (!this.offers.takes(version)) return false;
    this.prices.push({ ...version, version: this.prices.length + 1, recordedAt: this.now });
    this.offers.opens(this.prices.at(-1));
    this.judgeWaiting();
    return true;
  }
  clock(now) { this.now = now; this.offers.moveMarkets(); }
  pool({ epochMs, budget, capBps }) {
    const last = this.terms.at(-1);
    if (last === undefined ? budget === "0" : last.epochMs === epochMs && last.budget === BigInt(budget) && last.capBps === capBps) return;
    this.terms.push({ since: this.moment(), epochMs, budget: BigInt(budget), capBps });
  }
  verified(digest) { return (this.claims.get(digest) ?? []).find((c) => c.verified); }

  // ---- receipts

  judge(entry, operator) {
    const { receipt } = entry, model = low(receipt.model);
    if (!this.providers.has(low(receipt.provider))) return "unknown-provider";
    if (!this.claims.has(model)) return "unknown-model";
    if (!this.verified(model)) return "unverified-creator";
    const quoted = this.offers.quotedPrice(receipt), version = quoted ?? priceInForce(this.prices, receipt);
    if (version === undefined) return "unpriced";
    entry.version = version;
    entry.amount = priceOf(receipt, version.perMillion);
    if (this.receiptMax > 0n && entry.amount > 4n * this.receiptMax) return operator ? "over-limit" : this.first(entry, "over-limit", quoted);
    if (operator) return "";
    return this.first(entry, this.receiptMax > 0n && entry.amount > this.receiptMax ? "over-limit" : "", quoted);
  }

  /** Of the rules that an operator may overrule the first that fails; `cap`: what the contract's cap says. */
  first(entry, cap, quoted) {
    const { receipt } = entry;
    if (entry.receivedAt - receipt.finishedAt > MAX_AGE) return "late";
    const other = this.billed.get(receipt.jobId);
    if (other !== undefined && other !== low(receipt.provider)) return "duplicate-job";
    if (cap !== "" || this.isOverDay(entry) || this.isOverCredit(entry, this.now)) return "over-limit";
    if (this.mustSign && !entry.countersigned) return "countersignature-missing";
    if (receipt.quote !== undefined && quoted === undefined) return "quote-mismatch";
    return "";
  }

  /** Whether the provider has earned so much this day that it would pass its limit. */
  isOverDay({ receipt, amount }) {
    const provider = low(receipt.provider), { dailyLimit } = this.providers.get(provider);
    return dailyLimit !== undefined && [...this.receipts.values()]
      .filter((e) => e.state === "accepted" && low(e.receipt.provider) === provider && dayOf(e.acceptedAt) === dayOf(this.now))
      .reduce((sum, e) => sum + e.amount, amount) > dailyLimit;
  }

  /** Whether the consumer who would be billed has had so much, in the period of a job accepted at `at`, that it would pass the limit. */
  isOverCredit({ receipt, countersigned, amount }, at) {
    const consumer = receipt.consumer && low(receipt.consumer), limit = this.consumers.get(consumer)?.creditLimit;
    if (!countersigned || limit === undefined) return false;
    const periodOf = (ms) => (this.creditDays === 0 ? 0 : Math.floor(dayOf(ms) / this.creditDays));
    return [...this.receipts.values()].filter((e) => e.billed === consumer && periodOf(e.acceptedAt) === periodOf(at))
      .reduce((sum, e) => sum + e.amount, amount) > limit;
  }

  /** The item that the gateway should answer: {status, code}. */
  post(receipt, countersigned) {
    if (receipt.finishedAt < receipt.startedAt) return { status: "rejected", code: "finished-before-started" };
    if (receipt.finishedAt > this.now + MAX_AHEAD) return { status: "rejected", code: "finished-in-future" };
    const key = `${receipt.jobId} ${low(receipt.provider)}`, kept = this.receipts.get(key);
    if (kept !== undefined && JSON.stringify(kept.receipt) !== JSON.stringify(receipt)) return { status: "rejected", code: "conflicting-receipt" };
    if (kept !== undefined) {
      if (countersigned) this.complete(kept);
      return { status: "duplicate", code: "duplicate", state: kept.state };
    }
    const entry = { receipt, countersigned, receivedAt: this.now, order: this.posts, state: "quarantined" };
    this.receipts.set(key, entry);
    entry.code = this.judge(entry, false);
    if (entry.code !== "") return { status: "quarantined", code: entry.code };
    this.accept(entry);
    return { status: "accepted", code: "", amount: String(entry.amount) };
  }

  accept(entry) {
    const { receipt, amount, version } = entry;
    this.makeRoom(amount);
    Object.assign(entry, { state: "accepted", code: "", batch: this.batch, acceptedAt: this.moment(), enrolled: receipt.consumer !== undefined && this.consumers.has(low(receipt.consumer)) });
    this.billed.set(receipt.jobId, low(receipt.provider));
    this.counts.set(this.batch, (this.counts.get(this.batch) ?? 0) + 1);
    this.worth.set(this.batch, (this.worth.get(this.batch) ?? 0n) + amount);
    entry.shares = sharesOf({ receipt, amount, split: version.split, payout: this.providers.get(low(receipt.provider)).payout,
      protocol: this.protocol, verified: (digest) => this.verified(digest) });
    for (const share of entry.shares) this.book(share, 1n);
    this.charge(entry);
  }

  charge(entry) {
    const charge = this.chargeOf(entry);
    this.book(charge, 1n);
    if (charge.role === "consumer") entry.billed = charge.account;
  }

  /** The batch is full where this would take it over its bound; what would do so by itself is in a batch of its own. */
  makeRoom(amount) {
    const worth = this.worth.get(this.batch) ?? 0n;
    if (this.receiptMax > 0n && worth > 0n && worth + amount > this.receiptMax) this.closeOpen();
  }
  closeOpen() {
    this.batch++;
    this.opened = this.moment();
  }

  chargeOf({ receipt, amount, enrolled, countersigned }) {
    return enrolled && countersigned
      ? { account: low(receipt.consumer), role: "consumer", model: low(receipt.model), amount }
      : { account: NOBODY, role: "treasury", model: low(receipt.model), amount };
  }

  /** A consumer signature that came later counts while the batch is open, and within the credit limit; what waited for it is judged. */
  complete(entry) {
    const accepted = entry.state === "accepted";
    if (entry.countersigned || (accepted && entry.batch < this.batch)) return;
    if (accepted && entry.enrolled && this.isOverCredit({ ...entry, countersigned: true }, entry.acceptedAt)) return;
    if (accepted) this.book(this.chargeOf(entry), -1n);
    entry.countersigned = true;
    if (accepted) this.charge(entry);
    if (entry.state !== "quarantined" || entry.code !== "countersignature-missing") return;
    entry.code = this.judge(entry, false);
    if (entry.code === "") this.accept(entry);
  }

  /** A correction: up credits the account, down the protocol account, each against the other.  False: refused. */
  adjust({ account, amount, sign }) {
    const up = (this.corrected.get(this.batch) ?? 0n) + (sign === "+" ? BigInt(amount) : 0n);
    if (low(account) === this.protocol || (sign === "+" && this.receiptMax > 0n && up > this.receiptMax)) return false;
    const [credited, debited] = sign === "+" ? [low(account), this.protocol] : [this.protocol, low(account)];
    this.book({ account: credited, role: "adjusted-up", model: NO_MODEL, amount: BigInt(amount) }, 1n);
    this.book({ account: debited, role: "adjusted-down", model: NO_MODEL, amount: BigInt(amount) }, 1n);
    this.corrected.set(this.batch, up);
    return true;
  }

  book({ account, role, model, amount }, sign) {
    const key = [this.batch, account, role, model].join(" "), sum = (this.postings.get(key) ?? 0n) + sign * amount;
    if (sum === 0n) this.postings.delete(key);
    else this.postings.set(key, sum);
  }

  judgeWaiting() {
    /* Oldest first; those that came together by job and provider. */
    const key = ({ receipt }) => receipt.jobId + low(receipt.provider);
    for (const entry of [...this.receipts.values()].sort((a, b) => a.order - b.order || (key(a) < key(b) ? -1 : 1))) {
      if (entry.state !== "quarantined" || !WAITS.has(entry.code)) continue;
      entry.code = this.judge(entry, false);
      if (entry.code === "") this.accept(entry);
    }
  }

  release(entry) {
    const code = this.judge(entry, true);
    if (code === "") this.accept(entry);
    return code === "";
  }

  refuse(entry) { entry.state = "refused"; }

  // ---- settling

  /** Leaves and debts once the batches up to `last` are settled: {last, leaves, debts}. */
  standAfter(last) {
    const balances = new Map();
    let accepted = 0n;
    for (const [key, amount] of this.postings) {
      const [batch, account, role] = key.split(" ");
      if (Number(batch) > last || role === "consumer" || role === "treasury") continue;
      balances.set(account, (balances.get(account) ?? 0n) + (DEBITS.has(role) ? -amount : amount));
      if (!role.startsWith("adjusted")) accepted += amount;
    }
    const stand = { last, ...settleAccounts(balances, this.settled.leaves, this.protocol) };
    checkSum(stand, accepted, this.protocol);
    return stand;
  }

  /** Epochs that are over, with no job in the open batch, into that batch. */
  bookPool() {
    for (const epoch of epochsUntil(this.terms, this.now).slice(this.booked)) {
      if (epoch.ends > this.now || (this.counts.has(this.batch) && this.opened < epoch.ends)) return;
      const jobs = [...this.receipts.values()]
        .filter((e) => e.state === "accepted" && e.enrolled && e.countersigned && epoch.begins <= e.acceptedAt && e.acceptedAt < epoch.ends)
        .map((e) => ({ model: low(e.receipt.model), consumer: low(e.receipt.consumer), fee: (e.amount * BigInt(e.version.split.protocol)) / BPS }));
      const { models, carriedOut } = sharePool(epoch, this.poolCarry, jobs);
      for (const { model, share } of models) {
        const give = (account, role, digest, x) => this.book({ account: low(account), role, model: low(digest), amount: x }, 1n);
        payModel(model, share, "popularity", "popularity", (digest) => this.verified(digest), give);
        this.book({ account: NOBODY, role: "treasury", model, amount: share }, 1n);
        if (share > 0n) this.paidByPool = this.batch;
        this.worth.set(this.batch, (this.worth.get(this.batch) ?? 0n) + share);
      }
      this.poolCarry = carriedOut;
      this.booked++;
    }
  }

  /** What each consumer was billed a day of acceptance, in batches up to `last`: [consumer day, amount]. */
  billedDays(last = Infinity) {
    const days = new Map();
    for (const e of this.receipts.values()) {
      const name = `${e.billed} ${dayOf(e.acceptedAt)}`;
      if (e.billed !== undefined && e.batch <= last && e.amount > 0n) days.set(name, (days.get(name) ?? 0n) + e.amount);
    }
    return days;
  }

  /** The batch that a run settles now; undefined: nothing to do. */
  close() {
    if (this.settled.last + 1 === this.batch) {          /* none waits that is full, or was carried */
      this.bookPool();
      const holds = this.counts.has(this.batch) || this.paidByPool === this.batch || this.corrected.has(this.batch);
      if (!holds || this.standAfter(this.batch).leaves.size === 0) return undefined;
      this.closeOpen();
    }
    return this.settled.last + 1;
  }

  /** "account role model" → amount over all batches, or those up to `last`. */
  sums(last = Infinity) {
    const sums = new Map();
    for (const [key, amount] of this.postings) {
      if (Number(key.slice(0, key.indexOf(" "))) > last) continue;
      const name = key.slice(key.indexOf(" ") + 1);
      sums.set(name, (sums.get(name) ?? 0n) + amount);
    }
    return sums;
  }
}
