// What is said before a job, for model.mjs: quotes that fix a price, capacity that moves one.
import { priceInForce } from "../e2e/recompute.mjs";
import { capacityIn, firstWindow, multiplierAfter, pricesAt, unitsOf, unmoved, windowMs } from "./market.mjs";

const SKEW = 300_000, LIFE = 3_600_000;
const low = (text) => text.toLowerCase();
const latest = (best, p) => (p.effectiveFrom > best.effectiveFrom || (p.effectiveFrom === best.effectiveFrom && p.version > best.version) ? p : best);

export class Offers {
  constructor(model, quoteMax) {
    Object.assign(this, { model, quoteMax });
    this.quotes = new Map();         // hash -> {model, provider, consumer, version, validUntil}
    this.announced = [];             // {provider, model, unitsPerSecond, validFrom, validUntil, recordedAt, withdrawnAt}
    this.markets = [];               // {base, next, multiplier, ended}
  }

  // ---- quotes

  /** The version that a quote for the model fixes now; undefined: there is none. */
  quotable(digest) {
    return this.model.claims.has(digest) ? priceInForce(this.model.prices, { model: digest, finishedAt: this.model.now }) : undefined;
  }

  quote(hash, terms) { this.quotes.set(hash, terms); }

  /** The version of the quote that the receipt names, where the quote binds it. */
  quotedPrice(receipt) {
    const quote = receipt.quote && this.quotes.get(receipt.quote), same = (mine, its) => mine === undefined || mine === low(its ?? "");
    if (quote === undefined || quote.model !== low(receipt.model) || !same(quote.provider, receipt.provider) || !same(quote.consumer, receipt.consumer)
      || receipt.startedAt > quote.validUntil) return undefined;
    return quote.version;
  }

  // ---- capacity

  /** False: refused. */
  announce({ provider, model, unitsPerSecond, validFrom, validUntil }) {
    const now = this.model.now, mine = this.announced.filter((a) => a.provider === provider && a.model === model);
    const last = mine.reduce((best, a) => (best === undefined || a.validFrom > best.validFrom ? a : best), undefined);
    if (!this.model.providers.has(provider) || !this.model.claims.has(model)) return false;
    if (last !== undefined && last.withdrawnAt === undefined && last.unitsPerSecond === unitsPerSecond && last.validFrom === validFrom
      && last.validUntil === validUntil) return true;
    if (Math.abs(validFrom - now) > SKEW || validUntil <= validFrom || validUntil - validFrom > LIFE || validUntil <= now) return false;
    if (last !== undefined && validFrom <= last.validFrom) return false;
    this.announced.push({ provider, model, unitsPerSecond, validFrom, validUntil, recordedAt: now });
    return true;
  }

  /** Of a provider that was expelled: from the next windows on nothing of it counts. */
  withdraw(provider) {
    for (const a of this.announced)
      if (a.provider === provider && a.validUntil > this.model.now) a.withdrawnAt ??= this.model.now;
  }

  // ---- markets

  /** The operator's version in force for the model at that time, as was known then. */
  setAt(model, at) {
    const set = this.model.prices.filter((p) => p.model === model && p.step === undefined && p.effectiveFrom <= at && p.recordedAt <= at);
    return set.length === 0 ? undefined : set.reduce(latest);
  }

  takes(version) {
    return version.effectiveFrom >= this.model.now || this.setAt(version.model, this.model.now)?.market === undefined;
  }

  opens(version) {
    if (version.market !== undefined) this.markets.push({ base: version, next: firstWindow(version), multiplier: unmoved });
  }

  demand(base, from, until) {
    return [...this.model.receipts.values()]
      .filter((e) => e.state === "accepted" && (e.version === base || e.version.step?.base === base) && from <= e.acceptedAt && e.acceptedAt < until)
      .reduce((sum, e) => sum + unitsOf(e.receipt), 0n);
  }

  moveMarkets() {
    for (const market of this.markets)
      while (!market.ended && market.next + windowMs(market.base.market) <= this.model.now) this.endWindow(market);
  }

  endWindow(market) {
    const { base, next: from } = market, rule = base.market, until = from + windowMs(rule);
    market.ended = this.setAt(base.model, until) !== base;
    if (market.ended) return;
    const demand = this.demand(base, from, until);
    const capacity = capacityIn(rule, from, this.announced.filter((a) => a.model === base.model && (a.withdrawnAt ?? Infinity) > from));
    const multiplier = multiplierAfter(rule, market.multiplier, demand, capacity);
    market.next = until;
    if (multiplier === market.multiplier) return;
    market.multiplier = multiplier;
    this.model.prices.push({ ...base, market: undefined, version: this.model.prices.length + 1, effectiveFrom: until, recordedAt: until,
      perMillion: pricesAt(base.perMillion, multiplier), step: { base, from, demand, capacity, multiplier } });
  }
}
