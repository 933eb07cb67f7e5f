// What settling may cost, and chains that price it otherwise: ceilings that are seen, legacy transactions, a fee for data, a
// nonce that somebody else used. The contract needs opcodes newer than any hardfork without a base fee, so such a chain is anvil
// behind a proxy that hides base fees and refuses what an old node does not know.
import assert from "node:assert/strict";
import http from "node:http";
import { after, before, describe, it } from "node:test";
import { endAll, until } from "../../scripts/lib/process.mjs";
import { assertMembers, deployAndServe, populate, startBareWorld, startWorld } from "./world.mjs";

const GWEI = 10n ** 9n, ORACLE = "0x420000000000000000000000000000000000000F";
const receipts = (world, count) => Promise.all(Array.from({ length: count }, (_, i) => world.jobs.signed(world.nodes[i % 3], world.models[0].model)));
const transactions = async (world) => (await world.gateway.must("GET", "/admin/v1/transactions")).items;

/** The next block has this base fee. */
async function baseFee(world, gwei) {
  await world.chain.test.setNextBlockBaseFeePerGas({ baseFeePerGas: BigInt(gwei) * GWEI });
  await world.chain.test.mine({ blocks: 1 });
}

async function metric(world, name) {
  const { body } = await world.gateway.get("/metrics").then((answer) => answer.status === 200 ? answer : world.gateway.admin("GET", "/metrics"));
  const line = body.split("\n").find((one) => one.startsWith(`${name} `));
  assert.ok(line, `${name} is in no line`);
  return Number(line.slice(name.length + 1));
}

/** A JSON-RPC proxy; judge may answer ({result} or {error}), and change may alter the chain's result. */
function startProxy(target, { judge = () => undefined, change = (_method, result) => result }) {
  const one = async (request) => {
    const own = judge(request);
    if (own) return { jsonrpc: "2.0", id: request.id, ...own };
    const answer = await (await fetch(target, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(request) })).json();
    return "result" in answer ? { ...answer, result: change(request.method, answer.result) } : answer;
  };
  const serve = async (request, response) => {
    let text = "";
    for await (const part of request) text += part;
    const body = JSON.parse(text);
    const answer = Array.isArray(body) ? await Promise.all(body.map(one)) : await one(body);
    response.setHeader("content-type", "application/json").end(JSON.stringify(answer));
  };
  const server = http.createServer((request, response) => serve(request, response).catch(() => response.destroy())); // one of both ends
  return new Promise((done) => server.listen(0, "127.0.0.1", () => done({
    url: `http://127.0.0.1:${server.address().port}`, stop: () => { server.closeAllConnections?.(); server.close(); },
  })));
}

async function worldBehind(hooks) {
  const world = await startBareWorld({ seed: 51 });
  world.proxy = await startProxy(world.chain.url, hooks);
  world.gateway.env.QUITTANCE_CHAIN_RPC = world.proxy.url;
  await deployAndServe(world);
  await populate(world);
  return world;
}

describe("a settlement on a chain with base fees", () => {
  let world;
  before(async () => {
    world = await startWorld({ seed: 50, settings: { SETTLE_MAX_FEE_GWEI: "20", SETTLE_DISTRIBUTE_MINIMUM: String(10n ** 15n) } });
  });
  after(() => world?.end());

  it("has a dry run that lists each call with gas and cost, who is left out, and what it would be stopped by", async () => {
    await world.postAccepted(await receipts(world, 6));
    const plan = await world.gateway.command(["settle", "--dry-run"]);
    assertMembers(plan, "dryRun receipts accounts growth total dueAccounts due sets gas maxCostWei fee calls leftOut stops balanceWei "
      + "inFlightWei runCostWei maxRunCostWei dayCostWei maxDayCostWei");
    assert.deepEqual(plan.calls.map((call) => call.kind), ["commit", ...Array(plan.sets).fill("distribute")]);
    assert.deepEqual([plan.calls[0].sequence, plan.calls[0].roots, plan.stops], [1, "made at the run", []]);
    assert.equal(plan.calls.reduce((sum, call) => sum + BigInt(call.maxCostWei), 0n), BigInt(plan.maxCostWei));
    const left = plan.leftOut.reduce((sum, one) => sum + BigInt(one.amount), 0n);
    assert.equal(BigInt(plan.due) + left, BigInt(plan.total));
    const again = await world.gateway.command(["settle", "--dry-run"]);
    assert.deepEqual(again.calls, plan.calls);                        // nothing was changed by looking
    await world.settle();
    const sent = (await transactions(world)).reverse();
    assert.equal(sent.length, plan.calls.length);
    sent.forEach((t, i) => assert.ok(t.gasUsed <= plan.calls[i].gasLimit, `${t.kind} took ${t.gasUsed} gas`));
    const cost = sent.reduce((sum, t) => sum + BigInt(t.gasUsed) * BigInt(t.effectiveGasPrice), 0n);
    assert.ok(cost <= BigInt(plan.maxCostWei));
  });

  it("has a dry run that says that the signer cannot pay for it, or that fees are above the ceiling", async () => {
    await world.postAccepted(await receipts(world, 1));
    await world.chain.test.setBalance({ address: world.gateway.address, value: 1n });
    const plan = await world.gateway.command(["settle", "--dry-run"]);
    assert.ok(plan.stops.some(({ reason, detail }) => reason === "funds" && detail.startsWith("the signer has 1 wei")), JSON.stringify(plan.stops));
    await world.chain.test.setBalance({ address: world.gateway.address, value: 10n ** 20n });
    await baseFee(world, 1000);
    assert.equal((await world.gateway.command(["settle", "--dry-run"])).stops[0].reason, "fees");
    await baseFee(world, 1);
  });

  it("waits at a ceiling, which run, status, metrics and log say, and goes on when fees fall", async () => {
    const sequence = Number(await world.view("sequence")) + 1, before = (await transactions(world)).length;
    await world.postAccepted(await receipts(world, 3));
    await baseFee(world, 100);
    const run = world.settle("--timeout", "60");
    await until(async () => await metric(world, 'quittance_settlement_waiting{reason="fees"}') === 1, "the metric");
    const { waits, waitsDetail, running } = await world.gateway.must("GET", `/admin/v1/settlements/${sequence}`);
    assert.deepEqual([waits, running], ["fees", true]);
    assert.match(waitsDetail, /above the ceiling of 20000000000 wei a gas/);
    const status = await world.gateway.command(["status"]);
    assert.equal(status.waits, "fees");
    assert.match(status.waitsDetail, /above the ceiling/);
    assert.equal((await transactions(world)).length, before);
    await baseFee(world, 1);
    assert.equal((await run).state, "final");
    assert.equal(await metric(world, 'quittance_settlement_waiting{reason="fees"}'), 0);
    const lines = (event) => world.gateway.process.log().split("\n").filter((line) => line.includes(`event=${event} `)).length;
    assert.deepEqual([lines("settlement_waits"), lines("settlement_goes_on")], [1, 1]);
  });

  it("at the ceiling of a run ends with 75 and the reason, and what was spent is shown", async () => {
    const spent = BigInt((await world.gateway.command(["status"])).store.dayCostWei);
    const paid = (await transactions(world)).reduce((sum, t) => sum + BigInt(t.gasUsed) * BigInt(t.effectiveGasPrice), 0n);
    assert.equal(spent, paid);
    await world.stopServing();
    await world.gateway.serve({ env: { QUITTANCE_SETTLE_MAX_RUN_COST_GWEI: "1" } });
    await world.postAccepted(await receipts(world, 2));
    await assert.rejects(world.settle("--timeout", "6"), (error) => {
      assert.equal(error.code, 75);
      assert.match(error.stderr, /over max_run_cost_gwei of 1000000000 wei/);
      assert.equal(JSON.parse(error.stdout.trim().split("\n").at(-1)).waits, "budget");
      return true;
    });
    await world.stopServing();
    await world.gateway.serve();
    assert.equal((await world.settle()).state, "final");
  });

  it("with a ceiling of nothing is refused", async () => {
    await assert.rejects(world.gateway.command(["config", "check"], { env: { QUITTANCE_SETTLE_MAX_DAY_COST_GWEI: "0" } }), /max_day_cost_gwei must be above 0/);
  });

  it("names the transaction that used its nonce in list, status and log", async () => {
    await world.postAccepted(await receipts(world, 2));
    await world.chain.test.setAutomine(false);
    const run = world.settle("--timeout", "60");
    await until(async () => (await transactions(world))[0]?.state === "sent", "the commit");
    const [{ nonce }] = await transactions(world);
    const from = world.gateway.address;
    await world.chain.client.request({ method: "anvil_dropAllTransactions" });
    await world.chain.test.impersonateAccount({ address: from });
    const foreign = await world.chain.client.request({ method: "eth_sendTransaction", params: [{ from, to: from, nonce: `0x${nonce.toString(16)}`, maxFeePerGas: "0x174876e800", maxPriorityFeePerGas: "0x174876e800" }] });
    await world.chain.test.stopImpersonatingAccount({ address: from });
    await world.chain.test.setAutomine(true);
    await world.chain.test.mine({ blocks: 1 });
    assert.equal((await world.chain.client.waitForTransactionReceipt({ hash: foreign })).status, "success");
    assert.equal((await run).state, "final");
    const taken = (await transactions(world)).find((t) => t.state === "foreign");
    assert.deepEqual([taken.nonce, taken.takenBy], [nonce, foreign]);
    const { noncesTaken } = (await world.gateway.command(["status"])).store;
    assert.deepEqual(noncesTaken.map((row) => row.takenBy), [foreign]);
    assert.match(world.gateway.process.log(), new RegExp(`event=nonce_taken .*tx=${foreign}`));
  });
});

describe("a chain without base fees", () => {
  let world;
  before(async () => {
    world = await worldBehind({
      judge({ method, params }) {
        const unknown = { error: { code: -32601, message: `the method ${method} does not exist/is not available` } };
        if (method === "eth_feeHistory" || method === "eth_maxPriorityFeePerGas") return unknown;
        if (method === "eth_sendRawTransaction" && params[0].startsWith("0x02")) return { error: { code: -32000, message: "transaction type not supported" } };
      },
      change(_method, result) {
        if (result === null || typeof result !== "object") return result;
        const { baseFeePerGas: _hidden, effectiveGasPrice: _too, ...rest } = result;
        return Array.isArray(result) ? result : rest;
      },
    });
  });
  after(() => endAll(() => world?.end(), () => world?.proxy?.stop()));

  it("is deployed to, settled and paid on by legacy transactions", async () => {
    await world.postAccepted(await receipts(world, 3));
    assert.equal((await world.gateway.command(["settle", "--dry-run"])).fee.legacy, true);
    assert.equal((await world.settle()).state, "final");
    const sent = await transactions(world);
    assert.equal(sent.length, 2);
    for (const { hash, effectiveGasPrice } of sent) {
      const { type, gasPrice, chainId } = await world.chain.client.getTransaction({ hash });
      assert.deepEqual([type, chainId, gasPrice], ["legacy", 31337, BigInt(effectiveGasPrice)]);
    }
  });
});

describe("a chain that takes a fee for data", () => {
  let world;
  const taken = 12_345n * GWEI;
  before(async () => {
    world = await worldBehind({
      change: (method, result) => method === "eth_getTransactionReceipt" && result ? { ...result, l1Fee: `0x${taken.toString(16)}` } : result,
    });
    // PUSH32 fee, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN
    await world.chain.test.setCode({ address: ORACLE, bytecode: `0x7f${(20_000n * GWEI).toString(16).padStart(64, "0")}60005260206000f3` });
  });
  after(() => endAll(() => world?.end(), () => world?.proxy?.stop()));

  it("has it in the dry run, in what is held ready, and in what was spent", async () => {
    await world.postAccepted(await receipts(world, 2));
    const { calls } = await world.gateway.command(["settle", "--dry-run"]);
    assert.deepEqual(calls.map((call) => call.maxDataFeeWei), Array(2).fill(String(40_000n * GWEI)));
    await world.settle();
    const sent = await transactions(world);
    assert.deepEqual(sent.map((t) => [t.l1Fee, t.attempts[0].maxDataFee]), Array(2).fill([String(taken), String(40_000n * GWEI)]));
    const cost = sent.reduce((sum, t) => sum + BigInt(t.gasUsed) * BigInt(t.effectiveGasPrice) + taken, 0n);
    assert.equal(BigInt((await world.gateway.command(["status"])).store.dayCostWei), cost);
  });
});
