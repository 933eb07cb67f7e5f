// The books from published archives alone: what a stranger with the files and no gateway comes to.
import { readFileSync } from "node:fs";
import { hashStruct } from "viem";
import { TYPES } from "../../scripts/lib/typed.mjs";
import { priceInForce, priceOf } from "../e2e/recompute.mjs";
import { settleAccounts } from "./debts.mjs";
import { capacityIn, multiplierAfter, pricesAt, unitsOf, unmoved, windowMs } from "./market.mjs";
import { NOBODY, payModel, sharesOf } from "./model.mjs";
import { share as sharePool } from "./pool.mjs";

const low = (text) => text.toLowerCase();
const quoteHash = (data) => hashStruct({ types: TYPES, primaryType: "Quote", data });

export function readArchive(folder, sequence) {
  return readFileSync(`${folder}/${sequence}.archive.ndjson`, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));
}

/** Steps of markets, each made again from the receipts and announcements told by then. */
function checkStep(price, { prices, capacities, receipts }, must) {
  const { base: number, from, demand, capacity, multiplier } = price.step, base = prices.find((p) => p.version === number), rule = base.market;
  const of = (version) => version === number || prices.find((p) => p.version === version)?.step?.base === number;
  const before = prices.filter((p) => p.step?.base === number && p.effectiveFrom <= from).sort((a, b) => a.effectiveFrom - b.effectiveFrom).at(-1);
  const asked = receipts.filter((r) => of(r.priceVersion) && from <= r.acceptedAt && r.acceptedAt < price.effectiveFrom).reduce((sum, r) => sum + unitsOf(r), 0n);
  const had = capacityIn(rule, from, capacities.filter((c) => low(c.model) === low(base.model)));
  const next = multiplierAfter(rule, before === undefined ? unmoved : BigInt(before.step.multiplier), asked, had);
  must(`step of ${price.version}`, [price.effectiveFrom, demand, capacity, multiplier], [from + windowMs(rule), asked, had, next]);
  must(`prices of ${price.version}`, JSON.stringify(price.perMillion), JSON.stringify(pricesAt(base.perMillion, next)));
}

/** Versions that counted by then: a step does once its window has ended. */
const knownBy = (prices, at) => prices.filter((p) => (p.step === undefined ? p.recordedAt : p.effectiveFrom) <= at);

/** The quote that a receipt names, where it binds it. */
function bindingQuote(receipt, quotes) {
  const quote = quotes.get(receipt.quote), fits = (mine, its) => BigInt(mine) === 0n || low(mine) === low(its ?? NOBODY);
  return quote !== undefined && low(quote.model) === low(receipt.model) && fits(quote.provider, receipt.provider) && fits(quote.consumer, receipt.consumer)
    && receipt.startedAt <= quote.validUntil ? quote : undefined;
}

/** `archives`: the lines of each settlement that stands, in order.  Gives leaves and debts, and every figure that differs. */
export function replay(archives) {
  const providers = [], consumers = [], epochs = [], jobs = [], models = new Map(), prices = [], differs = [];
  const capacities = [], receipts = [], quotes = new Map(), ids = new Set(), balances = new Map();
  let leaves = new Map(), debts = new Map();
  const credit = (account, x) => balances.set(low(account), (balances.get(low(account)) ?? 0n) + x);
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
        (account, _role, _digest, x) => credit(account, x));
  };
  for (const lines of archives) {
    const batch = lines.find((line) => line.type === "batch"), before = leaves, owed = debts;
    providers.push(...lines.filter((line) => line.type === "provider"));
    consumers.push(...lines.filter((line) => line.type === "consumer"));
    for (const line of lines.filter((l) => l.type === "epoch")) if (!epochs.some((e) => e.epoch === line.epoch)) epochs.push(line);
    prices.push(...lines.filter((line) => line.type === "price"));
    for (const line of lines.filter((l) => l.type === "model")) models.set(low(line.model), line);
    capacities.push(...lines.filter((line) => line.type === "capacity"));
    receipts.push(...lines.filter((line) => line.type === "receipt"));
    for (const line of lines.filter((l) => l.type === "quote")) quotes.set(quoteHash(line), line);
    for (const { model, issuedAt, priceVersion } of lines.filter((l) => l.type === "quote"))
      must(`price of a quote for ${model}`, priceVersion, priceInForce(knownBy(prices, issuedAt), { model, finishedAt: issuedAt })?.version);
    for (const price of lines.filter((l) => l.type === "price" && l.step !== undefined)) checkStep(price, { prices, capacities, receipts }, must);
    for (const receipt of lines.filter((line) => line.type === "receipt")) {
      const version = prices.find((p) => p.version === receipt.priceVersion), amount = priceOf(receipt, version.perMillion);
      must(`amount of ${receipt.jobId}`, receipt.amount, amount);
      const shares = sharesOf({ receipt, amount, split: version.split, payout: payoutOf(receipt.provider, receipt.acceptedAt),
        protocol: batch.protocolAccount, verified: (digest) => models.get(digest) });
      for (const { account, amount: x } of shares) credit(account, x);
      if (receipt.consumerSignature !== undefined && enrolled(receipt.consumer, receipt.acceptedAt))
        jobs.push({ at: receipt.acceptedAt, model: low(receipt.model), consumer: low(receipt.consumer),
          fee: (amount * BigInt(version.split.protocol)) / 10_000n });
      const quote = bindingQuote(receipt, quotes);
      const known = quote !== undefined ? { version: quote.priceVersion }
        : priceInForce(knownBy(prices, receipt.acceptedAt), receipt);
      if (known !== undefined) must(`price version of ${receipt.jobId}`, receipt.priceVersion, known.version);
    }
    for (const line of lines.filter((l) => l.type === "popularity")) checkPool(line);
    for (const { id, account, counterAccount, amount, sign } of lines.filter((l) => l.type === "adjustment")) {
      must(`adjustment ${id} before`, ids.has(id), false);
      must(`counter account of adjustment ${id}`, low(counterAccount), low(batch.protocolAccount));
      ids.add(id);
      credit(account, sign === "+" ? BigInt(amount) : -BigInt(amount));
      credit(counterAccount, sign === "+" ? -BigInt(amount) : BigInt(amount));
    }
    ({ leaves, debts } = settleAccounts(balances, before, low(batch.protocolAccount)));
    for (const account of new Set([...owed.keys(), ...debts.keys()])) {
      const line = lines.find((l) => l.type === "debt" && low(l.account) === account), was = owed.get(account) ?? 0n, is = debts.get(account) ?? 0n;
      must(`debt of ${account}`, line === undefined ? "" : [line.before, line.after], was === is ? "" : [was, is]);
    }
    for (const line of lines.filter((l) => l.type === "reward")) {
      must(`before of ${line.account}`, line.before, before.get(low(line.account)) ?? 0n);
      must(`after of ${line.account}`, line.after, leaves.get(low(line.account)));
    }
    must(`total of settlement ${batch.sequence}`, batch.total, [...leaves.values()].reduce((sum, x) => sum + x, 0n));
  }
  return { leaves, debts, differs };
}
