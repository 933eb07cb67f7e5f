// A stolen operator key commits a thief's root: watch cancels it, and everybody collects on the old root meanwhile.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { encodeFunctionData } from "viem";
import { BINARY } from "../../scripts/lib/gateway.mjs";
import { run, start, stop, until } from "../../scripts/lib/process.mjs";
import { person } from "./jobs.mjs";
import { parseMetrics } from "./metrics.mjs";
import { rewardLeaf } from "./trees.mjs";
import { SETTLEMENT_ABI, startWorld } from "./world.mjs";

const LOOK_AT_IT = 70, DELAY = 3600;

describe("watch", () => {
  let world, guardian, keys, thief, mirror, alarms, program;

  const jump = async (seconds) => {
    await world.chain.test.increaseTime({ seconds });
    await world.chain.test.mine({ blocks: 1 });
  };

  before(async () => {
    guardian = person("guardian");
    thief = person("thief");
    // Nobody is paid by distribute, so there is something to steal; the operator's key is not the guardian's.
    world = await startWorld({ seed: 95, settings: {
      CONTRACT_ACTIVATION_DELAY: String(DELAY), CONTRACT_GUARDIAN: guardian.address, SETTLE_DISTRIBUTE_MINIMUM: String(10n ** 24n),
    } });
    keys = await world.keystoreOf(guardian);
    await world.chain.fund(guardian.address, 10n ** 20n);
    await world.postAccepted(await Promise.all([0, 1, 2, 0, 1].map((i) => world.jobs.signed(world.nodes[i], world.models[i].model))));
    assert.equal((await world.gateway.command(["settle"])).sequence, 1);
    await jump(DELAY + 1);
    await world.settle();
    mirror = path.join(world.dir, "mirror");
    alarms = path.join(world.dir, "alarms");
    program = path.join(world.dir, "alarm");
    fs.writeFileSync(program, `#!/bin/sh\nprintf '%s\\n' "$1" >> ${alarms}\n`, { mode: 0o755 });
  });
  after(() => world?.end());

  /** The stolen key, as whoever holds it would use it. */
  async function commitAsOperator(archive, rewardsRoot) {
    const { chain, contract, gateway } = world, sequence = await world.view("sequence") + 1n;
    await chain.test.impersonateAccount({ address: gateway.address });
    const data = encodeFunctionData({ abi: SETTLEMENT_ABI, functionName: "commit", args: [sequence, await world.view("header", sequence - 1n),
      `0x${"00".repeat(32)}`, rewardsRoot, archive, await world.view("total"), 0n] });
    const hash = await chain.wallet.sendTransaction({ account: gateway.address, to: contract, data, gas: 500_000n });
    await chain.test.stopImpersonatingAccount({ address: gateway.address });
    assert.equal((await chain.client.waitForTransactionReceipt({ hash })).status, "success");
    return Number(sequence);
  }
  const thiefsRoot = async () => rewardLeaf(thief.address, world.token, await world.view("total"));
  const watch = (...args) => run(BINARY, ["-c", path.join(world.gateway.dir, "quittance.conf"), "watch", ...args], { env: world.gateway.env });
  // As a node exporter would find them after each look.
  const metrics = () => parseMetrics(fs.readFileSync(path.join(world.dir, "watch.prom"), "utf8"));
  const isPending = async (sequence) => (await world.view("pending"))[0] === BigInt(sequence);

  it("finds nothing wrong where nothing is pending, and in a true pending root", async () => {
    assert.equal((await watch("--once")).code, 0);
    const mirrored = await world.gateway.command(["audit", world.gateway.url, "--mirror", mirror]);
    assert.equal(mirrored.ok, true);
    await world.postAccepted([await world.jobs.signed(world.nodes[0], world.models[0].model)]);
    assert.equal((await world.gateway.command(["settle"])).sequence, 2);
    const { code, stderr } = await watch("--once", "--metrics", path.join(world.dir, "watch.prom"));
    assert.equal(code, 0, stderr);
    assert.match(stderr, /event=settlement_audited/);
    const got = metrics();
    assert.deepEqual(["pending_root_ok", "pending_sequence", "looks_total", "alarms_total"].map((name) => got.get(`quittance_watch_${name}`)), [1, 2, 1, 0]);
    assert.ok(Math.abs(got.get("quittance_watch_last_success_timestamp_seconds") - Date.now() / 1000) < 60);
    // Activation is later than the time-out: that is no failure (design 7).
    const waiting = await world.gateway.command(["settle", "--wait", "--timeout", "2"]);
    assert.deepEqual([waiting.sequence, waiting.state, waiting.nothing], [2, "pending", false]);
    await jump(DELAY + 1);
    await world.settle();
    await world.gateway.command(["audit", world.gateway.url, "--mirror", mirror]);
  });

  it("a cancelled batch of one's own is carried, and paid under the next sequence", async () => {
    const job = await world.jobs.signed(world.nodes[0], world.models[2].model);
    await world.postAccepted([job]);
    const { sequence } = await world.gateway.command(["settle"]);
    await world.gateway.command(["contract", "cancel", String(sequence), "--yes", ...keys]);
    await until(async () => (await world.gateway.get(`/v1/settlements/${sequence}`)).body.state === "cancelled", "the cancel seen");
    await world.gateway.must("POST", `/admin/v1/settlements/${sequence}/carry`, { reason: "the alarm was ours" });
    const again = await world.gateway.command(["settle"]);
    assert.equal(again.sequence, sequence + 1);
    await jump(DELAY + 1);
    assert.equal((await world.settle()).state, "final");
    const { body: claim } = await world.gateway.get(`/v1/accounts/${world.creators[2].address}/claim`);
    assert.ok(BigInt(claim.due) > 0n);
    const hash = await world.chain.wallet.sendTransaction({ to: claim.contract, data: claim.calldata, gas: 300_000n });
    assert.equal((await world.chain.client.waitForTransactionReceipt({ hash })).status, "success");
    const { body } = await world.gateway.get(`/v1/settlements/${sequence + 1}`);
    assert.equal(body.state, "final");
    await world.gateway.command(["audit", world.gateway.url, "--mirror", mirror]);
  });

  it("cancels a thief's published root at once, while everybody collects on the old one", async () => {
    const text = fs.readFileSync(path.join(mirror, "2.archive.ndjson"), "utf8");
    const root = await thiefsRoot();
    const sequence = await commitAsOperator(`0x${createHash("sha256").update(text).digest("hex")}`, root);
    fs.writeFileSync(path.join(mirror, `${sequence}.archive.ndjson`), text);
    fs.copyFileSync(path.join(mirror, "2.rewards.json"), path.join(mirror, `${sequence}.rewards.json`));

    const looked = await watch(mirror, "--once", "--metrics", path.join(world.dir, "watch.prom"));
    assert.equal(looked.code, LOOK_AT_IT, looked.stderr);
    assert.deepEqual([metrics().get("quittance_watch_pending_root_ok"), metrics().get('quittance_watch_alarm{code="false-root"}')], [0, 1]);
    assert.match(looked.stderr, /event=settlement_false/);
    assert.ok(await isPending(sequence), "without --cancel it only looks");

    // A claim by mirror and chain alone, while the false root waits: the gateway is not asked.
    const claim = JSON.parse((await run(BINARY, ["audit", mirror, "--claim", world.nodes[0].address, "--rpc", world.chain.url, "--contract", world.contract])).stdout);
    const had = await world.balance(world.nodes[0].address);
    const hash = await world.chain.wallet.sendTransaction({ to: claim.contract, data: claim.calldata, gas: 300_000n });
    assert.equal((await world.chain.client.waitForTransactionReceipt({ hash })).status, "success");
    assert.equal(await world.balance(world.nodes[0].address) - had, BigInt(claim.due));

    const service = start(BINARY, ["-c", path.join(world.gateway.dir, "quittance.conf"), "watch", mirror, "--cancel", "--interval", "1", "--alarm", program,
      "--metrics", path.join(world.dir, "watch.prom"), ...keys],
      { env: world.gateway.env });
    try {
      await until(async () => !(await isPending(sequence)), "the cancel");
      await until(() => fs.existsSync(alarms) && /was false and is cancelled/.test(fs.readFileSync(alarms, "utf8")), "the alarm");
      assert.match(service.log(), /event=settlement_cancelled/);
      assert.equal(service.child.exitCode, null, "the watch goes on");
      await until(() => metrics().get("quittance_watch_pending_root_ok") === 1, "the metrics after the cancel");
      assert.deepEqual(["cancelled_total", "alarms_total"].map((name) => metrics().get(`quittance_watch_${name}`)), [1, 1]);
    } finally {
      await stop(service);
    }
    await jump(DELAY + 1);
    assert.notEqual(await world.view("activeRoot"), root);
    await assert.rejects(world.view("claim", thief.address, world.token, await world.view("total"), []), /BadProof/);
    for (const account of [world.nodes[2].address, world.payout.address, world.creators[0].address]) {
      const { body } = await world.gateway.get(`/v1/accounts/${account}/claim`);
      const sent = await world.chain.wallet.sendTransaction({ to: body.contract, data: body.calldata, gas: 300_000n });
      assert.equal((await world.chain.client.waitForTransactionReceipt({ hash: sent })).status, "success");
    }
  });

  it("cancels a root without files in the last quarter of its delay, not before", async () => {
    fs.rmSync(alarms, { force: true });
    const sequence = await commitAsOperator(`0x${"42".repeat(32)}`, await thiefsRoot());
    for (const name of ["archive.ndjson", "rewards.json"]) fs.rmSync(path.join(mirror, `${sequence}.${name}`), { force: true });
    const early = await watch(mirror, "--once", "--metrics", path.join(world.dir, "watch.prom"), "--cancel", "--alarm", program, ...keys);
    assert.notEqual(early.code, 0);
    assert.ok(await isPending(sequence), early.stderr);
    assert.equal(metrics().get('quittance_watch_alarm{code="unaudited"}'), 1);
    assert.match(fs.readFileSync(alarms, "utf8"), /could not be audited/);
    await jump(DELAY * 3 / 4 + 10);
    const late = await watch(mirror, "--once", "--cancel", "--alarm", program, ...keys);
    assert.equal(late.code, LOOK_AT_IT, late.stderr);
    assert.match(late.stderr, /event=settlement_unaudited/);
    assert.ok(!(await isPending(sequence)));
    assert.match(fs.readFileSync(alarms, "utf8"), /could not be audited in time and is cancelled/);
  });

  it("an alarm program that fails or is missing is logged and changes nothing else", async () => {
    const sequence = await commitAsOperator(`0x${"43".repeat(32)}`, await thiefsRoot());
    const { code, stderr } = await watch(mirror, "--once", "--alarm", "/nowhere/alarm");
    assert.notEqual(code, 0);
    assert.match(stderr, /event=alarm_failed/);
    await world.gateway.command(["contract", "cancel", String(sequence), "--yes", ...keys]);
  });

  it("the next settlement goes on behind the numbers that the thief used up", async () => {
    const burnt = Number(await world.view("sequence"));
    await world.postAccepted([await world.jobs.signed(world.nodes[0], world.models[0].model)]);
    assert.equal((await world.gateway.command(["settle"])).sequence, burnt + 1);
    await jump(DELAY + 1);
    assert.equal((await world.settle()).state, "final");
    const audited = await world.gateway.command(["audit", world.gateway.url]);
    assert.equal(audited.ok, true);
    assert.ok(audited.cancelled >= 4, JSON.stringify(audited));
  });
});
