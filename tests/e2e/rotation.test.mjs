// The operator's key is changed by the commands of chain/contracts/README.md, while what the old key sent is in flight:
// nothing is lost, nothing is paid twice, and the old key's open slots are followed to their end.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { sleep, until } from "../../scripts/lib/process.mjs";
import { person } from "./jobs.mjs";
import { PASSPHRASE, writeKeystore } from "./keystore.mjs";
import { deployAndServe, populate, startBareWorld } from "./world.mjs";

const ROLE_DELAY_S = 1;

describe("rotating the operator's key", () => {
  let world, books, treasury;

  before(async () => {
    treasury = person("treasury").address;
    world = await startBareWorld({ settings: { CONTRACT_ROLE_DELAY: ROLE_DELAY_S, SETTLE_PROTOCOL_ACCOUNT: treasury } });
    await deployAndServe(world);
    await populate(world, { seed: 31 });
    world.gateway.address = treasury;        // who gets the protocol's part in the books
    books = world.books();
  });
  after(() => world?.end());

  async function work() {
    const receipts = await Promise.all(world.nodes.map((node, i) => world.jobs.signed(node, world.models[i].model)));
    await world.postAccepted(receipts);
    for (const receipt of receipts) books.add(receipt);
  }

  const inPool = async () => Number((await world.chain.client.request({ method: "txpool_status" })).pending);
  const automine = (on) => world.chain.test.setAutomine(on);
  const mine = () => world.chain.test.mine({ blocks: 1 });
  const drop = () => world.chain.client.request({ method: "anvil_dropAllTransactions" });

  /** A settlement is begun and comes as far as its commit, or its first payment, waits in the pool; then the service ends. */
  async function begin(stage) {
    await work();
    await automine(false);
    const settling = world.gateway.command(["settle", "--wait"]).catch(() => {});
    await until(async () => await inPool() > 0, "the commit is sent");
    if (stage === "distribute") {
      await mine();
      await until(async () => await inPool() > 0, "the payment is sent");
    }
    await world.stopServing();
    await settling;
  }

  /** A key of the test's own costs no second of scrypt at each of its uses; the first one is made as an operator would. */
  async function newKey(name) {
    const file = path.join(world.gateway.dir, name);
    if (name === "second.json") return world.gateway.command(["key", "new", file]);
    const made = person(name);
    writeKeystore(file, path.join(world.gateway.dir, "passphrase"), made.privateKey, made.address);
    return made;
  }

  async function propose(name) {
    const made = await newKey(name);
    await world.chain.test.setBalance({ address: made.address, value: 10n ** 20n });
    // The owner is the first key here, whoever is the operator.
    await world.gateway.command(["contract", "propose", "operator", made.address, "--yes", "--key", `keystore:${world.gateway.dir}/operator.json`]);
    await sleep((ROLE_DELAY_S + 1) * 1000);
    return made.address;
  }

  async function accept(name, address) {
    await world.gateway.command(["contract", "accept", "operator", "--yes", "--key", `keystore:${world.gateway.dir}/${name}`]);
    assert.equal(await world.view("operator"), address);
    const conf = path.join(world.gateway.dir, "quittance.conf");
    fs.writeFileSync(conf, fs.readFileSync(conf, "utf8").replace(/^key = .*$/m, `key = keystore:${name}`));
    await world.gateway.serve();
    assert.equal((await world.gateway.get("/v1/info")).body.signer, address);
  }

  /** Finished: one commit a sequence, every account has exactly what it earned; what each transaction came to, by kind. */
  async function settled(sequence) {
    const report = await world.settle();
    assert.equal(report.state, "final");
    const commits = await world.commits();
    assert.deepEqual(commits.map((log) => log.args.sequence), Array.from({ length: sequence }, (_, i) => BigInt(i + 1)));
    const transfers = await world.transfers();
    for (const { account, claimable } of books.rewards()) assert.equal(transfers.get(account.toLowerCase()), claimable, account);
    assert.equal([...transfers.values()].reduce((a, b) => a + b, 0n), books.total);
    const { body } = await world.gateway.get(`/v1/settlements/${sequence}`);
    return body.transactions.map((tx) => `${tx.kind} ${tx.state}`);
  }

  it("a commit that is mined before the new key takes over counts; the new key pays", async () => {
    const next = await propose("second.json");
    await begin("commit");
    await mine();
    await automine(true);
    await accept("second.json", next);
    assert.deepEqual(await settled(1), ["commit final", "distribute final"]);
  });

  it("a commit that the pool forgot comes too late, and the new key commits once", async () => {
    const next = await propose("third.json");
    await begin("commit");
    await drop();
    await automine(true);
    await accept("third.json", next);
    assert.deepEqual(await settled(2), ["commit reverted", "commit final", "distribute final"]);
  });

  it("a payment of the old key is brought to its end, and made once", async () => {
    const next = await propose("fourth.json");
    await begin("distribute");
    await drop();
    await automine(true);
    await accept("fourth.json", next);
    assert.deepEqual(await settled(3), ["commit final", "distribute final"]);
  });

  it("the keys before commit no more, and the books stand the audit", async () => {
    await work();
    await settled(4);
    const { body: { promiseSigners } } = await world.gateway.get("/v1/info");
    assert.equal(promiseSigners.length, 4, "each key signed promises in its time");
    assert.ok(await world.gateway.command(["audit", world.gateway.url]));
  });

  it("no key and no passphrase is in logs, words of the command or core dumps", async () => {
    const { pid } = world.gateway;
    assert.match(fs.readFileSync(`/proc/${pid}/limits`, "utf8"), /^Max core file size +0 +0 /m);
    const shown = [world.gateway.process.log(), fs.readFileSync(`/proc/${pid}/cmdline`, "utf8"),
      JSON.stringify(await world.gateway.command(["config", "print"])), JSON.stringify(await world.gateway.command(["status"]))];
    for (const secret of [PASSPHRASE, ...["operator", "third.json", "fourth.json"].map((name) => person(name).privateKey.slice(2))])
      for (const text of shown) assert.ok(!text.toLowerCase().includes(secret.toLowerCase()));
  });
});
