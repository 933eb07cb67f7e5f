// A restored backup: the chain is ahead of it.  It says what is missing, takes nothing in, catches up from the archives and
// goes on; whatever was settled before is never settled again.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import test from "node:test";
import { CommandFailed, Gateway } from "../../scripts/lib/gateway.mjs";
import { until } from "../../scripts/lib/process.mjs";
import { person } from "./jobs.mjs";
import { ANY_PRICE, assertProblem, startWorld } from "./world.mjs";

/** The machine of a backup: its store and keys; `archives`: the folder whose files survived, if any did. */
function restore(world, backup, name, { archives, env = {} } = {}) {
  const dir = path.join(world.dir, name), gateway = new Gateway(dir, {});
  fs.mkdirSync(dir);
  for (const file of ["quittance.conf", "operator.json", "passphrase", "secret", "admin.key"])
    fs.copyFileSync(path.join(world.lost.dir, file), path.join(dir, file));
  fs.copyFileSync(backup, path.join(dir, "quittance.db"));
  if (archives) fs.cpSync(archives, path.join(dir, "archive"), { recursive: true });
  Object.assign(gateway, { env: { ...world.lost.env, ...env }, address: world.lost.address, apiKey: world.lost.apiKey });
  return gateway;
}

async function backup(world, name) {
  const file = path.join(world.dir, name);
  await world.gateway.command(["store", "backup", file]);
  return file;
}

async function lose(world) {
  await world.stopServing();
  world.lost = world.gateway;
}

async function serveRestored(world, ...args) {
  world.gateway = restore(world, ...args);
  await world.gateway.serve();
}

async function failure(command) {
  const error = await command.then(() => assert.fail("it should have failed"), (e) => e);
  assert.ok(error instanceof CommandFailed, error);
  return error;
}

async function post(world, receipts) {
  const { status, body } = await world.gateway.post("/v1/receipts", receipts);
  assert.equal(status, 200, JSON.stringify(body));
  return body.results.map((item) => item.status);
}

/** One commit a sequence, and every account has got, in all, exactly what it earned. */
async function assertPaidOnce(world, receipts) {
  const paid = await world.transfers(), books = world.books();
  for (const receipt of receipts) books.add(receipt);
  const earned = new Map(books.rewards().map(({ account, claimable }) => [account.toLowerCase(), claimable]));
  assert.equal(await world.view("total"), books.total);
  assert.deepEqual(new Map([...paid].sort()), new Map([...earned].sort()));
  const sequences = (await world.commits()).map(({ args }) => args.sequence);
  assert.deepEqual(sequences, sequences.map((_, i) => BigInt(i + 1)));
}

const stateOf = async (world, sequence) => (await world.gateway.get(`/v1/settlements/${sequence}`)).body.state;
const signedBy = (world, node, model, count) => Promise.all(Array.from({ length: count }, () => world.jobs.signed(node, model)));

test("a backup of a store under load is whole", { timeout: 300_000 }, async (t) => {
  const world = await startWorld();
  t.after(() => world.end());
  const [base] = world.models.map((m) => m.model), receipts = [];
  let posting = true;
  const postSome = async () => {
    const some = await signedBy(world, world.nodes[0], base, 5);
    assert.deepEqual([...new Set(await post(world, some))], ["accepted"]);
    receipts.push(...some);
  };
  const load = (async () => { while (posting) await postSome(); })();
  await until(() => receipts.length >= 20, "some load");
  const known = receipts.slice(), file = await backup(world, "load.db");
  posting = false;
  await load;
  await postSome();
  await lose(world);
  await serveRestored(world, file, "load");
  assert.deepEqual([...new Set(await post(world, known))], ["duplicate"]);
  const again = await post(world, receipts);
  assert.deepEqual([...new Set(again)].sort(), ["accepted", "duplicate"]);
  assert.equal((await world.settle()).receipts, receipts.length);
  await world.gateway.command(["audit", world.gateway.url]);
  await assertPaidOnce(world, receipts);
});

test("a restored backup catches up before it settles", { timeout: 300_000 }, async (t) => {
  const world = await startWorld();
  t.after(() => world.end());
  const [base, tuned, merged] = world.models.map((m) => m.model);
  const late = person("late node"), all = [];
  const take = async (receipts) => {
    assert.deepEqual([...new Set(await post(world, receipts))], ["accepted"]);
    all.push(...receipts);
  };
  await take(await signedBy(world, world.nodes[0], merged, 2));
  assert.equal((await world.settle()).sequence, 1);

  // In the backup: an open batch, a bundle, a claim that nobody verified, and a receipt held as its provider is unknown.
  const open = [...await signedBy(world, world.nodes[1], base, 2), ...await signedBy(world, world.nodes[2], tuned, 1)];
  await take(open);
  const bundled = Array.from({ length: 70 }, () => world.jobs.make(world.nodes[0], base)); // enough for a page of the store
  const bundle = await world.gateway.post("/v1/receipts", await world.jobs.jsonBundle(world.nodes[0], bundled));
  assert.deepEqual([...new Set(bundle.body.results.map((item) => item.status))], ["accepted"]);
  all.push(...bundled);
  const held = await world.jobs.signed(late, base), claim = await world.claimModel("newcomer", world.creators[0]);
  assert.deepEqual(await post(world, [held]), ["quarantined"]);
  const promised = (await world.gateway.get(`/v1/receipts/${open[0].jobId}`)).body.promise;
  const old = await backup(world, "old.db");

  // After it: three settlements with a new provider, model and price, and a claim by an earner.
  const after = await signedBy(world, world.nodes[0], tuned, 2);
  await take(after);
  await world.admit(late);
  all.push(held);
  assert.equal((await world.settle()).sequence, 2);
  const fresh = await world.verifyModel(claim);
  await world.setPrice({ ...ANY_PRICE, model: fresh, effectiveFrom: Date.now() - 3_600_000, perMillion: { ...ANY_PRICE.perMillion, outputTokens: "3000000000000000001" } });
  await take([...await signedBy(world, late, fresh, 2), ...await signedBy(world, world.nodes[1], merged, 1)]);
  await world.stopServing();
  await world.gateway.serve({ env: { QUITTANCE_SETTLE_DISTRIBUTE_MINIMUM: String(10n ** 30n) } });
  assert.equal((await world.settle()).sequence, 3);
  const claimable = (await world.gateway.get(`/v1/accounts/${late.address}/claim`)).body;
  const hash = await world.chain.wallet.sendTransaction({ to: world.contract, data: claimable.calldata });
  assert.equal((await world.chain.client.waitForTransactionReceipt({ hash })).status, "success");
  await world.stopServing();
  await world.gateway.serve();
  await take(await signedBy(world, world.nodes[2], base, 1));
  assert.equal((await world.settle()).sequence, 4);
  const lostReceipts = await signedBy(world, world.nodes[0], fresh, 2);
  await take(lostReceipts);
  const before = {};
  for (const account of [late.address, world.payout.address, ...world.nodes.map((n) => n.address), ...world.creators.map((c) => c.address)])
    before[account] = (await world.gateway.get(`/v1/accounts/${account}`)).body;
  const source = world.gateway, files = path.join(source.dir, "archive");
  world.lost = source;

  await t.test("without archives it says what is missing, and holds settling and intake", async () => {
    await serveRestored(world, old, "behind");
    const answer = await world.gateway.post("/v1/receipts", lostReceipts[0]);
    assertProblem(answer, 503, "try-again");
    assert.match(answer.body.detail, /settlements 2 to 4/);
    assert.ok(Number(answer.headers.get("retry-after")) > 0);
    assertProblem(await world.gateway.admin("POST", "/admin/v1/prices", { ...ANY_PRICE, effectiveFrom: Date.now() }), 503);
    const settled = await failure(world.gateway.command(["settle", "--wait"]));
    assert.equal(settled.code, 70, settled.stderr);
    assert.match(settled.stderr, /the chain has settlements 2 to 4, which this store does not know/);
    await until(() => /2\.archive\.ndjson/.test(world.gateway.process.log()), "the missing file named in the log");
  });

  await t.test("the command brings them from a URL beside the running service", async () => {
    assert.deepEqual(await world.gateway.command(["store", "catch-up", source.url]), { from: 2, to: 4 });
    await until(async () => (await world.gateway.post("/v1/receipts", held)).status === 200, "intake open again");
    assert.deepEqual(await world.gateway.command(["store", "catch-up"]), { from: null, to: null });
  });

  await t.test("it then knows what the lost store knew", async () => {
    for (const sequence of [1, 2, 3, 4]) assert.equal(await until(async () => await stateOf(world, sequence) === "final" && "final", "final"), "final");
    const settledSums = ({ account, settled, paid }) => ({ account, settled, paid });
    for (const [account, sums] of Object.entries(before))
      await until(async () => {
        const now = (await world.gateway.get(`/v1/accounts/${account}`)).body;
        return JSON.stringify(settledSums(now)) === JSON.stringify(settledSums(sums));
      }, `the sums of ${account}`);
    const kept = (await world.gateway.get(`/v1/receipts/${open[0].jobId}`)).body;
    assert.deepEqual([kept.state, kept.promise], ["paid", promised]);
    await world.gateway.command(["audit", world.gateway.url]);
  });

  await t.test("nodes post again what has no proof: what was settled is a duplicate, the rest is taken once", async () => {
    const signed = all.filter((receipt) => receipt.signature);
    const again = await post(world, signed);
    assert.deepEqual(signed.filter((_, i) => again[i] === "accepted").map((r) => r.jobId).sort(), lostReceipts.map((r) => r.jobId).sort());
    assert.deepEqual([...new Set(again)].sort(), ["accepted", "duplicate"]);
    assert.equal((await world.settle()).sequence, 5);
    await world.gateway.command(["audit", world.gateway.url]);
    await assertPaidOnce(world, all);
  });
  await world.stopServing();
  const newest = path.join(world.gateway.dir, "archive");

  await t.test("killed in the midst of it, it goes on", async () => {
    const gateway = restore(world, old, "killed", { archives: newest });
    const killed = await failure(gateway.command(["store", "catch-up"], { env: { QUITTANCE_CRASH_AT: "caught-up" } }));
    assert.equal(killed.signal, "SIGKILL");
    assert.deepEqual(await gateway.command(["store", "catch-up", files]), { from: 3, to: 5 });
    world.gateway = gateway;
    await gateway.serve();
    await world.gateway.command(["audit", world.gateway.url]);
    assert.deepEqual([...new Set(await post(world, all.filter((r) => r.signature)))], ["duplicate"]);
    await world.stopServing();
  });

  await t.test("a false archive is refused, the true one mends it; settle alone catches up by itself", async () => {
    const gateway = restore(world, old, "false", { archives: newest }), archive = path.join(gateway.dir, "archive");
    const name = path.join(archive, "3.archive.ndjson"), text = fs.readFileSync(name, "utf8");
    fs.rmSync(`${name}.zst`);
    fs.writeFileSync(name, text.replace('"acceptedAt":1', '"acceptedAt":2'));
    const refused = await failure(gateway.command(["settle"]));
    assert.equal(refused.code, 65, refused.stderr);
    assert.match(refused.stderr, /settlement 3: archive/);
    fs.writeFileSync(name, text);
    world.gateway = gateway;
    assert.equal((await world.settle()).nothing, false);
    assert.equal((await world.settle()).nothing, true);
    await world.gateway.command(["audit", archive]);
  });

  await t.test("receipts taken while the chain was away are merged: settled ones leave the open batch, new ones stay", async () => {
    const away = { QUITTANCE_CHAIN_RPC: "http://127.0.0.1:9" };
    world.gateway = restore(world, old, "away", { archives: newest });
    await world.gateway.serve({ env: away });
    const stray = await signedBy(world, world.nodes[2], base, 2);
    assert.deepEqual([...new Set(await post(world, [...after, ...stray]))], ["accepted"]);
    const page = Array.from({ length: 70 }, () => world.jobs.make(world.nodes[1], base));
    const taken = await world.gateway.post("/v1/receipts", await world.jobs.jsonBundle(world.nodes[1], page));
    assert.deepEqual([...new Set(taken.body.results.map((item) => item.status))], ["accepted"]);
    const promise = (await world.gateway.get(`/v1/receipts/${stray[0].jobId}`)).body.promise;
    await world.stopServing();
    await world.gateway.serve();
    await until(async () => (await world.gateway.post("/v1/receipts", after)).status === 200, "caught up");
    assert.deepEqual([...new Set(await post(world, after))], ["duplicate"]);
    const kept = (await world.gateway.get(`/v1/receipts/${stray[0].jobId}`)).body;
    assert.deepEqual([kept.state, kept.promise], ["accepted", promise]);
    all.push(...stray, ...page);
    const settled = await world.settle();
    assert.deepEqual([settled.sequence, settled.receipts], [6, 72]);
    await world.gateway.command(["audit", world.gateway.url]);
    await assertPaidOnce(world, all);
    await world.stopServing();
  });
  world.gateway = source;
});

test("a store of another history is never caught up", { timeout: 300_000 }, async (t) => {
  const world = await startWorld();
  t.after(() => world.end());
  const [base] = world.models.map((m) => m.model);
  const early = await backup(world, "early.db"), snapshot = await world.chain.test.snapshot();
  await world.postAccepted(await signedBy(world, world.nodes[0], base, 1));
  assert.equal((await world.settle()).sequence, 1);
  const other = await backup(world, "other.db");
  const { header } = (await world.gateway.get("/v1/settlements/1")).body;
  await lose(world);
  await world.chain.test.revert({ id: snapshot });
  await serveRestored(world, early, "early");
  await world.postAccepted(await signedBy(world, world.nodes[1], base, 1));
  assert.equal((await world.settle()).sequence, 1);
  const files = path.join(world.gateway.dir, "archive"), actual = await world.view("header", 1n);
  await world.stopServing();
  const gateway = restore(world, other, "other", { archives: files });
  for (const command of [["settle"], ["store", "catch-up"], ["serve"]]) {
    const refused = await failure(gateway.command(command));
    assert.equal(refused.code, 70, refused.stderr);
    assert.ok(refused.stderr.includes(header) && refused.stderr.includes(actual), refused.stderr);
  }
});

test("prepared, cancelled, carried and pending settlements, sealed archives", { timeout: 300_000 }, async (t) => {
  const world = await startWorld({ settings: { CONTRACT_ACTIVATION_DELAY: "3600", ARCHIVE_DISCLOSURE: "parties" } });
  t.after(() => world.end());
  const [base, tuned] = world.models.map((m) => m.model), all = [];
  const take = async (receipts) => {
    assert.deepEqual([...new Set(await post(world, receipts))], ["accepted"]);
    all.push(...receipts);
  };
  const passDelay = async () => {
    await world.chain.test.increaseTime({ seconds: 3700 });
    await world.chain.test.mine({ blocks: 1 });
  };
  await take(await signedBy(world, world.nodes[0], base, 2));
  await world.stopServing();
  // The backup holds a commit that is signed and not sent, and receipts behind it.
  const killed = await failure(world.gateway.command(["settle"], { env: { QUITTANCE_CRASH_AT: "commit-stored" } }));
  assert.equal(killed.signal, "SIGKILL");
  await world.gateway.serve({ env: { QUITTANCE_CHAIN_RPC: "http://127.0.0.1:9" } });
  await take(await signedBy(world, world.nodes[1], tuned, 2));
  const old = await backup(world, "old.db");
  await world.stopServing();
  await world.gateway.serve();
  await until(async () => await stateOf(world, 1) === "committed", "the commit mined");
  await passDelay();
  await until(async () => await stateOf(world, 1) === "final", "the first settlement final");
  assert.equal((await world.gateway.command(["settle"])).sequence, 2);
  await world.gateway.command(["contract", "cancel", "2", "--yes"]);
  await until(async () => await stateOf(world, 2) === "cancelled", "the cancel seen");
  await world.gateway.must("POST", "/admin/v1/settlements/2/carry", { reason: "a test" });
  await until(async () => await stateOf(world, 3) === "committed", "the carried one committed");
  await take(await signedBy(world, world.nodes[2], tuned, 1));
  const files = path.join(world.gateway.dir, "archive");
  await lose(world);

  await t.test("another secret opens nothing", async () => {
    const gateway = restore(world, old, "secret", { archives: files });
    fs.writeFileSync(path.join(gateway.dir, "secret"), `0x${"11".repeat(32)}\n`, { mode: 0o600 });
    const refused = await failure(gateway.command(["store", "catch-up"]));
    assert.equal(refused.code, 78, refused.stderr);
    assert.match(refused.stderr, /secret_file/);
  });

  await t.test("each comes back as it stands, and the run goes on", async () => {
    await serveRestored(world, old, "restored", { archives: files });
    await until(async () => (await world.gateway.post("/v1/receipts", all)).status === 200, "caught up");
    assert.deepEqual(await Promise.all([2, 3].map((n) => stateOf(world, n))), ["cancelled", "committed"]);
    await passDelay();
    await until(async () => await stateOf(world, 3) === "final", "the carried one final");
    await until(async () => await stateOf(world, 1) === "final", "the first one final");
    const settled = await post(world, all);
    assert.deepEqual([...new Set(settled.slice(0, 4))], ["duplicate"]);
    assert.equal((await world.gateway.command(["settle"])).sequence, 4);
    await passDelay();
    await until(async () => (await world.settle()).state === "final", "all of it final");
    await world.gateway.command(["audit", path.join(world.gateway.dir, "archive")]);
    await assertPaidOnce(world, all);
  });
});
