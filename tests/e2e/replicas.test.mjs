// Three gateways on one PostgreSQL, as behind a load balancer: whoever is asked, each receipt is accepted once, one of them settles
// at a time, and whoever is killed or stopped, nothing is lost and nobody is paid twice.
import assert from "node:assert/strict";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { BINARY } from "../../scripts/lib/gateway.mjs";
import { ensureServer, sql as ask } from "../../scripts/lib/postgres.mjs";
import { endAll, run, sleep, until } from "../../scripts/lib/process.mjs";
import { ANY_PRICE, startWorld } from "./world.mjs";

ensureServer(import.meta.url);

const CONFIG_WRONG = 78, TAKEN_OVER_MS = 15_000;

describe("three gateways on one PostgreSQL", () => {
  let world, books, gateways, sequence = 0;
  const sent = []; // every receipt that was answered 2xx, once

  const another = (name) => world.gateway.another(path.join(world.dir, name));

  before(async () => {
    world = await startWorld({ seed: 31 });
    books = world.books();
    gateways = [world.gateway, another("b"), another("c")];
    await Promise.all(gateways.slice(1).map((gateway) => gateway.serve()));
  });
  after(() => endAll(...(gateways ?? []).slice(1).map((gateway) => () => gateway.end()), () => world?.end()));

  const sql = (text) => ask(world.gateway.env.QUITTANCE_STORE_URL, text);
  const alive = () => gateways.filter((gateway) => gateway.process);
  /** The one that settles now; undefined: nobody that serves. */
  function settler() {
    const pid = Number(sql("SELECT holder FROM settler").match(/^process (\d+) /)?.[1]);
    return alive().find((gateway) => gateway.pid === pid);
  }
  const others = () => alive().filter((gateway) => gateway !== settler());

  async function made(count, over = {}) {
    const receipts = [];
    for (let i = 0; i < count; i++) receipts.push(await world.jobs.signed(world.nodes[i % 3], world.models[i % 3].model, over));
    return receipts;
  }

  /** Each request to all at once, as clients do that wait too short; a receipt counts when anybody said that it is kept. */
  async function postToAll(receipts, size, to) {
    let accepted = 0;
    for (let at = 0; at < receipts.length; at += size) {
      const group = receipts.slice(at, at + size);
      const answers = await Promise.all((to ?? alive()).map((gateway) => gateway.post("/v1/receipts", group).catch(() => undefined)));
      const kept = new Set();
      for (const answer of answers.filter((a) => a?.status === 200))
        for (const item of answer.body.results) {
          assert.match(item.status, /^(accepted|duplicate)$/, JSON.stringify(item));
          if (item.status === "accepted") accepted++;
          kept.add(item.index);
        }
      for (const index of kept) {
        books.add(group[index]);
        sent.push(group[index]);
      }
    }
    return accepted;
  }

  async function assertAllThereOnce() {
    assert.equal(Number(sql("SELECT COUNT(*) FROM receipts")), sent.length);
    assert.equal(Number(sql("SELECT SUM(receipts) FROM batches")), sent.length);
    for (const receipt of sent.slice(-20))
      for (const gateway of alive()) assert.equal((await gateway.get(`/v1/receipts/${receipt.jobId}`)).status, 200);
  }

  async function settleBy(gateway, wait = 20) {
    const { status, body } = await gateway.admin("POST", "/admin/v1/settlements", { wait });
    assert.equal(status, 202, JSON.stringify(body));
    return body;
  }

  async function finished(gateway, wanted, what) {
    await until(async () => {
      const { status, body } = await gateway.admin("GET", `/admin/v1/settlements/${wanted}`);
      assert.equal(status, 200, JSON.stringify(body));
      return body.state === "final";
    }, what, 40_000);
    sequence = wanted;
  }

  it("one is refused that was given another folder for the published files", async () => {
    const lost = another("d");
    const { code, stderr } = await run(BINARY, ["-c", path.join(lost.dir, "quittance.conf"), "serve"],
      { env: { ...lost.env, QUITTANCE_ARCHIVE_DIR: path.join(world.dir, "elsewhere") } });
    assert.equal(code, CONFIG_WRONG, stderr);
    assert.match(stderr, /\[archive\] dir .* is not the folder of the gateways of this store/);
  });

  it("a receipt that comes to all at once is accepted once", async () => {
    const receipts = await made(90);
    assert.equal(await postToAll(receipts, 15), receipts.length);
    await assertAllThereOnce();
  });

  it("a price that was set on one is what the next receipt costs on the others", async () => {
    for (let round = 0; round < 6; round++) {
      const gateway = gateways[round % 3];
      const row = { ...ANY_PRICE, effectiveFrom: Date.now() - 1000 };
      const { version } = (await gateway.admin("POST", "/admin/v1/prices", row)).body;
      world.prices.push({ ...row, version });
      const receipts = await made(3, { finishedAt: Date.now() });
      const shown = await Promise.all(gateways.map(async (at, i) => {
        const { body } = await at.post("/v1/receipts", [receipts[i]]);
        assert.equal(body.results[0].status, "accepted", JSON.stringify(body));
        return (await gateways[(i + 1) % 3].get(`/v1/receipts/${receipts[i].jobId}`)).body.priceVersion;
      }));
      assert.deepEqual(shown, [version, version, version]);
      for (const receipt of receipts) {
        books.add(receipt);
        sent.push(receipt);
      }
    }
  });

  it("a request with one Idempotency-Key is done once, whichever gateways it reaches", async () => {
    const before = Number(sql("SELECT COUNT(*) FROM prices"));
    const row = { ...ANY_PRICE, effectiveFrom: Date.now() };
    const post = (gateway) => gateway.admin("POST", "/admin/v1/prices", row, { "idempotency-key": "three at once" });
    const answers = await Promise.all(gateways.map(post));
    assert.ok(answers.every(({ status }) => status === 201 || status === 409), JSON.stringify(answers.map(({ body }) => body)));
    assert.equal(Number(sql("SELECT COUNT(*) FROM prices")), before + 1);
    const again = await Promise.all(gateways.map(post));
    assert.deepEqual(again.map(({ status }) => status), [201, 201, 201]);
    assert.deepEqual(new Set(again.map(({ body }) => body.version)).size, 1);
    world.prices.push({ ...row, version: again[0].body.version });
  });

  it("a settlement is made by one, whoever is asked", async () => {
    await until(settler, "one settles");
    const asked = others()[0];
    assert.equal((await settleBy(asked)).sequence, 1);
    await finished(asked, 1, "the first settlement");
    await postToAll(await made(9), 3);
    const bodies = await Promise.all(alive().map((gateway) => settleBy(gateway)));
    for (const body of bodies) assert.equal(body.sequence, 2, JSON.stringify(body));
    await finished(asked, 2, "the second settlement");
    assert.equal((await settleBy(asked)).nothing, true);
    await world.assertPaidOnce(books);
  });

  it("a settler that is stopped past its lease, and goes on, sends and writes nothing any more", async (t) => {
    await postToAll(await made(12), 4);
    const stopped = settler(), asked = others()[0], rest = others(), commits = (await world.commits()).length;
    await world.chain.client.request({ method: "evm_setAutomine", params: [false] });
    await settleBy(stopped, 0);
    await until(() => sql("SELECT COUNT(*) FROM transactions WHERE state IN (1, 2)") !== "0", "its commit is on its way");
    stopped.process.child.kill("SIGSTOP");
    const began = Date.now();
    await world.chain.client.request({ method: "evm_setAutomine", params: [true] });
    await world.chain.client.request({ method: "evm_mine", params: [] });
    await postToAll(await made(6), 2, rest);               // it holds up nobody
    await until(() => ![undefined, stopped].includes(settler()), "another settles", 20_000);
    const took = Date.now() - began;
    t.diagnostic(`taken over ${took} ms after SIGSTOP`);
    assert.ok(took < TAKEN_OVER_MS, `${took} ms`);
    const generation = sql("SELECT generation FROM settler");
    stopped.process.child.kill("SIGCONT");
    await finished(asked, 3, "the settlement that it began");
    await sleep(1500);                                         // for whatever it might still do
    assert.equal((await world.commits()).length, commits + 1);
    assert.equal(sql("SELECT generation FROM settler"), generation);
    assert.equal((await settleBy(stopped)).sequence, 4);           // it is one of the others now
    await finished(stopped, 4, "what came meanwhile");
    await world.assertPaidOnce(books);
  });

  it("one that is killed loses nothing that was answered, and the settler's work is gone on with", async (t) => {
    const receipts = await made(120);
    const killed = settler();
    const posting = postToAll(receipts, 5);
    await sleep(150);
    const { process: service } = killed;
    killed.process = undefined;
    service.child.kill("SIGKILL");
    const began = Date.now();
    await service.ended;
    await posting;
    assert.equal(sent.length, new Set(sent.map(({ jobId }) => jobId)).size);
    const asked = alive()[0];
    const asking = settleBy(asked, 30);
    await until(settler, "another settles", 20_000);
    t.diagnostic(`taken over ${Date.now() - began} ms after SIGKILL`);
    assert.ok(Date.now() - began < TAKEN_OVER_MS);
    assert.equal((await asking).sequence, 5);
    await finished(asked, 5, "the settlement after it");
    await assertAllThereOnce();
    await world.assertPaidOnce(books);
  });

  it("an audit of the files that any of them publishes finds them true", async () => {
    for (const gateway of alive()) {
      const report = JSON.parse((await run(BINARY, ["audit", gateway.url, "--rpc", world.chain.url, "--contract", world.contract])).stdout.trim().split("\n").at(-1));
      assert.deepEqual([report.settlements, report.receipts], [5, sent.length], JSON.stringify(report));
    }
  });
});
