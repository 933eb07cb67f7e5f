// A contract is replaced while nodes go on posting: each job is taken for one of the two contracts, once, and paid by it.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { encodeFunctionData, getAddress, isAddressEqual } from "viem";
import { ERC20 } from "../../scripts/lib/devchain.mjs";
import { CommandFailed, Gateway } from "../../scripts/lib/gateway.mjs";
import { endAll, until } from "../../scripts/lib/process.mjs";
import { makeDomain } from "../../scripts/lib/typed.mjs";
import { Jobs, person, Rng } from "./jobs.mjs";
import { writeKeystore } from "./keystore.mjs";
import { Books } from "./recompute.mjs";
import { rewardsRoot } from "./trees.mjs";
import { assertProblem, SETTLEMENT_ABI, startWorld } from "./world.mjs";

const JOBS = 240;
const POSTERS = 4;
const ROLE_DELAY = 86_400;
const MINIMUM = 10n ** 13n; // of the old contract: whoever is owed less is left to claim

describe("a contract is replaced by its successor", () => {
  let world, old, next, books, info;
  const sent = [];          // receipts of the old gateway before the move
  const jobs = [];          // {receipt, old, new}: the content and its two signed forms
  const postings = { old: undefined, new: undefined };       // Jobs by whose domain they sign

  const conf = (gateway) => path.join(gateway.dir, "quittance.conf");
  const refused = (promise, code, words) => assert.rejects(promise, (error) => {
    assert.ok(error instanceof CommandFailed, error.stack);
    assert.equal(error.code, code, error.message);
    assert.match(error.stderr, words);
    return true;
  });
  const signer = (gateway, who) => writeKeystore(path.join(gateway.dir, "operator.json"), path.join(gateway.dir, "passphrase"),
    who.privateKey, who.address);
  const view = (contract, functionName, ...args) =>
    world.chain.client.readContract({ address: contract, abi: SETTLEMENT_ABI, functionName, args });
  const some = (count) => Promise.all(Array.from({ length: count }, (_, i) =>
    postings.old.signed(world.nodes[i % 2], world.models[i % 3].model)));

  before(async () => {
    world = await startWorld({ seed: 61, settings: { CONTRACT_ROLE_DELAY: ROLE_DELAY } });
    old = world.gateway;
    // In the file, as the next gateway reads it: the environment is about one gateway.
    fs.writeFileSync(conf(old), fs.readFileSync(conf(old), "utf8").replace(/^distribute_minimum.*$/m, `distribute_minimum = ${MINIMUM}`));
    await world.stopServing();
    await old.serve();
    postings.old = world.jobs;
  });
  after(() => endAll(() => next?.end(), () => world?.end()));

  it("has settled some receipts, others by half, and holds more when the move begins", async () => {
    sent.push(...await some(20));
    sent.push(await postings.old.signed(world.nodes[2], world.models[0].model, { inputTokens: 7, cachedTokens: 3, outputTokens: 1, units: 0, computeMs: 1 }));
    await world.postAccepted(sent);
    assert.equal((await world.settle()).state, "final");
    for (const count of [15, 12]) {
      const more = await some(count);
      await world.postAccepted(more);
      sent.push(...more);
      if (count === 12) break;
      await world.stopServing();
      await assert.rejects(old.command(["settle", "--wait"], { env: { QUITTANCE_CRASH_AT: "distribute-stored" } }), { signal: "SIGKILL" });
      // Without its chain it takes receipts, but cannot finish what was committed and not paid: that is left to the move.
      await old.serve({ env: { QUITTANCE_CHAIN_RPC: "http://127.0.0.1:9" } });
    }
    assert.equal((await old.get("/v1/settlements/2")).body.state, "active");
  });

  it("makes the successor: its own folder, key and store, and the old one's catalog", async () => {
    next = new Gateway(path.join(world.dir, "successor"), {
      CHAIN_RPC: world.chain.url, API_LISTEN: "127.0.0.1:0", API_ADMIN_LISTEN: "127.0.0.1:0", CHAIN_TOKEN: world.token, CHAIN_PREDECESSOR: conf(old),
    });
    await next.init();
    next.address = person("operator of the successor").address;
    signer(next, person("operator of the successor"));
    await world.chain.test.setBalance({ address: next.address, value: 10n ** 21n });
    const deployed = await next.command(["deploy"]);
    next.contract = deployed.contract;
    postings.new = new Jobs(makeDomain(deployed), 62);
    const data = encodeFunctionData({ abi: ERC20, functionName: "mint", args: [next.contract, 10n ** 27n] });
    await world.chain.client.waitForTransactionReceipt({ hash: await world.chain.wallet.sendTransaction({ to: world.token, data }) });
    const adopted = await next.command(["store", "adopt", conf(old)]);
    assert.deepEqual(adopted, { providers: 3, consumers: 1, prices: 1, models: 3 });
    await refused(next.command(["store", "adopt", conf(old)]), 78, /holds something already/);
    await refused(next.command(["store", "adopt", conf(next)]), 78, /contract is the same/);
  });

  it("does not serve both with one key, nor beside another service of the old one", async () => {
    await refused(next.command(["serve"]), 75, /./);            // the old service has its store
    await world.stopServing();
    signer(next, person("operator"));
    await refused(next.command(["serve"]), 78, /key for each contract/);
    signer(next, person("operator of the successor"));
  });

  it("serves both and lists both", async () => {
    await next.serve();
    info = (await next.get("/v1/info")).body;
    assert.equal(info.contract, getAddress(next.contract));
    assert.deepEqual(info.contracts, [{ address: getAddress(next.contract), state: "active" }, { address: getAddress(world.contract), state: "retiring" }]);
    const before = (await next.get(`/v1/info?contract=${world.contract}`)).body;
    assert.deepEqual([before.contract, before.signer], [getAddress(world.contract), person("operator").address]);
    assertProblem(await next.get(`/v1/info?contract=${world.token}`), 404, "not-found");
    assertProblem(await next.get("/v1/info?contract=next"), 400, "malformed");
  });

  let answered = 0;         // items, of all posters

  /** Posts all jobs in an order of its own, some for the one contract, some for the other; asks again until it is answered. */
  async function poster(number) {
    const rng = new Rng(600 + number), order = jobs.map((job) => ({ job, at: rng.next() })).sort((a, b) => a.at - b.at);
    while (order.length > 0) {
      const group = order.splice(-1 - rng.below(12)).map(({ job }) => (rng.below(2) === 0 ? job.old : job.new));
      await until(async () => {
        const { status, body } = await next.post("/v1/receipts", group);
        if (status === 503) return false;
        assert.equal(status, 200, JSON.stringify(body));
        for (const item of body.results) {
          // Every node has its answer and its promise, whichever form came first.
          assert.ok(["accepted", "duplicate"].includes(item.status), JSON.stringify(item));
          assert.ok(body.promises[item.promise.ref], JSON.stringify(item));
        }
        answered += group.length;
        return true;
      }, "an answer");
    }
  }

  it("takes each job once, posted for both contracts at once, settled by both, killed in the middle", async () => {
    for (let i = 0; i < JOBS; i++) {
      const node = world.nodes[i % 2], receipt = postings.new.make(node, world.models[i % 3].model);
      jobs.push({ receipt, old: await postings.old.sign(node, receipt), new: await postings.new.sign(node, receipt) });
    }
    const posting = Promise.all(Array.from({ length: POSTERS }, (_, i) => poster(i)));
    posting.catch(() => {}); // told below, also when it fails before
    await until(() => answered > JOBS, "a part of the answers");
    const settling = [old, next].map((gateway) => gateway.command(["settle"]).catch((error) => error));
    await until(() => answered > 2 * JOBS, "half of the answers");
    const service = next.process;
    service.child.kill("SIGKILL");
    assert.equal((await service.ended).signal, "SIGKILL");
    const before = answered;
    await Promise.all(settling); // what they say of a service that is killed does not matter
    await next.serve();
    await posting;
    assert.ok(before < POSTERS * JOBS && answered === POSTERS * JOBS, `${before} of ${answered} were answered before the kill`);
  });

  it("has each job in one book only, and finds it without being told which", async () => {
    books = {
      old: new Books({ models: world.models, prices: world.prices, payouts: world.payouts, protocol: old.address }),
      new: new Books({ models: world.models, prices: world.prices, payouts: world.payouts, protocol: next.address }),
    };
    for (const receipt of sent) books.old.add(receipt);
    let inOld = 0;
    for (const { receipt } of jobs) {
      const [before, now, either] = await Promise.all([`?contract=${world.contract}`, `?contract=${next.contract}`, ""]
        .map((query) => next.get(`/v1/receipts/${receipt.jobId}${query}`)));
      assert.deepEqual([before.status, now.status].sort(), [200, 404], receipt.jobId);
      const kept = before.status === 200 ? before : now;
      assert.equal(either.body.hash, kept.body.hash);
      assert.ok(isAddressEqual(either.body.contract, before.status === 200 ? world.contract : next.contract));
      assert.equal(kept.body.amount, String((before.status === 200 ? books.old : books.new).add(receipt)));
      inOld += before.status === 200;
    }
    assert.ok(inOld > 0 && inOld < JOBS, `${inOld} of ${JOBS} jobs went to the old contract`);
  });

  it("announces the end of the old contract, and settles both to final", async () => {
    await next.command(["settle"]);
    // The creators signed for the old contract: only its owner's word makes that count for the new one.
    await refused(next.command(["audit", next.url]), 65, /a contract that retires to this one/);
    await old.command(["contract", "retire", next.contract, "--yes"]);
    for (const [gateway, contract, sums] of [[old, world.contract, books.old], [next, next.contract, books.new]]) {
      await gateway.command(["settle", "--wait"]);
      assert.equal(await view(contract, "total"), sums.total);
      assert.equal(await view(contract, "activeRoot"), rewardsRoot(sums.rewards(), world.token));
      for (const { account, claimable } of sums.rewards()) {
        const paid = await view(contract, "claimed", account);
        assert.ok(paid === claimable || (contract === world.contract && paid === 0n && claimable < MINIMUM), account);
      }
    }
    const accepted = [...sent, ...jobs.map((job) => job.receipt)];
    assert.equal(books.old.receipts + books.new.receipts, accepted.length);
  });

  it("shows an account both contracts, never one sum over both", async () => {
    const { address } = world.nodes[0];
    const { body } = await next.get(`/v1/accounts/${address}`);
    assert.equal(body.earned, String(books.new.account(address).earned));
    assert.equal(body.others.length, 1);
    assert.ok(isAddressEqual(body.others[0].contract, world.contract));
    for (const name of ["earned", "settled", "paid"]) assert.equal(body.others[0][name], String(books.old.account(address).earned), name);
    const before = (await next.get(`/v1/accounts/${address}?contract=${world.contract}`)).body;
    assert.deepEqual([before.earned, before.others], [body.others[0].earned, undefined]);
  });

  it("refuses what is signed for the old contract once that is retired, and names the new one", async () => {
    await world.chain.test.increaseTime({ seconds: ROLE_DELAY + 1 });
    await world.chain.test.mine({ blocks: 1 });
    assert.equal((await next.stop()).code, 0);
    await next.serve();
    assert.deepEqual((await next.get("/v1/info")).body.contracts[1], { address: getAddress(world.contract), state: "retired" });
    const receipt = postings.new.make(world.nodes[0], world.models[0].model);
    const late = await next.post("/v1/receipts", await postings.old.sign(world.nodes[0], receipt));
    assertProblem(late, 422, "invalid-signature");
    assert.ok(late.body.detail.includes(getAddress(next.contract)), late.body.detail);
    assert.equal((await next.post("/v1/receipts", await postings.new.sign(world.nodes[0], receipt))).status, 201);
    assert.equal((await next.post("/v1/receipts", jobs[0].old)).status, 200, "what it took before stays a duplicate");
  });

  it("pays claims by the retired contract's proofs", async () => {
    const { address } = world.nodes[2];
    const { body } = await next.get(`/v1/accounts/${address}/claim`);
    assertProblem(await next.get(`/v1/accounts/${address}/claim`), 404, "nothing-to-claim");
    const [claim] = body.others;
    assert.ok(isAddressEqual(claim.contract, world.contract));
    const before = await world.balance(address);
    const hash = await world.chain.wallet.sendTransaction({ to: claim.contract, data: claim.calldata, gas: 300_000n });
    assert.equal((await world.chain.client.waitForTransactionReceipt({ hash })).status, "success");
    assert.equal(await world.balance(address) - before, BigInt(claim.due));
    const spent = await view(world.contract, "totalClaimed") + await view(next.contract, "totalClaimed");
    assert.equal(spent, books.old.total + books.new.total, "all that was earned was paid, and nothing else");
  });

  it("passes the audit of both, with registrations that were made for the old contract", async () => {
    for (const gateway of [old, next]) assert.equal((await gateway.command(["audit", next.url])).ok, true);
    const archive = (await next.get("/v1/settlements/1/archive")).body.trim().split("\n").map((line) => JSON.parse(line));
    const models = archive.filter((line) => line.type === "model");
    assert.ok(models.length > 0);
    for (const model of models) assert.ok(isAddressEqual(model.contract, world.contract));
  });

  it("serves neither contract alone while a job could be taken for both", async () => {
    assert.equal((await next.stop()).code, 0);
    next.process = undefined;
    await refused(old.command(["serve"]), 78, /was succeeded by 0x/);
    await refused(next.command(["serve"], { env: { QUITTANCE_CHAIN_PREDECESSOR: "" } }), 78, /predecessor is missing/);
    assert.deepEqual((await old.command(["settle"])).nothing, true);
  });
});
