// The command line as a stranger, a script and cron meet it: help, exit codes of sysexits.h, JSON on stdout.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { encodeFunctionData, getAddress } from "viem";
import { ERC20 } from "../../scripts/lib/devchain.mjs";
import { BINARY, Gateway } from "../../scripts/lib/gateway.mjs";
import { run, sleep } from "../../scripts/lib/process.mjs";
import { person, unsigned } from "./jobs.mjs";
import { assertMembers, deployAndServe, populate, startBareWorld, startWorld } from "./world.mjs";

const USAGE = 64, WRONG = 65, TRY_AGAIN = 75, CONFIGURATION = 78;
const COMMANDS = "init deploy serve settle status contract watch store key apikey receipt audit config".split(" ");

async function assertExit(args, code, pattern, options) {
  const result = await run(BINARY, args, options);
  assert.equal(result.code, code, `quittance ${args.join(" ")}: ${result.code ?? result.signal} ${result.stdout} ${result.stderr}`);
  if (pattern) assert.match(result.stderr, pattern);
  return result;
}

describe("commands that need no chain", () => {
  let dir;
  before(() => { dir = fs.mkdtempSync(path.join(os.tmpdir(), "quittance-cli-")); });
  after(() => fs.rmSync(dir, { recursive: true, force: true }));
  const file = (name, text) => {
    fs.writeFileSync(path.join(dir, name), text, { mode: 0o600 });
    return path.join(dir, name);
  };

  it("have help on stdout, each and all", async () => {
    const all = await assertExit(["--help"], 0);
    for (const name of COMMANDS) {
      assert.match(all.stdout, new RegExp(`^  ${name}\\b`, "m"));
      assert.match((await assertExit([name, "--help"], 0)).stdout, new RegExp(`^usage: quittance ${name}`));
    }
    assert.match((await assertExit(["--version"], 0)).stdout, /^quittance \d+\.\d+\.\d+\n$/);
  });

  it("end with 64 for what is no command, option or word", async () => {
    for (const args of [[], ["frobnicate"], ["settle", "--frobnicate"], ["settle", "word"], ["init"], ["receipt"], ["settle", "--timeout"]])
      await assertExit(args, USAGE, /--help/);
    await assertExit(["key", "frobnicate", "file"], USAGE);
    await assertExit(["config", "frobnicate"], USAGE);
  });

  it("end with 78 for a configuration that is wrong, and name file and line", async () => {
    const check = (conf, pattern) => assertExit(["-c", conf, "config", "check"], CONFIGURATION, pattern);
    await check(path.join(dir, "missing.conf"), /missing\.conf/);
    await check(file("unknown.conf", "[api]\nlisten = 127.0.0.1:0\nlissten = 1\n"), /unknown\.conf:3:.*lissten/);
    await check(file("value.conf", "[chain]\n\nchain_id = five\n"), /value\.conf:3:.*chain_id/);
    await check(file("address.conf", "[chain]\ncontract = 0x5FbDB2315678afecb367f032d93F642f64180aA3\n"), /address\.conf:2:.*contract/);
    await assertExit(["-c", file("empty.conf", ""), "config", "check"], CONFIGURATION, /QUITTANCE_CHAIN_CHAIN_ID/, { env: { QUITTANCE_CHAIN_CHAIN_ID: "x" } });
    await assertExit(["-c", file("fresh.conf", "[chain]\n"), "settle"], CONFIGURATION, /quittance deploy/);
  });

  it("take the configuration before and after the command, and from the environment", async () => {
    const conf = file("good.conf", "[chain]\nchain_id = 7\n");
    for (const [args, env] of [[["-c", conf, "config", "print"]], [["config", "print", "-c", conf]], [["config", "print"], { QUITTANCE_CONFIG: conf }]]) {
      const printed = JSON.parse((await assertExit(args, 0, undefined, { env })).stdout);
      assert.equal(printed.chain.chain_id, 7);
    }
    const { stdout } = await assertExit(["-c", conf, "config", "print"], 0, undefined, { env: { QUITTANCE_CHAIN_CHAIN_ID: "9" } });
    assert.equal(JSON.parse(stdout).chain.chain_id, 9);
  });

  it("init makes a gateway that only its owner can read, and refuses a folder that is not empty", async () => {
    const home = path.join(dir, "home");
    const made = JSON.parse((await assertExit(["init", home], 0)).stdout);
    assertMembers(made, "config address apiKey");
    for (const name of fs.readdirSync(home).filter((n) => fs.statSync(path.join(home, n)).isFile()))
      assert.equal(fs.statSync(path.join(home, name)).mode & 0o077, 0, `${name} can be read by others`);
    assert.equal(fs.readFileSync(path.join(home, "admin.key"), "utf8").trim(), made.apiKey);
    const before = fs.readdirSync(home);
    await assertExit(["init", home], CONFIGURATION, /not empty/);
    assert.deepEqual(fs.readdirSync(home), before);
  });

  it("key makes, imports and names keys as viem does", async () => {
    const passphrase = ["--passphrase-file", file("pass", "secret words\n")], target = path.join(dir, "key.json"), someone = person("key owner");
    const imported = await assertExit(["key", "import", target, ...passphrase], 0, undefined, { input: `${someone.privateKey}\n` });
    assert.equal(JSON.parse(imported.stdout).address, someone.address);
    assert.ok(!fs.readFileSync(target, "utf8").includes(someone.privateKey.slice(2)));
    assert.equal(JSON.parse((await assertExit(["key", "address", target], 0)).stdout).address, someone.address);
    await assertExit(["key", "new", target, ...passphrase], WRONG, /exists/);
    const fresh = JSON.parse((await assertExit(["key", "new", path.join(dir, "new.json"), ...passphrase], 0)).stdout);
    assert.equal(fresh.address, getAddress(fresh.address));
    await assertExit(["key", "import", path.join(dir, "bad.json"), ...passphrase], WRONG, undefined, { input: "0x12\n" });
  });

  it("receipt make makes the same jobs from the same seed", async () => {
    const make = async (seed) => {
      const args = ["receipt", "make", "--provider", person("n").address, "--model", `0x${"22".repeat(32)}`, "--count", "20", "--seed", seed];
      return (await assertExit(args, 0)).stdout.trim().split("\n").map((line) => JSON.parse(line));
    };
    const work = (list) => list.map(({ inputTokens, cachedTokens, outputTokens, computeMs }) => [inputTokens, cachedTokens, outputTokens, computeMs]);
    const [one, same, other] = [await make("5"), await make("5"), await make("6")];
    assert.deepEqual(work(one), work(same));
    assert.notDeepEqual(work(one), work(other));
    assert.equal(new Set([...one, ...same].map((r) => r.jobId)).size, 40, "two runs are different jobs");
  });
});

describe("commands of a running gateway", () => {
  let world, gateway;
  before(async () => {
    world = await startWorld({ seed: 71 });
    gateway = world.gateway;
  });
  after(() => world?.end());
  const command = (args, code, pattern, env = {}) => assertExit(["-c", `${gateway.dir}/quittance.conf`, ...args], code, pattern, { env: { ...gateway.env, ...env } });
  const load = async (n) => world.postAccepted(await Promise.all(Array.from({ length: n }, (_, i) => world.jobs.signed(world.nodes[0], world.models[i % 3].model))));

  it("settle with nothing to settle says so, with the service and without", async () => {
    const nothing = { nothing: true, sequence: null };
    const { nothing: a, sequence: b } = await gateway.command(["settle"]);
    assert.deepEqual({ nothing: a, sequence: b }, nothing);
    await world.stopServing();
    const { nothing: c, sequence: d } = await gateway.command(["settle", "--wait"]);
    assert.deepEqual({ nothing: c, sequence: d }, nothing);
    await gateway.serve();
  });

  it("settle --dry-run shows what would be done and does nothing", async () => {
    await load(5);
    const plan = await gateway.command(["settle", "--dry-run"]);
    assert.deepEqual([plan.dryRun, plan.receipts], [true, 5]);
    assert.equal(await world.view("sequence"), 0n);
  });

  it("settle without --wait returns once the commit is mined; two at once are one run", async () => {
    const [one, two] = await Promise.all([gateway.command(["settle"]), gateway.command(["settle"])]);
    assert.deepEqual([one.sequence, two.sequence], [1, 1]);
    assert.equal((await world.settle()).sequence, 1);
    assert.equal(await world.view("sequence"), 1n);
  });

  it("status tells what stands where", async () => {
    const status = await gateway.command(["status", "--check"]);
    assertMembers(status, "service findings chain");
    assert.deepEqual([status.service, status.findings], ["running", []]);
    const lost = await gateway.command(["status"], { env: { QUITTANCE_CHAIN_RPC: "http://127.0.0.1:1" } });
    assert.deepEqual(lost.findings.map(({ code, level }) => [code, level]), [["chain-away", "failure"]]);
  });

  it("end with 75 when the chain is away, and nothing is lost", async () => {
    await load(2);
    await world.stopServing();
    await command(["settle"], TRY_AGAIN, undefined, { QUITTANCE_CHAIN_RPC: "http://127.0.0.1:1" });
    await gateway.serve();
    const report = await world.settle();
    assert.deepEqual([report.sequence, report.state, report.receipts], [2, "final", 2]);
  });

  it("a second serve, or a settle beside a service that does not answer, does not get the store", async () => {
    const second = await command(["serve"], TRY_AGAIN);
    assert.equal(second.stdout, "");
    assert.equal((await gateway.get("/readyz")).status, 200);
  });

  it("apikey makes keys with the service and without", async () => {
    const made = await gateway.command(["apikey", "new", "--role", "viewer"]);
    assertMembers(made, "id key role");
    const asViewer = { authorization: `Bearer ${made.key}` };
    assert.equal((await gateway.admin("GET", "/admin/v1/providers", undefined, asViewer)).status, 200);
    assert.equal((await gateway.admin("POST", "/admin/v1/settlements", {}, asViewer)).status, 403);
    await world.stopServing();
    const alone = await gateway.command(["apikey", "new", "--role", "operator"]);
    await gateway.serve();
    assert.equal((await gateway.admin("POST", "/admin/v1/settlements", { dryRun: true }, { authorization: `Bearer ${alone.key}` })).status, 202);
    assert.notEqual((await run(BINARY, ["-c", `${gateway.dir}/quittance.conf`, "apikey", "new", "--role", "king"], { env: gateway.env })).code, 0);
  });

  it("store backup makes a copy that a service can run from", async () => {
    await load(3);
    const copy = path.join(world.dir, "copy.db");
    await gateway.command(["store", "backup", copy]);
    const twin = new Gateway(gateway.dir, {});
    twin.env = { ...gateway.env, QUITTANCE_STORE_URL: `sqlite:${copy}` };
    const { openBatch, lastSettlement } = (await twin.command(["status"])).store;
    assert.deepEqual([openBatch.receipts, lastSettlement.sequence], [3, 2]);
    await twin.serve();
    assert.deepEqual((await twin.get("/v1/settlements/2")).body, (await gateway.get("/v1/settlements/2")).body);
    assert.equal((await twin.stop()).code, 0);
  });

  it("receipt sign and post make a pipe that signs as viem does", async () => {
    const receipt = world.jobs.make(world.nodes[2], world.models[0].model), key = await world.keystoreOf(world.nodes[2]);
    const signed = await assertExit(["receipt", "sign", "--url", gateway.url, ...key], 0, undefined, { input: `${JSON.stringify(receipt)}\n` });
    const byViem = await world.jobs.sign(world.nodes[2], receipt);
    assert.equal(JSON.parse(signed.stdout).signature, byViem.signature);
    const lines = `${signed.stdout}${JSON.stringify({ ...byViem, units: 77 })}\n`;
    const posted = await assertExit(["receipt", "post", "--url", gateway.url, "--per-request", "1"], 0, /invalid-signature|conflicting-receipt/, { input: lines });
    const { sent, accepted, rejected } = JSON.parse(posted.stdout);
    assert.deepEqual([sent, accepted, rejected], [2, 1, 1]);
    await assertExit(["receipt", "sign", "--url", gateway.url, ...key], WRONG, /another provider/, { input: JSON.stringify(unsigned(await world.jobs.signed(world.nodes[0], world.models[0].model))) });
  });

  it("serve drains on SIGTERM: what was answered is kept, and it ends with 0", async () => {
    const receipts = await Promise.all(Array.from({ length: 30 }, () => world.jobs.signed(world.nodes[1], world.models[0].model)));
    const answers = receipts.map((one) => gateway.post("/v1/receipts", one).catch(() => undefined));
    await sleep(20);
    await world.stopServing();
    const kept = (await Promise.all(answers)).map((answer, i) => (answer?.status === 201 ? receipts[i] : undefined)).filter(Boolean);
    await gateway.serve();
    if (kept.length === 0) return;
    const { body } = await gateway.post("/v1/receipts", kept);
    assert.deepEqual(new Set(body.results.map((item) => item.status)), new Set(["duplicate"]));
  });
});

describe("a contract without funds", () => {
  let world;
  before(async () => {
    world = await startBareWorld();
    const { abi, bytecode } = world.gateway.artefact("DevToken");
    const hash = await world.chain.wallet.deployContract({ abi, bytecode, args: ["Token", "TOK", 18] });
    world.gateway.env.QUITTANCE_CHAIN_TOKEN = getAddress((await world.chain.client.waitForTransactionReceipt({ hash })).contractAddress);
    await deployAndServe(world, []);
    await populate(world, { seed: 72 });
  });
  after(() => world?.end());

  it("ends settle with 75; once funded the same batch is settled", async () => {
    await world.postAccepted([await world.jobs.signed(world.nodes[0], world.models[2].model)]);
    const settle = () => run(BINARY, ["-c", `${world.gateway.dir}/quittance.conf`, "settle", "--wait"], { env: world.gateway.env });
    const withService = await settle();
    assert.equal(withService.code, TRY_AGAIN, withService.stderr);
    await world.stopServing();
    const alone = await settle();
    assert.equal(alone.code, TRY_AGAIN, alone.stderr);
    assert.match(alone.stderr, /fund/i);
    const data = encodeFunctionData({ abi: ERC20, functionName: "mint", args: [world.contract, 10n ** 24n] });
    await world.chain.client.waitForTransactionReceipt({ hash: await world.chain.wallet.sendTransaction({ to: world.token, data }) });
    const report = await world.settle();
    assert.deepEqual([report.sequence, report.state, report.receipts], [1, "final", 1]);
  });
});
