// Every answer's whole chain of proofs, checked by `quittance verify`, by a stranger's 100 lines, by OpenZeppelin and by viem.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { StandardMerkleTree } from "@openzeppelin/merkle-tree";
import { hashTypedData, recoverAddress } from "viem";
import { BINARY, Gateway } from "../../scripts/lib/gateway.mjs";
import { run, until } from "../../scripts/lib/process.mjs";
import { receiptMessage, TYPES } from "../../scripts/lib/typed.mjs";
import { SETTLEMENT_ABI, startWorld } from "./world.mjs";
import { verify as verifyExample } from "./verify-example.mjs";

const WRONG = 65, HOUR = 3600;

describe("verify", () => {
  let world, info, single, signed, bundled, claim, pending;

  const jump = async (seconds) => {
    await world.chain.test.increaseTime({ seconds });
    await world.chain.test.mine({ blocks: 1 });
  };
  const answerOf = async ({ jobId, provider }) => {
    const { status, body } = await world.gateway.get(`/v1/receipts/${jobId}?provider=${provider}`);
    assert.equal(status, 200);
    return body;
  };
  const saved = (name, value) => {
    const file = path.join(world.dir, name);
    fs.writeFileSync(file, JSON.stringify(value));
    return file;
  };

  before(async () => {
    // The claimant is left out of distribute; the last settlement stays pending.
    world = await startWorld({ seed: 91, settings: { CONTRACT_ACTIVATION_DELAY: String(HOUR), SETTLE_DISTRIBUTE_MINIMUM: String(5n * 10n ** 14n) } });
    const { nodes, models, jobs } = world;
    const receipts = await Promise.all(Array.from({ length: 9 }, (_, i) => jobs.signed(nodes[0], models[i % 3].model, { inputTokens: 3000, cachedTokens: 0, outputTokens: 900 })));
    receipts.push(await jobs.countersign(world.consumer, await jobs.signed(nodes[0], models[0].model, { consumer: world.consumer.address })));
    receipts.push(await jobs.signed(nodes[2], models[0].model, { inputTokens: 1000, cachedTokens: 0, outputTokens: 10, units: 0 }));
    await world.postAccepted(receipts);
    const bundle = await jobs.jsonBundle(nodes[1], [1, 2, 3, 4, 5].map(() => jobs.make(nodes[1], models[2].model)));
    await world.postAccepted(bundle);
    info = (await world.gateway.get("/v1/info")).body;
    pending = await answerOf(receipts[3]);
    assert.equal((await world.gateway.command(["settle"])).sequence, 1);
    await until(async () => (await answerOf(receipts[3])).state === "committed", "the commit seen");
    signed = receipts[3];
    single = await answerOf(receipts[9]);
    bundled = await answerOf(bundle.receipts[3]);
  });
  after(() => world?.end());

  async function verifyC(answer, ...args) {
    const { code, stdout, stderr } = await run(BINARY, ["verify", saved("answer.json", answer), "--info", saved("info.json", info), ...args]);
    return { code, stderr, report: stdout ? JSON.parse(stdout) : undefined };
  }
  const wrongNames = (report) => report.checks.filter((check) => !check.ok).map((check) => check.name);

  async function bothSay(answer, promise, { ok = true, now, rpc } = {}) {
    const args = [...(now ? ["--now", String(now)] : []), ...(rpc ? ["--rpc", world.chain.url] : [])];
    const c = await verifyC(answer, ...args), js = await verifyExample(answer, info, { now, rpc: rpc && world.chain.url });
    assert.deepEqual([c.code, c.report.ok, c.report.promise], [ok ? 0 : WRONG, ok, promise], JSON.stringify(c.report, null, 1));
    assert.deepEqual([js.ok, js.promise], [ok, promise], JSON.stringify(js, null, 1));
    return { c, js };
  }

  it("calls a promise pending: accepted, and committed but not active", async () => {
    await bothSay(pending, "pending");
    for (const answer of [single, bundled]) {
      await bothSay(answer, "pending");
      await bothSay(answer, "pending", { rpc: true });
    }
  });

  it("calls it kept once active, and paid answers hold on the chain", async () => {
    await jump(HOUR + 60);
    assert.equal((await world.settle()).state, "final");
    single = await answerOf(single.receipt);
    bundled = await answerOf(bundled.receipt);
    for (const answer of [single, bundled, await answerOf(signed)]) {
      const { c } = await bothSay(answer, "kept");
      assert.match(c.report.notChecked.join(), /--rpc/, "says what offline cannot tell");
      await bothSay(answer, "kept", { rpc: true });
    }
    assert.equal(bundled.state, "paid");
  });

  it("calls a dropped receipt's promise broken once settleBy has passed", async () => {
    const { settlement: _s, inclusion: _i, payments: _p, ...dropped } = { ...single, state: "accepted" };
    const late = single.promise.settleBy + 1;
    await bothSay(dropped, "pending", { now: late - 1 });
    const { c, js } = await bothSay(dropped, "broken", { ok: false, now: late });
    assert.deepEqual([wrongNames(c.report), wrongNames(js)], [["promise-kept"], ["promise-kept"]]);
    assert.match(c.stderr, /promise-kept/);
  });

  /** [path, names of checks of which one must refuse it, names in the example]; a leaf of the JSON is changed. */
  const flip = (value) => {
    if (typeof value === "number") return value + 1;
    if (/^0x/.test(value)) return value.slice(0, -1) + (value.endsWith("0") ? "1" : "0");
    return value.slice(0, -1) + (value.endsWith("1") ? "2" : "1");
  };
  const tampered = (answer, route) => {
    const copy = structuredClone(answer), keys = route.split(".");
    const last = keys.pop(), holder = keys.reduce((at, key) => at[key], copy);
    assert.ok(holder[last] !== undefined, route);
    holder[last] = flip(holder[last]);
    return copy;
  };
  const RECEIPT = "provider model consumer inputTokens cachedTokens outputTokens units computeMs startedAt finishedAt quote evidence".split(" ");
  const PROMISE = { root: "promise-path", count: "promise-signature", acceptedAt: "promise-signature", settleBy: "promise-signature",
    signature: "promise-signature", signer: "promise-signature", "path.0": "promise-path" };
  const SETTLEMENT = { sequence: "header", header: "header", previousHeader: "previous-header", receiptsRoot: "header", rewardsRoot: "header",
    archive: "header", total: "header", receipts: "header", committedAt: "header" };
  const members = [
    ...RECEIPT.map((name) => [`receipt.${name}`, "hash"]), ["receipt.jobId", "hash"], ["hash", "hash"],
    ...Object.entries(PROMISE).map(([name, check]) => [`promise.${name}`, check]),
    ...Object.entries(SETTLEMENT).map(([name, check]) => [`settlement.${name}`, check]),
    ["inclusion.index", "inclusion"], ["inclusion.salt", "inclusion"], ["inclusion.proof.0", "inclusion"],
    ["amount", "shares"], ["shares.0.amount", "shares"], ["acceptedAt", "acceptedAt"],
  ];
  it("refuses each tampered member by name, in C and in the example", async () => {
    const cases = [...members.map((row) => [single, ...row]),
      [single, "receipt.signature", "signature"], [single, "receipt.consumerSignature", "consumer-signature"],
      ...["root", "count", "signature"].map((name) => [bundled, `receipt.bundle.${name}`, "bundle-signature"]),
      [bundled, "receipt.bundle.path.0", "bundle-path"],
      ...["claimable", "proof.0"].map((name) => [bundled, `payments.0.${name}`, `payment ${bundled.payments[0].account}`])];
    for (const [answer, route, name] of cases) {
      const copy = tampered(answer, route);
      const c = await verifyC(copy), js = await verifyExample(copy, info);
      assert.equal(c.code, WRONG, `${route}: ${c.stderr}`);
      assert.ok(wrongNames(c.report).includes(name), `${route}: ${wrongNames(c.report)}`);
      assert.ok(wrongNames(js).includes(name), `example, ${route}: ${wrongNames(js)}`);
    }
  });

  it("refuses indexes out of range, missing parts and lies about the state", async () => {
    const without = (answer, ...names) => Object.fromEntries(Object.entries(answer).filter(([name]) => !names.includes(name)));
    const lies = [
      [{ ...single, inclusion: { ...single.inclusion, index: single.settlement.receipts } }, "inclusion-index"],
      [{ ...single, promise: { ...single.promise, index: single.promise.count } }, "promise-index"],
      [without(single, "settlement"), "settlement"], [without(single, "inclusion"), "inclusion"], [without(single, "shares"), "shares"],
      [without(single, "payments"), "payments"], [{ ...single, payments: single.payments.slice(1) }, "payments"],
      [{ ...bundled, state: "committed" }, "state"], [{ ...single, receipt: { ...single.receipt, extra: 1 } }, "receipt"],
      [{ ...single, promise: { ...single.promise, path: "none" } }, "promise"],
    ];
    for (const [answer, name] of lies) {
      const { code, report, stderr } = await verifyC(answer);
      assert.equal(code, WRONG, `${name}: ${stderr}`);
      assert.ok(wrongNames(report).includes(name), `${name}: ${wrongNames(report)}`);
    }
    assert.equal((await verifyC({ hello: 1 })).code, WRONG);
    assert.equal((await verifyC([])).code, WRONG);
  });

  it("refuses by the chain what holds together but is not on it", async () => {
    const forged = tampered(tampered(bundled, "payments.0.claimed"), "settlement.transaction");
    forged.payments[0].claimed = String(BigInt(bundled.payments[0].claimed) * 2n);
    const { code, report } = await verifyC(forged, "--rpc", world.chain.url);
    assert.equal(code, WRONG);
    assert.ok(wrongNames(report).includes("commit-transaction"));
    assert.ok(wrongNames(report).includes(`chain-payment ${bundled.payments[0].account}`));
    // Another chain's contract: every signature is of another domain.
    const other = await run(BINARY, ["verify", saved("answer.json", single), "--contract", world.token, "--chain-id", "31337"]);
    assert.equal(other.code, WRONG);
    assert.ok(wrongNames(JSON.parse(other.stdout)).includes("signature"));
    assert.equal((await verifyC(single, "--rpc", "http://127.0.0.1:1")).code, 75);
  });

  it("checks a claim, offline and by the chain", async () => {
    const { status, body } = await world.gateway.get(`/v1/accounts/${world.nodes[2].address}/claim`);
    assert.equal(status, 200, JSON.stringify(body));
    claim = body;
    assert.equal((await verifyC(claim)).code, 0);
    const { code, report } = await verifyC(claim, "--rpc", world.chain.url);
    assert.equal(code, 0, JSON.stringify(report));
    for (const [route, name] of [["account", "calldata"], ["claimable", "calldata"], ["proof.0", "calldata"], ["reward", "reward"],
      ["contract", "contract"], ["calldata", "calldata"], ["due", "due"]]) {
      const lie = await verifyC(tampered(claim, route), "--rpc", world.chain.url);
      assert.equal(lie.code, WRONG, route);
      assert.ok(wrongNames(lie.report).includes(name), `${route}: ${wrongNames(lie.report)}`);
    }
  });

  it("every proof is taken by OpenZeppelin's contract verifier and JavaScript verifier", async () => {
    const { body: rewards } = await world.gateway.get("/v1/settlements/1/rewards.json");
    assert.ok(rewards.tree.length >= 6);
    for (const { account, reward, claimable, proof } of rewards.tree) {
      assert.ok(StandardMerkleTree.verify(rewards.root, ["address", "address", "uint256"], [account, reward, claimable], proof), account);
      // The contract proves by MerkleProof; who is paid already reverts NothingToClaim, a false proof BadProof.
      const claimOf = (amount) => world.view("claim", account, reward, amount, proof);
      const due = BigInt(claimable) - await world.view("claimed", account);
      if (due === 0n) await assert.rejects(claimOf(BigInt(claimable)), /NothingToClaim/, account);
      else assert.equal(await claimOf(BigInt(claimable)), due);
      await assert.rejects(claimOf(BigInt(claimable) + 1n), /BadProof/, account);
    }
    const { receipt, inclusion, settlement, hash } = single;
    assert.ok(StandardMerkleTree.verify(settlement.receiptsRoot, ["uint64", "bytes16", "address", "bytes32", "bytes32"],
      [inclusion.index, receiptMessage(receipt).jobId, receipt.provider, inclusion.salt, hash], inclusion.proof));
  });

  it("viem recovers the signers", async () => {
    const { domain } = world, { receipt, promise } = single;
    const { signature, consumerSignature, ...unsigned } = receipt;
    const digest = hashTypedData({ domain, types: TYPES, primaryType: "UsageReceipt", message: receiptMessage(unsigned) });
    assert.equal(await recoverAddress({ hash: digest, signature }), receipt.provider);
    assert.equal(await recoverAddress({ hash: digest, signature: consumerSignature }), receipt.consumer);
    const { root, count, acceptedAt, settleBy } = promise;
    const promised = hashTypedData({ domain, types: TYPES, primaryType: "InclusionPromise", message: { root, count, acceptedAt, settleBy } });
    assert.equal(await recoverAddress({ hash: promised, signature: promise.signature }), promise.signer);
  });

  it("old promises stay checkable after the promise key was replaced", async () => {
    const file = path.join(world.dir, "promise.json"), conf = path.join(world.gateway.dir, "quittance.conf");
    const passphrase = /passphrase_file\s*=\s*(.+)/.exec(fs.readFileSync(conf, "utf8"))[1].trim();
    const { address } = await world.gateway.command(["key", "new", file, "--passphrase-file", path.resolve(world.gateway.dir, passphrase)]);
    const before = (await world.gateway.get("/v1/info")).body.promiseSigners;
    assert.equal(before.length, 1);
    await world.stopServing();
    const settings = Object.fromEntries(Object.entries(world.gateway.env).map(([key, value]) => [key.slice("QUITTANCE_".length), value]));
    const rotated = new Gateway(world.gateway.dir, { ...settings, SIGNER_PROMISE_KEY: `keystore:${file}`, RECEIPTS_SETTLE_WITHIN: "600" });
    Object.assign(rotated, { apiKey: world.gateway.apiKey, address: world.gateway.address });
    world.gateway = rotated;
    await rotated.serve();
    const fresh = await world.jobs.signed(world.nodes[0], world.models[0].model);
    await world.postAccepted([fresh]);
    const old = info;
    info = (await rotated.get("/v1/info")).body;
    assert.deepEqual(info.promiseSigners.map((s) => s.address), [before[0].address, address]);
    assert.equal(info.promiseSigners[0].until, info.promiseSigners[1].from);
    assert.equal(info.promiseSigners[1].until, undefined);
    await bothSay(await answerOf(fresh), "pending");
    await bothSay(await answerOf(signed), "kept");
    // The chain is an hour ahead of the gateway's clock: the commit comes after settleBy, and its header says so.
    assert.equal((await rotated.command(["settle"])).sequence, 2);
    await until(async () => (await answerOf(fresh)).settlement?.header, "the commit seen");
    const { c } = await bothSay(await answerOf(fresh), "broken", { ok: false });
    assert.match(c.stderr, /after settleBy/);
    // A promise of the new key, dated in the old one's time, is nobody's.
    info = old;
    const { code, report } = await verifyC(await answerOf(fresh));
    assert.equal(code, WRONG);
    assert.deepEqual(wrongNames(report), ["promise-signer", "promise-kept"]);
  });
});
