// What every account must have earned, recomputed from receipts, prices and lineage by the words of design 5 alone.
// BigInt throughout; shares no code with the gateway.
const BPS = 10_000n;

/** floor of the five meters times their price, floored once. */
export function priceOf(receipt, perMillion) {
  const count = (name) => BigInt(receipt[name] ?? 0), each = (name) => BigInt(perMillion[name] ?? 0);
  const sum = (count("inputTokens") - count("cachedTokens")) * each("inputTokens") + count("cachedTokens") * each("cachedTokens")
    + count("outputTokens") * each("outputTokens") + count("units") * each("units") + count("computeMs") * each("computeMs");
  return sum / 1_000_000n;
}

/** The model's own version, latest effectiveFrom, then highest number; if none the same among "*". */
export function priceInForce(prices, receipt) {
  for (const model of [receipt.model.toLowerCase(), "*"]) {
    const candidates = prices.filter((p) => p.model.toLowerCase() === model && p.effectiveFrom <= receipt.finishedAt);
    if (candidates.length > 0)
      return candidates.reduce((best, p) =>
        p.effectiveFrom > best.effectiveFrom || (p.effectiveFrom === best.effectiveFrom && p.version > best.version) ? p : best);
  }
  return undefined;
}

/** `models`: digest → {creator, parents}; `payouts`: provider → account (itself where not named). */
export class Books {
  constructor({ models, prices, protocol, payouts = {} }) {
    Object.assign(this, { prices, protocol });
    this.models = new Map(models.map((m) => [m.model.toLowerCase(), m]));
    this.payouts = new Map(Object.entries(payouts).map(([provider, account]) => [provider.toLowerCase(), account]));
    this.accounts = new Map();
    this.total = 0n;
    this.receipts = 0;
  }

  /** [{account, role, model, amount}], nothing left over; rows of nothing are left out. */
  sharesOf(receipt) {
    const version = priceInForce(this.prices, receipt), amount = priceOf(receipt, version.perMillion), rows = [];
    const creator = (amount * BigInt(version.split.creator)) / BPS, protocol = (amount * BigInt(version.split.protocol)) / BPS;
    const give = (account, role, model, x) => {
      const known = rows.find((row) => row.account === account && row.role === role && row.model === model);
      if (known) known.amount += x;
      else if (x > 0n) rows.push({ account, role, model, amount: x });
    };
    const pay = (digest, x, role) => {
      const model = this.models.get(digest.toLowerCase());
      let kept = x;
      for (const { parent, shareBps } of model.parents) {
        const part = (x * BigInt(shareBps)) / BPS;
        kept -= part;
        pay(parent, part, "lineage");
      }
      give(model.creator, role, model.model, kept);
    };
    give(this.payouts.get(receipt.provider.toLowerCase()) ?? receipt.provider, "provider", receipt.model, amount - creator - protocol);
    pay(receipt.model, creator, "creator");
    give(this.protocol, "protocol", receipt.model, protocol);
    return { amount, version: version.version, rows };
  }

  add(receipt) {
    const { amount, rows } = this.sharesOf(receipt);
    this.total += amount;
    this.receipts++;
    for (const { account, role, model, amount: x } of rows) {
      const sums = this.account(account);
      sums.earned += x;
      sums.byRole[role] = (sums.byRole[role] ?? 0n) + x;
      sums.byModel[model] = (sums.byModel[model] ?? 0n) + x;
    }
    return amount;
  }

  account(address) {
    const key = address.toLowerCase();
    if (!this.accounts.has(key)) this.accounts.set(key, { account: address, earned: 0n, byRole: {}, byModel: {} });
    return this.accounts.get(key);
  }

  /** {account, claimable} of everybody who earned, as the rewards tree holds them. */
  rewards() {
    return [...this.accounts.values()].filter((a) => a.earned > 0n).map(({ account, earned }) => ({ account, claimable: earned }));
  }
}
