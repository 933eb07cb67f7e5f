// The books from published archives alone: what a stranger with the files and no gateway comes to.
import { readFileSync } from "node:fs";
import { priceInForce, priceOf } from "../e2e/recompute.mjs";
import { payModel, sharesOf } from "./model.mjs";
import { share as sharePool } from "./pool.mjs";

const low = (text) => text.toLowerCase();

export function readArchive(folder, sequence) {
  return readFileSync(`${folder}/${sequence}.archive.ndjson`, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));
}

/** `archives`: the lines of each settlement that stands, in order.  Gives account → amount, and every figure that differs. */
export function replay(archives) {
  const providers = [], consumers = [], epochs = [], jobs = [], models = new Map(), prices = [], leaves = new Map(), differs = [];
  const must = (what, got, want) => { if (String(got) !== String(want)) differs.push(`${what}: published ${got}, recomputed ${want}`); };
  const payoutOf = (provider, at) => {
    const rows = providers.filter((p) => low(p.address) === low(provider) && p.since <= at).sort((a, b) => a.since - b.since);
    return rows.at(-1)?.payout ?? provider;
  };
  const enrolled = (consumer, at) =>
    consumers.filter((c) => low(c.address) === low(consumer) && c.since <= at).sort((a, b) => a.since - b.since).at(-1)?.enrolled ?? false;
  let carried = 0n;
  const checkPool = (line) => {
    const { begins, ends, budget, capBps } = line, announced = epochs.find((e) => e.epoch === line.epoch);
    must(`terms of epoch ${line.epoch}`, JSON.stringify([begins, ends, budget, capBps]),
      JSON.stringify([announced.begins, announced.ends, announced.budget, announced.capBps]));
    const want = sharePool({ budget: BigInt(budget), capBps }, carried, jobs.filter((job) => begins <= job.at && job.at < ends));
    const rows = want.models.map(({ model, score, fees, share }) => ({ model, score: `${score}`, fees: `${fees}`, share: `${share}` }));
    must(`shares of epoch ${line.epoch}`, JSON.stringify(line.models), JSON.stringify(rows));
    must(`carry of epoch ${line.epoch}`, `${line.carriedIn} ${line.carriedOut}`, `${carried} ${want.carriedOut}`);
    carried = want.carriedOut;
    for (const { model, share } of want.models)
      payModel(model, share, "popularity", "popularity", (digest) => models.get(digest),
        (account, _role, _digest, x) => { if (x > 0n) leaves.set(low(account), (leaves.get(low(account)) ?? 0n) + x); });
  };
  for (const lines of archives) {
    const batch = lines.find((line) => line.type === "batch"), before = new Map(leaves);
    providers.push(...lines.filter((line) => line.type === "provider"));
    consumers.push(...lines.filter((line) => line.type === "consumer"));
    for (const line of lines.filter((l) => l.type === "epoch")) if (!epochs.some((e) => e.epoch === line.epoch)) epochs.push(line);
    prices.push(...lines.filter((line) => line.type === "price"));
    for (const line of lines.filter((l) => l.type === "model")) models.set(low(line.model), line);
    for (const receipt of lines.filter((line) => line.type === "receipt")) {
      const version = prices.find((p) => p.version === receipt.priceVersion), amount = priceOf(receipt, version.perMillion);
      must(`amount of ${receipt.jobId}`, receipt.amount, amount);
      const shares = sharesOf({ receipt, amount, split: version.split, payout: payoutOf(receipt.provider, receipt.acceptedAt),
        protocol: batch.protocolAccount, verified: (digest) => models.get(digest) });
      for (const { account, amount: x } of shares) leaves.set(account, (leaves.get(account) ?? 0n) + x);
      if (receipt.consumerSignature !== undefined && enrolled(receipt.consumer, receipt.acceptedAt))
        jobs.push({ at: receipt.acceptedAt, model: low(receipt.model), consumer: low(receipt.consumer),
          fee: (amount * BigInt(version.split.protocol)) / 10_000n });
      const known = priceInForce(prices.filter((p) => p.recordedAt <= receipt.acceptedAt), receipt);
      if (known !== undefined) must(`price version of ${receipt.jobId}`, receipt.priceVersion, known.version);
    }
    for (const line of lines.filter((l) => l.type === "popularity")) checkPool(line);
    for (const line of lines.filter((l) => l.type === "reward")) {
      must(`before of ${line.account}`, line.before, before.get(low(line.account)) ?? 0n);
      must(`after of ${line.account}`, line.after, leaves.get(low(line.account)));
    }
    must(`total of settlement ${batch.sequence}`, batch.total, [...leaves.values()].reduce((sum, x) => sum + x, 0n));
  }
  return { leaves, differs };
}
