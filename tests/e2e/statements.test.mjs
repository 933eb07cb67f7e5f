// Corrections, and the books as earners and consumers see them: every line sums to the account, and the account to the chain.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import test from "node:test";
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
