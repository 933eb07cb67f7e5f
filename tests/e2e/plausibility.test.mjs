// Usage that no machine can have had is held by itself, with the figures, and both sides see why and what became of it.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { until } from "../../scripts/lib/process.mjs";
import { person } from "./jobs.mjs";
import { assertProblem, HOUR, startWorld } from "./world.mjs";

const MINUTE = 60_000;

describe("plausibility", () => {
  let world, node, model, minute;
  const job = (over) => world.jobs.signed(node, model, { cachedTokens: 0, units: 0, inputTokens: 1000, outputTokens: 0, ...over });
  const at = (from, until, over) => job({ startedAt: minute + from, finishedAt: minute + until, ...over });
  const post = async (receipt) => (await world.gateway.post("/v1/receipts", receipt)).body;
  const own = async (status, limit = 1000) => {
    const items = [];
    for (let cursor = ""; ;) {
      const { status: code, body } = await world.gateway.get(`/v1/accounts/${node.address}/receipts?limit=${limit}${status ? `&status=${status}` : ""}${cursor}`);
      assert.equal(code, 200, JSON.stringify(body));
      items.push(...body.items);
      if (!body.next) return items;
      cursor = `&cursor=${body.next}`;
    }
  };
  const decide = (verb, { jobId }, reason) => world.gateway.must("POST", `/admin/v1/quarantine/${node.address}/${jobId}/${verb}`, { reason });

  before(async () => {
    world = await startWorld({ seed: 62, settings: { PLAUSIBILITY_MAX_TOKENS_PER_SECOND: "100000", PLAUSIBILITY_UNIQUE_EVIDENCE: "yes",
      PLAUSIBILITY_MAX_DURATION: "2h", WATCHDOG_INTERVAL: "1s" } });
    node = world.nodes[0];
    model = world.models[0].model;
    minute = Math.floor(Date.now() / MINUTE) * MINUTE - 20 * MINUTE;
    await world.gateway.must("PATCH", `/admin/v1/providers/${node.address}`, { maxTokensPerSecond: 500, parallelism: 1 });
  });
  after(() => world?.end());

  it("a provider's class stands in its row, and null gives it back", async () => {
    const row = await world.gateway.must("GET", `/admin/v1/providers/${node.address}`);
    assert.deepEqual([row.maxTokensPerSecond, row.parallelism, row.cacheAlerts], [500, 1, undefined]);
    const other = `/admin/v1/providers/${world.nodes[1].address}`;
    await world.gateway.must("PATCH", other, { parallelism: 3 });
    assert.equal((await world.gateway.must("PATCH", other, { parallelism: null })).parallelism, undefined);
    for (const body of [{ parallelism: -1 }, { parallelism: "1" }, { parallelism: 100001 }, { maxTokensPerSecond: 1.5 }])
      assertProblem(await world.gateway.admin("PATCH", other, body), 422, "malformed");
  });

  it("each rule holds its receipt, and names limit and measure", async () => {
    const held = async (receipt, pointer, detail) => {
      const item = await post(receipt);
      assert.deepEqual([item.status, item.code, item.errors[0].pointer], ["quarantined", "implausible-usage", pointer], JSON.stringify(item));
      assert.match(item.errors[0].detail, detail);
      return receipt;
    };
    world.fast = await held(await at(0, 1000), "/outputTokens", /^tokens-per-second: 1000 tokens in 1000 ms are 1000, the provider's class is 500/);
    assert.equal((await post(await at(0, 40_000))).status, "accepted");
    world.crowd = await held(await at(10_000, 40_000), "/startedAt", /^parallelism: 70000 ms of jobs in the minute of \d+, the provider's class is 1 at once, 60000 ms/);
    await held(await job({ startedAt: minute - 3 * HOUR, finishedAt: minute - HOUR / 2 }), "/finishedAt", /^duration: the job ran 9000000 ms, allowed are 7200000/);
    const evidence = `0x${"ab".repeat(32)}`;
    assert.equal((await post(await at(60_000, 70_000, { evidence }))).status, "accepted");
    await held(await at(70_000, 80_000, { evidence }), "/evidence", /^evidence: 2 receipts with the same, the other is of job/);
  });

  it("a bundle keeps all its other receipts", async () => {
    const receipts = Array.from({ length: 100 }, (_, i) =>
      world.jobs.make(node, model, { startedAt: minute + 120_000 + 400 * i, finishedAt: minute + 120_000 + 400 * i + 400, cachedTokens: 0,
        inputTokens: i === 33 ? 100_000 : 100, outputTokens: 0, units: 0 }));
    const { body } = await world.gateway.post("/v1/receipts", await world.jobs.jsonBundle(node, receipts));
    assert.deepEqual(body.results.map((item) => item.status), receipts.map((_, i) => (i === 33 ? "quarantined" : "accepted")));
  });

  it("both sides see why, and what an operator decided for which reason", async () => {
    const listed = (await world.gateway.must("GET", "/admin/v1/quarantine?code=implausible-usage")).items;
    const theirs = await own("quarantined");
    assert.deepEqual(new Set(theirs.map((row) => row.jobId)), new Set(listed.map((row) => row.jobId)));
    assert.equal(theirs.length, 5);
    for (const row of theirs) assert.deepEqual(row.errors, listed.find(({ jobId }) => jobId === row.jobId).errors);
    const single = (await world.gateway.get(`/v1/receipts/${world.crowd.jobId}`)).body;
    assert.match(single.errors[0].detail, /^parallelism/);
    await decide("release", world.crowd, "a second machine was lent");
    await decide("refuse", world.fast, "no machine does that");
    const after = await own();
    const [released, refused] = [world.crowd, world.fast].map(({ jobId }) => after.find((row) => row.jobId === jobId));
    assert.deepEqual([released.state, released.reason], ["accepted", "a second machine was lent"]);
    assert.deepEqual([refused.state, refused.reason, refused.code], ["refused", "no machine does that", "implausible-usage"]);
    assert.deepEqual((await own("refused")).map((row) => row.jobId), [world.fast.jobId]);
    assert.equal((await world.gateway.get(`/v1/receipts/${world.fast.jobId}`)).body.reason, "no machine does that");
  });

  it("a provider's own receipts come newest first, page by page, whoever else has some between", async () => {
    const { nodes } = world;
    for (let i = 0; i < 6; i++) await world.postAccepted([await world.jobs.signed(nodes[1], model, { finishedAt: minute + 400_000 + i })]);
    const all = await own(undefined, 2), times = all.map((row) => parseInt(row.jobId.replaceAll("-", "").slice(0, 12), 16));
    assert.equal(all.length, new Set(all.map((row) => row.jobId)).size);
    assert.deepEqual(times, [...times].sort((a, b) => b - a));
    assert.equal(all.filter((row) => row.state === "accepted").length, 2 + 99 + 1);
    assert.deepEqual((await world.gateway.get(`/v1/accounts/${person("nobody").address}/receipts`)).body, { items: [], next: null });
    assertProblem(await world.gateway.get(`/v1/accounts/${node.address}/receipts?status=paid`), 400, "malformed");
  });

  it("released ones are receipts like any other: settled, and audited", async () => {
    assert.equal((await world.settle()).state, "final");
    assert.equal((await world.gateway.command(["audit", world.gateway.url])).ok ?? true, true);
    assert.equal((await own("accepted")).find((row) => row.jobId === world.crowd.jobId).state, "committed");
  });

  it("a node that reports far fewer cache hits than its peers is named to the operator", async () => {
    const [, honest, hiding] = world.nodes, other = world.models[1].model;
    for (const [who, cachedTokens] of [[honest, 40], [hiding, 1]]) {
      const receipts = Array.from({ length: 1000 }, (_, i) =>
        world.jobs.make(who, other, { inputTokens: 100, cachedTokens, outputTokens: 1, units: 0, finishedAt: Date.now() - 1000 - i }));
      const { body } = await world.gateway.post("/v1/receipts", await world.jobs.jsonBundle(who, receipts));
      assert.ok(body.results.every((item) => item.status === "accepted"));
    }
    const { items } = await world.gateway.must("GET", "/admin/v1/providers");
    const alerts = items.filter((row) => row.cacheAlerts);
    assert.deepEqual(alerts.map((row) => row.address), [hiding.address]);
    assert.deepEqual(alerts[0].cacheAlerts, [{ model: other, jobs: 1000, inputTokens: 100_000, cachedTokens: 1000,
      medianInputTokens: 100_000, medianCachedTokens: 40_000 }]);
    const finding = await until(async () => (await world.gateway.get("/readyz")).body.findings?.find(({ code }) => code === "cache-hidden"), "the alarm");
    assert.equal(finding.level, "warning");
    assert.ok(finding.text.includes(hiding.address) && finding.text.includes("1000 of 100000 input tokens cached in 1000 jobs"), finding.text);
    assert.match((await world.gateway.admin("GET", "/metrics")).body, /^quittance_cache_hidden 1$/m);
    assert.match(world.gateway.process.log(), /event=alarm_raised .*cache-hidden/);
  });
});
