// A database server as a store: connections that end in COMMIT, a host that goes, one that takes no writes, and moving there and back.
// Its server must be its own: it makes that read-only for a while.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { CommandFailed } from "../../scripts/lib/gateway.mjs";
import { ensureServer, schemaOf, sql as ask } from "../../scripts/lib/postgres.mjs";
import { endAll, until } from "../../scripts/lib/process.mjs";
import { DatabaseProxy, socketOf, through } from "./database-proxy.mjs";
import { parseMetrics } from "./metrics.mjs";
import { assertProblem, startWorld } from "./world.mjs";

ensureServer(import.meta.url);

const SERVER = process.env.QUITTANCE_TEST_STORE;
const TRY_AGAIN = 75, HALT = 70;

const sql = (text) => ask(SERVER, text, { PGOPTIONS: "-c default_transaction_read_only=off" });

const some = (world, count = 3) => Promise.all(Array.from({ length: count }, (_, i) => world.jobs.signed(world.nodes[i % 3], world.models[i % 3].model)));

/** Posts until they are in: nodes do so. Every answer on the way must be one that says "again". */
async function postUntilKept(world, receipts, books) {
  let refused = 0;
  await until(async () => {
    const answer = await world.gateway.post("/v1/receipts", receipts);
    if (answer.status !== 200) {
      assertProblem(answer, 503);
      assert.ok(Number(answer.headers.get("retry-after")) > 0);
      refused++;
      return false;
    }
    for (const { status } of answer.body.results) assert.ok(["accepted", "duplicate"].includes(status), status);
    return true;
  }, "the receipts kept", 60_000);
  for (const receipt of receipts) books.add(receipt);
  return refused;
}

async function settleAndAudit(world, books) {
  await world.settle();
  await world.assertPaidOnce(books);
  await world.gateway.command(["audit", world.gateway.url]);
}

describe("connections that end", () => {
  let world, books, first, second;

  before(async () => {
    const url = schemaOf(SERVER);
    first = await new DatabaseProxy(socketOf(SERVER)).open();
    second = await new DatabaseProxy(socketOf(SERVER)).open();
    world = await startWorld({ seed: 31, settings: { STORE_URL: through(url, first, second) } });
    books = world.books();
  });
  after(() => endAll(() => world?.end(), () => first?.close(), () => second?.close()));

  for (const [how, what] of [["before", "was never executed, and is done again"], ["after", "was executed, and is done once"]])
    it(`a COMMIT that is cut ${how} the server has it ${what}`, async () => {
      let refused = 0;
      for (let i = 0; i < 8; i++) {
        const cuts = first.cuts;
        first.cutNext = how;
        const receipts = await some(world);
        refused += await postUntilKept(world, receipts, books);
        assert.equal(first.cuts, cuts + 1);
      }
      // Some cuts may have met another group.
      assert.equal(refused > 0, how === "before", `${refused} refused`);
      await settleAndAudit(world, books);
    });

  it("when a host goes it goes on with the other", async () => {
    await first.close();
    await postUntilKept(world, await some(world), books);
    await until(async () => (await world.gateway.get("/readyz")).status === 200, "ready again");
    await settleAndAudit(world, books);
  });

  it("what goes to the server is counted", async () => {
    const count = async (name) => parseMetrics((await world.gateway.admin("GET", "/metrics")).body).get(`quittance_database_${name}_total`);
    const before = [await count("statements"), await count("round_trips")], bytes = second.sent;
    await postUntilKept(world, await some(world), books);
    const after = [await count("statements"), await count("round_trips")];
    assert.ok(after[0] > before[0] && after[1] > before[1] && second.sent > bytes, `${before} ${after}`);
  });
});

describe("a server that takes no writes", () => {
  let world, books;

  before(async () => {
    world = await startWorld({ seed: 32 });
    books = world.books();
  });
  after(() => endAll(() => sql("ALTER DATABASE quittance RESET default_transaction_read_only"), () => world?.end()));

  it("is answered 503, and what is there is read", async () => {
    const kept = await some(world), late = await some(world);
    await postUntilKept(world, kept, books);
    sql("ALTER DATABASE quittance SET default_transaction_read_only = on");
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'quittance' AND pid <> pg_backend_pid()");
    const answer = await world.gateway.post("/v1/receipts", late);
    assertProblem(answer, 503);
    assert.ok(Number(answer.headers.get("retry-after")) > 0);
    // A connection that was ended is found out once, then there is another.
    await until(async () => (await world.gateway.get(`/v1/receipts/${kept[0].jobId}`)).status === 200, "reads go on");
    for (const { jobId } of kept) assert.equal((await world.gateway.get(`/v1/receipts/${jobId}`)).body.state, "accepted");
    assertProblem(await world.gateway.post("/v1/receipts", late), 503);
    sql("ALTER DATABASE quittance RESET default_transaction_read_only");
    await postUntilKept(world, late, books);
    await settleAndAudit(world, books);
  });
});

describe("a store that moves", () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "quittance-move-"));
  const file = `sqlite:${path.join(dir, "store.db")}`, back = `sqlite:${path.join(dir, "back.db")}`;
  let world, books, server, digest;

  const failure = async (command) => {
    const error = await command.then(() => assert.fail("it should have failed"), (e) => e);
    assert.ok(error instanceof CommandFailed, error);
    return error;
  };
  const moveTo = async (url) => {
    world.gateway.env.QUITTANCE_STORE_URL = url;
    await world.gateway.serve();
  };

  before(async () => {
    server = schemaOf(SERVER);
    world = await startWorld({ seed: 33, settings: { STORE_URL: file } });
    books = world.books();
    await postUntilKept(world, await some(world, 30), books);
    await settleAndAudit(world, books);
    await postUntilKept(world, await some(world, 30), books);
  });
  after(() => endAll(() => world?.end(), () => fs.rmSync(dir, { recursive: true, force: true })));

  it("is not copied while it is served", async () => {
    const refused = await failure(world.gateway.command(["store", "copy", file, server]));
    assert.equal(refused.code, TRY_AGAIN, refused.stderr);
  });

  it("goes on when the copy was killed, and serves nothing before it ended", async () => {
    await world.stopServing();
    for (const table of ["postings", "receipts"]) {
      const killed = await failure(world.gateway.command(["store", "copy", file, server], { env: { QUITTANCE_CRASH_AT: `copied-${table}` } }));
      assert.equal(killed.signal, "SIGKILL");
      await until(async () => {
        const refused = await failure(world.gateway.command(["store", "migrate"], { env: { QUITTANCE_STORE_URL: server } }));
        return refused.code === HALT && /has not ended/.test(refused.stderr);
      }, "the unfinished copy refused", 40_000);
    }
    const copied = await world.gateway.command(["store", "copy", file, server]);
    assert.equal(copied.resumed, true);
    ({ digest } = copied);
    assert.match(digest, /^0x[0-9a-f]{64}$/);
  });

  it("settles and audits where it is now", async () => {
    await moveTo(server);
    await settleAndAudit(world, books);
    await postUntilKept(world, await some(world, 9), books);
    await world.stopServing();
  });

  it("comes back with all that happened there", async () => {
    const there = await world.gateway.command(["store", "copy", server, back]);
    assert.notEqual(there.digest, digest);
    assert.deepEqual(await world.gateway.command(["store", "copy", server, back]), there);     // compared again
    const refused = await failure(world.gateway.command(["store", "copy", file, back]));
    assert.match(refused.stderr, /not empty/);
    await moveTo(back);
    await settleAndAudit(world, books);
    assert.deepEqual(await world.gateway.command(["store", "migrate"]).catch((error) => error.code), TRY_AGAIN);
    await world.stopServing();
    assert.deepEqual((await world.gateway.command(["store", "migrate"])).steps, []);
  });
});
