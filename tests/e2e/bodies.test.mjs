// Every form in which receipts may come, the status each outcome has, and the limits.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { cloudEvent, person, receiptWords } from "./jobs.mjs";
import { assertMembers, assertProblem, startWorld } from "./world.mjs";

const BUNDLE = { "content-type": "application/vnd.quittance.bundle" };
const NDJSON = { "content-type": "application/x-ndjson" };

describe("the forms of POST /v1/receipts", () => {
  let world, gateway, jobs, node;

  before(async () => {
    world = await startWorld({ seed: 41 });
    ({ gateway, jobs } = world);
    node = world.nodes[0];
  });
  after(() => world?.end());

  const model = () => world.models[0].model;
  const signed = (over) => jobs.signed(node, model(), over);
  const some = (n) => Promise.all(Array.from({ length: n }, () => signed()));
  const unsigned = (n) => Array.from({ length: n }, () => jobs.make(node, model()));
  const post = (body, headers) => gateway.post("/v1/receipts", body, headers);
  const statuses = (answer) => {
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body.results.map((item) => item.code ?? item.status);
  };

  it("one object: 201, the same again 200, held 202, another content 409, rejected 422", async () => {
    const one = await signed();
    const first = await post(one);
    assert.equal(first.status, 201);
    assertMembers(first.body, "index jobId receipt status amount promise");
    assertMembers(first.body.promise, "root count acceptedAt settleBy signature signer index path");
    const again = await post(one);
    assert.deepEqual([again.status, again.body.status], [200, "duplicate"]);
    assert.deepEqual(again.body.promise, first.body.promise, "its first promise");
    const stranger = person("stranger");
    const held = await post(await jobs.signed(stranger, model()));
    assert.deepEqual([held.status, held.body.code], [202, "unknown-provider"]);
    assert.ok(!("promise" in held.body));
    const { signature: _signature, ...content } = one;
    const conflict = await post(await jobs.sign(node, { ...content, units: 99 }));
    assertProblem(conflict, 409, "conflicting-receipt");
    assertMembers(conflict.body, "index jobId receipt errors");
    assertProblem(await post({ ...(await signed()), signature: one.signature }), 422, "invalid-signature");
    const malformed = await post({ ...(await signed()), inputTokens: 1.5 });
    assertProblem(malformed, 422, "malformed");
    assert.equal(malformed.body.errors[0].pointer, "/inputTokens");
  });

  it("an array, also an empty one and one without Content-Type", async () => {
    assert.deepEqual(statuses(await post(await some(3))), ["accepted", "accepted", "accepted"]);
    const empty = await post([]);
    assert.deepEqual([empty.status, empty.body.results], [200, []]);
    const bytes = new TextEncoder().encode(JSON.stringify(await some(2)));
    const response = await fetch(`${gateway.url}/v1/receipts`, { method: "POST", body: bytes });
    assert.equal((await response.json()).results.length, 2);
  });

  it("NDJSON, where blank lines are skipped and a bad line is that item's own", async () => {
    const [a, b] = (await some(2)).map((r) => JSON.stringify(r));
    const text = ["", a, "  ", "{\"jobId\":", b, a.replace("{", "{\"jobId\":\"twice\","), ""].join("\n");
    assert.deepEqual(statuses(await post(text, NDJSON)), ["accepted", "malformed", "accepted", "malformed"]);
  });

  it("CloudEvents, one and many, answered like an array", async () => {
    const [one, two, three] = await some(3);
    const single = await post(cloudEvent(one), { "content-type": "application/cloudevents+json" });
    assert.deepEqual(statuses(single), ["accepted"]);
    const batch = [cloudEvent(two), cloudEvent(three, { type: "something.else" }), cloudEvent(three)];
    const many = await post(JSON.stringify(batch), { "content-type": "application/cloudevents-batch+json; charset=utf-8" });
    assert.deepEqual(statuses(many), ["accepted", "malformed", "accepted"]);
  });

  it("a JSON bundle: one signature for all, each receipt judged alone", async () => {
    const receipts = unsigned(5);
    receipts[2] = jobs.make(node, model(), { inputTokens: 1, cachedTokens: 2 });
    const answer = await post(await jobs.jsonBundle(node, receipts));
    assert.deepEqual(statuses(answer), ["accepted", "accepted", "malformed", "accepted", "accepted"]);
  });

  it("a binary bundle: the same in ABI words", async () => {
    const answer = await post(await jobs.binaryBundle(node, unsigned(4)), BUNDLE);
    assert.deepEqual(statuses(answer), ["accepted", "accepted", "accepted", "accepted"]);
  });

  it("a bundle whose root, count or signature fails, or that holds another's receipt: every item is an invalid signature", async () => {
    const good = () => jobs.jsonBundle(node, unsigned(2));
    const bundles = [await good(), await good(), await good(), await jobs.jsonBundle(node, [jobs.make(node, model()), jobs.make(world.nodes[1], model())])];
    bundles[0].bundle.root = `0x${"12".repeat(32)}`;
    bundles[1].bundle.count = 3;
    bundles[2].bundle.signature = bundles[0].bundle.signature;
    for (const bundle of bundles) assert.deepEqual(statuses(await post(bundle)), ["invalid-signature", "invalid-signature"]);
    const binary = await jobs.binaryBundle(node, unsigned(2));
    binary[100] ^= 1; // in the first job's id
    assert.deepEqual(statuses(await post(binary, BUNDLE)), ["invalid-signature", "invalid-signature"]);
  });

  it("a binary bundle of another length is refused whole, padding that is not zero is that item's fault", async () => {
    const binary = await jobs.binaryBundle(node, unsigned(2));
    assertProblem(await post(binary.subarray(0, -1), BUNDLE), 400, "malformed");
    assertProblem(await post(binary.subarray(0, 65), BUNDLE), 400, "malformed");
    const words = unsigned(2).map(receiptWords);
    words[0] = words[0].replace(/^(0x.{64})00/, "$101"); // the first byte of the provider's word
    assert.deepEqual(statuses(await post(await jobs.wordsBundle(node, words), BUNDLE)), ["malformed", "accepted"]);
  });

  it("gzip is unpacked, and counted unpacked", async () => {
    const receipts = await some(2);
    assert.deepEqual(statuses(await post(gzipSync(JSON.stringify(receipts)), { "content-encoding": "gzip" })), ["accepted", "accepted"]);
    const bomb = gzipSync(Buffer.alloc(9 * 1024 * 1024, 0x20));
    assertProblem(await post(bomb, { "content-encoding": "gzip" }), 413);
    assertProblem(await post(JSON.stringify(receipts), { "content-encoding": "gzip" }), 400);
  });

  it("more than 10 000 items or 8 MiB are refused whole", async () => {
    assertProblem(await post(JSON.stringify(Array.from({ length: 10_001 }, () => 0))), 413);
    assertProblem(await post(`[${" ".repeat(8 * 1024 * 1024)}]`), 413);
    assert.equal(statuses(await post(JSON.stringify(Array.from({ length: 10_000 }, () => 0)))).length, 10_000);
  });

  it("text that is no I-JSON is refused whole and nothing of it taken", async () => {
    const one = await signed(), text = JSON.stringify(one);
    const bad = [text.slice(0, -1), text.replace("{", `{"provider":"${one.provider}",`), `[${text},`, `${text}${text}`, ""];
    for (const body of bad) assertProblem(await post(body), 400, "malformed");
    assertProblem(await gateway.get(`/v1/receipts/${one.jobId}`), 404);
    assert.equal((await post(one)).status, 201);
  });

  it("a number or text beyond what JSON readers hold is that item's fault alone", async () => {
    const text = JSON.stringify(await signed());
    const bad = [text.replace(/"inputTokens":\d+/, "\"inputTokens\":18446744073709551616"), text.replace("{", "{\"quote\":\"\\u0000\",")];
    for (const body of bad) assertProblem(await post(body), 422, "malformed");
    assert.deepEqual(statuses(await post(`[${bad[0]},${JSON.stringify(await signed())}]`)), ["malformed", "accepted"]);
  });

  it("another media type is 415", async () => {
    assertProblem(await post("a=1", { "content-type": "application/x-www-form-urlencoded" }), 415);
  });

  it("Prefer: return=minimal shows what was not accepted, and counts", async () => {
    const [a, b, c] = await some(3);
    const answer = await post([a, { ...b, signature: a.signature }, c, a], { prefer: "return=minimal" });
    assert.deepEqual(answer.body.counts, { accepted: 2, duplicate: 1, quarantined: 0, rejected: 1 });
    assert.deepEqual(answer.body.results.map((item) => [item.index, item.status]), [[1, "rejected"], [3, "duplicate"]]);
  });

  it("upper-case hex and UUIDs come in as well", async () => {
    const one = await signed();
    const loud = { ...one, jobId: one.jobId.toUpperCase(), model: `0x${one.model.slice(2).toUpperCase()}`, signature: `0x${one.signature.slice(2).toUpperCase()}`, provider: one.provider.toLowerCase() };
    const answer = await post(loud);
    assert.deepEqual([answer.status, answer.body.jobId], [201, one.jobId]);
  });

  it("a job that several providers billed is asked for by provider", async () => {
    const one = await signed(), { jobId, startedAt, finishedAt } = one;
    const two = await jobs.signed(world.nodes[1], model(), { jobId, startedAt, finishedAt });
    assert.deepEqual(statuses(await post([one, two])), ["accepted", "duplicate-job"]);
    const of = (who) => gateway.get(`/v1/receipts/${jobId}${who ? `?provider=${who.provider}` : ""}`);
    assert.equal((await of()).body.receipt.provider, one.provider, "only accepted ones count");
    assert.equal((await of(two)).body.state, "quarantined");
    await gateway.must("POST", `/admin/v1/quarantine/${two.provider}/${jobId}/release`, { reason: "both worked on it" });
    const which = await of();
    assert.equal(which.status, 300);
    assert.deepEqual(new Set(which.body.providers), new Set([one.provider, two.provider]));
    assert.equal((await of(two)).body.state, "accepted");
  });

  it("many posts at once lose and mix up nothing", async () => {
    const receipts = await some(200);
    const answers = await Promise.all(receipts.map((one) => post(one)));
    answers.forEach(({ status, body }, i) => assert.deepEqual([status, body.jobId], [201, receipts[i].jobId]));
  });
});
