// Prices that follow use, and prices fixed by a quote; each step made again here from what is published, with no code of ours.
import assert from "node:assert/strict";
import path from "node:path";
import fs from "node:fs";
import { after, before, describe, it } from "node:test";
import { hashStruct, verifyTypedData } from "viem";
import { Gateway } from "../../scripts/lib/gateway.mjs";
import { until } from "../../scripts/lib/process.mjs";
import { signCapacity, TYPES } from "../../scripts/lib/typed.mjs";
import { person } from "./jobs.mjs";
import { assertProblem, startWorld } from "./world.mjs";

const WINDOW = 1;
const ONE = 10n ** 18n;
const MARKET = { window: WINDOW, target: 5000, deadBand: 500, maxStep: 1000, floor: 6000, ceiling: 15000 };
const PER_MILLION = { inputTokens: "7", outputTokens: "21000000000000000001" }; // one too small to move in a few steps, one odd
const SPLIT = { provider: 7000, creator: 2500, protocol: 500 };
const QUOTE_MAX = 4;
const NO_QUOTE = `0x${"00".repeat(32)}`;

const units = (r) => BigInt(r.inputTokens - r.cachedTokens + r.outputTokens + r.units);

/** gateway/core/market.h, in whole numbers of another language. */
function nextMultiplier(rule, multiplier, demand, capacity) {
  const used = demand * 10000n, target = capacity * BigInt(rule.target), off = used > target ? used - target : target - used;
  if (capacity === 0n || off <= capacity * BigInt(rule.deadBand)) return multiplier;
  const most = (ONE / 10000n) * BigInt(rule.maxStep), step = off < target ? (most * off) / target : most;
  const next = used > target ? (multiplier * (ONE + step)) / ONE : (multiplier * ONE) / (ONE + step);
  const floor = (ONE / 10000n) * BigInt(rule.floor), ceiling = (ONE / 10000n) * BigInt(rule.ceiling);
  return next < floor ? floor : next > ceiling ? ceiling : next;
}

const priceAt = (base, multiplier) => {
  const price = (BigInt(base) * multiplier) / ONE;
  return String(price === 0n && BigInt(base) > 0n ? 1n : price);
};

describe("a market", () => {
  let world, model, fixed, base, spare;

  const shown = async () => (await world.gateway.get(`/v1/models/${model}`)).body;
  const post = (node, over = {}) => world.jobs.signed(node, over.model ?? model, { finishedAt: Date.now(), startedAt: Date.now() - 50, ...over })
    .then(async (receipt) => ({ receipt, answer: await world.gateway.post("/v1/receipts", receipt) }));
  const announce = async (node, unitsPerSecond, over = {}, spoiled = {}) => {
    const now = Date.now(), announcement = { model, unitsPerSecond, validFrom: now, validUntil: now + 3_000_000, ...over };
    const signed = await signCapacity(node.account, world.domain, announcement);
    return { signed, answer: await world.gateway.post("/v1/capacity", { ...signed, ...spoiled }) };
  };
  const multiplier = async () => BigInt((await shown()).market.multiplier);
  const load = async (until_) => {
    const end = Date.now() + 15_000; // by the clock: how many fit into a window is the machine's affair
    for (let i = 0; Date.now() < end && !(await until_()); i++) {
      const { answer } = await post(world.nodes[i % 2], { inputTokens: 900, cachedTokens: 0, outputTokens: 100, units: 0 });
      assert.equal(answer.status, 201, JSON.stringify(answer.body));
    }
    assert.ok(await until_(), "the price did not move");
  };

  before(async () => {
    world = await startWorld({ seed: 61, settings: { RECEIPTS_QUOTE_MAX: `${QUOTE_MAX}s` } });
    [model, fixed] = [world.models[0].model, world.models[1].model];
    spare = person("a stranger");
  });
  after(() => world?.end());

  it("is refused where its rule makes no sense", async () => {
    for (const [bad, told] of [[{ window: 7 }, /window/], [{ deadBand: 5000 }, /deadBand/], [{ floor: 0 }, /floor/], [{ ceiling: 9999 }, /ceiling/],
      [{ maxStep: 0 }, /maxStep/], [{ target: 10001 }, /target/]]) {
      const answer = await world.gateway.admin("POST", "/admin/v1/prices",
        { model, effectiveFrom: Date.now() + 10_000, perMillion: PER_MILLION, split: SPLIT, market: { ...MARKET, ...bad } });
      assertProblem(answer, 422, "malformed");
      assert.match(answer.body.detail, told);
    }
  });

  it("takes announcements of admitted providers alone, signed, in time, each once", async () => {
    base = await world.setPrice({ model, effectiveFrom: Date.now(), perMillion: PER_MILLION, split: SPLIT, market: MARKET });
    const { signed, answer } = await announce(world.nodes[0], 700);
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    assert.equal((await world.gateway.post("/v1/capacity", signed)).status, 200);
    assert.equal((await announce(world.nodes[1], 300)).answer.status, 201);
    assertProblem((await announce(spare, 5)).answer, 422, "invalid");
    assertProblem((await announce(world.nodes[2], 5, {}, { unitsPerSecond: 6 })).answer, 422, "invalid-signature");
    assertProblem((await announce(world.nodes[2], 5, { validFrom: Date.now() - 600_000 })).answer, 422, "invalid");
    assertProblem((await announce(world.nodes[0], 5, { validFrom: signed.validFrom - 1 })).answer, 409, "conflict");
  });

  it("raises the price under load", async () => {
    await load(async () => (await multiplier()) > ONE);
  });

  it("goes on where it stood after a restart in the middle of a window", async () => {
    await load(async () => (await multiplier()) > ONE);
    const versions = (await shown()).prices.length;
    await world.stopServing();
    await world.gateway.serve();
    const now = await shown();
    assert.ok(now.prices.length >= versions);
    assert.equal(now.market.base, base);
  });

  it("lowers it when idle, to the floor and no further", async () => {
    await until(async () => (await multiplier()) === (ONE * 6n) / 10n, 30_000);
    const { prices } = await shown();
    await new Promise((resolve) => setTimeout(resolve, 2500 * WINDOW));
    assert.equal((await shown()).prices.length, prices.length, "at the floor nothing moves, so no version is made");
    const metrics = await world.gateway.admin("GET", "/metrics");
    assert.match(metrics.body, new RegExp(`quittance_market_multiplier{model="${model}"} 0.600000`));
  });

  it("is moved on by an operator's version only from now on", async () => {
    const answer = await world.gateway.admin("POST", "/admin/v1/prices",
      { model, effectiveFrom: Date.now() - 30_000, perMillion: PER_MILLION, split: SPLIT });
    assertProblem(answer, 422, "invalid");
    assert.match(answer.body.detail, /effectiveFrom/);
  });

  it("quotes a price that later prices do not change", async () => {
    const before_ = await world.setPrice({ model: fixed, effectiveFrom: Date.now() - 1000, perMillion: { inputTokens: "1000000000" }, split: SPLIT });
    const question = { model: fixed, provider: world.nodes[0].address, consumer: world.consumer.address };
    const headers = { "idempotency-key": "quote-1" };
    const { status, body: quote } = await world.gateway.post("/v1/quotes", question, headers);
    assert.equal(status, 201, JSON.stringify(quote));
    assert.deepEqual((await world.gateway.post("/v1/quotes", question, headers)).body, quote);
    const message = { model: quote.model, provider: quote.provider, consumer: quote.consumer, priceVersion: quote.priceVersion, validUntil: quote.validUntil };
    assert.equal(hashStruct({ types: TYPES, primaryType: "Quote", data: message }), quote.hash);
    assert.ok(await verifyTypedData({ address: quote.signer, domain: world.domain, types: TYPES, primaryType: "Quote", message, signature: quote.signature }));
    assert.equal(quote.priceVersion, before_);
    assert.ok(quote.validUntil <= Date.now() + QUOTE_MAX * 1000 + 500);

    await world.setPrice({ model: fixed, effectiveFrom: Date.now() - 1000, perMillion: { inputTokens: "9000000000" }, split: SPLIT });
    const named = { model: fixed, consumer: world.consumer.address, quote: quote.hash, inputTokens: 1000, cachedTokens: 0 };
    const bound = await post(world.nodes[0], named);
    assert.equal(bound.answer.status, 201, JSON.stringify(bound.answer.body));
    assert.equal(bound.answer.body.amount, "1000000");
    const unquoted = await post(world.nodes[0], { ...named, quote: NO_QUOTE });
    assert.equal(unquoted.answer.body.amount, "9000000");
    const told = (await world.gateway.get(`/v1/receipts/${bound.receipt.jobId}`)).body;
    assert.equal(told.priceVersion, before_);
    assert.equal(told.quote.signature, quote.signature);
    const file = path.join(world.dir, "quoted.json");
    fs.writeFileSync(file, JSON.stringify(told));
    const report = await world.gateway.command(["verify", file]);
    assert.ok(report.checks.some((check) => check.name === "quote-signature" && check.ok), JSON.stringify(report));

    for (const [node, over, why] of [
      [world.nodes[1], {}, /another provider/], [world.nodes[0], { consumer: spare.address }, /another consumer/],
      [world.nodes[0], { model: world.models[2].model }, /another model/], [world.nodes[0], { quote: `0x${"ab".repeat(32)}` }, /no such quote/],
      [world.nodes[0], { startedAt: quote.validUntil + 1, finishedAt: quote.validUntil + 2 }, /run out/],
    ]) {
      const { answer } = await post(node, { ...named, ...over });
      assert.equal(answer.status, 202, JSON.stringify(answer.body));
      assert.equal(answer.body.code, "quote-mismatch");
      assert.match(answer.body.errors.at(-1).detail, why);
    }
    assertProblem(await world.gateway.post("/v1/quotes", { model: `0x${"cd".repeat(32)}` }), 404, "not-found");
  });

  it("is audited: every step follows from the lines that are published", async () => {
    await post(world.nodes[0]); // priced at the floor: with it all steps are published
    const report = await world.settle();
    assert.equal(report.state, "final");
    const { body } = await world.gateway.get(`/v1/settlements/${report.sequence}/archive`);
    const lines = body.trim().split("\n").map((line) => JSON.parse(line)), of = (type) => lines.filter((line) => line.type === type);
    const [steps, capacities] = [of("price").filter((line) => line.step), of("capacity")];
    assert.ok(steps.length >= 5 && capacities.length === 2 && of("quote").length === 1, `${steps.length} steps`);
    const chain = new Set([base, ...steps.map((line) => line.version)]);
    let current = ONE;
    for (const { version, step, perMillion, effectiveFrom } of steps) {
      const to = step.from + WINDOW * 1000, inside = (r) => r.acceptedAt >= step.from && r.acceptedAt < to && chain.has(r.priceVersion);
      const demand = of("receipt").filter(inside).reduce((sum, r) => sum + units(r), 0n);
      const capacity = capacities.filter((c) => c.recordedAt <= step.from && c.validFrom <= step.from).reduce((sum, c) => sum + BigInt(c.unitsPerSecond * WINDOW), 0n);
      assert.deepEqual([step.base, effectiveFrom, step.demand, step.capacity], [base, to, String(demand), String(capacity)], `version ${version}`);
      const next = nextMultiplier(MARKET, current, demand, capacity);
      assert.equal(step.multiplier, String(next), `version ${version}`);
      assert.notEqual(next, current);
      assert.equal(perMillion.outputTokens, priceAt(PER_MILLION.outputTokens, next));
      assert.equal(perMillion.inputTokens, priceAt(PER_MILLION.inputTokens, next));
      current = next;
    }
    assert.equal(current, (ONE * 6n) / 10n);
    assert.ok(await world.gateway.command(["audit", world.gateway.url]));
  });

  it("comes back with a rebuilt store", async () => {
    const before_ = await shown();
    const dir = path.join(world.dir, "rebuilt"), rebuilt = new Gateway(dir, {});
    await world.stopServing();
    fs.mkdirSync(dir);
    for (const file of ["quittance.conf", "operator.json", "passphrase", "secret"]) fs.copyFileSync(path.join(world.gateway.dir, file), path.join(dir, file));
    rebuilt.env = world.gateway.env;
    await rebuilt.command(["store", "rebuild", path.join(world.gateway.dir, "archive")]);
    const { key } = await rebuilt.command(["apikey", "new", "--role", "admin"]);
    fs.writeFileSync(path.join(dir, "admin.key"), `${key}\n`, { mode: 0o600 });
    rebuilt.apiKey = key;
    world.gateway = Object.assign(rebuilt, { address: world.gateway.address });
    await rebuilt.serve();
    // Steps that no receipt used were published nowhere: they are made again, of the same windows and figures.
    const own = ({ prices }) => prices.filter((p) => p.model !== "*" && p.effectiveFrom <= before_.prices[0].effectiveFrom)
      .map(({ effectiveFrom, perMillion, step, market }) => ({ effectiveFrom, perMillion, step, market }));
    assert.deepEqual(own(await shown()), own(before_));
    const { answer } = await post(world.nodes[0]);
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
  });
});
