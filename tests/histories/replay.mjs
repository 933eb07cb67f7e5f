// The books from published archives alone: what a stranger with the files and no gateway comes to.
import { readFileSync } from "node:fs";
import { priceInForce, priceOf } from "../e2e/recompute.mjs";
import { sharesOf } from "./model.mjs";

const low = (text) => text.toLowerCase();

export function readArchive(folder, sequence) {
  return readFileSync(`${folder}/${sequence}.archive.ndjson`, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));
}

/** `archives`: the lines of each settlement that stands, in order.  Gives account → amount, and every figure that differs. */
export function replay(archives) {
  const providers = [], models = new Map(), prices = [], leaves = new Map(), differs = [];
  const must = (what, got, want) => { if (String(got) !== String(want)) differs.push(`${what}: published ${got}, recomputed ${want}`); };
  const payoutOf = (provider, at) => {
    const rows = providers.filter((p) => low(p.address) === low(provider) && p.since <= at).sort((a, b) => a.since - b.since);
    return rows.at(-1)?.payout ?? provider;
  };
  for (const lines of archives) {
    const batch = lines.find((line) => line.type === "batch"), before = new Map(leaves);
    providers.push(...lines.filter((line) => line.type === "provider"));
    prices.push(...lines.filter((line) => line.type === "price"));
    for (const line of lines.filter((l) => l.type === "model")) models.set(low(line.model), line);
    for (const receipt of lines.filter((line) => line.type === "receipt")) {
      const version = prices.find((p) => p.version === receipt.priceVersion), amount = priceOf(receipt, version.perMillion);
      must(`amount of ${receipt.jobId}`, receipt.amount, amount);
      const shares = sharesOf({ receipt, amount, split: version.split, payout: payoutOf(receipt.provider, receipt.acceptedAt),
        protocol: batch.protocolAccount, verified: (digest) => models.get(digest) });
      for (const { account, amount: x } of shares) leaves.set(account, (leaves.get(account) ?? 0n) + x);
      const known = priceInForce(prices.filter((p) => p.recordedAt <= receipt.acceptedAt), receipt);
      if (known !== undefined) must(`price version of ${receipt.jobId}`, receipt.priceVersion, known.version);
    }
    for (const line of lines.filter((l) => l.type === "reward")) {
      must(`before of ${line.account}`, line.before, before.get(low(line.account)) ?? 0n);
      must(`after of ${line.account}`, line.after, leaves.get(low(line.account)));
    }
    must(`total of settlement ${batch.sequence}`, batch.total, [...leaves.values()].reduce((sum, x) => sum + x, 0n));
  }
  return { leaves, differs };
}
