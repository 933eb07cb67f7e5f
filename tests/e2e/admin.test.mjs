// The operator's listener: who may do what, and what the admin calls answer.
import assert from "node:assert/strict";
import http from "node:http";
import { after, before, describe, it } from "node:test";
import { isAddressEqual } from "viem";
import { signWord } from "../../scripts/lib/typed.mjs";
import { person } from "./jobs.mjs";
import { ANY_PRICE, assertMembers, assertProblem, DAY, modelDigest, startWorld } from "./world.mjs";

describe("the admin listener", () => {
  let world, gateway;
  const keys = {};

  before(async () => {
    world = await startWorld({ seed: 91 });
    gateway = world.gateway;
    for (const role of ["viewer", "operator", "admin"]) keys[role] = await gateway.must("POST", "/admin/v1/keys", { role, name: `test ${role}` });
  });
  after(() => world?.end());

  const as = (role, method, path, body) => gateway.admin(method, path, body, { authorization: `Bearer ${keys[role].key}` });

  it("lets nobody in without a key that it knows", async () => {
    for (const authorization of ["", "Bearer ", "Bearer nonsense", `Basic ${gateway.apiKey}`])
      assertProblem(await gateway.admin("GET", "/admin/v1/providers", undefined, { authorization }), 401);
  });

  it("refuses a Host that is not its own", async () => {
    const { hostname, port } = new URL(gateway.adminUrl);
    const status = await new Promise((resolve, reject) => {
      const headers = { host: "evil.example", authorization: `Bearer ${gateway.apiKey}` };
      http.get({ hostname, port, path: "/admin/v1/providers", headers }, (answer) => { answer.resume(); resolve(answer.statusCode); }).on("error", reject);
    });
    assert.equal(status, 421);
  });

  it("is not reachable by the public listener", async () => {
    assertProblem(await gateway.request(gateway.url, "GET", "/admin/v1/providers", undefined, { authorization: `Bearer ${gateway.apiKey}` }), 404);
  });

  it("lets viewers read, operators decide and run, admins do the rest", async () => {
    for (const path of ["providers", "consumers", "prices", "quarantine", "transactions", "keys", "audit"])
      assert.equal((await as("viewer", "GET", `/admin/v1/${path}`)).status, 200, path);
    assert.equal((await as("viewer", "GET", "/metrics")).status, 200);
    const someone = person("somebody"), decide = `/admin/v1/quarantine/${someone.address}/0190163d-8694-739b-aea5-966c26f8ad91/release`;
    const rest = [["POST", "/admin/v1/providers", { address: someone.address, name: "x" }], ["DELETE", `/admin/v1/providers/${someone.address}`],
      ["POST", "/admin/v1/consumers", { address: someone.address, name: "x" }], ["POST", "/admin/v1/prices", { model: "*" }],
      ["POST", `/admin/v1/models/${modelDigest("x")}/verify`, {}], ["POST", "/admin/v1/keys", { role: "admin", name: "x" }]];
    for (const [method, path, body] of rest)
      for (const role of ["viewer", "operator"]) assertProblem(await as(role, method, path, body), 403);
    for (const [path, body] of [[decide, { reason: "x" }], ["/admin/v1/settlements", { dryRun: true }]]) {
      assertProblem(await as("viewer", "POST", path, body), 403);
      assert.ok(![401, 403].includes((await as("operator", "POST", path, body)).status), path);
    }
  });

  it("never shows a key again, and forgets a deleted one", async () => {
    const { body } = await as("admin", "GET", "/admin/v1/keys");
    for (const { key } of Object.values(keys)) assert.ok(!JSON.stringify(body).includes(key));
    const extra = await gateway.must("POST", "/admin/v1/keys", { role: "viewer", name: "short-lived" });
    const use = () => gateway.admin("GET", "/admin/v1/prices", undefined, { authorization: `Bearer ${extra.key}` });
    assert.equal((await use()).status, 200);
    assert.equal((await as("admin", "DELETE", `/admin/v1/keys/${extra.id}`)).status, 204);
    assert.equal((await use()).status, 401);
  });

  it("admits, changes and expels a node; what it earned stays", async () => {
    const node = person("passing node"), row = { address: node.address, name: "passing" }, path = `/admin/v1/providers/${node.address}`;
    assert.equal((await as("admin", "POST", "/admin/v1/providers", row)).status, 201);
    assert.equal((await as("admin", "POST", "/admin/v1/providers", row)).status, 200);
    assertProblem(await as("admin", "POST", "/admin/v1/providers", { ...row, name: "other" }), 409);
    assertProblem(await as("admin", "POST", "/admin/v1/providers", { ...row, address: "0x12" }), 422);
    await world.postAccepted([await world.jobs.signed(node, world.models[0].model)]);
    const payout = person("elsewhere").address;
    assertProblem(await as("admin", "PATCH", path, { payout }), 422, "invalid-signature");
    const { at: payoutAt, signature: payoutSignature } = await signWord(node.account, world.domain, "Payout", { payout, at: Date.now() });
    assertProblem(await as("admin", "PATCH", path, { payout: person("the operator's friend").address, payoutAt, payoutSignature }), 422, "invalid-signature");
    assert.ok(isAddressEqual((await as("admin", "PATCH", path, { payout, payoutAt, payoutSignature })).body.payout, payout));
    await world.postAccepted([await world.jobs.signed(node, world.models[0].model)]);
    assert.equal((await as("admin", "DELETE", path)).status, 204);
    const late = await gateway.post("/v1/receipts", await world.jobs.signed(node, world.models[0].model));
    assert.deepEqual([late.status, late.body.code], [202, "unknown-provider"]);
    for (const account of [node.address, payout])
      assert.ok(BigInt((await gateway.get(`/v1/accounts/${account}`)).body.earned) > 0n, "paid to whoever was named at acceptance");
  });

  it("charges enrolled consumers only", async () => {
    const shop = person("shop"), path = `/admin/v1/consumers/${shop.address}`;
    const buy = async () => {
      const signed = await world.jobs.countersign(shop, await world.jobs.signed(world.nodes[0], world.models[0].model, { consumer: shop.address }));
      return BigInt((await world.postAccepted([signed])).results[0].amount);
    };
    const charged = async () => BigInt((await gateway.get(`/v1/accounts/${shop.address}`)).body.charged ?? 0);
    await buy();
    assert.equal(await charged(), 0n);
    assert.equal((await as("admin", "POST", "/admin/v1/consumers", { address: shop.address, name: "shop" })).status, 201);
    const due = await buy();
    assert.equal(await charged(), due);
    assert.equal((await as("admin", "DELETE", path)).status, 204);
    await buy();
    assert.equal(await charged(), due);
  });

  it("appends price versions, and takes none that is not one", async () => {
    const post = (over) => as("admin", "POST", "/admin/v1/prices", { ...ANY_PRICE, model: modelDigest("priced"), effectiveFrom: Date.now(), ...over });
    const first = await post({ effectiveFrom: Date.now() - 30 * DAY });
    assert.equal(first.status, 201);
    assertMembers(first.body, "version model effectiveFrom unit perMillion split");
    assert.equal((await post({})).body.version, first.body.version + 1);
    for (const bad of [{ split: { provider: 5000, creator: 4999, protocol: 0 } }, { perMillion: { inputTokens: String(2n ** 96n) } }, { perMillion: { tokens: "1" } },
      { perMillion: { inputTokens: "-1" } }, { perMillion: { inputTokens: 1 } }, { effectiveFrom: Date.now() - 120_000 }, { model: "some" }])
      assertProblem(await post(bad), 422);
    const { items } = (await as("viewer", "GET", "/admin/v1/prices?limit=1000")).body;
    assert.deepEqual(items.map((row) => row.version).sort((a, b) => a - b), items.map((_, i) => i + 1));
  });

  it("answers a repeated Idempotency-Key with the first answer, and another body with 422", async () => {
    const body = { ...ANY_PRICE, model: modelDigest("once"), effectiveFrom: Date.now() }, headers = { "idempotency-key": "price-of-once" };
    const first = await gateway.admin("POST", "/admin/v1/prices", body, headers);
    const again = await gateway.admin("POST", "/admin/v1/prices", body, headers);
    assert.deepEqual([again.status, again.body], [first.status, first.body]);
    assertProblem(await gateway.admin("POST", "/admin/v1/prices", { ...body, unit: "second" }, headers), 422);
  });

  it("verifies one creator's claim to a model, after its parents", async () => {
    const [one, two] = [person("claimant one"), person("claimant two")];
    const a = await world.claimModel("contested", one), b = await world.claimModel("contested", two);
    const child = await world.claimModel("child of contested", one, [{ parent: a.model, shareBps: 10_000 }]);
    const verify = (signed) => as("admin", "POST", `/admin/v1/models/${signed.model}/verify`, { creator: signed.creator });
    assert.ok((await verify(child)).status >= 400, "its parent is not verified");
    assert.equal((await verify(a)).status, 200);
    assert.equal((await verify(a)).status, 200);
    assertProblem(await verify(b), 409);
    assert.equal((await verify(child)).status, 200);
    assert.equal((await gateway.get(`/v1/models/${a.model}`)).body.creator, one.address);
  });

  it("refuses registrations that are not signed, have unknown parents or give away more than all", async () => {
    const good = await world.claimModel("a good one", world.creators[0]);
    assert.equal((await gateway.post("/v1/models", good)).status, 200, "the same again");
    const { signature: _signature, ...content } = good;
    const parents = (...shares) => shares.map((shareBps) => ({ parent: world.models[0].model, shareBps }));
    for (const bad of [{ ...good, model: modelDigest("another") }, { ...content, signature: `0x${"00".repeat(65)}` }, { ...good, name: "" }, { ...good, name: "x".repeat(65) }])
      assertProblem(await gateway.post("/v1/models", bad), 422);
    await assert.rejects(world.claimModel("too generous", world.creators[0], parents(6000, 4001)), /422/);
    await assert.rejects(world.claimModel("of nobody", world.creators[0], [{ parent: modelDigest("nobody"), shareBps: 1 }]), /422/);
    await assert.rejects(world.claimModel("a good one", world.creators[0], parents(1)), /409/);
  });

  it("runs a settlement: 202, then to be followed; and keeps the transaction log", async () => {
    const started = await as("operator", "POST", "/admin/v1/settlements", {});
    assert.equal(started.status, 202);
    const report = await world.settle();
    assert.equal(report.state, "final");
    const followed = await as("viewer", "GET", `/admin/v1/settlements/${report.sequence}`);
    assert.deepEqual([followed.status, followed.body.sequence, followed.body.state], [200, 1, "final"]);
    const { items } = (await as("viewer", "GET", "/admin/v1/transactions")).body;
    assert.deepEqual(new Set(items.map((tx) => tx.kind)), new Set(["commit", "distribute"]));
    for (const tx of items) assertMembers(tx, "id hash kind state nonce block gasUsed attempts");
  });

  it("has who did what in the audit log, and no key in any log", async () => {
    const { items } = (await as("viewer", "GET", "/admin/v1/audit?limit=1000")).body;
    assert.ok(items.length > 10);
    const text = JSON.stringify(items) + gateway.process.log();
    for (const secret of [gateway.apiKey, ...Object.values(keys).map(({ key }) => key)]) assert.ok(!text.includes(secret));
  });
});
