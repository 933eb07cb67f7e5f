// A history made from a seed: settings, jobs, releases, restarts and settlements in an order that may happen.
import { Rng, uuid7 } from "../e2e/jobs.mjs";

const HOUR = 3_600_000;
const ROLES = { providers: [1, 6], consumers: [7, 10], creators: [11, 18], payouts: [19, 24] };
const digest = (n) => `0x${n.toString(16).padStart(2, "0").repeat(32)}`;

/** bps that sum to at most 10 000 (exactly: `exact`); every part may be 0. */
function parts(rng, count, exact) {
  const cuts = Array.from({ length: count }, () => rng.below(10_001)).sort((a, b) => a - b);
  const list = cuts.map((cut, i) => cut - (cuts[i - 1] ?? 0));
  return exact ? [...list.slice(0, -1), 10_000 - (cuts[count - 2] ?? 0)] : list;
}

/** Each change takes a millisecond of its own: none of them may run over the end of an epoch, which the model would not see. */
const awayFromTheHour = (now) => (now % HOUR > HOUR - 20_000 ? now + 20_000 : now);

export class History {
  constructor(seed) {
    this.rng = new Rng(seed);
    this.claimed = [];               // {model, creator, parents, verified}
    this.admitted = new Set();       // ever
    this.expelled = new Set();
    this.enrolled = new Set();
    this.jobs = [];                  // posted receipts, with `countersigned`
    this.priced = new Set();
    this.made = 0;
  }

  some([first, last]) { return first + this.rng.below(last - first + 1); }
  pick(list) { return list[this.rng.below(list.length)]; }
  chance(percent) { return this.rng.below(100) < percent; }

  // ---- settings

  admit(now) {
    const provider = this.some(ROLES.providers);
    if (this.admitted.has(provider)) return undefined;
    this.admitted.add(provider);
    return { do: "admit", provider, ...(this.chance(30) ? { payout: this.some(ROLES.payouts) } : {}) };
  }

  expel() {
    const there = [...this.admitted].filter((p) => !this.expelled.has(p));
    if (there.length < 3) return undefined;
    const provider = this.pick(there);
    this.expelled.add(provider);
    return { do: "expel", provider };
  }

  enroll() {
    const consumer = this.some(ROLES.consumers);
    if (this.enrolled.has(consumer)) return undefined;
    this.enrolled.add(consumer);
    return { do: "enroll", consumer };
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

  price(now) {
    const model = this.claimed.length === 0 || this.chance(40) ? "*" : this.pick(this.claimed).model, first = !this.priced.has(model);
    const amount = () => (this.chance(30) ? BigInt(this.rng.below(4)) : BigInt(this.rng.next()) << BigInt(this.rng.below(48)));
    const meters = ["inputTokens", "cachedTokens", "outputTokens", "units", "computeMs"];
    const [provider, creator, protocol] = parts(this.rng, 3, true);
    this.priced.add(model);
    return { do: "price", price: {
      model, effectiveFrom: first ? now - this.rng.below(4 * HOUR) : now + this.rng.below(HOUR) - 30_000, unit: "image",
      perMillion: Object.fromEntries(meters.map((name) => [name, String(amount())])), split: { provider, creator, protocol } } };
  }

  pool() {
    const budget = this.chance(20) ? 0n : BigInt(this.rng.next()) << BigInt(this.rng.below(40));
    return { do: "pool", epochMs: HOUR * (1 + this.rng.below(5)), budget: String(budget), capBps: this.chance(60) ? 5000 : this.rng.below(10_001) };
  }

  // ---- receipts

  receipt(now) {
    const rng = this.rng, people = this.people;
    const finishedAt = now - (this.chance(6) ? 23 * HOUR + rng.below(3 * HOUR) : rng.below(HOUR)) + (this.chance(2) ? 2 * HOUR : 0);
    const startedAt = finishedAt - rng.below(60_000) + (this.chance(1) ? 90_000 : 0), inputTokens = rng.below(1 << rng.below(20));
    const model = this.chance(4) ? digest(0x77) : this.claimed.length > 0 ? this.pick(this.claimed).model : digest(0xa0);
    const consumer = this.chance(15) ? undefined : this.some(ROLES.consumers);
    return { countersigned: consumer !== undefined && this.chance(60), receipt: {
      jobId: uuid7(Math.min(startedAt, finishedAt), rng), provider: people[this.some(ROLES.providers) - 1], model,
      ...(consumer === undefined ? {} : { consumer: people[consumer - 1] }), inputTokens, cachedTokens: rng.below(inputTokens + 1),
      outputTokens: rng.below(1 << rng.below(20)), units: this.chance(20) ? rng.below(9) : 0, computeMs: rng.below(100_000),
      startedAt, finishedAt } };
  }

  /** A job that somebody else bills too, the same again, other content for it, or the consumer's word that came later. */
  again(now) {
    const old = this.pick(this.jobs), kind = this.rng.below(4);
    if (kind === 0) return { ...old, receipt: { ...old.receipt, provider: this.people[this.some(ROLES.providers) - 1] } };
    if (kind === 1) return { ...old, receipt: { ...old.receipt, outputTokens: old.receipt.outputTokens + 1 } };
    return { ...old, countersigned: old.receipt.consumer !== undefined && (old.countersigned || kind === 2) };
  }

  post(now) {
    const count = 1 + this.rng.below(6), bundle = this.chance(40);
    const receipts = Array.from({ length: count }, () => (this.contention && this.jobs.length > 0 && this.chance(12) ? this.again(now) : this.receipt(now)));
    if (bundle)
      for (const entry of receipts) entry.receipt = { ...entry.receipt, provider: receipts[0].receipt.provider };
    this.jobs.push(...receipts);
    return { do: "post", bundle, receipts };
  }

  decide(held) {
    return held.length === 0 ? undefined : { do: this.chance(70) ? "release" : "refuse", entry: this.pick(held) };
  }

  /** The end, `left` lines of it: all is settled, what was popular is booked and paid. */
  last(now, left) {
    if (left > 3) return undefined;
    return left === 2 ? { do: "clock", now: awayFromTheHour(now + 6 * HOUR) } : { do: "settle", cancel: false };
  }

  /** The next line; `held`: what is in quarantine now. */
  next(now, held) {
    const roll = this.rng.below(100), first = [this.claim, this.price, this.pool, this.enroll][this.made++];
    if (first !== undefined) return first.call(this, now);
    if (roll < 8) return this.admit(now);
    if (roll < 13) return this.enroll();
    if (roll < 22) return this.claim(now);
    if (roll < 32) return this.verify();
    if (roll < 39) return this.price(now);
    if (roll < 42) return this.pool();
    if (roll < 72) return this.post(now);
    if (roll < 80) return this.decide(held);
    if (roll < 82) return this.expel();
    if (roll < 84) return { do: "restart" };
    if (roll < 93) return { do: "clock", now: awayFromTheHour(now + this.rng.below(3 * HOUR)) };
    return { do: "settle", cancel: this.chance(15) };
  }
}
