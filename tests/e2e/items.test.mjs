// A thousand receipts in one request, forty of them bad in every way there is; then what becomes of the held ones.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { getAddress } from "viem";
import { receiptHash } from "../../scripts/lib/typed.mjs";
import { person, uuid7 } from "./jobs.mjs";
import { assertMembers, assertProblem, DAY, HOUR, modelDigest, populate, startBareWorld, deployAndServe, ANY_PRICE } from "./world.mjs";

const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const QUARANTINE_MAX = 2; // from strangers
const word = (n) => n.toString(16).padStart(64, "0");

/** The same signature's twin with high s: recovers to the same address, and is refused (EIP-2). */
function withHighS(signature) {
  const s = BigInt(`0x${signature.slice(66, 130)}`);
  return `0x${signature.slice(2, 66)}${word(CURVE_ORDER - s)}${signature.endsWith("1b") ? "1c" : "1b"}`;
}

describe("a thousand receipts, forty of them bad", () => {
  let world, gateway, jobs, good, bad, receipts, answer, poor, stranger, unverified;
  const model = (i) => world.models[i % 3].model;

  before(async () => {
    world = await startBareWorld({ settings: { RECEIPTS_REQUIRE_COUNTERSIGNATURE: "yes", RECEIPTS_QUARANTINE_MAX: QUARANTINE_MAX } });
    await deployAndServe(world);
    await populate(world, { seed: 31, price: null });
    ({ gateway, jobs } = world);
    // Priced model by model, so that another one is not.
    for (const { model: digest } of world.models) await world.setPrice({ ...ANY_PRICE, model: digest });
    unverified = await world.claimModel("claimed only", world.creators[0]);
    await world.addModel("unpriced", world.creators[1]);
    poor = person("node of a small limit");
    stranger = person("stranger");
    await world.admit(poor, { dailyLimit: "1" });
  });
  after(() => world?.end());

  async function receipt(node, digest, over = {}) {
    const signed = await jobs.signed(node, digest, { consumer: world.consumer.address, ...over });
    return jobs.countersign(world.consumer, signed);
  }

  /** 960 good ones. */
  async function makeGood() {
    const list = [];
    for (let i = 0; i < 960; i++) list.push(await receipt(world.nodes[i % 3], model(i)));
    return list;
  }

  /** [code, receipt]; some need a good one that stands before them. */
  async function makeBad() {
    const [a, b] = world.nodes, list = [];
    const add = (code, ...some) => some.forEach((one) => list.push([code, one]));
    const change = async (one, over) => {
      const { signature: _s, consumerSignature: _c, ...content } = one;
      return jobs.countersign(world.consumer, await jobs.sign(a, { ...content, ...over }));
    };
    const inTime = (ms) => ({ finishedAt: Date.now() + ms, startedAt: Date.now() });
    const fresh = () => receipt(a, model(1));
    add("malformed", await receipt(a, model(0), { inputTokens: 10, cachedTokens: 11 }), { ...(await fresh()), surprise: 1 }, { ...(await fresh()), evidence: null });
    add("finished-before-started", await receipt(a, model(0), { finishedAt: Date.now() - 2000, startedAt: Date.now() - 1000 }),
      await receipt(a, model(0), { finishedAt: Date.now() - 1001, startedAt: Date.now() - 1000 }));
    add("finished-in-future", await receipt(a, model(0), inTime(400_000)), await receipt(a, model(0), inTime(1000 * HOUR)));
    add("duplicate", good[0], { ...good[3], signature: good[0].signature });
    const [one, two, three, four] = await Promise.all([fresh(), fresh(), fresh(), fresh()]);
    add("invalid-signature", { ...one, signature: good[0].signature }, { ...two, signature: withHighS(two.signature) },
      { ...three, signature: `${three.signature.slice(0, -2)}1d` }, { ...four, signature: `0x${word(0n)}${four.signature.slice(66)}` });
    add("invalid-consumer-signature", { ...(await fresh()), consumerSignature: good[0].consumerSignature },
      await jobs.countersign(a, await jobs.signed(a, model(0), { consumer: world.consumer.address })),
      await jobs.countersign(world.consumer, await jobs.signed(a, model(0))));
    add("conflicting-receipt", await change(good[6], { outputTokens: 4001 }), await change(good[9], { model: good[7].model }));
    add("unknown-provider", await receipt(stranger, model(0)), await receipt(stranger, model(1)));
    add("too-many", await receipt(stranger, model(0)), await receipt(stranger, model(1)));
    add("unknown-model", ...(await Promise.all([1, 2, 3].map(() => receipt(a, modelDigest("nobody's"))))));
    add("unverified-creator", await receipt(a, unverified.model), await receipt(b, unverified.model));
    add("unpriced", await receipt(a, modelDigest("unpriced")), await receipt(b, modelDigest("unpriced")));
    add("late", ...(await Promise.all([1, 2, 3].map((n) => receipt(a, model(n), { finishedAt: Date.now() - DAY - n * 60_000 })))));
    add("duplicate-job", await receipt(b, model(0), { jobId: good[0].jobId, startedAt: good[0].startedAt, finishedAt: good[0].finishedAt }),
      await receipt(b, model(0), { jobId: good[3].jobId, startedAt: good[3].startedAt, finishedAt: good[3].finishedAt }));
    add("over-limit", await receipt(poor, model(0)), await receipt(poor, model(1)));
    add("countersignature-missing", await jobs.signed(a, model(0), { consumer: world.consumer.address }), await jobs.signed(a, model(0)));
    add("quote-mismatch", ...(await Promise.all([1, 2].map(() => receipt(a, model(0), { quote: `0x${"ab".repeat(32)}` })))));
    return list;
  }

  it("are answered one by one: 960 accepted, 40 named by index and code", async () => {
    good = await makeGood();
    bad = await makeBad();
    assert.deepEqual([good.length, bad.length], [960, 40]);
    // One bad one behind every 24 good ones.
    receipts = good.flatMap((one, i) => (i % 24 === 23 ? [one, bad[(i - 23) / 24][1]] : [one]));
    const expected = receipts.map((_, i) => (i % 25 === 24 ? bad[(i - 24) / 25][0] : undefined));
    ({ body: answer } = await gateway.post("/v1/receipts", receipts));
    assert.equal(answer.results.length, 1000);
    answer.results.forEach((item, i) => {
      assert.equal(item.index, i);
      assert.equal(item.code, expected[i], JSON.stringify(item));
    });
    assert.equal(answer.results.filter((item) => item.status === "accepted").length, 960);
  });

  it("have the status of their code, the errors with pointers, and promises where accepted", () => {
    const rejected = "malformed finished-in-future finished-before-started invalid-signature invalid-consumer-signature conflicting-receipt too-many".split(" ");
    for (const item of answer.results) {
      const status = item.code === undefined ? "accepted" : item.code === "duplicate" ? "duplicate" : rejected.includes(item.code) ? "rejected" : "quarantined";
      assert.equal(item.status, status, JSON.stringify(item));
      assert.equal("promise" in item, status === "accepted" || status === "duplicate", JSON.stringify(item));
      if (status === "accepted") assert.equal(item.receipt, receiptHash(receipts[item.index]));
      if (status !== "rejected" && status !== "quarantined") continue;
      assertMembers(item, "code detail errors");
      // Too many of what would be held: the errors are those of the rule that would hold it.
      const code = item.code === "too-many" ? "unknown-provider" : item.code;
      assert.ok(item.errors.some((error) => error.code === code), JSON.stringify(item));
      for (const error of item.errors) assert.match(error.pointer, /^(\/[A-Za-z]+)?$/);
    }
    const about = (code) => answer.results.find((item) => item.code === code).errors.find((error) => error.code === code).pointer;
    assert.deepEqual(["malformed", "unknown-provider", "unpriced"].map(about), ["/cachedTokens", "/provider", "/model"]);
  });

  it("are kept as answered: good ones accepted, held ones quarantined, rejected ones not at all", async () => {
    for (const item of answer.results) {
      if (item.status === "accepted" && item.index % 20 !== 0) continue; // a sample of the good ones
      const sent = receipts[item.index];
      const shown = await gateway.get(`/v1/receipts/${sent.jobId}?provider=${sent.provider}`);
      if (item.status === "rejected" && item.code !== "conflicting-receipt") assertProblem(shown, 404);
      else assert.equal(shown.body.state, item.status === "quarantined" ? "quarantined" : "accepted", item.code);
    }
  });

  it("again are all duplicates, but for those that were rejected", async () => {
    const { body } = await gateway.post("/v1/receipts", receipts);
    body.results.forEach((item, i) => {
      const first = answer.results[i];
      assert.equal(item.status, first.status === "rejected" ? "rejected" : "duplicate", `${first.code} then ${JSON.stringify(item)}`);
    });
  });

  const shown = async (one) => (await gateway.get(`/v1/receipts/${one.jobId}?provider=${one.provider}`)).body;
  const held = (code) => bad.filter(([c]) => c === code).map(([, one]) => one);
  const credited = [];

  it("stand in the quarantine list with rule, figures and worth, page by page", async () => {
    const rows = [];
    for (let page = "?limit=7"; page;) {
      const { items, next } = await gateway.must("GET", `/admin/v1/quarantine${page}`);
      assert.ok(items.length <= 7);
      rows.push(...items);
      page = next && `?limit=7&cursor=${next}`;
    }
    const want = answer.results.filter((item) => item.status === "quarantined");
    assert.deepEqual(rows.map((row) => row.receipt).sort(), want.map((item) => item.receipt).sort());
    for (const row of rows) assertMembers(row, "provider jobId receipt code errors receivedAt");
    const { items } = await gateway.must("GET", "/admin/v1/quarantine?code=late");
    assert.deepEqual(new Set(items.map((row) => row.code)), new Set(["late"]));
    assert.equal(items.length, 3);
  });

  it("count as held for whom release would pay", async () => {
    const books = world.books();
    for (const one of held("over-limit")) books.add(one);
    assert.equal((await gateway.get(`/v1/accounts/${poor.address}`)).body.held, String(books.account(poor.address).earned));
    assert.equal((await gateway.get(`/v1/accounts/${poor.address}`)).body.earned, "0");
  });

  it("are credited the moment their question is settled", async () => {
    await world.admit(stranger);
    await world.verifyModel(unverified);
    await world.addModel("nobody's", world.creators[2]);
    for (const name of ["unpriced", "claimed only", "nobody's"]) await world.setPrice({ ...ANY_PRICE, model: modelDigest(name) });
    for (const one of ["unknown-provider", "unknown-model", "unverified-creator", "unpriced"].flatMap(held)) {
      const body = await shown(one);
      assert.equal(body.state, "accepted", JSON.stringify(body).slice(0, 300));
      assertMembers(body, "promise amount shares acceptedAt");
      credited.push(one);
    }
  });

  it("are released or refused by an operator with a reason, singly and in bulk", async () => {
    const decide = (one, what, reason) => gateway.must("POST", `/admin/v1/quarantine/${one.provider}/${one.jobId}/${what}`, { reason });
    const [late] = held("late"), [, limited] = held("over-limit");
    assert.equal((await decide(late, "release", "the node was offline")).state, "accepted");
    assert.equal((await decide(limited, "refuse", "not believed")).state, "refused");
    assert.equal((await shown(limited)).state, "refused");
    await gateway.must("POST", "/admin/v1/quarantine/release", { code: "late", reason: "the others too" });
    for (const one of held("late")) assert.equal((await shown(one)).state, "accepted");
    credited.push(...held("late"));
    const log = await gateway.must("GET", "/admin/v1/audit");
    assert.ok(JSON.stringify(log).includes("the node was offline") && JSON.stringify(log).includes("not believed"), "decisions are in the audit log");
    assertProblem(await gateway.admin("POST", `/admin/v1/quarantine/${limited.provider}/${limited.jobId}/release`, {}), 422);
    assertProblem(await gateway.admin("POST", `/admin/v1/quarantine/${limited.provider}/${uuid7(Date.now(), jobs.rng)}/release`, { reason: "?" }), 404);
  });

  it("settle to the last unit: what was accepted, credited and released, and nothing of what was refused or is held", async () => {
    const books = world.books();
    for (const one of [...good, ...credited]) books.add(one);
    const report = await world.settle();
    assert.deepEqual([report.receipts, report.total], [960 + credited.length, String(books.total)]);
    for (const { account, claimable } of books.rewards()) assert.equal(await world.balance(getAddress(account)), claimable, account);
    assert.ok(await gateway.command(["audit", gateway.url]));
  });
});
