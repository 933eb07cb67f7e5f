// A lost disk: a new store from the published files and the chain answers as the lost one did, and the service goes on.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import test from "node:test";
import { CommandFailed, Gateway } from "../../scripts/lib/gateway.mjs";
import { until } from "../../scripts/lib/process.mjs";
import { startWorld } from "./world.mjs";

const ACCOUNTS = (world) => [...world.nodes, ...world.creators, world.payout, world.consumer].map((who) => who.address).concat(world.gateway.address);

/** When a store closed and prepared a settlement is its own to tell: one made again knows when the chain had it, to the second. */
function forgetWhen(settlement) {
  if (settlement === undefined) return;
  for (const name of ["closedAt", "preparedAt"]) {
    assert.ok(settlement[name] === undefined || Math.abs(settlement[name] - Date.now()) < 24 * 3_600_000, name);
    delete settlement[name];
  }
}

/** What the world may ask for, but for what no archive holds: promises, what was held, operators' reasons, and our own list of transactions. */
async function answers(world, gateway, receipts, sequences) {
  const read = async (pathname) => {
    const { status, body } = await gateway.get(pathname);
    assert.equal(status, 200, `${pathname}: ${JSON.stringify(body)}`);
    return body;
  };
  const seen = {};
  for (const account of ACCOUNTS(world)) {
    const { held: _held, ...sums } = await read(`/v1/accounts/${account}`);
    seen[account] = sums;
    seen[`claim of ${account}`] = (await gateway.get(`/v1/accounts/${account}/claim`)).body;
  }
  for (const { jobId, provider } of receipts) {
    const { promise: _promise, reason: _reason, ...answer } = await read(`/v1/receipts/${jobId}?provider=${provider}`);
    delete answer.settlement?.transaction;
    forgetWhen(answer.settlement);
    seen[`${jobId} of ${provider}`] = answer;
  }
  for (const sequence of sequences) {
    const { transactions: _transactions, paid: _paid, skipped: _skipped, left: _left, ...settlement } = await read(`/v1/settlements/${sequence}`);
    forgetWhen(settlement);
    seen[`settlement ${sequence}`] = settlement;
    seen[`rewards ${sequence}`] = await read(`/v1/settlements/${sequence}/rewards.json`);
    seen[`archive ${sequence}`] = await read(`/v1/settlements/${sequence}/archive`);
  }
  return seen;
}

/** What an operator has after a lost disk: keys and configuration from a backup, nothing else. */
function afterLostDisk(world, name) {
  const dir = path.join(world.dir, name), gateway = new Gateway(dir, {});
  fs.mkdirSync(dir);
  for (const file of ["quittance.conf", "operator.json", "passphrase", "secret"])
    fs.copyFileSync(path.join(world.gateway.dir, file), path.join(dir, file));
  gateway.env = world.gateway.env;
  gateway.address = world.gateway.address;
  return gateway;
}

async function serveAgain(gateway) {
  const { key } = await gateway.command(["apikey", "new", "--role", "admin"]);
  fs.writeFileSync(path.join(gateway.dir, "admin.key"), `${key}\n`, { mode: 0o600 });
  gateway.apiKey = key;
  await gateway.serve();
}

const failsWith = (code) => (error) => {
  assert.ok(error instanceof CommandFailed, error);
  assert.equal(error.code, code, error.stderr);
  return true;
};

const allPaid = (world, gateway) => until(async () => {
  for (const account of ACCOUNTS(world)) if ((await gateway.get(`/v1/accounts/${account}`)).body.pending !== "0") return false;
  return true;
}, "every payment read from the chain");

async function postSome(world, model, count) {
  const receipts = [];
  for (const node of world.nodes) for (let i = 0; i < count; i++) receipts.push(await world.jobs.signed(node, model));
  await world.postAccepted(receipts);
  return receipts;
}

async function postBundle(world, node, model, count, more = []) {
  const receipts = [...Array.from({ length: count }, () => world.jobs.make(node, model)), ...more];
  const { status, body } = await world.gateway.post("/v1/receipts", await world.jobs.jsonBundle(node, receipts));
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(body.results.map((item) => item.status), [...Array(count).fill("accepted"), ...more.map(() => "quarantined")]);
  return receipts.slice(0, count);
}

test("a store made again from published files and the chain", { timeout: 300_000 }, async (t) => {
  const world = await startWorld();
  t.after(() => world.end());
  const [base, , merged] = world.models.map((m) => m.model);
  const late = world.jobs.make(world.nodes[0], base, { finishedAt: Date.now() - 30 * 3_600_000 });
  const receipts = await postSome(world, merged, 3);
  receipts.push(await world.jobs.countersign(world.consumer, await world.jobs.signed(world.nodes[2], base, { consumer: world.consumer.address })));
  await world.postAccepted([receipts.at(-1)]);
  const bundled = await postBundle(world, world.nodes[1], base, 5);
  const mixed = await postBundle(world, world.nodes[0], base, 4, [late]);
  // Two did one job, and an operator let both be paid.
  const { jobId, startedAt, finishedAt } = receipts[0];
  const second = await world.jobs.signed(world.nodes[1], merged, { jobId, startedAt, finishedAt });
  assert.equal((await world.gateway.post("/v1/receipts", [second])).body.results[0].status, "quarantined");
  await world.gateway.must("POST", `/admin/v1/quarantine/${second.provider}/${second.jobId}/release`, { reason: "both worked on it" });
  receipts.push(second);
  assert.equal((await world.settle()).state, "final");
  receipts.push(...await postSome(world, base, 2));
  // The treasury pays for what was countersigned once the consumer was gone; that is told by the archives too.
  await world.gateway.must("DELETE", `/admin/v1/consumers/${world.consumer.address}`);
  receipts.push(await world.jobs.countersign(world.consumer, await world.jobs.signed(world.nodes[0], base, { consumer: world.consumer.address })));
  await world.postAccepted([receipts.at(-1)]);
  assert.equal((await world.settle()).state, "final");
  await allPaid(world, world.gateway);
  const all = [...receipts, ...bundled, ...mixed], before = await answers(world, world.gateway, all, [1, 2]);
  const { charged } = await world.gateway.command(["audit", world.gateway.url]);
  assert.equal(charged, before[world.consumer.address].charged);
  assert.notEqual(charged, "0");

  await t.test("a published file that is not the chain's is refused, and nothing is written", async () => {
    const gateway = afterLostDisk(world, "false"), dir = path.join(world.dir, "false-files");
    fs.cpSync(path.join(world.gateway.dir, "archive"), dir, { recursive: true });
    for (const file of fs.readdirSync(dir)) if (file.endsWith(".zst")) fs.rmSync(path.join(dir, file));
    const file = path.join(dir, "2.archive.ndjson");
    fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace('"acceptedAt":1', '"acceptedAt":2'));
    await assert.rejects(gateway.command(["store", "rebuild", dir]), failsWith(65));
    // The store is still empty: the true files may come next.
    assert.equal((await gateway.command(["store", "rebuild", world.gateway.url])).settlements, 2);
  });

  await t.test("a store that holds something is refused", () =>
    assert.rejects(afterLostDisk(world, "again").command(["store", "rebuild", world.gateway.url], {
      env: { QUITTANCE_STORE_URL: `sqlite:${world.dir}/false/quittance.db` },
    }), (error) => error instanceof CommandFailed && /is not empty/.test(error.stderr)));

  await t.test("another secret is refused", async () => {
    const gateway = afterLostDisk(world, "other-secret");
    fs.writeFileSync(path.join(gateway.dir, "secret"), `0x${"11".repeat(32)}\n`, { mode: 0o600 });
    await assert.rejects(gateway.command(["store", "rebuild", world.gateway.url]), failsWith(78));
  });

  await world.stopServing();
  const files = path.join(world.gateway.dir, "archive");
  world.gateway = afterLostDisk(world, "rebuilt");
  const report = await world.gateway.command(["store", "rebuild", files]);
  assert.deepEqual(report, { settlements: 2, receipts: all.length, lastSequence: 2 });
  await serveAgain(world.gateway);

  await t.test("answers as before", async () => {
    await allPaid(world, world.gateway);
    assert.deepEqual(await answers(world, world.gateway, all, [1, 2]), before);
  });

  await t.test("serves the same bytes", () => {
    for (const file of fs.readdirSync(files).filter((name) => !name.endsWith(".zst")))
      assert.ok(fs.readFileSync(path.join(files, file)).equals(fs.readFileSync(path.join(world.gateway.dir, "archive", file))), file);
  });

  await t.test("receipts that were settled are duplicates", async () => {
    const { status, body } = await world.gateway.post("/v1/receipts", receipts);
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual([...new Set(body.results.map((item) => item.status))], ["duplicate"]);
    assert.equal((await world.gateway.post("/v1/receipts", receipts[0])).status, 200);
  });

  await t.test("work goes on: a new receipt is settled, and all of it stands the audit", async () => {
    const [fresh] = await postSome(world, merged, 1);
    const settled = await world.settle();
    assert.equal(settled.sequence, 3);
    assert.equal(settled.state, "final");
    assert.equal((await world.gateway.get(`/v1/receipts/${fresh.jobId}`)).body.state, "paid");
    const audit = await world.gateway.command(["audit", world.gateway.url]);
    assert.equal(audit.settlements, 3);
  });
});

test("pending and cancelled settlements come back as they stand", { timeout: 300_000 }, async (t) => {
  const world = await startWorld({ settings: { CONTRACT_ACTIVATION_DELAY: "3600" } });
  t.after(() => world.end());
  const [, tuned] = world.models.map((m) => m.model);
  const rebuild = async (name, meanwhile = () => {}) => {
    const files = path.join(world.gateway.dir, "archive");
    await world.stopServing();
    await meanwhile();
    world.gateway = afterLostDisk(world, name);
    await world.gateway.command(["store", "rebuild", files]);
    await serveAgain(world.gateway);
  };
  const stateOf = async (sequence) => (await world.gateway.get(`/v1/settlements/${sequence}`)).body.state;
  const passDelay = async () => {
    await world.chain.test.increaseTime({ seconds: 3700 });
    await world.chain.test.mine({ blocks: 1 });
  };
  const first = await postSome(world, tuned, 2), mixed = await postBundle(world, world.nodes[0], tuned, 2, [
    world.jobs.make(world.nodes[0], tuned, { finishedAt: Date.now() - 30 * 3_600_000 })]);
  assert.equal((await world.gateway.command(["settle"])).sequence, 1);

  await t.test("a pending one stays so, and is paid once its time has come", async () => {
    await rebuild("pending");
    assert.equal(await stateOf(1), "committed");
    await passDelay();
    assert.equal((await world.settle()).state, "final");
    await allPaid(world, world.gateway);
  });

  const second = await postSome(world, tuned, 1), bundled = await postBundle(world, world.nodes[2], tuned, 3);
  assert.equal((await world.gateway.command(["settle"])).sequence, 2);
  await world.gateway.command(["contract", "cancel", "2", "--yes"]);
  await until(async () => await stateOf(2) === "cancelled", "the cancel seen");

  await t.test("a cancelled one waits to be carried, with its receipts", async () => {
    await rebuild("cancelled");
    assert.equal(await stateOf(2), "cancelled");
    for (const { jobId, provider } of [...second, ...bundled])
      assert.equal((await world.gateway.get(`/v1/receipts/${jobId}?provider=${provider}`)).body.state, "batched");
    await world.gateway.must("POST", "/admin/v1/settlements/2/carry", { reason: "a test" });
    assert.equal((await world.gateway.command(["settle"])).sequence, 3);
    await passDelay();
    assert.equal((await world.settle()).state, "final");
  });

  await t.test("a carried one is one batch under two sequences", async () => {
    const all = [...first, ...mixed, ...second, ...bundled];
    await allPaid(world, world.gateway);
    const before = await answers(world, world.gateway, all, [1, 2, 3]);
    await rebuild("carried");
    await allPaid(world, world.gateway);
    assert.deepEqual(await answers(world, world.gateway, all, [1, 2, 3]), before);
  });

  await t.test("a cancelled one whose file is missing keeps its number, and its receipts may be posted again", async () => {
    const third = await postSome(world, tuned, 1);
    assert.equal((await world.gateway.command(["settle"])).sequence, 4);
    await world.gateway.command(["contract", "cancel", "4", "--yes"]);
    await until(async () => await stateOf(4) === "cancelled", "the cancel seen");
    for (const ending of ["archive.ndjson", "archive.ndjson.zst", "rewards.json"])
      fs.rmSync(path.join(world.gateway.dir, "archive", `4.${ending}`));
    await rebuild("lost");
    assert.equal(await stateOf(4), "cancelled");
    await world.postAccepted(third);
    assert.equal((await world.gateway.command(["settle"])).sequence, 5);
  });

  await t.test("an active one that nobody was paid from yet is distributed", async () => {
    await rebuild("undistributed", passDelay);
    assert.equal((await world.settle()).state, "final");
    await allPaid(world, world.gateway);
    assert.equal(await stateOf(5), "final");
    const audit = await world.gateway.command(["audit", path.join(world.gateway.dir, "archive")]);
    assert.deepEqual([audit.settlements, audit.cancelled], [3, 2]);
  });
});
