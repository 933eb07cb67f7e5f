// A consumer's credit limit over HTTP: charged up to it, held beyond it, and free again in the next period.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import test from "node:test";
import { DAY, HOUR, startWorld } from "./world.mjs";

const LIMIT = 10_000n;
/** One base unit a token, so an amount is seen in the receipt. */
const UNIT_PRICE = { model: "*", unit: "", perMillion: { inputTokens: "1000000" }, split: { provider: 7000, creator: 2500, protocol: 500 } };

test("a consumer's credit limit, and the period after", { timeout: 300_000 }, async (t) => {
  const world = await startWorld({ seed: 41, price: UNIT_PRICE, settings: { CONSUMERS_PERIOD: "1d" } });
  t.after(() => world.end());
  const { consumer, models: [{ model }], nodes: [node, other] } = world, shim = path.join(world.dir, "clock-ahead.so");
  execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", shim, new URL("clock-ahead.c", import.meta.url).pathname]);

  // One in the morning of tomorrow, UTC: the test never runs over midnight.
  let ahead = Math.ceil(Date.now() / DAY) * DAY + HOUR - Date.now();
  const serveAhead = async (ms) => {
    ahead = ms;
    await world.stopServing();
    // A sanitizer's runtime is used to stand first.
    await world.gateway.serve({ env: { LD_PRELOAD: shim, CLOCK_AHEAD_S: String(Math.round(ahead / 1000)), ASAN_OPTIONS: `verify_asan_link_order=0:${process.env.ASAN_OPTIONS ?? ""}` } });
    assert.ok(Math.abs((await world.gateway.get("/v1/info")).body.now - Date.now() - ahead) < 60_000);
  };
  const job = async (inputTokens, { by = node, countersigned = true } = {}) => {
    const receipt = await world.jobs.signed(by, model, { consumer: consumer.address, inputTokens, cachedTokens: 0, outputTokens: 0, units: 0, finishedAt: Date.now() + ahead });
    return countersigned ? world.jobs.countersign(consumer, receipt) : receipt;
  };
  const post = async (receipt) => (await world.gateway.post("/v1/receipts", receipt)).body;
  const charged = async () => (await world.gateway.get(`/v1/accounts/${consumer.address}`)).body.charged;

  const { body: row } = await world.gateway.admin("PATCH", `/admin/v1/consumers/${consumer.address}`, { creditLimit: String(LIMIT) });
  assert.equal(row.creditLimit, String(LIMIT));
  await serveAhead(ahead);
  const first = [await job(6000), await job(4000, { by: other })];

  await t.test("is used up to the last base unit", async () => {
    for (const receipt of first) assert.equal((await post(receipt)).status, "accepted");
    assert.equal(await charged(), String(LIMIT));
  });

  let held;
  await t.test("what would pass it is held with the figures, and not charged", async () => {
    held = await job(1);
    const item = await post(held);
    assert.deepEqual([item.status, item.code], ["quarantined", "over-limit"]);
    assert.match(item.detail, /^1 on top of 10000 billed this period, the credit limit is 10000/);
    assert.equal(await charged(), String(LIMIT));
    const { body } = await world.gateway.admin("GET", "/admin/v1/quarantine?code=over-limit");
    assert.deepEqual(body.items.map(({ jobId }) => jobId), [held.jobId]);
    // Sent again it is the same receipt, and what others are billed goes on.
    assert.equal((await post(held)).status, "duplicate");
    assert.equal((await post(await job(5000, { countersigned: false }))).status, "accepted");
    assert.equal(await charged(), String(LIMIT));
  });

  await t.test("a restart in the same period forgets nothing", async () => {
    await serveAhead(ahead + HOUR);
    assert.equal((await post(await job(1, { by: other }))).code, "over-limit");
  });

  await t.test("the next period begins with all of it", async () => {
    await serveAhead(ahead + DAY);
    assert.equal((await post(await job(9999))).status, "accepted");
    assert.equal((await post(await job(2))).code, "over-limit");
    assert.equal((await post(await job(1))).status, "accepted");
    assert.equal(await charged(), String(2n * LIMIT));
  });

  await t.test("the statement of each period says what was charged in it", async () => {
    const { body: { now } } = await world.gateway.get("/v1/info"), today = Math.floor(now / DAY) * DAY;
    for (const [from, until, receipts] of [[today - DAY, today, 2], [today, now, 2]]) {
      const { body } = await world.gateway.get(`/v1/accounts/${consumer.address}/charges?from=${from}&until=${until}`);
      assert.deepEqual([body.charged, body.receipts], [String(LIMIT), receipts], JSON.stringify(body));
    }
  });

  await t.test("a month's statement is that of its first and last moment, and what is no month is refused", async () => {
    const { body: { now } } = await world.gateway.get("/v1/info"), month = new Date(now).toISOString().slice(0, 7), from = Date.parse(`${month}-01T00:00:00Z`);
    const { body } = await world.gateway.get(`/v1/accounts/${consumer.address}/charges?period=${month}`);
    const { body: named } = await world.gateway.get(`/v1/accounts/${consumer.address}/charges?from=${from}&until=${body.until}`);
    assert.equal(body.from, from);
    assert.ok(body.until >= now && body.until < now + 60_000);
    assert.deepEqual([body.charged, body.digest], [named.charged, named.digest]);
    const next = new Date(Date.parse(`${month}-28T00:00:00Z`) + 5 * DAY).toISOString().slice(0, 7);
    for (const query of ["period=2026-13", "period=yesterday", `period=${next}`, `period=${month}&from=${from}`, `from=${from}`])
      assert.equal((await world.gateway.get(`/v1/accounts/${consumer.address}/charges?${query}`)).status, 400, query);
  });

  await t.test("signing second does not pass it; the operator sees how much is used", async () => {
    const unsigned = await job(7, { countersigned: false }), { body: { now } } = await world.gateway.get("/v1/info"), today = Math.floor(now / DAY) * DAY;
    assert.equal((await post(unsigned)).status, "accepted");
    const late = await post(await world.jobs.countersign(consumer, unsigned));
    assert.deepEqual([late.status, late.errors?.map(({ code }) => code)], ["duplicate", ["over-limit"]]);
    assert.match(late.errors[0].detail, /^7 on top of 10000 billed this period, the credit limit is 10000/);
    assert.equal(await charged(), String(2n * LIMIT));
    const { body } = await world.gateway.admin("GET", `/admin/v1/consumers/${consumer.address}`);
    assert.deepEqual(body.period, { from: today, until: today + DAY, billed: String(LIMIT) });
  });

  await t.test("an operator may let one through, or raise it", async () => {
    const path = `/admin/v1/quarantine/${held.provider}/${held.jobId}/release`;
    assert.equal((await world.gateway.admin("POST", path, { reason: "agreed on the phone" })).status, 200);
    assert.equal(await charged(), String(2n * LIMIT + 1n));
    await world.gateway.must("PATCH", `/admin/v1/consumers/${consumer.address}`, { creditLimit: String(2n * LIMIT) });
    assert.equal((await post(await job(9999))).status, "accepted");
    assert.equal((await post(await job(1))).code, "over-limit");
  });
});
