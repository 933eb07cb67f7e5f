// What an operator must not meet: a chain that is away, keys in logs, a store under another contract, runs that end early.
import assert from "node:assert/strict";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { encodeFunctionData } from "viem";
import { BINARY } from "../../scripts/lib/gateway.mjs";
import { endAll, run, sleep, until } from "../../scripts/lib/process.mjs";
import { makeDomain } from "../../scripts/lib/typed.mjs";
import { SETTLEMENT_ABI, deployAndServe, populate, startBareWorld, startWorld } from "./world.mjs";

const A_PERSON = 70, CONFIGURATION = 78;
const conf = (world) => path.join(world.gateway.dir, "quittance.conf");
const receipts = (world, count) => Promise.all(Array.from({ length: count }, (_, i) =>
  world.jobs.signed(world.nodes[i % 3], world.models[0].model)));

/** The exit code and words of a command that must fail. */
async function refused(world, args, env = {}) {
  const result = await run(BINARY, ["-c", conf(world), ...args], { env: { ...world.gateway.env, ...env } });
  assert.notEqual(result.code, 0, result.stdout);
  return result;
}

describe("runs by the service", () => {
  let world;
  before(async () => { world = await startWorld({ blockTime: 1, settings: { CONTRACT_ACTIVATION_DELAY: 4 } }); });
  after(() => world?.end());

  it("that join older work end with their own batch", async () => {
    await world.postAccepted(await receipts(world, 3));
    const first = await world.gateway.command(["settle"]);
    assert.equal(first.sequence, 1);
    await world.postAccepted(await receipts(world, 2));
    const own = await world.settle("--timeout", "60");
    assert.deepEqual([own.sequence, own.state, own.receipts, own.nothing], [2, "final", 2, false]);
  });

  it("end with 70 when their settlement is cancelled", async () => {
    await world.postAccepted(await receipts(world, 1));
    const running = refused(world, ["settle", "--wait", "--timeout", "60"]);
    const from = world.gateway.address;
    await until(async () => Number(await world.view("sequence")) === 3, "the commit");
    await world.chain.test.impersonateAccount({ address: from });
    await world.chain.client.request({ method: "eth_sendTransaction", params: [{ from, to: world.contract,
      data: encodeFunctionData({ abi: SETTLEMENT_ABI, functionName: "cancel", args: [3n] }) }] });
    const { code, stderr } = await running;
    assert.equal(code, A_PERSON, stderr);
    assert.match(stderr, /cancelled/);
  });
});

describe("a chain that takes requests and never answers", () => {
  let world, hole;
  before(async () => {
    world = await startWorld();
    await world.stopServing();
    hole = net.createServer((socket) => socket.on("error", () => {}).on("data", () => {}));
    await new Promise((done) => hole.listen(0, "127.0.0.1", done));
    world.gateway.env.QUITTANCE_CHAIN_RPC = `http://127.0.0.1:${hole.address().port}/v3/TOPSECRET`;
  });
  after(() => endAll(() => world?.end(), () => hole?.close()));

  it("keeps neither start, receipts nor shutdown waiting, and decimals are not made up", async () => {
    let started = Date.now();
    await world.gateway.serve();
    assert.ok(Date.now() - started < 8000, `ready after ${Date.now() - started} ms`);
    const { body: { token } } = await world.gateway.get("/v1/info");
    assert.deepEqual(Object.keys(token), ["address"]);
    await world.postAccepted(await receipts(world, 1));
    const waits = world.gateway.admin("POST", "/admin/v1/settlements", {}).catch(() => {});
    await sleep(500);
    started = Date.now();
    const service = world.gateway.process;
    await world.stopServing();
    assert.ok(Date.now() - started < 8000, `stopped after ${Date.now() - started} ms`);
    await waits;
    assert.doesNotMatch(service.log(), /TOPSECRET/);
  });

  it("shows no key of a provider", async () => {
    const dead = { QUITTANCE_CHAIN_RPC: "http://127.0.0.1:9/v3/TOPSECRET" };
    for (const args of [["deploy", "--again", "--dev-token"], ["settle"], ["config", "print"]]) {
      const result = await run(BINARY, ["-c", conf(world), ...args], { env: { ...world.gateway.env, ...dead } });
      assert.doesNotMatch(result.stdout + result.stderr, /TOPSECRET/);
    }
  });
});

describe("deploying", () => {
  let world;
  before(async () => { world = await startBareWorld(); });
  after(() => world?.end());

  it("writes down what is on the chain although the next step fails", async () => {
    const { stderr } = await refused(world, ["deploy", "--dev-token"], { QUITTANCE_CONTRACT_CAP_WINDOW: "0" });
    assert.match(stderr, /contract/);
    assert.match(fs.readFileSync(conf(world), "utf8"), /^token = 0x[0-9a-fA-F]{40}$/m);
    assert.doesNotMatch(fs.readFileSync(conf(world), "utf8"), /^contract = /m);
  });

  it("warns where one key is operator and guardian, but not on a test chain", async () => {
    const chain = await startBareWorld(), other = "0x00000000000000000000000000000000000000aa";
    try {
      const { abi, bytecode } = chain.gateway.artefact("DevToken");
      const hash = await chain.chain.wallet.deployContract({ abi, bytecode, args: ["Token", "TOK", 18] });
      const { contractAddress } = await chain.chain.client.waitForTransactionReceipt({ hash });
      const deploy = (env) => run(BINARY, ["-c", conf(chain), "deploy", "--again"],
        { env: { ...chain.gateway.env, QUITTANCE_CHAIN_TOKEN: contractAddress, QUITTANCE_CONTRACT_OWNER: other, ...env } });
      const quiet = await deploy({});
      assert.equal(quiet.code, 0, quiet.stderr);
      assert.doesNotMatch(quiet.stderr, /guardian_is_operator/);
      await chain.chain.client.request({ method: "anvil_setChainId", params: [4242] });
      const real = { QUITTANCE_CHAIN_CHAIN_ID: "4242" };
      const warned = await deploy({ ...real, QUITTANCE_CONTRACT_GUARDIAN: chain.gateway.address });
      assert.equal(warned.code, 0, warned.stderr);
      assert.match(warned.stderr, /level=warn event=guardian_is_operator .*nobody can cancel/);
      const two = await deploy({ ...real, QUITTANCE_CONTRACT_GUARDIAN: other });
      assert.equal(two.code, 0, two.stderr);
      assert.doesNotMatch(two.stderr, /guardian_is_operator/);
    } finally {
      await chain.end();
    }
  });

  it("another contract is refused once the store holds anything", async () => {
    await deployAndServe(world);
    await world.stopServing();
    await world.gateway.command(["deploy", "--dev-token", "--again"]);
    await world.gateway.serve();                      // an empty store goes with it
    const info = (await world.gateway.get("/v1/info")).body;
    world.domain = makeDomain({ chainId: info.chainId, contract: info.contract });
    await populate(world);
    await world.stopServing();
    assert.equal((await refused(world, ["deploy", "--dev-token", "--again"])).code, CONFIGURATION);
    for (const command of ["serve", "settle"]) {
      const { code, stderr } = await refused(world, [command], { QUITTANCE_CHAIN_CONTRACT: world.contract });
      assert.equal(code, CONFIGURATION, stderr);
      assert.match(stderr, /the store belongs to contract 0x/);
    }
  });
});
