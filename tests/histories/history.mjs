// A history made from a seed: settings, jobs, releases, restarts and settlements in an order that may happen.
import { Rng, uuid7 } from "../e2e/jobs.mjs";

const HOUR = 3_600_000, DAY = 24 * HOUR, WINDOW = 300_000;         // the shortest of the markets; all others are multiples
const ROLES = { providers: [1, 6], consumers: [7, 10], creators: [11, 18], payouts: [19, 24] };
const DECIDED = new Set(["late", "duplicate-job", "over-limit", "quote-mismatch", "countersignature-missing"]);        // by an operator
const digest = (n) => `0x${n.toString(16).padStart(2, "0").repeat(32)}`;

/** bps that sum to at most 10 000 (exactly: `exact`); every part may be 0. */
function parts(rng, count, exact) {
  const cuts = Array.from({ length: count }, () => rng.below(10_001)).sort((a, b) => a - b);
  const list = cuts.map((cut, i) => cut - (cuts[i - 1] ?? 0));
  return exact ? [...list.slice(0, -1), 10_000 - (cuts[count - 2] ?? 0)] : list;
}

/** Each change takes a millisecond of its own: none of them may run over the edge of a window or epoch, which the model would not see. */
export function awayFromEdges(now) {
  const past = now % WINDOW;
  return past < 3_000 ? now - past + 3_000 : past > WINDOW - 20_000 ? now - past + WINDOW + 3_000 : now;
}

export class History {
  /** contention: things may happen whose outcome hangs on the order of jobs. */
  constructor(seed, contention) {
    Object.assign(this, { rng: new Rng(seed), contention });
    this.settings = { creditDays: this.pick([0, 1, 2, 2, 3, 30]), quoteMax: this.pick([60_000, 300_000, 900_000]), mustSign: this.chance(15) };
    this.queue = [];                 // of a scene that goes on: what makes each line of it
    this.quotes = [];                // {quote, model, provider, consumer, validUntil}, people as numbers
    this.markets = [];               // {model, market, from}: set at some time
    this.claimed = [];               // {model, creator, parents, verified}
    this.admitted = new Map();       // ever: provider -> payout
    this.expelled = new Set();
    this.enrolled = new Set();
    this.jobs = [];                  // posted receipts, with `countersigned`
    this.priced = new Set();
    this.made = 0;
  }

  /** What accepted jobs came to. */
  get amounts() { return [1n, ...[...this.model.receipts.values()].filter((e) => e.state === "accepted" && e.amount > 0n).map((e) => e.amount)]; }

  get there() { return [...this.admitted.keys()].filter((p) => !this.expelled.has(p)); }
  some([first, last]) { return first + this.rng.below(last - first + 1); }
  pick(list) { return list[this.rng.below(list.length)]; }
  chance(percent) { return this.rng.below(100) < percent; }

  // ---- settings

  admit(now) {
    const provider = this.some(ROLES.providers);
    if (this.admitted.has(provider)) return undefined;
    this.admitted.set(provider, this.chance(30) ? { payout: this.some(ROLES.payouts) } : {});
    return { do: "admit", provider, ...this.admitted.get(provider) };
  }

  expel() {
    const { there } = this;
    if (there.length < 3) return undefined;
    const provider = this.pick(there);
    this.expelled.add(provider);
    return { do: "expel", provider };
  }

  enroll() {
    const consumer = this.some(ROLES.consumers);
    if (this.enrolled.has(consumer)) return undefined;
    this.enrolled.add(consumer);
    return { do: "enroll", consumer, ...this.limit() };
  }

  /** A credit limit of what a few jobs come to, so that some meet it to the unit. */
  limit() {
    if (!this.contention || this.chance(40)) return {};
    const jobs = Array.from({ length: 1 + this.rng.below(3) }, () => this.pick(this.amounts));
    return { creditLimit: String(jobs.reduce((sum, x) => sum + x, 0n)) };
  }

  relimit() {
    return this.enrolled.size === 0 || !this.contention ? undefined : { do: "enroll", patch: true, consumer: this.pick([...this.enrolled]), ...this.limit() };
  }

  /** Jobs that are alike for one consumer, over a day's end, under a limit that one of them meets or passes by a unit. */
  credit(now) {
    if (this.enrolled.size === 0 || !this.contention || !this.claimed.some((c) => c.verified)) return undefined;
    const consumer = this.pick([...this.enrolled]), receipt = this.usual(now), whose = this.people[consumer - 1].toLowerCase();
    const billed = () => [...this.model.receipts.values()].filter((e) => e.billed === whose);
    const signed = (then, countersigned) => ({ countersigned, receipt: { ...receipt, consumer: this.people[consumer - 1],
      jobId: uuid7(then - 2_000, this.rng), startedAt: then - 2_000, finishedAt: then - 1_000 } });
    const job = (then) => ({ do: "post", bundle: false, receipts: [signed(then, this.chance(90))] });
    const later = [];
    const unsigned = (then) => { later.push(signed(then, false)); return { do: "post", bundle: false, receipts: [...later] }; };
    const both = (then) => ({ do: "post", bundle: false, receipts: [{ ...later.pop(), countersigned: true }, signed(then, true)] });
    const limit = () => {
      const one = billed().at(-1)?.amount || 1n, spent = billed().reduce((sum, e) => sum + e.amount, 0n);
      const creditLimit = this.pick([spent, spent + one - 1n, spent + one, spent + 2n * one, 2n * one, 3n * one - 1n]);
      return { do: "enroll", patch: true, consumer, creditLimit: String(creditLimit) };
    };
    const day = (then) => ({ do: "clock", now: then - (then % DAY) + DAY * (1 + this.rng.below(2)) + 3_000 + this.rng.below(60_000) });
    this.queue = [...(this.chance(50) ? [unsigned, limit, ...(this.chance(50) ? [day] : []), both] : [limit]), job, ...(this.chance(60) ? [day] : []), job, ...(this.chance(30) ? [day] : []), job, job];
    return job(now);
  }

  /** Jobs that are alike of one provider, over a day's end, under a limit a day that one of them meets or passes by a unit. */
  daily(now) {
    if (!this.contention || this.there.length === 0 || !this.claimed.some((c) => c.verified)) return undefined;
    const provider = this.pick(this.there), whose = this.people[provider - 1], receipt = { ...this.usual(now), provider: whose };
    const today = (then) => [...this.model.receipts.values()].filter((e) => e.state === "accepted" && e.receipt.provider === whose
      && Math.floor(e.acceptedAt / DAY) === Math.floor(then / DAY)).map((e) => e.amount);
    const job = (then) => ({ do: "post", bundle: false, receipts: [{ countersigned: false, receipt: { ...receipt, jobId: uuid7(then - 2_000, this.rng),
      startedAt: then - 2_000, finishedAt: then - 1_000 } }] });
    const limit = (then) => {
      const one = today(then).at(-1) || 1n, earned = today(then).reduce((sum, x) => sum + x, 0n);
      return { do: "admit", patch: true, provider, ...this.admitted.get(provider), dailyLimit: String(this.pick([earned, earned + one - 1n, earned + one, 2n * one])) };
    };
    const day = (then) => ({ do: "clock", now: then - (then % DAY) + DAY + 3_000 + this.rng.below(60_000) });
    const free = () => ({ do: "admit", patch: true, provider, ...this.admitted.get(provider) });
    this.queue = [limit, job, ...(this.chance(60) ? [day] : []), job, job, ...(this.chance(60) ? [free] : [])];
    return job(now);
  }

  /** What one receipt, and one batch, may come to: near what jobs did, so that some meet it to the unit. */
  cap() {
    if (!this.contention) return undefined;
    const seen = this.pick(this.amounts);
    return { do: "cap", max: String(this.pick([0n, seen, seen - 1n, 2n * seen, 3n * seen - 1n, 9n * seen, seen / 4n, (seen + 3n) / 4n])) };
  }

  dismiss() {
    if (this.enrolled.size < 2) return undefined;
    const consumer = this.pick([...this.enrolled]);
    this.enrolled.delete(consumer);
    return { do: "dismiss", consumer };
  }

  claim(now) {
    if (this.claimed.length >= 9) return undefined;
    const model = digest(0xa0 + this.claimed.length), verified = this.claimed.filter((c) => c.verified);
    const count = verified.length === 0 || this.chance(30) ? 0 : 1 + this.rng.below(Math.min(4, verified.length));
    const chosen = new Set(Array.from({ length: count }, () => this.pick(verified).model));
    const shares = parts(this.rng, Math.max(chosen.size, 1), this.chance(10));
    const parents = [...chosen].map((parent, i) => ({ parent, shareBps: shares[i] }));
    const entry = { model, creator: this.some(ROLES.creators), parents, verified: false, depth: 0 };
    entry.depth = 1 + Math.max(-1, ...parents.map(({ parent }) => this.claimed.find((c) => c.model === parent).depth));
    if (entry.depth > 8) return undefined;
    this.claimed.push(entry);
    return { do: "claim", model, creator: entry.creator, parents, registeredAt: now };
  }

  verify() {
    const waiting = this.claimed.filter((c) => !c.verified);
    if (waiting.length === 0) return undefined;
    const entry = this.pick(waiting);
    entry.verified = true;
    return { do: "verify", model: entry.model, creator: entry.creator };
  }

  market() {
    const target = 1 + this.rng.below(10_000), floor = this.chance(30) ? 10_000 : 1 + this.rng.below(10_000);
    return { window: this.pick([300, 300, 600, 1800, 3600]), target, deadBand: this.chance(50) ? 0 : this.rng.below(target),
      maxStep: 1 + this.rng.below(10_000), floor, ceiling: this.chance(20) ? 10_000 : 10_000 + this.rng.below(990_001) };
  }

  /** When a version takes effect: now or later, to the millisecond with a window, or a little ago; never on the gateway's very clock. */
  effectiveFrom(now, first) {
    if (first) return now - this.rng.below(4 * HOUR) - 5_000;
    if (this.chance(30)) return now - (now % WINDOW) + WINDOW * (1 + this.rng.below(6));
    return this.chance(50) ? now + 5_000 + this.rng.below(HOUR) : now - 1_000 - this.rng.below(50_000);
  }

  price(now) {
    const model = this.claimed.length === 0 || this.chance(30) ? "*" : this.pick(this.claimed).model, first = !this.priced.has(model);
    const amount = () => (this.chance(30) ? BigInt(this.rng.below(4)) : BigInt(this.rng.next()) << BigInt(this.rng.below(48)));
    const meters = ["inputTokens", "cachedTokens", "outputTokens", "units", "computeMs"];
    const [provider, creator, protocol] = parts(this.rng, 3, true), market = model !== "*" && this.chance(60) ? this.market() : undefined;
    const effectiveFrom = this.effectiveFrom(now, first);
    this.priced.add(model);
    if (market !== undefined) this.markets.push({ model, market, from: effectiveFrom });
    return { do: "price", price: {
      model, effectiveFrom, unit: "image", perMillion: Object.fromEntries(meters.map((name) => [name, String(amount())])),
      split: { provider, creator, protocol }, ...(market === undefined ? {} : { market }) } };
  }

  // ---- before jobs

  capacity(now, model = this.claimed.length > 0 ? this.pick(this.claimed).model : digest(0xa0), from) {
    const skew = this.chance(4) ? 310_000 : this.rng.below(290_000), validFrom = from ?? (this.chance(50) ? now - skew : now + skew);
    const life = this.chance(50) ? HOUR : 1 + this.rng.below(this.chance(4) ? 2 * HOUR : HOUR);
    return { do: "capacity", provider: this.chance(90) && this.admitted.size > 0 ? this.pick([...this.admitted.keys()]) : this.some(ROLES.providers), model,
      unitsPerSecond: this.rng.below(1 << this.rng.below(14)), validFrom, validUntil: validFrom + life };
  }

  /** A window of a market from before its begin to after its end, with jobs in it, and sometimes a restart in the middle. */
  scene(now) {
    if (this.markets.length === 0) return undefined;
    const { model, market } = this.pick(this.markets), length = market.window * 1000, begin = (Math.floor(now / length) + 1) * length;
    if (begin - now > 240_000) return { do: "clock", now: awayFromEdges(begin - 200_000) };
    const at = (ms) => () => ({ do: "clock", now: ms }), jobs = (then) => this.post(then, model);
    const restart = this.chance(30) ? [() => ({ do: "restart", whole: this.chance(50) })] : [];
    this.queue = [at(begin + 3_000 + this.rng.below(60_000)), jobs, ...restart, at(begin + length / 2 + 3_000), jobs,
      at(begin + length + 3_000 + this.rng.below(60_000)), jobs];
    return this.capacity(now, model, this.chance(50) ? begin : now);
  }

  quote() {
    const model = this.chance(5) ? digest(0x77) : this.claimed.length > 0 ? this.pick(this.claimed).model : digest(0xa0);
    return { do: "quote", model, ...(this.chance(50) ? { provider: this.some(ROLES.providers) } : {}),
      ...(this.chance(40) ? { consumer: this.some(ROLES.consumers) } : {}) };
  }

  // ---- corrections

  adjust() {
    const seen = this.pick(this.amounts), amount = this.pick([seen, seen / 2n, seen * 2n, BigInt(this.rng.below(9))]) || 1n;
    const account = this.chance(3) ? this.protocol : this.people[this.some([1, ROLES.payouts[1]]) - 1];
    return { do: "adjust", adjustment: { account, amount: String(amount), sign: this.chance(60) ? "-" : "+", reason: "a history",
      ...(this.chance(20) ? { receipt: digest(0x5e) } : {}) } };
  }

  pool() {
    const budget = this.chance(20) ? 0n : BigInt(this.rng.next()) << BigInt(this.rng.below(40));
    return { do: "pool", epochMs: HOUR * (1 + this.rng.below(5)), budget: String(budget), capBps: this.chance(60) ? 5000 : this.rng.below(10_001) };
  }

  // ---- receipts

  receipt(now, of) {
    const rng = this.rng, people = this.people;
    const finishedAt = now - (this.chance(6) ? 23 * HOUR + rng.below(3 * HOUR) : rng.below(this.chance(50) ? 60_000 : HOUR)) + (this.chance(2) ? 2 * HOUR : 0);
    const startedAt = finishedAt - rng.below(60_000) + (this.chance(1) ? 90_000 : 0), inputTokens = rng.below(1 << rng.below(20));
    const model = of ?? (this.chance(4) ? digest(0x77) : this.claimed.length > 0 ? this.pick(this.claimed).model : digest(0xa0));
    const consumer = this.chance(15) ? undefined : this.some(ROLES.consumers);
    const entry = { countersigned: consumer !== undefined && this.chance(60), receipt: {
      jobId: uuid7(Math.min(startedAt, finishedAt), rng), provider: people[this.some(ROLES.providers) - 1], model,
      ...(consumer === undefined ? {} : { consumer: people[consumer - 1] }), inputTokens, cachedTokens: rng.below(inputTokens + 1),
      outputTokens: rng.below(1 << rng.below(20)), units: this.chance(20) ? rng.below(9) : 0, computeMs: rng.below(100_000),
      startedAt, finishedAt } };
    return this.chance(30) ? this.quoted(entry, now) : entry;
  }

  /** A job that nothing is wrong with, if there is a price. */
  usual(now) {
    const { there } = this, provider = there.length > 0 ? this.pick(there) : ROLES.providers[0];
    const { receipt } = this.receipt(now, this.pick(this.claimed.filter((c) => c.verified)).model);
    return { ...receipt, quote: undefined, provider: this.people[provider - 1] };
  }

  /** The same job, naming a quote: mostly one that fits it, some to the millisecond of its end. */
  quoted({ countersigned, receipt }, now) {
    if (this.quotes.length === 0 || this.chance(4)) return { countersigned, receipt: { ...receipt, quote: digest(0x99) } };
    const q = this.pick(this.quotes), named = { ...receipt, quote: q.quote };
    if (this.chance(90)) named.model = q.model;
    if (q.provider !== undefined && this.chance(90)) named.provider = this.people[q.provider - 1];
    if (q.consumer !== undefined && this.chance(90)) named.consumer = this.people[q.consumer - 1];
    if (!this.contention || this.chance(50) || q.validUntil > now + 200_000 || q.validUntil < now - 20 * HOUR)
      return { countersigned: countersigned && named.consumer !== undefined, receipt: named };
    named.startedAt = q.validUntil + this.rng.below(2);
    named.finishedAt = named.startedAt + this.rng.below(60_000);
    named.jobId = uuid7(named.startedAt, this.rng);
    return { countersigned: countersigned && named.consumer !== undefined, atTheEnd: q.quote, receipt: named };
  }

  /** A job that somebody else bills too, the same again, other content for it, or the consumer's word that came later. */
  again(now) {
    const old = this.pick(this.jobs), kind = this.rng.below(4);
    if (kind === 0) return { ...old, receipt: { ...old.receipt, provider: this.people[this.some(ROLES.providers) - 1] } };
    if (kind === 1) return { ...old, receipt: { ...old.receipt, outputTokens: old.receipt.outputTokens + 1 } };
    return { ...old, countersigned: old.receipt.consumer !== undefined && (old.countersigned || kind === 2) };
  }

  post(now, of) {
    const count = 1 + this.rng.below(6), bundle = this.chance(40);
    const receipts = Array.from({ length: count }, () => (this.contention && this.jobs.length > 0 && this.chance(12) ? this.again(now) : this.receipt(now, of)));
    if (bundle)
      for (const entry of receipts) entry.receipt = { ...entry.receipt, provider: receipts[0].receipt.provider };
    this.jobs.push(...receipts);
    return { do: "post", bundle, receipts };
  }

  decide(held) {
    const mine = held.filter((entry) => DECIDED.has(entry.code)), entry = this.pick(mine.length > 0 && this.chance(70) ? mine : held);
    return entry === undefined ? undefined : { do: this.chance(70) ? "release" : "refuse", entry };
  }

  clock(now) {
    const jump = this.chance(45) ? this.rng.below(15 * 60_000) : this.chance(75) ? this.rng.below(3 * HOUR) : this.rng.below(3 * DAY);
    return { do: "clock", now: awayFromEdges(now + jump) };
  }

  /** The end, `left` lines of it: all is settled, what was popular is booked and paid. */
  last(now, left) {
    if (left > 3) return undefined;
    return left === 2 ? { do: "clock", now: awayFromEdges(now + 6 * HOUR) } : { do: "settle", cancel: false };
  }

  /** The next line; `held`: what is in quarantine now. */
  next(now, held) {
    const roll = this.rng.below(100), first = [this.claim, this.price, this.pool, this.enroll][this.made++];
    if (first !== undefined) return first.call(this, now);
    const going = this.queue.shift();
    if (going !== undefined) return going(now);
    if (roll < 7) return this.admit(now);
    if (roll < 11) return this.enroll();
    if (roll < 12) return this.relimit();
    if (roll < 15) return this.credit(now);
    if (roll < 16) return this.dismiss();
    if (roll < 18) return this.daily(now);
    if (roll < 19) return this.cap();
    if (roll < 22) return this.claim(now);
    if (roll < 28) return this.verify();
    if (roll < 35) return this.price(now);
    if (roll < 37) return this.pool();
    if (roll < 42) return this.quote();
    if (roll < 45) return this.capacity(now);
    if (roll < 50) return this.scene(now);
    if (roll < 56) return this.adjust();
    if (roll < 76) return this.post(now);
    if (roll < 82) return this.decide(held);
    if (roll < 84) return this.expel();
    if (roll < 86) return { do: "restart", whole: this.chance(30) };
    if (roll < 94) return this.clock(now);
    return { do: "settle", cancel: this.chance(15) };
  }
}
