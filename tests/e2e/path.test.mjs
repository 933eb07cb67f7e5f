// The main job: from signed receipts to tokens in wallets, every published number checked against an independent one.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { SimpleMerkleTree } from "@openzeppelin/merkle-tree";
import { decodeFunctionData, getAddress, isAddressEqual, recoverTypedDataAddress } from "viem";
import { until } from "../../scripts/lib/process.mjs";
import { receiptHash, TYPES } from "../../scripts/lib/typed.mjs";
import { person } from "./jobs.mjs";
import { firstHeader, nextHeader, promiseLeaf, receiptLeaf, receiptsRoot, rewardLeaf, rewardsRoot, rootFromProof } from "./trees.mjs";
import { assertMembers, assertProblem, SETTLEMENT_ABI, startWorld } from "./world.mjs";

const MINIMUM = 10n ** 16n; // whoever is owed less is left to claim

describe("from receipts to tokens in wallets", () => {
  let world, gateway, books;
  const sent = []; // every accepted receipt as it was sent
  const small = () => world.nodes[2];

  before(async () => {
    world = await startWorld({ seed: 11, settings: { SETTLE_DISTRIBUTE_MINIMUM: MINIMUM } });
    gateway = world.gateway;
    books = world.books();
  });
  after(() => world?.end());

  const account = async (address) => (await gateway.get(`/v1/accounts/${address}`)).body;

  /** Accepted receipts of two nodes and all models, one in five countersigned, and one small job of the third node. */
  async function load(count) {
    const receipts = [];
    for (let i = 0; i < count; i++) {
      const node = world.nodes[i % 2], model = world.models[i % 3].model;
      const countersigned = i % 5 === 0;
      const signed = await world.jobs.signed(node, model, countersigned ? { consumer: world.consumer.address } : {});
      receipts.push(countersigned ? await world.jobs.countersign(world.consumer, signed) : signed);
    }
    receipts.push(await world.jobs.signed(small(), world.models[0].model, { inputTokens: 7, cachedTokens: 3, outputTokens: 1, units: 0, computeMs: 1 }));
    return receipts;
  }

  it("answers each receipt with its price and a signed promise", async () => {
    const receipts = await load(60);
    const { results, promises } = await world.postAccepted(receipts);
    results.forEach((item, i) => {
      assert.equal(item.index, i);
      assert.equal(item.jobId, receipts[i].jobId);
      assert.equal(item.receipt, receiptHash(receipts[i]));
      assert.equal(item.amount, String(books.add(receipts[i])));
      assertMembers(item.promise, "ref index");
      assertMembers(promises[item.promise.ref], "root count acceptedAt settleBy signature signer");
    });
    sent.push(...receipts);
  });

  it("gives with ?paths=1 the way from a receipt to the promise's root", async () => {
    const bundle = await world.jobs.jsonBundle(world.nodes[0], [world.jobs.make(world.nodes[0], world.models[2].model),
      world.jobs.make(world.nodes[0], world.models[1].model), world.jobs.make(world.nodes[0], world.models[0].model)]);
    const { status, body } = await gateway.post("/v1/receipts?paths=1", bundle);
    assert.equal(status, 200);
    for (const item of body.results) {
      assert.equal(item.status, "accepted", JSON.stringify(item));
      assert.equal(rootFromProof(promiseLeaf(item.receipt), item.promise.path), body.promises[item.promise.ref].root);
    }
    for (const receipt of bundle.receipts) books.add(receipt);
    sent.push(...bundle.receipts.map((receipt) => ({ ...receipt, bundled: bundle.bundle })));
  });

  it("shows a receipt before it is settled: accepted, with shares and a promise that its signer signed", async () => {
    for (const receipt of [sent[0], sent.at(-1)]) {
      const { status, body } = await gateway.get(`/v1/receipts/${receipt.jobId}`);
      assert.equal(status, 200);
      assertMembers(body, "receipt hash state acceptedAt priceVersion amount shares promise batch");
      assert.equal(body.state, "accepted");
      assert.equal(body.hash, receiptHash(receipt));
      assert.equal(receiptHash(body.receipt), body.hash, "the receipt shown hashes to what was signed");
      const { root, count, acceptedAt, settleBy, signature, signer, path } = body.promise;
      assert.equal(rootFromProof(promiseLeaf(body.hash), path), root);
      const message = { root, count, acceptedAt, settleBy };
      const recovered = await recoverTypedDataAddress({ domain: world.domain, types: TYPES, primaryType: "InclusionPromise", message, signature });
      assert.equal(recovered, signer);
      assert.equal(settleBy - acceptedAt, 72 * 3_600_000);
      assert.ok((await gateway.get("/v1/info")).body.promiseSigners.some((s) => isAddressEqual(s.address, signer)));
    }
  });

  it("shows of a bundled receipt the bundle's signature and the way to its root", async () => {
    const { body } = await gateway.get(`/v1/receipts/${sent.at(-1).jobId}`);
    const { root, count, signature, path } = body.receipt.bundle;
    assert.equal(rootFromProof(promiseLeaf(body.hash), path), root);
    const message = { provider: body.receipt.provider, root, count };
    const signer = await recoverTypedDataAddress({ domain: world.domain, types: TYPES, primaryType: "ReceiptBundle", message, signature });
    assert.equal(signer, world.nodes[0].address);
    assert.ok(!("signature" in body.receipt));
  });

  it("splits each receipt as the recomputation does", async () => {
    for (const receipt of sent.slice(0, 6)) {
      const { body } = await gateway.get(`/v1/receipts/${receipt.jobId}`);
      const { amount, rows, version } = books.sharesOf(receipt);
      assert.equal(body.amount, String(amount));
      assert.equal(body.priceVersion, version);
      const plain = (list) => list.map((s) => `${s.account.toLowerCase()} ${s.role} ${s.model} ${s.amount}`).sort();
      assert.deepEqual(plain(body.shares), plain(rows));
    }
  });

  it("settles beside the running service and reports what it did", async () => {
    const report = await world.settle();
    assertMembers(report, "sequence state receipts total paid failed transactions nothing");
    assert.deepEqual([report.sequence, report.state, report.receipts, report.total, report.failed, report.nothing],
      [1, "final", sent.length, String(books.total), 0, false]);
  });

  it("has paid on the chain, to the unit, everybody who was owed the minimum or more", async () => {
    for (const { account: earner, claimable } of books.rewards()) {
      const expected = claimable >= MINIMUM ? claimable : 0n;
      assert.equal(await world.balance(earner), expected, earner);
      assert.equal(await world.view("claimed", earner), expected, earner);
    }
    assert.equal(await world.view("total"), books.total);
  });

  it("shows every account as the recomputation has it", async () => {
    for (const expected of books.accounts.values()) {
      const shown = await account(expected.account);
      assertMembers(shown, "account earned settled paid pending held byRole byModel");
      const paid = expected.earned >= MINIMUM ? expected.earned : 0n;
      assert.deepEqual([shown.earned, shown.settled, shown.paid, shown.pending, shown.held],
        [expected.earned, expected.earned, paid, expected.earned - paid, 0n].map(String), expected.account);
      for (const role of ["provider", "creator", "lineage", "protocol"])
        assert.equal(BigInt(shown.byRole[role] ?? 0), expected.byRole[role] ?? 0n, `${expected.account} ${role}`);
      assert.deepEqual(Object.fromEntries(Object.entries(shown.byModel).map(([m, x]) => [m, BigInt(x)])), expected.byModel);
    }
    const nobody = await account(person("nobody").address);
    assert.deepEqual([nobody.earned, nobody.settled, nobody.paid, nobody.pending, nobody.held], ["0", "0", "0", "0", "0"]);
  });

  it("says what an enrolled consumer was charged for the jobs it countersigned", async () => {
    const charged = sent.filter((r) => r.consumerSignature).reduce((sum, r) => sum + books.sharesOf(r).amount, 0n);
    assert.equal((await account(world.consumer.address)).charged, String(charged));
  });

  it("publishes rewards whose root is on the chain, with proofs that OpenZeppelin's verifier takes", async () => {
    const { status, body: rewards } = await gateway.get("/v1/settlements/1/rewards.json");
    assert.equal(status, 200);
    assertMembers(rewards, "id metadata root tree");
    assert.equal(rewards.id.toLowerCase(), `quittance-${world.chain.id}-${world.contract}-1`.toLowerCase());
    assertMembers(rewards.metadata, "chainId contract token sequence total active");
    assert.equal(rewards.root, await world.view("activeRoot"));
    assert.equal(rewards.root, rewardsRoot(books.rewards(), world.token));
    const order = rewards.tree.map((row) => BigInt(row.account));
    assert.deepEqual(order, [...order].sort((a, b) => (a < b ? -1 : 1)));
    assert.equal(rewards.tree.reduce((sum, row) => sum + BigInt(row.claimable), 0n), books.total);
    for (const row of rewards.tree) {
      assert.ok(isAddressEqual(row.reward, world.token));
      const leaf = rewardLeaf(row.account, world.token, row.claimable);
      assert.ok(SimpleMerkleTree.verify(rewards.root, leaf, row.proof), row.account);
      assert.equal(rootFromProof(leaf, row.proof), rewards.root);
    }
  });

  it("publishes an archive whose digest is on the chain and whose receipts give the receipts root", async () => {
    const { status, body: text } = await gateway.get("/v1/settlements/1/archive");
    assert.equal(status, 200);
    const { body: settlement } = await gateway.get("/v1/settlements/1");
    assert.equal(`0x${createHash("sha256").update(text).digest("hex")}`, settlement.archive);
    const lines = text.trim().split("\n").map((line) => JSON.parse(line));
    const receipts = lines.filter((line) => line.type === "receipt");
    assert.equal(receipts.length, sent.length);
    assert.equal(receiptsRoot(receipts), settlement.receiptsRoot);
    assertMembers(lines.find((line) => line.type === "batch"), "chainId contract sequence parent receiptsRoot rewardsRoot total receipts");
    const grown = new Map(lines.filter((line) => line.type === "reward").map((line) => [getAddress(line.account), BigInt(line.after) - BigInt(line.before)]));
    assert.deepEqual([...grown.values()].reduce((a, b) => a + b, 0n), books.total);
  });

  it("proves a settled receipt: in the receipts root, its earners in the rewards root", async () => {
    for (const receipt of sent) {
      const { body } = await gateway.get(`/v1/receipts/${receipt.jobId}`);
      assertMembers(body, "settlement inclusion payments");
      assertMembers(body.settlement, "sequence header previousHeader receiptsRoot rewardsRoot archive total receipts committedAt state transaction");
      const { index, salt, proof } = body.inclusion;
      assert.equal(rootFromProof(receiptLeaf(index, body.receipt, salt), proof), body.settlement.receiptsRoot);
      assert.deepEqual(new Set(body.payments.map((p) => p.account)), new Set(body.shares.map((s) => s.account)));
      for (const payment of body.payments) {
        const leaf = rewardLeaf(payment.account, world.token, payment.claimable);
        assert.equal(rootFromProof(leaf, payment.proof), body.settlement.rewardsRoot);
        assert.equal(BigInt(payment.claimed), await world.view("claimed", payment.account));
      }
      const all = body.payments.every((p) => BigInt(p.claimed) >= BigInt(p.claimable));
      assert.equal(body.state, all ? "paid" : "committed", JSON.stringify(body.payments));
      assert.equal(nextHeader(body.settlement.previousHeader, body.settlement), body.settlement.header);
    }
  });

  it("hands out calldata that pays a small sum to its account, whoever sends it", async () => {
    const { status, body: claim } = await gateway.get(`/v1/accounts/${small().address}/claim`);
    assert.equal(status, 200);
    assertMembers(claim, "account reward claimable due proof sequence contract calldata");
    const call = decodeFunctionData({ abi: SETTLEMENT_ABI, data: claim.calldata });
    assert.equal(call.functionName, "claim");
    assert.deepEqual(call.args, [small().address, getAddress(world.token), BigInt(claim.claimable), claim.proof]);
    const before = await world.balance(small().address);
    const hash = await world.chain.wallet.sendTransaction({ to: claim.contract, data: claim.calldata, gas: 300_000n });
    assert.equal((await world.chain.client.waitForTransactionReceipt({ hash })).status, "success");
    assert.equal(await world.balance(small().address) - before, BigInt(claim.due));
    await until(async () => (await account(small().address)).pending === "0", "the claim seen by the gateway", 30_000);
    assertProblem(await gateway.get(`/v1/accounts/${small().address}/claim`), 404, "nothing-to-claim");
  });

  it("pays nothing at a second settle", async () => {
    const before = await world.transfers();
    const report = await world.settle();
    assert.deepEqual([report.nothing, BigInt(report.paid), report.transactions], [true, 0n, 0]);
    assert.deepEqual(await world.transfers(), before);
    assert.equal(await world.view("sequence"), 1n);
  });

  it("answers the same receipts again as duplicates and a changed one as a conflict", async () => {
    const again = sent.filter((r) => !r.bundled);
    const { body } = await gateway.post("/v1/receipts", again);
    assert.deepEqual(new Set(body.results.map((item) => item.status)), new Set(["duplicate"]));
    assert.equal((await gateway.post("/v1/receipts", again[0])).status, 200);
    const { signature: _signature, consumerSignature: _second, ...content } = again[1];
    const changed = await world.jobs.sign(world.nodes[1], { ...content, outputTokens: content.outputTokens + 1 });
    const answer = await gateway.post("/v1/receipts", changed);
    assertProblem(answer, 409, "conflicting-receipt");
    assert.equal(answer.body.jobId, changed.jobId);
    const many = await gateway.post("/v1/receipts", [changed]);
    assert.deepEqual([many.status, many.body.results[0].status, many.body.results[0].code], [200, "rejected", "conflicting-receipt"]);
  });

  it("settles without a service as well, onto the same books", async () => {
    const receipts = await load(30);
    await world.postAccepted(receipts);
    for (const receipt of receipts) books.add(receipt);
    sent.push(...receipts);
    await world.stopServing();
    const report = await world.settle();
    assert.deepEqual([report.sequence, report.state, report.receipts, report.total], [2, "final", receipts.length, String(books.total)]);
    const nothing = await world.settle();
    assert.deepEqual([nothing.nothing, nothing.sequence], [true, 2]);
    await gateway.serve();
    assert.equal(await world.view("activeRoot"), rewardsRoot(books.rewards(), world.token));
    assert.equal((await account(world.nodes[0].address)).paid, String(books.account(world.nodes[0].address).earned));
  });

  it("chains the settlements: every header follows from the one before and is the contract's", async () => {
    const { body } = await gateway.get("/v1/settlements");
    assertMembers(body, "items");
    const rows = [...body.items].sort((a, b) => a.sequence - b.sequence);
    assert.deepEqual(rows.map((row) => row.sequence), [1, 2]);
    let header = firstHeader({ chainId: world.chain.id, contract: world.contract, token: world.token });
    assert.equal(await world.view("header", 0n), header);
    for (const row of rows) {
      assert.equal(row.parent, header);
      header = nextHeader(header, row);
      assert.equal(row.header, header);
      assert.equal(await world.view("header", BigInt(row.sequence)), header);
    }
  });

  it("lists of a settlement its roots, totals and transactions with gas", async () => {
    const { body } = await gateway.get("/v1/settlements/1");
    assertMembers(body, "sequence batch state receiptsRoot rewardsRoot archive total receipts accounts header parent committedAt activeAt paid skipped left transactions");
    assert.equal(body.state, "final");
    for (const tx of body.transactions) {
      assertMembers(tx, "hash kind state nonce block gasUsed effectiveGasPrice attempts");
      const mined = await world.chain.client.getTransactionReceipt({ hash: tx.hash });
      assert.deepEqual([BigInt(tx.block), BigInt(tx.gasUsed)], [mined.blockNumber, mined.gasUsed]);
    }
    assert.deepEqual([...new Set(body.transactions.map((tx) => tx.kind))].sort(), ["commit", "distribute"]);
  });

  it("passes its own audit from published data and the chain", async () => {
    assert.ok(await gateway.command(["audit", gateway.url]));
  });
});
