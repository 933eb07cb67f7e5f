// A standby that streams from the database, and takes over: while there is only the standby reads go on and writes are answered 503; when it
// is promoted everything goes on, through the same URL with both hosts.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { ensureServer, sql as ask } from "../../scripts/lib/postgres.mjs";
import { until } from "../../scripts/lib/process.mjs";
import { assertProblem, startWorld } from "./world.mjs";

ensureServer(import.meta.url, { standby: true });

const STANDBY = process.env.QUITTANCE_TEST_STANDBY, FIRST = path.dirname(STANDBY);
const sql = (text) => ask(`postgresql:///quittance?host=${STANDBY}&user=quittance`, text);

describe("a database with a standby", () => {
  let world, books;
  const kept = [];

  before(async () => {
    world = await startWorld({ seed: 41 });
    books = world.books();
  });
  after(() => world?.end());

  const some = () => Promise.all(world.nodes.map((node, i) => world.jobs.signed(node, world.models[i].model)));

  async function post(receipts) {
    const answer = await world.gateway.post("/v1/receipts", receipts);
    if (answer.status !== 200) {
      assertProblem(answer, 503);
      assert.ok(Number(answer.headers.get("retry-after")) > 0);
      return false;
    }
    for (const { status } of answer.body.results) assert.match(status, /^(accepted|duplicate)$/);
    for (const receipt of receipts) {
      books.add(receipt);
      kept.push(receipt);
    }
    return true;
  }

  it("settles on the first host while the second only follows", async () => {
    for (let i = 0; i < 5; i++) assert.equal(await post(await some()), true);
    await world.settle();
    await world.assertPaidOnce(books);
    assert.equal(sql("SELECT pg_is_in_recovery()"), "t");
    assert.equal(await post(await some()), true); // answered, and not settled yet
  });

  it("with the first gone reads go on, and writes are answered 503", async () => {
    process.kill(Number(fs.readFileSync(path.join(FIRST, "data/postmaster.pid"), "utf8").split("\n")[0]), "SIGQUIT");
    const late = await some();
    await until(async () => (await world.gateway.get(`/v1/receipts/${kept.at(-1).jobId}`)).status === 200, "reads go on");
    for (const { jobId } of kept) assert.equal((await world.gateway.get(`/v1/receipts/${jobId}`)).status, 200);
    for (let i = 0; i < 3; i++) assert.equal(await post(late), false);
    assert.equal(sql("SELECT pg_is_in_recovery()"), "t");
  });

  it("promoted it takes writes, and nothing that was answered is missing", async () => {
    sql("SELECT pg_promote()");
    const late = await some();
    await until(() => post(late), "receipts are taken again");
    for (const { jobId } of kept) assert.equal((await world.gateway.get(`/v1/receipts/${jobId}`)).status, 200);
    await world.settle();
    await world.assertPaidOnce(books);
    const audit = await world.gateway.command(["audit", world.gateway.url]);
    assert.deepEqual([audit.ok, audit.receipts], [true, kept.length]);
  });
});
