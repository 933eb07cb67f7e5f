// Two gateways at once, by mistake: on one store the lock keeps them apart; on two stores with one key the contract takes one
// commit a sequence, the other says so and stops, and nobody is paid twice.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { BINARY, Gateway } from "../../scripts/lib/gateway.mjs";
import { run, start, until } from "../../scripts/lib/process.mjs";
import { assertProblem, startWorld } from "./world.mjs";

const A_PERSON = 70, TRY_AGAIN = 75;

let world, books, sequence = 0;

before(async () => {
  world = await startWorld({ seed: 12 });
  books = world.books();
});
after(() => world?.end());

const some = () => Promise.all(world.nodes.map((node, i) => world.jobs.signed(node, world.models[i].model)));
const settle = (gateway, env = {}) =>
  run(BINARY, ["-c", path.join(gateway.dir, "quittance.conf"), "settle", "--wait"], { env: { ...gateway.env, ...env } });

async function accept(gateway, receipts) {
  const { status, body } = await gateway.post("/v1/receipts", receipts);
  assert.equal(status, 200, JSON.stringify(body));
  for (const item of body.results) assert.equal(item.status, "accepted", JSON.stringify(item));
}

/** One commit a sequence, and what every account got is what it earned by the books that were committed. */
async function assertPaidOnce() {
  const commits = await world.commits();
  assert.deepEqual(commits.map((log) => log.args.sequence), Array.from({ length: sequence }, (_, i) => BigInt(i + 1)));
  const transfers = await world.transfers();
  for (const { account, claimable } of books.rewards()) assert.equal(transfers.get(account.toLowerCase()), claimable, account);
  assert.equal([...transfers.values()].reduce((a, b) => a + b, 0n), books.total);
}

describe("two on one store", () => {
  async function work() {
    const receipts = await some();
    await accept(world.gateway, receipts);
    for (const receipt of receipts) books.add(receipt);
    sequence++;
  }

  it("a second service does not start, and takes nothing from the first", async () => {
    const second = await run(BINARY, ["-c", path.join(world.gateway.dir, "quittance.conf"), "serve"], { env: world.gateway.env });
    assert.equal(second.code, TRY_AGAIN, second.stderr);
    assert.match(second.stderr, new RegExp(`is being written by process ${world.gateway.pid}`));
    await work();
    const report = await world.settle();         // asks the first: its address file is there
    assert.deepEqual([report.sequence, report.state], [sequence, "final"]);
    await assertPaidOnce();
  });

  it("two runs by the service are one", async () => {
    await work();
    const both = await Promise.all([settle(world.gateway), settle(world.gateway)]);
    for (const { code, stdout, stderr } of both) assert.deepEqual([code, JSON.parse(stdout).sequence], [0, sequence], stderr);
    await assertPaidOnce();
  });

  it("of two runs by themselves the second waits for the first", async () => {
    await work();
    await world.stopServing();
    const both = await Promise.all([settle(world.gateway), settle(world.gateway)]);
    for (const { code, stdout, stderr } of both) assert.deepEqual([code, JSON.parse(stdout).sequence], [0, sequence], stderr);
    assert.deepEqual(both.map(({ stdout }) => JSON.parse(stdout).nothing).sort(), [false, true]);
    assert.match(both.map(({ stderr }) => stderr).join(), /event=settle_waits .*is being written by process/);
    await assertPaidOnce();
  });

  it("a run at the moment a service starts is done by whichever got there first", async () => {
    for (let round = 0; round < 3; round++) {
      if (!world.gateway.process) await world.gateway.serve();
      await work();
      await world.stopServing();
      const running = settle(world.gateway);
      await new Promise((done) => setTimeout(done, round * 15));
      await until(() => world.gateway.serve().catch((error) => assert.match(error.message, /is being written by/)), "the service starts");
      const { code, stdout, stderr } = await running;
      assert.deepEqual([code, JSON.parse(stdout).sequence], [0, sequence], stderr);
      await assertPaidOnce();
    }
  });
});

describe("two stores, one key", () => {
  let other;

  after(() => other?.end());

  async function bookedSome() {
    const receipts = await some();
    for (const receipt of receipts) books.add(receipt);
    return receipts;
  }

  async function serving(gateway, use) {
    await gateway.serve();
    try {
      return await use();
    } finally {
      await gateway.stop();
      gateway.process = undefined;
    }
  }

  function copy(name) {
    const dir = path.join(world.dir, name);
    fs.cpSync(world.gateway.dir, dir, { recursive: true });
    const gateway = new Gateway(dir, {});
    gateway.env = { ...world.gateway.env };
    return gateway;
  }

  /** A copy of the folder, as a restored backup is one; both got other receipts since. */
  async function twoStores(name) {
    if (world.gateway.process) await world.stopServing();
    other = copy(name);
    await serving(other, async () => accept(other, await some()));
    await serving(world.gateway, async () => accept(world.gateway, await bookedSome()));
    sequence++;
  }

  /** The other's run, stopped at this place until it is told to go on. */
  async function paused(gateway, place) {
    const running = start(BINARY, ["-c", path.join(gateway.dir, "quittance.conf"), "settle", "--wait"],
      { env: { ...gateway.env, QUITTANCE_PAUSE_AT: place } });
    await until(() => fs.readFileSync(`/proc/${running.child.pid}/stat`, "utf8").split(") ")[1][0] === "T", `stopped at ${place}`);
    return async () => {
      running.child.kill("SIGCONT");
      const { code } = await running.ended;
      return { code, stderr: running.log() };
    };
  }

  async function ours() {
    const report = await world.settle();
    assert.deepEqual([report.sequence, report.state], [sequence, "final"]);
  }

  async function assertNamed({ code, stderr }) {
    assert.equal(code, A_PERSON, stderr);
    const { args: { header }, transactionHash } = (await world.commits()).at(-1);
    assert.match(stderr, new RegExp(`another gateway commits with this key: sequence ${sequence} was committed with header ${header}, transaction ${transactionHash}`));
  }

  /** It stays stopped, says why, and takes receipts all the same. */
  async function assertStopsSettlingOnly() {
    await serving(other, async () => {
      await accept(other, await some());
      await assertNamed(await settle(other));
      const { body } = await other.get("/readyz");
      assert.equal(body.status, "degraded", JSON.stringify(body));
      await accept(other, await some());
    });
    await assertPaidOnce();
  }

  // Not to be told from a restored backup, and receipts that the other settled would be taken for new: see backup.test.mjs.
  it("one that comes later names the other's commit, and neither settles nor takes receipts before it has caught up", async () => {
    await twoStores("later");
    await ours();
    await assertNamed(await settle(other));
    await serving(other, async () => {
      assertProblem(await other.post("/v1/receipts", await some()), 503, "try-again");
      await assertNamed(await settle(other));
      await other.command(["store", "catch-up", path.join(world.gateway.dir, "archive")]);
      await until(async () => (await other.post("/v1/receipts", await some())).status === 200, "receipts taken again");
    });
    await assertPaidOnce();
  });

  it("one that slept with its batch prepared commits nothing", async () => {
    await twoStores("prepared");
    const wake = await paused(other, "prepared");
    await ours();
    await assertNamed(await wake());
    await assertStopsSettlingOnly();
  });

  it("one that slept with its commit signed finds its nonce used, and says so", async () => {
    await twoStores("signed");
    const wake = await paused(other, "commit-stored");
    await ours();
    const woken = await wake();
    await assertNamed(woken);
    assert.match(woken.stderr, /event=nonce_taken /);
    await assertStopsSettlingOnly();
  });

  it("one that slept with a payment signed, while a copy of it paid: nothing is paid again", async () => {
    if (world.gateway.process) await world.stopServing();
    await serving(world.gateway, async () => accept(world.gateway, await bookedSome()));
    sequence++;
    const wake = await paused(world.gateway, "active");
    other = copy("paid");                       // as it stands: nothing is paid yet
    await world.chain.test.mine({ blocks: 3 });  // another fee, so another transaction
    const wakeCopy = await paused(other, "distribute-stored");
    await world.chain.test.mine({ blocks: 3 });
    const first = await wake();
    assert.equal(first.code, 0, first.stderr);
    const second = await wakeCopy();
    assert.equal(second.code, 0, second.stderr);
    assert.match(second.stderr, /event=nonce_taken/);
    await assertPaidOnce();
  });

  it("both at once: one of them commits, the other names it", async () => {
    if (world.gateway.process) await world.stopServing();
    other = copy("both");
    const [a, b] = [await some(), await some()];
    await serving(other, () => accept(other, b));
    await serving(world.gateway, () => accept(world.gateway, a));
    sequence++;
    const ends = await Promise.all([settle(world.gateway), settle(other)]);
    assert.deepEqual(ends.map(({ code }) => code).sort((x, y) => x - y), [0, A_PERSON], ends.map(({ stderr }) => stderr).join("\n"));
    for (const receipt of ends[0].code === 0 ? a : b) books.add(receipt);
    await assertNamed(ends.find(({ code }) => code !== 0));
    await assertPaidOnce();
  });
});
