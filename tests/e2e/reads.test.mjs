// What anybody may read beside receipts and money: who the gateway is, its models, probes, and HTTP's own manners.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { getAddress, hashTypedData } from "viem";
import { TYPES } from "../../scripts/lib/typed.mjs";
import { assertMembers, assertProblem, startWorld } from "./world.mjs";

describe("what anybody may read", () => {
  let world, gateway;

  before(async () => {
    world = await startWorld({ seed: 12 });
    gateway = world.gateway;
    await world.postAccepted(await Promise.all(world.models.map(({ model }) => world.jobs.signed(world.nodes[0], model))));
    await world.settle();
  });
  after(() => world?.end());

  it("tells who it is, and what it can do", async () => {
    const { body: info } = await gateway.get("/v1/info");
    assertMembers(info, "name version now chainId contract contracts token domain signer promiseSigners protocolAccount limits sequence");
    assert.deepEqual([info.chainId, info.contract, info.token.address, info.token.decimals, info.sequence],
      [31337, getAddress(world.contract), getAddress(world.token), 18, 1]);
    assertMembers(info.limits, "maxBody maxItems maxAge maxAhead quoteMax", "limits");
    const message = { root: `0x${"11".repeat(32)}`, count: 1, acceptedAt: 1, settleBy: 2 };
    const typed = { types: TYPES, primaryType: "InclusionPromise", message };
    assert.equal(hashTypedData({ domain: info.domain, ...typed }), hashTypedData({ domain: world.domain, ...typed }));
  });

  it("lists the models with their price and use", async () => {
    const { body } = await gateway.get("/v1/models");
    assert.deepEqual(new Set(body.items.map((m) => m.name)), new Set(["base", "tuned", "merged"]));
    const { body: model } = await gateway.get(`/v1/models/${world.models[1].model}`);
    assertMembers(model, "model creator name parents state price receipts usage popularity");
    assert.deepEqual([model.state, model.creator, model.receipts],
      ["verified", world.creators[1].address, 1]);
  });

  it("answers probes, HEAD, unknown things and wrong methods as HTTP wants it", async () => {
    assert.equal((await gateway.get("/healthz")).status, 200);
    assert.equal((await gateway.get("/readyz")).status, 200);
    assert.match((await gateway.admin("GET", "/metrics")).body, /^quittance_/m);
    const head = await gateway.request(gateway.url, "HEAD", "/v1/settlements/1");
    assert.deepEqual([head.status, head.body], [200, ""]);
    const first = await gateway.get("/v1/settlements/1/rewards.json");
    assert.equal((await gateway.get("/v1/settlements/1/rewards.json", { "if-none-match": first.headers.get("etag") })).status, 304);
    assertProblem(await gateway.get("/v1/receipts/0190163d-8694-739b-aea5-966c26f8ad91"), 404);
    assertProblem(await gateway.get("/v1/settlements/99"), 404);
    assertProblem(await gateway.get("/v1/nothing-here"), 404);
    const wrong = await gateway.request(gateway.url, "DELETE", "/v1/receipts");
    assertProblem(wrong, 405);
    assert.match(wrong.headers.get("allow"), /POST/);
  });
});
