// A whole small network for one test file: a chain, a deployed gateway that serves, admitted nodes, verified models, prices.
// Ports are free ones and folders temporary, so files may run beside each other; end() ends everything by process id.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { sha256, toHex } from "viem";
import { ERC20, startDevchain } from "../../scripts/lib/devchain.mjs";
import { Gateway } from "../../scripts/lib/gateway.mjs";
import { endAll } from "../../scripts/lib/process.mjs";
import { makeDomain, signModel, signWord } from "../../scripts/lib/typed.mjs";
import "./ends.mjs";
import { Jobs, person } from "./jobs.mjs";
import { writeKeystore } from "./keystore.mjs";
import { Books } from "./recompute.mjs";

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const ANY_PRICE = {
  model: "*", unit: "image",
  // Odd figures on purpose: nearly every product leaves a remainder somewhere.
  perMillion: {
    inputTokens: "500000000000000003", cachedTokens: "50000000000000001", outputTokens: "2000000000000000007",
    units: "7000000000000000011", computeMs: "1000000000000013",
  },
  split: { provider: 7001, creator: 2498, protocol: 501 },
};

export const SETTLEMENT_ABI = JSON.parse(fs.readFileSync(new URL("../../build/contracts/Settlement.json", import.meta.url))).abi;
const TRANSFER = { type: "event", name: "Transfer", inputs: [
  { type: "address", name: "from", indexed: true }, { type: "address", name: "to", indexed: true }, { type: "uint256", name: "value" }] };

export const modelDigest = (name) => sha256(toHex(`weights manifest of ${name}`));

export class World {
  constructor(dir) {
    this.dir = dir;
    this.models = [];
    this.prices = [];
    this.payouts = {};
  }

  // ---- operator ----

  async admit(node, { payout, ...more } = {}) {
    if (payout) {
      const { at, signature } = await signWord(node.account, this.domain, "Payout", { payout, at: Date.now() });
      this.payouts[node.address] = payout;
      more = { ...more, payout, payoutAt: at, payoutSignature: signature };
    }
    return this.gateway.must("POST", "/admin/v1/providers", { address: node.address, name: node.name, ...more });
  }

  async setPrice(price) {
    const row = { effectiveFrom: Date.now() - 7 * DAY, ...price };
    const { version } = await this.gateway.must("POST", "/admin/v1/prices", row);
    this.prices.push({ ...row, version });
    return version;
  }

  // ---- creators ----

  async claimModel(name, creator, parents = []) {
    const registration = { model: modelDigest(name), name, parents, registeredAt: Date.now() };
    const signed = await signModel(creator.account, this.domain, registration);
    const answer = await this.gateway.post("/v1/models", signed);
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    return signed;
  }

  async verifyModel(signed) {
    await this.gateway.must("POST", `/admin/v1/models/${signed.model}/verify`, { creator: signed.creator });
    this.models.push(signed);
    return signed.model;
  }

  async addModel(name, creator, parents) {
    return this.verifyModel(await this.claimModel(name, creator, parents));
  }

  // ---- nodes ----

  /** A node's keystore file, for the commands that sign with one. */
  async keystoreOf(someone) {
    const passphraseFile = path.join(this.dir, `${someone.name}.pass`), file = path.join(this.dir, `${someone.name}.json`);
    writeKeystore(file, passphraseFile, someone.privateKey, someone.address);
    return ["--key", `keystore:${file}`, "--passphrase-file", passphraseFile];
  }

  async postAccepted(receipts) {
    const { status, body } = await this.gateway.post("/v1/receipts", receipts);
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual(body.results.filter((item) => item.status !== "accepted"), []);
    return body;
  }

  books() {
    return new Books({ models: this.models, prices: this.prices, payouts: this.payouts, protocol: this.gateway.address });
  }

  settle(...args) {
    return this.gateway.command(["settle", "--wait", ...args]);
  }

  // ---- what the chain says, without the gateway ----

  view(functionName, ...args) {
    return this.chain.client.readContract({ address: this.contract, abi: SETTLEMENT_ABI, functionName, args });
  }

  balance(account) {
    return this.chain.client.readContract({ address: this.token, abi: ERC20, functionName: "balanceOf", args: [account] });
  }

  /** Sum of the token's Transfer logs from the contract, by account in lower case. */
  async transfers() {
    const logs = await this.chain.client.getLogs({ address: this.token, event: TRANSFER, args: { from: this.contract }, fromBlock: 0n });
    const sums = new Map();
    for (const { args: { to, value } } of logs) sums.set(to.toLowerCase(), (sums.get(to.toLowerCase()) ?? 0n) + value);
    return sums;
  }

  commits() {
    const event = SETTLEMENT_ABI.find((entry) => entry.type === "event" && entry.name === "Committed");
    return this.chain.client.getLogs({ address: this.contract, event, fromBlock: 0n });
  }

  /** One commit a sequence, and every account has got, in all, exactly what it earned; where nothing is left below a minimum. */
  async assertPaidOnce(books) {
    const commits = await this.commits();
    assert.deepEqual(commits.map((log) => log.args.sequence), commits.map((_, i) => BigInt(i + 1)));
    const transfers = await this.transfers();
    for (const { account, claimable } of books.rewards())
      assert.equal(transfers.get(account.toLowerCase()), claimable, `${account} has been paid another sum than it earned`);
    assert.equal([...transfers.values()].reduce((a, b) => a + b, 0n), books.total);
    assert.equal(await this.view("total"), books.total);
  }

  /** Ends gateway and chain; a service that does not end cleanly fails the test. */
  async end() {
    await endAll(() => this.stopServing(), () => this.chain?.stop(), () => fs.rmSync(this.dir, { recursive: true, force: true }));
  }

  async stopServing() {
    await this.gateway?.end();
  }
}

// Of a test that is broken off.
const dirs = new Set();
process.on("exit", () => dirs.forEach((dir) => fs.rmSync(dir, { recursive: true, force: true })));

/** Runs `build` on a new world; what was started is ended when it fails, else the test would never end. */
async function built(build) {
  const world = new World(fs.mkdtempSync(path.join(os.tmpdir(), "quittance-e2e-")));
  dirs.add(world.dir);
  try {
    await build(world);
    return world;
  } catch (error) {
    await world.end().catch(() => {});
    throw error;
  }
}

/** A chain and an initialised gateway with gas, nothing deployed.  between: (chain) => URL of what the gateway takes for its node. */
async function prepare(world, { blockTime = 0, settings = {}, between = (chain) => chain.url }) {
  world.chain = await startDevchain({ blockTime });
  world.gateway = new Gateway(path.join(world.dir, "gateway"), {
    CHAIN_RPC: await between(world.chain), CHAIN_CHAIN_ID: world.chain.id, API_LISTEN: "127.0.0.1:0", API_ADMIN_LISTEN: "127.0.0.1:0", ...settings,
  });
  await world.gateway.init();
  const operator = person("operator");
  writeKeystore(path.join(world.gateway.dir, "operator.json"), path.join(world.gateway.dir, "passphrase"), operator.privateKey, operator.address);
  world.gateway.address = operator.address;
  await world.chain.fund(world.gateway.address, 10n ** 21n);
}

export const startBareWorld = (options = {}) => built((world) => prepare(world, options));

export async function deployAndServe(world, deployArgs = ["--dev-token"]) {
  const deployed = await world.gateway.command(["deploy", ...deployArgs]);
  world.contract = deployed.contract;
  world.token = deployed.token;
  world.domain = makeDomain(deployed);
  await world.gateway.serve();
  return deployed;
}

/** Three nodes (the second is paid elsewhere), a consumer, and a family of three models: base, tuned, and one of both. */
export async function populate(world, { seed = 1, price = ANY_PRICE } = {}) {
  world.jobs = new Jobs(world.domain, seed);
  world.nodes = ["node-a", "node-b", "node-c"].map(person);
  world.payout = person("node-b payout");
  world.consumer = person("consumer");
  world.creators = ["creator-base", "creator-tuned", "creator-merged"].map(person);
  await world.admit(world.nodes[0]);
  await world.admit(world.nodes[1], { payout: world.payout.address });
  await world.admit(world.nodes[2]);
  await world.gateway.must("POST", "/admin/v1/consumers", { address: world.consumer.address, name: "consumer" });
  const base = await world.addModel("base", world.creators[0]);
  const tuned = await world.addModel("tuned", world.creators[1], [{ parent: base, shareBps: 2003 }]);
  // A diamond: base is an ancestor by two paths, and both pay.
  await world.addModel("merged", world.creators[2], [{ parent: tuned, shareBps: 3331 }, { parent: base, shareBps: 777 }]);
  if (price) await world.setPrice(price);
  return world;
}

export const startWorld = (options = {}) => built(async (world) => {
  await prepare(world, options);
  await deployAndServe(world);
  await populate(world, options);
});

/** Every named member is there; others may be beside them. */
export function assertMembers(object, names, what = "answer") {
  assert.ok(object !== null && typeof object === "object", `${what} is no object: ${object}`);
  assert.deepEqual(names.split(" ").filter((name) => !(name in object)), [], `${what} lacks members: ${JSON.stringify(object).slice(0, 500)}`);
}

export function assertProblem(answer, status, code) {
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  assert.match(answer.headers.get("content-type"), /^application\/problem\+json/);
  assertMembers(answer.body, "type title status code", "problem");
  assert.equal(answer.body.status, status);
  if (code) assert.equal(answer.body.code, code);
}
