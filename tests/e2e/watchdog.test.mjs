// What is past its limit is said in time: exit code, readiness, metrics, log and the operator's command, before and after it is
// mended; and settlement runs that cannot finish end with their time-out.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { encodeFunctionData, parseAbi } from "viem";
import { BINARY } from "../../scripts/lib/gateway.mjs";
import { endAll, run, sleep, until } from "../../scripts/lib/process.mjs";
import { person } from "./jobs.mjs";
import { parseMetrics } from "./metrics.mjs";
import { SETTLEMENT_ABI, startWorld } from "./world.mjs";

const WELL = 0, LOOK_AT_IT = 70, TRY_AGAIN = 75, STUCK_MAX_S = 3;
const TOKEN = parseAbi(["function transfer(address,uint256)", "function approve(address,uint256)", "function mint(address,uint256)",
  "function balanceOf(address) view returns (uint256)"]);
const CODES = ["unsettled", "stuck", "halted", "held", "cancelled", "nonce-foreign", "chain-away", "endpoint-out", "gas-low", "fees-high", "funds-low", "cap-short",
  "paused", "not-operator", "root-foreign", "cache-hidden"];

/** Every code is always there, once a level. */
function gatewayMetrics(text) {
  const samples = parseMetrics(text);
  const alarms = [...samples.keys()].filter((name) => name.startsWith("quittance_alarm{"));
  assert.deepEqual(alarms, CODES.flatMap((code) => ["warning", "failure"].map((level) => `quittance_alarm{code="${code}",level="${level}"}`)));
  return samples;
}

describe("watchdog", () => {
  let world, gateway, chain, funder, alarms;

  before(async () => {
    funder = person("funder");
    const dir = fs.mkdtempSync(path.join(process.env.TMPDIR ?? "/tmp", "quittance-watchdog-"));
    alarms = path.join(dir, "alarms");
    const program = path.join(dir, "alarm");
    fs.writeFileSync(program, `#!/bin/sh\nprintf '%s\\n' "$1" >> ${alarms}\n`, { mode: 0o755 });
    world = await startWorld({ seed: 96, settings: {
      CONTRACT_FUNDER: funder.address, WATCHDOG_INTERVAL: "1", WATCHDOG_STUCK_MAX: String(STUCK_MAX_S), WATCHDOG_ALARM: program,
    } });
    ({ gateway, chain } = world);
    await world.postAccepted(await Promise.all([0, 1, 2].map((i) => world.jobs.signed(world.nodes[i], world.models[i].model))));
    assert.equal((await world.settle()).state, "final");
  });
  after(() => endAll(() => world?.end(), () => alarms && fs.rmSync(path.dirname(alarms), { recursive: true, force: true })));

  const command = (args, env = {}) => run(BINARY, ["-c", path.join(gateway.dir, "quittance.conf"), ...args], { env: { ...gateway.env, ...env } });
  const check = async (wanted, env) => {
    const { code, stdout, stderr } = await command(["status", "--check"], env);
    assert.equal(code, wanted, stdout + stderr);
    return JSON.parse(stdout);
  };
  const metrics = async () => gatewayMetrics((await gateway.admin("GET", "/metrics")).body);
  const readiness = async () => {
    const { status, body } = await gateway.get("/readyz");
    assert.equal(status, 200);
    return { status: body.status, findings: body.findings.map(({ code, level }) => `${code} ${level}`) };
  };
  const becomes = async (...findings) => {
    const wanted = JSON.stringify({ status: findings.length > 0 ? "degraded" : "ready", findings });
    let last;
    await until(async () => (last = JSON.stringify(await readiness())) === wanted, wanted, 20_000).catch((error) => {
      throw new Error(`${error.message}; was ${last}`);
    });
  };
  const oneMore = async () => world.jobs.signed(world.nodes[0], world.models[0].model);
  const takesReceipts = async () => assert.equal((await gateway.post("/v1/receipts", await oneMore())).status, 201);
  const logged = (event, code) => gateway.process.log().split("\n").filter((line) => line.includes(`event=${event} code=${code}`)).length;
  const send = async (from, functionName, ...args) => {
    await chain.test.setBalance({ address: from, value: 10n ** 20n });
    await chain.test.impersonateAccount({ address: from });
    const hash = await chain.wallet.sendTransaction({ account: from, to: world.token, data: encodeFunctionData({ abi: TOKEN, functionName, args }), gas: 200_000n });
    await chain.test.stopImpersonatingAccount({ address: from });
    assert.equal((await chain.client.waitForTransactionReceipt({ hash })).status, "success");
  };

  it("is ready, and every figure is there, while nothing is past its limit", async () => {
    await becomes();
    await until(async () => Math.abs((await metrics()).get("quittance_settle_last_success_timestamp_seconds") - Date.now() / 1000) < 60, "the last success", 10_000);
    const got = await metrics(), status = await check(WELL);
    assert.deepEqual(status.findings, []);
    assert.ok(got.get("quittance_gas_runs_left") > 20);
    assert.ok(got.get("quittance_funds_days_left") > 7);
    assert.equal(got.get("quittance_oldest_unsettled_timestamp_seconds"), 0);
    assert.equal(got.get("quittance_settle_stuck_timestamp_seconds"), 0);
    assert.equal(status.chain.gasRunsLeft, got.get("quittance_gas_runs_left"));
  });

  it("low gas is a warning, then a failure, and is cleared", async () => {
    const plenty = 10n ** 21n;
    await chain.test.setBalance({ address: gateway.address, value: plenty });
    const { chain: { gasRunsLeft } } = await check(WELL);
    const run = plenty / BigInt(gasRunsLeft);
    await chain.test.setBalance({ address: gateway.address, value: run * 10n });
    await becomes("gas-low warning");
    const warned = await check(WELL);
    assert.deepEqual(warned.findings.map(({ code, level }) => [code, level]), [["gas-low", "warning"]]);
    assert.match(warned.findings[0].text, /gas for (9|10) runs is left/);
    await chain.test.setBalance({ address: gateway.address, value: run * 2n });
    await becomes("gas-low failure");
    assert.equal((await metrics()).get('quittance_alarm{code="gas-low",level="failure"}'), 1);
    await check(TRY_AGAIN);
    await takesReceipts();
    await chain.test.setBalance({ address: gateway.address, value: plenty });
    await becomes();
    await check(WELL);
    assert.deepEqual([logged("alarm_raised", "gas-low"), logged("alarm_cleared", "gas-low")], [2, 1]);
    await until(() => fs.readFileSync(alarms, "utf8").includes("cleared gas-low"), "the operator's command");
    assert.deepEqual(fs.readFileSync(alarms, "utf8").trim().split("\n").map((line) => line.split(":")[0]),
      ["warning gas-low", "failure gas-low", "cleared gas-low"]);
  });

  it("funds are counted in days of the contract's balance and the funder's balance and allowance", async () => {
    await send(world.contract, "transfer", funder.address, await world.balance(world.contract));
    await becomes("funds-low failure");               // no allowance: a commit could pull nothing
    await check(TRY_AGAIN);
    const { chain: { owed } } = await check(TRY_AGAIN);
    const { body: { items } } = await gateway.get("/v1/settlements");
    const growth = BigInt(items[0].total) + BigInt(owed);       // all since yesterday: paid ones, and the one that waits
    await send(funder.address, "approve", world.contract, BigInt(owed) + growth * 3n + growth / 2n);
    await becomes("funds-low warning");
    const status = await check(WELL);
    assert.equal(status.chain.fundsDaysLeft, 3);
    assert.equal((await metrics()).get("quittance_funds_days_left"), 3);
    await takesReceipts();
    await send(funder.address, "approve", world.contract, 10n ** 27n);
    await becomes();
    assert.equal((await world.settle()).state, "final");
  });

  it("runs against a chain that does not mine end with their time-out, and are one run", async () => {
    const commits = (await world.commits()).length;
    await takesReceipts();
    await chain.test.setAutomine(false);
    const began = Date.now();
    const runs = await Promise.all([1, 2, 3, 4].map(() => command(["settle", "--wait", "--timeout", "2"])));
    assert.ok(Date.now() - began < 15_000, `${Date.now() - began} ms`);
    assert.deepEqual(runs.map(({ code }) => code), [TRY_AGAIN, TRY_AGAIN, TRY_AGAIN, TRY_AGAIN], runs[0].stderr);
    await becomes("stuck failure");
    const got = await metrics();
    assert.ok(Date.now() / 1000 - got.get("quittance_settle_stuck_timestamp_seconds") >= STUCK_MAX_S);
    assert.ok(got.get("quittance_oldest_unsettled_timestamp_seconds") > 0);
    await check(LOOK_AT_IT);
    await takesReceipts();
    await chain.test.setAutomine(true);
    await chain.test.mine({ blocks: 1 });
    await becomes();
    await until(async () => (await world.commits()).length > commits, "the commit");
    assert.equal((await world.settle()).state, "final");        // and what was accepted meanwhile
    assert.equal((await world.commits()).length, commits + 2, "four runs are one, and this one");
  });

  it("without a service the next run says it too, and a file of metrics", async () => {
    const file = path.join(gateway.dir, "quittance.prom"), fromFile = () => gatewayMetrics(fs.readFileSync(file, "utf8"));
    await takesReceipts();
    await world.stopServing();
    const commits = (await world.commits()).length;
    await chain.test.setAutomine(false);
    const began = Date.now();
    const runs = await Promise.all([1, 2, 3].map(() => command(["settle", "--wait", "--timeout", "3", "--metrics", file])));
    assert.ok(Date.now() - began < 15_000, `${Date.now() - began} ms`);
    assert.deepEqual(runs.map(({ code }) => code), [TRY_AGAIN, TRY_AGAIN, TRY_AGAIN]);
    assert.equal(runs.filter(({ stderr }) => /event=settle_waits/.test(stderr)).length, 2, runs.map(({ stderr }) => stderr).join());
    await sleep((STUCK_MAX_S + 1) * 1000);
    const status = await check(LOOK_AT_IT);
    assert.deepEqual(status.findings.map(({ code }) => code), ["stuck"]);
    assert.ok(fromFile().get("quittance_settle_stuck_timestamp_seconds") > 0);
    await chain.test.setAutomine(true);
    await chain.test.mine({ blocks: 1 });
    assert.equal((await command(["settle", "--wait", "--metrics", file])).code, WELL);
    assert.equal((await world.commits()).length, commits + 1);
    await check(WELL);
    assert.equal(fromFile().get("quittance_settle_stuck_timestamp_seconds"), 0);
    assert.equal(fromFile().get("quittance_oldest_unsettled_timestamp_seconds"), 0);
    assert.equal((await command(["settle", "--metrics", "/nowhere/x.prom"])).code, 74);
  });

  it("a root that this store did not make is found from the chain", async () => {
    await gateway.serve();
    const sequence = await world.view("sequence") + 1n;
    await chain.test.impersonateAccount({ address: gateway.address });
    const data = encodeFunctionData({ abi: SETTLEMENT_ABI, functionName: "commit", args: [sequence, await world.view("header", sequence - 1n),
      `0x${"00".repeat(32)}`, `0x${"77".repeat(32)}`, `0x${"00".repeat(32)}`, await world.view("total"), 0n] });
    await chain.wallet.sendTransaction({ account: gateway.address, to: world.contract, data, gas: 500_000n });
    await chain.test.stopImpersonatingAccount({ address: gateway.address });
    await becomes("root-foreign failure");
    await check(LOOK_AT_IT);
  });

  it("a chain that is away degrades, takes receipts, and exits 75 without a service", async () => {
    await chain.stop();
    await until(async () => (await readiness()).findings.includes("chain-away failure"), "chain-away");
    await takesReceipts();
    assert.equal((await metrics()).get("quittance_chain_up"), 0);
    await world.stopServing();
    const { findings } = await check(TRY_AGAIN);
    assert.deepEqual(findings.map(({ code }) => code), ["chain-away"]);
  });
});
