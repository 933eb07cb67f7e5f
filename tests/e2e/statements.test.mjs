// Corrections, and the books as earners and consumers see them: every line sums to the account, and the account to the chain.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import test from "node:test";
import { sha256, stringToBytes, verifyTypedData } from "viem";
import { Gateway } from "../../scripts/lib/gateway.mjs";
import { until } from "../../scripts/lib/process.mjs";
import { person } from "./jobs.mjs";
import { assertProblem, startWorld } from "./world.mjs";

const account = async (world, address) => (await world.gateway.get(`/v1/accounts/${address}`)).body;
const big = (text) => BigInt(text ?? 0);

async function settleAndAudit(world) {
  const settled = await world.settle();
  assert.equal(settled.state, "final");
  const audit = await world.gateway.command(["audit", world.gateway.url]);
  assert.equal(audit.lastSequence, settled.sequence);
  const { body } = await world.gateway.get(`/v1/settlements/${settled.sequence}/rewards.json`);
  const leaves = new Map(body.tree.map((leaf) => [leaf.account.toLowerCase(), BigInt(leaf.claimable)]));
  assert.equal([...leaves.values()].reduce((a, b) => a + b, 0n), BigInt(settled.total));
  assert.equal(await world.view("total"), BigInt(settled.total));
  return { ...settled, leaf: (address) => leaves.get(address.toLowerCase()) ?? 0n };
}

/** The same configuration and keys on an empty disk. */
async function rebuilt(world) {
  const files = path.join(world.gateway.dir, "archive"), dir = path.join(world.dir, "rebuilt"), gateway = new Gateway(dir, {});
  await world.stopServing();
  fs.mkdirSync(dir);
  for (const file of ["quittance.conf", "operator.json", "passphrase", "secret"])
    fs.copyFileSync(path.join(world.gateway.dir, file), path.join(dir, file));
  gateway.env = world.gateway.env;
  gateway.address = world.gateway.address;
  world.gateway = gateway;
  await gateway.command(["store", "rebuild", files]);
  gateway.apiKey = (await gateway.command(["apikey", "new", "--role", "admin"])).key;
  fs.writeFileSync(path.join(dir, "admin.key"), `${gateway.apiKey}\n`, { mode: 0o600 });
  await gateway.serve();
}

test("corrections, with debts through three settlements", { timeout: 300_000 }, async (t) => {
  const world = await startWorld();
  t.after(() => world.end());
  const [, , node] = world.nodes, [{ model }] = world.models, wronged = person("wronged"), protocol = world.gateway.address;
  const adjust = (body, headers) => world.gateway.admin("POST", "/admin/v1/adjustments", body, headers);
  const work = async (count) => {
    const receipts = [];
    for (let i = 0; i < count; i++) receipts.push(await world.jobs.signed(node, model, { inputTokens: 5000, outputTokens: 700 }));
    await world.postAccepted(receipts);
  };
  await work(3);
  const first = await settleAndAudit(world), took = first.leaf(node.address), advance = 10n * took;

  await t.test("what is wrong with one is named", async () => {
    for (const [body, word] of [
      [{ account: node.address, amount: "0", sign: "-", reason: "x" }, "amount"], [{ account: node.address, amount: "1", sign: "down", reason: "x" }, "sign"],
      [{ account: node.address, amount: "1", sign: "-", reason: "" }, "reason"], [{ account: protocol, amount: "1", sign: "-", reason: "x" }, "account"],
      [{ account: node.address, amount: "1", sign: "-", reason: "x", receipt: "0x12" }, "receipt"],
    ]) {
      const answer = await adjust(body);
      assertProblem(answer, 422);
      assert.match(answer.body.detail, new RegExp(word));
    }
  });

  await t.test("one is made once, however often it is sent", async () => {
    const body = { account: node.address, amount: String(took), sign: "-", reason: "billed twice" };
    const answers = [await adjust(body, { "Idempotency-Key": "one" }), await adjust(body, { "Idempotency-Key": "one" })];
    assert.deepEqual(answers.map(({ status }) => status), [201, 201]);
    assert.deepEqual(answers[0].body, answers[1].body);
    const up = await adjust({ account: wronged.address, amount: String(advance), sign: "+", reason: "an outage of ours" });
    assert.equal(up.status, 201, JSON.stringify(up.body));
    const { body: list } = await world.gateway.admin("GET", "/admin/v1/adjustments");
    assert.deepEqual(list.items, [answers[0].body, up.body]);
  });

  await work(1);
  const before = [await account(world, node.address), await account(world, protocol), await account(world, world.creators[0].address)];
  const second = await settleAndAudit(world);
  await t.test("what an account cannot bear is its debt, and no leaf falls", async () => {
    const [earned, own, creator] = before.map(({ earned: text }) => BigInt(text)), debt = 2n * took - earned;
    assert.ok(debt > 0n && earned > took);
    assert.equal(second.leaf(node.address), took);
    assert.equal(second.leaf(wronged.address), advance);
    assert.equal(second.leaf(protocol), first.leaf(protocol));
    const [now, ours] = [await account(world, node.address), await account(world, protocol)];
    assert.deepEqual([now.debt, now.adjusted, now.pending], [String(debt), { up: "0", down: String(took) }, "0"]);
    // Ours is short by the advance, less what it has earned since; what the node owes is not ours yet.
    const short = advance - (own - first.leaf(protocol)) - (took - debt);
    assert.equal(ours.debt, String(short));
    assert.equal(BigInt(second.total), earned + own + creator + short);
  });

  await work(8);
  const third = await settleAndAudit(world);
  await t.test("later earnings pay it", async () => {
    const now = await account(world, node.address), ours = await account(world, protocol);
    assert.equal(now.debt, "0");
    assert.equal(third.leaf(node.address), BigInt(now.earned) - took);
    assert.equal(big(ours.debt), third.leaf(protocol) + advance - took - BigInt(ours.earned));
    await until(async () => (await account(world, node.address)).paid === String(third.leaf(node.address)), "the payment seen");
    assert.equal(await world.balance(node.address), third.leaf(node.address));
    assert.equal(await world.balance(wronged.address), advance);
  });

  await t.test("a rebuilt store has them, and goes on", async () => {
    const who = [node.address, wronged.address, protocol];
    const seen = async () => ({ accounts: await Promise.all(who.map((address) => account(world, address))),
      adjustments: (await world.gateway.admin("GET", "/admin/v1/adjustments")).body });
    const known = await seen();
    await rebuilt(world);
    await until(async () => (await account(world, node.address)).paid === known.accounts[0].paid && (await account(world, wronged.address)).paid === String(advance)
      && (await account(world, protocol)).paid === known.accounts[2].paid, "payments read from the chain");
    assert.deepEqual(await seen(), known);
    await work(1);
    await settleAndAudit(world);
  });
});

/** All lines of a list, page by page. */
async function lines(world, pathname, limit) {
  const items = [];
  for (let cursor = ""; cursor !== null;) {
    const { status, body } = await world.gateway.get(`${pathname}?limit=${limit}&cursor=${cursor}`);
    assert.equal(status, 200, JSON.stringify(body));
    items.push(...body.items);
    cursor = body.next;
  }
  return items;
}

const sum = (items, of) => items.filter(of).reduce((a, { share }) => a + BigInt(share), 0n);

/** RFC 4180, as a spreadsheet reads it. */
function parseCsv(text) {
  const rows = text.split("\r\n").slice(0, -1).map((line) =>
    [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map((m) => m[1].replace(/^"|"$/g, "").replaceAll('""', '"')).slice(0, line.split(",").length));
  return rows.slice(1).map((row) => Object.fromEntries(rows[0].map((name, i) => [name, row[i]])));
}

test("statements: every line, and they sum to the account", { timeout: 300_000 }, async (t) => {
  const world = await startWorld();
  t.after(() => world.end());
  const [a, b, c] = world.nodes, [base, tuned, merged] = world.models.map(({ model }) => model);
  const accounts = [a, c, world.payout, ...world.creators].map(({ address }) => address).concat(world.gateway.address);
  const work = async () => {
    const receipts = [];
    for (const model of [base, tuned, merged]) {
      for (const node of [a, b]) receipts.push(await world.jobs.signed(node, model));
      receipts.push(await world.jobs.countersign(world.consumer, await world.jobs.signed(c, model, { consumer: world.consumer.address })));
    }
    await world.postAccepted(receipts);
    const { status, body } = await world.gateway.post("/v1/receipts", await world.jobs.jsonBundle(a, Array.from({ length: 300 }, (_, i) =>
      world.jobs.make(a, [base, merged][i % 2]))));
    assert.equal(status, 200, JSON.stringify(body).slice(0, 300));
    assert.ok(body.results.every((item) => item.status === "accepted"));
  };
  await work();
  await settleAndAudit(world);
  await world.gateway.must("POST", "/admin/v1/adjustments", { account: a.address, amount: "12345", sign: "-", reason: 'twice, "so to say"' });
  await work();
  await world.settle();
  await work();

  await t.test("sums equal the account to the unit, role by role and model by model", async () => {
    for (const address of accounts) {
      const known = await account(world, address), items = await lines(world, `/v1/accounts/${address}/statements`, 1000);
      const receipts = (item) => item.kind === "receipt";
      assert.equal(sum(items, receipts), BigInt(known.earned), address);
      for (const role of ["provider", "creator", "lineage", "protocol"])
        assert.equal(sum(items, (item) => item.role === role), BigInt(known.byRole[role]), `${address} ${role}`);
      for (const [model, amount] of Object.entries(known.byModel))
        assert.equal(sum(items, (item) => item.paidModel === model), BigInt(amount), `${address} ${model}`);
      assert.equal(sum(items, (item) => item.role === "adjusted-up"), big(known.adjusted?.up));
      assert.equal(sum(items, (item) => item.role === "adjusted-down"), big(known.adjusted?.down));
      assert.equal(new Set(items.map((item) => JSON.stringify(item))).size, items.length);
      const batches = items.map(({ batch }) => batch);
      assert.deepEqual(batches, [...batches].sort((x, y) => y - x));
    }
  });

  await t.test("a page at a time is the same list, in JSON and CSV", async () => {
    const pathname = `/v1/accounts/${world.creators[0].address}/statements`, all = await lines(world, pathname, 1000);
    assert.deepEqual(await lines(world, pathname, 7), all);
    const rows = [];
    for (let next = ""; next !== null;) {
      const answer = await world.gateway.get(`${pathname}?limit=100&cursor=${next}`, { accept: "text/csv" });
      assert.match(answer.headers.get("content-type"), /^text\/csv/);
      rows.push(...parseCsv(answer.body));
      next = answer.headers.get("quittance-next");
    }
    assert.deepEqual(rows, all.map((item) => Object.fromEntries(Object.keys(rows[0]).map((name) => [name, String(item[name] ?? "")]))));
  });

  await t.test("a line says how its share came about, and where it was settled", async () => {
    const items = await lines(world, `/v1/accounts/${world.creators[0].address}/statements`, 1000);
    const line = items.find(({ model, role, sequence }) => model === merged && role === "lineage" && sequence === 2);
    assert.match(line.reason, /^\d+ bps of gross, by 3331 x 2003 bps and 777 bps$/);
    const { body } = await world.gateway.get(`/v1/receipts/${line.jobId}?provider=${line.provider}`);
    assert.equal(body.amount, line.gross);
    assert.equal(body.settlement.sequence, line.sequence);
    assert.equal(body.settlement.transaction, line.transaction);
    assert.equal(body.hash, line.receipt);
    assert.ok(body.shares.some((share) => share.amount === line.share && share.role === "lineage"));
    const [adjustment] = (await lines(world, `/v1/accounts/${a.address}/statements`, 1000)).filter(({ kind }) => kind === "adjustment");
    assert.deepEqual([adjustment.share, adjustment.sign, adjustment.reason], ["12345", "-", 'twice, "so to say"']);
  });

  await t.test("a consumer's charges sum to what it was charged", async () => {
    const known = await account(world, world.consumer.address), items = await lines(world, `/v1/accounts/${world.consumer.address}/charges`, 2);
    assert.equal(items.length, 9);
    assert.equal(items.reduce((total, { share }) => total + BigInt(share), 0n), BigInt(known.charged));
    assert.deepEqual(await lines(world, `/v1/accounts/${a.address}/charges`, 2), []);
  });

  await t.test("a period's charges are signed, and anybody can check them", async () => {
    const known = await account(world, world.consumer.address), pathname = `/v1/accounts/${world.consumer.address}/charges`;
    const { body: { items } } = await world.gateway.get(pathname), until = items[0].at + 1;
    const { status, body } = await world.gateway.get(`${pathname}?from=0&until=${until}`);
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.charged, known.charged);
    assert.equal(body.digest, sha256(stringToBytes(body.csv)));
    assert.equal(parseCsv(body.csv).reduce((total, { share }) => total + BigInt(share), 0n), BigInt(body.charged));
    const types = { ChargeStatement: [{ name: "consumer", type: "address" }, { name: "from", type: "uint64" }, { name: "until", type: "uint64" },
      { name: "charged", type: "uint256" }, { name: "digest", type: "bytes32" }] };
    const message = { consumer: body.consumer, from: 0n, until: BigInt(until), charged: BigInt(body.charged), digest: body.digest };
    assert.ok(await verifyTypedData({ address: body.signer, domain: world.domain, types, primaryType: "ChargeStatement", message, signature: body.signature }));
    const info = (await world.gateway.get("/v1/info")).body;
    assert.ok(info.promiseSigners.some(({ address }) => address === body.signer));
    // Two halves are the whole.
    const middle = items[4].at, halves = await Promise.all([[0, middle], [middle, until]].map(async ([from, to]) =>
      BigInt((await world.gateway.get(`${pathname}?from=${from}&until=${to}`)).body.charged)));
    assert.ok(halves.every((half) => half > 0n));
    assert.equal(halves[0] + halves[1], BigInt(body.charged));
    for (const query of ["from=0", "from=5&until=5", `from=0&until=${Date.now() + 60_000}`]) assertProblem(await world.gateway.get(`${pathname}?${query}`), 400);
  });

  await t.test("a cursor that is none is refused, or leads to nothing", async () => {
    for (const cursor of ["00", "zz".repeat(45), "ff".repeat(45), `${"00".repeat(7)}0107${"00".repeat(36)}`]) assertProblem(await world.gateway.get(`/v1/accounts/${a.address}/statements?cursor=${cursor}`), 400);
    const { status, body } = await world.gateway.get(`/v1/accounts/${a.address}/statements?cursor=${"00".repeat(45)}`);
    assert.deepEqual([status, body], [200, { items: [], next: null }]);
  });
});
