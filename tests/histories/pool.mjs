// The popularity pool by the words of gateway/pool/POPULARITY.md alone: which epochs there are, and what one comes to.
const BPS = 10_000n;

export function isqrt(v) {
  let low = 0n, high = 1n << 128n;
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (middle * middle <= v) low = middle;
    else high = middle;
  }
  return low;
}

/** Epochs {epoch, begins, ends, budget, capBps} that have begun by `now`; terms: [{since, epochMs, budget, capBps}] in order. */
export function epochsUntil(terms, now) {
  const epochs = [], inForce = (at) => terms.filter((t) => t.since <= at).at(-1);
  for (let ended = 0; ;) {
    const before = inForce(ended), next = terms.find((t) => t.since > ended && t.budget > 0n);
    const on = before?.budget > 0n ? { ...before, since: ended } : next;
    if (on === undefined || on.since > now) return epochs;
    ended = (Math.floor(on.since / on.epochMs) + 1) * on.epochMs;
    epochs.push({ epoch: epochs.length + 1, begins: on.since, ends: ended, budget: on.budget, capBps: on.capBps });
  }
}

/** jobs: [{model, consumer, fee}] that count.  {models: [{model, score, fees, share}], carriedOut}, models in order. */
export function share({ budget, capBps }, carriedIn, jobs) {
  const models = new Map();
  for (const { model, consumer, fee } of jobs) {
    if (fee === 0n) continue;
    if (!models.has(model)) models.set(model, new Map());
    models.get(model).set(consumer, (models.get(model).get(consumer) ?? 0n) + fee);
  }
  const rows = [...models].sort(([a], [b]) => (a < b ? -1 : 1)).map(([model, consumers]) => ({ model,
    score: [...consumers.values()].reduce((sum, fees) => sum + isqrt(fees), 0n), fees: [...consumers.values()].reduce((a, b) => a + b, 0n) }));
  const scores = rows.reduce((sum, row) => sum + row.score, 0n), available = budget + carriedIn;
  for (const row of rows) {
    const cap = (row.fees * BigInt(capBps)) / BPS, part = (available * row.score) / scores;
    row.share = part < cap ? part : cap;
  }
  return { models: rows, carriedOut: rows.reduce((left, row) => left - row.share, available) };
}
