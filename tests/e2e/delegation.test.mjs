// Keys that a wallet lends to its machines, from the signature to archive, audit and a rebuilt store; and where its pay goes.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { isAddressEqual } from "viem";
import { BINARY, Gateway } from "../../scripts/lib/gateway.mjs";
import { run, sleep } from "../../scripts/lib/process.mjs";
import { signWord } from "../../scripts/lib/typed.mjs";
import { person } from "./jobs.mjs";
import { assertProblem, HOUR, startWorld } from "./world.mjs";

describe("delegated keys", () => {
  let world, wallet, hot, model;
  const lend = (key, over = {}, by = wallet) =>
    signWord(by.account, world.domain, "Delegation", { key: key.address, validFrom: Date.now() - HOUR, validUntil: Date.now() + HOUR, ...over, provider: wallet.address });
  const takeBack = (key, over = {}) => signWord(wallet.account, world.domain, "Revocation", { key: key.address, at: Date.now(), ...over });
  const by = async (key, over) => ({ ...await world.jobs.sign(key, world.jobs.make(wallet, model, over)) });
  const post = (receipt) => world.gateway.post("/v1/receipts", receipt);
  const proof = async (receipt) => (await world.gateway.get(`/v1/receipts/${receipt.jobId}`)).body;
  const verify = async (answer) => {
    const files = ["answer", "info"].map((name) => path.join(world.dir, `${name}.json`));
    fs.writeFileSync(files[0], JSON.stringify(answer));
    fs.writeFileSync(files[1], JSON.stringify((await world.gateway.get("/v1/info")).body));
    const { code, stdout, stderr } = await run(BINARY, ["verify", files[0], "--info", files[1]]);
    return { code, stderr, wrong: JSON.parse(stdout).checks.filter((check) => !check.ok).map((check) => check.name) };
  };

  before(async () => {
    world = await startWorld({ seed: 61 });
    wallet = world.nodes[0];
    hot = person("hot key");
    model = world.models[0].model;
  });
  after(() => world?.end());

  it("a key signs nothing before its wallet says so", async () => {
    const answer = await post(await by(hot));
    assertProblem(answer, 422, "invalid-signature");
    assert.match(answer.body.errors[0].detail, /nor to a key that it delegated/);
    assertProblem(await world.gateway.post("/v1/delegations", await lend(hot, {}, hot)), 422, "invalid-signature");
    assertProblem(await world.gateway.post("/v1/delegations", { ...await lend(hot), validUntil: 1 }), 422, "malformed");
    const stranger = person("nobody's wallet");
    assertProblem(await world.gateway.post("/v1/delegations", await signWord(stranger.account, world.domain, "Delegation", {
      key: hot.address, validFrom: 0, validUntil: Date.now() + HOUR })), 404);
  });

  it("then it signs receipts and bundles, and the same again is the same", async () => {
    const word = await lend(hot), first = await world.gateway.post("/v1/delegations", word);
    assert.equal(first.status, 201, JSON.stringify(first.body));
    assert.deepEqual(await world.gateway.post("/v1/delegations", word).then(({ status, body }) => [status, body]), [200, first.body]);
    world.single = await by(hot);
    assert.equal((await post(world.single)).status, 201);
    const receipts = Array.from({ length: 70 }, () => world.jobs.make(wallet, model));
    const bundle = async (key, list) => ({ bundle: await world.jobs.bundleHead({ ...key, address: wallet.address }, list), receipts: list });
    const { status, body } = await world.gateway.post("/v1/receipts", await bundle(hot, receipts));
    assert.deepEqual([status, new Set(body.results.map((item) => item.status))], [200, new Set(["accepted"])]);
    world.bundled = receipts[7];
    const stranger = await world.gateway.post("/v1/receipts", await bundle(person("another key"), [world.jobs.make(wallet, model)]));
    assert.equal(stranger.body.results[0].code, "invalid-signature");
    // Each item of a good bundle is judged alone: one that finished outside of the key's time does not sink the others.
    const mixed = [world.jobs.make(wallet, model), world.jobs.make(wallet, model, { finishedAt: Date.now() - 3 * HOUR })];
    const items = (await world.gateway.post("/v1/receipts", await bundle(hot, mixed))).body.results;
    assert.deepEqual(items.map((item) => item.code ?? item.status), ["accepted", "invalid-signature"]);
    assert.match(items[1].errors[0].detail, /expired, or was not valid yet/);
  });

  it("one that has expired signs nothing that finished later", async () => {
    const brief = person("brief key"), validUntil = Date.now() + 3000; // it has to be taken before it ends, on a slow machine too
    const { status } = await world.gateway.post("/v1/delegations", await lend(brief, { validUntil }));
    assert.equal(status, 201);
    await sleep(validUntil + 1 - Date.now());
    const late = await post(await by(brief, { finishedAt: Date.now() }));
    assertProblem(late, 422, "invalid-signature");
    assert.match(late.body.errors[0].detail, /expired/);
    assertProblem(await world.gateway.post("/v1/delegations", await lend(brief, { validUntil: Date.now() - 1 })), 422);
  });

  it("the node's client signs with it for the wallet", async () => {
    const key = await world.keystoreOf(hot), url = ["--url", world.gateway.url];
    const pipe = async (args, input) => {
      const { code, stdout, stderr } = await run(BINARY, ["receipt", ...args], { input });
      assert.equal(code, 0, stderr);
      return stdout;
    };
    const made = await pipe(["make", "--provider", wallet.address, "--model", model, "--count", "5", "--seed", "7", "--span", "60"], "");
    const signed = await pipe(["sign", ...url, ...key, "--provider", wallet.address], made);
    assert.equal(JSON.parse(await pipe(["post", ...url], signed)).accepted, 5);
    const more = await pipe(["make", "--provider", wallet.address, "--model", model, "--count", "5", "--seed", "8", "--span", "60"], "");
    assert.equal(JSON.parse(await pipe(["post", ...url, ...key, "--provider", wallet.address, "--bundle", "5"], more)).accepted, 5);
    const refused = await run(BINARY, ["receipt", "sign", ...url, ...key], { input: made });
    assert.notEqual(refused.code, 0);
  });

  it("after a revocation it signs nothing, held receipts of it stay held, and it does not come back", async () => {
    const other = person("lost key"), word = await lend(other);
    assert.equal((await world.gateway.post("/v1/delegations", word)).status, 201);
    const held = await by(other, { finishedAt: Date.now() - 30 * HOUR });
    const wide = await lend(other, { validFrom: Date.now() - 40 * HOUR });
    assert.equal((await world.gateway.post("/v1/delegations", wide)).status, 201);
    assert.equal((await post(held)).body.code, "late");
    assertProblem(await world.gateway.post("/v1/revocations", await takeBack(other, { at: Date.now() - HOUR })), 422);
    assert.equal((await world.gateway.post("/v1/revocations", await takeBack(other))).status, 201);
    assert.equal((await world.gateway.post("/v1/revocations", await takeBack(other))).status, 200);
    const refused = await post(await by(other));
    assertProblem(refused, 422, "invalid-signature");
    assert.match(refused.body.errors[0].detail, /revoked/);
    const released = await world.gateway.admin("POST", `/admin/v1/quarantine/${wallet.address}/${held.jobId}/release`, { reason: "by hand" });
    assertProblem(released, 409);
    assert.match(released.body.detail, /revoked/);
    for (const again of [word, await lend(other)]) assertProblem(await world.gateway.post("/v1/delegations", again), 409);
    const forced = person("taken by the operator");
    assert.equal((await world.gateway.post("/v1/delegations", await lend(forced))).status, 201);
    assert.equal((await world.gateway.admin("DELETE", `/admin/v1/providers/${wallet.address}/delegations/${forced.address}`)).status, 201);
    assertProblem(await post(await by(forced)), 422, "invalid-signature");
    const { delegations, revocations } = (await world.gateway.get(`/v1/accounts/${wallet.address}/delegations`)).body;
    assert.deepEqual([delegations.length, revocations.length], [5, 2]);
  });

  it("a provider has a bounded number of keys", async () => {
    const statuses = [];
    for (let i = 0; i < 13; i++) statuses.push((await world.gateway.post("/v1/delegations", await lend(person(`spare ${i}`)))).status);
    assert.deepEqual(statuses, [...Array(11).fill(201), 409, 409]);
  });

  it("only the wallet says where its pay goes", async () => {
    const node = world.nodes[2], payout = person("cold wallet").address, url = `/admin/v1/providers/${node.address}`;
    const say = (account, over) => signWord(account, world.domain, "Payout", { payout, at: Date.now(), provider: node.address, ...over });
    assertProblem(await world.gateway.admin("PATCH", url, { payout }), 422, "invalid-signature");
    assertProblem(await world.gateway.post("/v1/payouts", await say(person("operator").account)), 422, "invalid-signature");
    assertProblem(await world.gateway.post("/v1/payouts", await say(node.account, { at: Date.now() - 25 * HOUR })), 422);
    const word = await say(node.account);
    assert.equal((await world.gateway.post("/v1/payouts", word)).status, 201);
    assert.equal((await world.gateway.post("/v1/payouts", word)).status, 200);
    const home = await say(node.account, { payout: node.address, at: word.at + 1 });
    assert.equal((await world.gateway.post("/v1/payouts", home)).status, 201);
    assertProblem(await world.gateway.post("/v1/payouts", word), 409);                       // an old word is not said again
    assertProblem(await world.gateway.admin("PATCH", url, { payout, payoutAt: word.at, payoutSignature: word.signature }), 409);
    assert.equal((await world.gateway.post("/v1/payouts", await say(node.account, { at: word.at + 2 }))).status, 201);
    world.payouts[node.address] = payout;
    const { items } = (await world.gateway.admin("GET", "/admin/v1/audit?limit=1000")).body;
    for (const action of ["payout", "delegation", "revocation"])
      assert.ok(items.some((entry) => entry.action === action && entry.who === "wallet"), action);
    await world.postAccepted([await world.jobs.signed(node, model)]);
    assert.notEqual((await world.gateway.get(`/v1/accounts/${payout}`)).body.earned, "0");
  });

  it("archive, audit, proofs and a rebuilt store know the keys", async () => {
    assert.equal((await world.settle()).state, "final");
    await world.gateway.command(["audit", world.gateway.url]);
    const lines = (await (await fetch(`${world.gateway.url}/v1/settlements/1/archive`)).text()).trim().split("\n").map((line) => JSON.parse(line));
    const told = lines.filter((line) => line.type === "delegation");
    assert.deepEqual(told.map((line) => isAddressEqual(line.key, hot.address)), [true], "only the key that was used");
    assert.equal(lines.filter((line) => line.type === "revocation").length, 2);
    for (const receipt of [world.single, world.bundled]) {
      const answer = await proof(receipt);
      assert.ok(isAddressEqual(answer.delegation.key, hot.address));
      assert.deepEqual(await verify(answer).then(({ code, wrong }) => [code, wrong]), [0, []]);
      const { delegation, ...without } = answer;
      assert.equal((await verify(without)).code, 65);
      const stretched = await verify({ ...answer, delegation: { ...delegation, validUntil: delegation.validUntil + 1 } });
      assert.deepEqual(stretched.wrong, ["delegation"]);
    }
    const dir = path.join(world.dir, "rebuilt"), rebuilt = new Gateway(dir, {});
    fs.mkdirSync(dir);
    for (const file of ["quittance.conf", "operator.json", "passphrase", "secret"]) fs.copyFileSync(path.join(world.gateway.dir, file), path.join(dir, file));
    rebuilt.env = world.gateway.env;
    assert.equal((await rebuilt.command(["store", "rebuild", world.gateway.url])).settlements, 1);
    await world.stopServing();
    rebuilt.process = undefined;
    const { key } = await rebuilt.command(["apikey", "new", "--role", "admin"]);
    fs.writeFileSync(path.join(dir, "admin.key"), `${key}\n`, { mode: 0o600 });
    rebuilt.apiKey = key;
    rebuilt.address = world.gateway.address;
    world.gateway = rebuilt;
    await rebuilt.serve();
    assert.equal((await post(await by(hot))).status, 201);
    assert.ok(isAddressEqual((await proof(world.bundled)).delegation.key, hot.address));
    const lost = person("lost key");
    assertProblem(await rebuilt.post("/v1/delegations", await lend(lost, { validFrom: Date.now() - HOUR })), 409);
    assert.equal((await world.settle()).state, "final");
    await rebuilt.command(["audit", rebuilt.url]);
  });
});
