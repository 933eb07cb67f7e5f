// Settled receipts leave the store for their archive: every answer about them stays the same, and nothing is taken twice.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import sqlite from "node-sqlite3-wasm";
import { until } from "../../scripts/lib/process.mjs";
import { unsigned } from "./jobs.mjs";
import { assertProblem, DAY, startWorld } from "./world.mjs";

describe("receipts in archives", () => {
  let world, singles, bundle, earlier;

  const read = async ({ jobId, provider }) => {
    const { status, body } = await world.gateway.get(`/v1/receipts/${jobId}?provider=${provider}`);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  };
  const readAll = () => Promise.all([...singles, ...bundle.receipts].map(read));
  /** While nobody serves: SQL on the store, by way of a copy, as this SQLite's lock would be a folder in the place of ours. */
  function inStore(sql) {
    const file = path.join(world.gateway.dir, "quittance.db"), copy = path.join(world.dir, "copy.db");
    fs.copyFileSync(file, copy);
    const db = new sqlite.Database(copy);
    try {
      db.exec("PRAGMA locking_mode = EXCLUSIVE");     // nor has it shared memory for a WAL
      return db.all(sql);
    } finally {
      db.close();
      fs.copyFileSync(copy, file);
    }
  }

  before(async () => {
    world = await startWorld({ seed: 31 });
    const { nodes, models, jobs } = world;
    singles = await Promise.all(Array.from({ length: 8 }, (_, i) => jobs.signed(nodes[0], models[i % 3].model)));
    singles.push(await jobs.countersign(world.consumer, await jobs.signed(nodes[2], models[0].model, { consumer: world.consumer.address })));
    await world.postAccepted(singles);
    bundle = await jobs.jsonBundle(nodes[1], Array.from({ length: 300 }, () => jobs.make(nodes[1], models[2].model)));
    await world.postAccepted(bundle);
    assert.equal((await world.settle()).state, "final");
    earlier = await readAll();
    assert.ok(earlier.every((answer) => answer.state === "paid" && answer.inclusion && answer.promise.path));
    await world.stopServing();
    inStore(`UPDATE batches SET closed_at = closed_at - ${8 * DAY}`);
    await world.gateway.serve();
    await until(() => world.gateway.process.log().includes("event=receipts_archived"), "the batch leaving the store");
  });
  after(() => world?.end());

  it("answers as before, with the whole proof", async () => {
    assert.deepEqual(await readAll(), earlier);
    for (const [i, answer] of [earlier[0], earlier[8], earlier[100]].entries()) {
      const file = path.join(world.dir, `answer-${i}.json`);
      fs.writeFileSync(file, JSON.stringify(await read(answer.receipt)));
      await world.gateway.command(["verify", file, "--rpc", world.chain.url]);
    }
  });

  it("knows every job for ever", async () => {
    const again = (await world.gateway.post("/v1/receipts", singles)).body;
    assert.deepEqual(new Set(again.results.map((item) => item.status)), new Set(["duplicate"]));
    const bundled = (await world.gateway.post("/v1/receipts", bundle)).body;
    assert.deepEqual(new Set(bundled.results.map((item) => item.status)), new Set(["duplicate"]));
    const changed = await world.jobs.sign(world.nodes[0], { ...unsigned(singles[0]), outputTokens: singles[0].outputTokens + 1 });
    assertProblem(await world.gateway.post("/v1/receipts", changed), 409, "conflicting-receipt");
    const other = await world.jobs.sign(world.nodes[2], { ...unsigned(singles[0]), provider: world.nodes[2].address });
    const { status, body } = await world.gateway.post("/v1/receipts", other);
    assert.deepEqual([status, body.code], [202, "duplicate-job"]);
  });

  it("goes on settling, and the audit finds everything", async () => {
    await world.postAccepted([await world.jobs.signed(world.nodes[0], world.models[1].model)]);
    assert.equal((await world.settle()).sequence, 2);
    assert.equal((await world.gateway.command(["audit", world.gateway.url])).settlements, 2);
  });

  it("keeps little of it in the store", async () => {
    await world.stopServing();
    assert.deepEqual(inStore("SELECT (SELECT COUNT(*) FROM receipts WHERE batch = 1 OR page IS NOT NULL) AS receipts, (SELECT COUNT(*) FROM receipt_frames) AS frames")
      .map(({ receipts, frames }) => [Number(receipts), Number(frames)]), [[0, 0]]);
    await world.gateway.serve();
  });
});
