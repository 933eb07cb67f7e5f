// Moving prices by the words of gateway/core/market.h and the README alone: which windows there are, and what each does to a price.
const BPS = 10_000n, ONE = 10n ** 18n;

export const windowMs = (rule) => rule.window * 1000;
const least = (a, b) => (a < b ? a : b);
const most = (a, b) => (a > b ? a : b);

/** The begin of the first whole window after the base took effect and was recorded. */
export function firstWindow(base) {
  const since = Math.max(base.effectiveFrom, base.recordedAt);
  return Math.ceil(since / windowMs(base.market)) * windowMs(base.market);
}

/** What a job takes of the capacity. */
export const unitsOf = (r) => BigInt((r.inputTokens ?? 0) - (r.cachedTokens ?? 0) + (r.outputTokens ?? 0) + (r.units ?? 0));

/** announcements of one model: [{provider, unitsPerSecond, validFrom, validUntil, recordedAt}].  Units that the window can have. */
export function capacityIn(rule, from, announcements) {
  const last = new Map();
  for (const a of announcements.filter((each) => each.recordedAt <= from))
    if ((last.get(a.provider)?.validFrom ?? -1) < a.validFrom) last.set(a.provider, a);
  return [...last.values()].filter((a) => a.validFrom <= from && a.validUntil >= from + windowMs(rule))
    .reduce((sum, a) => sum + BigInt(a.unitsPerSecond) * BigInt(rule.window), 0n);
}

/** The multiplier (18 decimals) after a window: up by times (1 + s), down by as much, s the part of maxStep that the distance is of the target. */
export function multiplierAfter(rule, multiplier, demand, capacity) {
  if (capacity === 0n) return multiplier;
  const target = BigInt(rule.target), used = demand * BPS, wanted = capacity * target, off = most(used, wanted) - least(used, wanted);
  if (off <= capacity * BigInt(rule.deadBand)) return multiplier;
  const step = (BigInt(rule.maxStep) * ONE) / BPS, s = off >= wanted ? step : (step * off) / wanted;
  const next = used > wanted ? (multiplier * (ONE + s)) / ONE : (multiplier * ONE) / (ONE + s);
  return least(most(next, (BigInt(rule.floor) * ONE) / BPS), (BigInt(rule.ceiling) * ONE) / BPS);
}

/** The base's prices times the multiplier, cut to whole units; what was not free does not become it. */
export function pricesAt(perMillion, multiplier) {
  const at = (price) => (price === 0n ? 0n : most((price * multiplier) / ONE, 1n));
  return Object.fromEntries(Object.entries(perMillion).map(([meter, price]) => [meter, String(at(BigInt(price)))]));
}

export const unmoved = ONE;
