// kill -9 of the service while receipts come in, and of whatever settles at every step: nothing lost, nothing paid twice.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { keccak256 } from "viem";
import { BINARY, CommandFailed } from "../../scripts/lib/gateway.mjs";
import { endAll, run, sleep, until } from "../../scripts/lib/process.mjs";
import { FaultProxy } from "./fault-proxy.mjs";
import { Rng } from "./jobs.mjs";
import { startWorld } from "./world.mjs";

const ROUNDS = 20;
const SEED = 51;

/** Receipts by the node's own commands: made and signed in a moment. */
async function makeSigned(world, node, count, seed) {
  const key = await world.keystoreOf(node);
  const made = await run(BINARY, ["receipt", "make", "--provider", node.address, "--model", world.models.map((m) => m.model).join(","),
    "--count", String(count), "--seed", String(seed)]);
  const signed = await run(BINARY, ["receipt", "sign", "--url", world.gateway.url, ...key], { input: made.stdout });
  assert.equal(signed.code, 0, signed.stderr);
  return signed.stdout.trim().split("\n").map((line) => JSON.parse(line));
}

async function killService(world) {
  const service = world.gateway.process;
  world.gateway.process = undefined;
  service.child.kill("SIGKILL");
  assert.equal((await service.ended).signal, "SIGKILL", service.log());
}

describe("kill -9 of serve while receipts come in", () => {
  let world, receipts;
  const acknowledged = []; // {receipt, promise root} of everything that had a 2xx

  before(async () => {
    world = await startWorld({ seed: SEED });
    receipts = await makeSigned(world, world.nodes[0], 12_000, SEED);
  });
  after(() => world?.end());

  /** Posts requests of 1 to 40 receipts one after the other until the service is gone. */
  async function postUntilKilled(rng, mine) {
    while (mine.length > 0) {
      const group = mine.splice(-1 - rng.below(40));
      let answer;
      try {
        answer = await world.gateway.post("/v1/receipts", group);
      } catch {
        return; // no answer, so no promise either
      }
      if (answer.status >= 300) continue;
      for (const item of answer.body.results) {
        assert.equal(item.status, "accepted", JSON.stringify(item));
        acknowledged.push({ receipt: group[item.index], root: answer.body.promises[item.promise.ref].root });
      }
    }
  }

  it(`loses none of the receipts that had a 2xx, ${ROUNDS} times`, async () => {
    const rng = new Rng(SEED);
    for (let round = 0; round < ROUNDS; round++) {
      const before = acknowledged.length;
      const mine = receipts.splice(0, 600);
      const posting = [0, 1, 2].map((i) => postUntilKilled(new Rng(SEED * 100 + round * 3 + i), mine.slice(i * 200, (i + 1) * 200)));
      await sleep(rng.below(250));
      await killService(world);
      await Promise.all(posting);
      await world.gateway.serve();
      const fresh = acknowledged.slice(before);
      const { body } = await world.gateway.post("/v1/receipts", fresh.map(({ receipt }) => receipt));
      body.results.forEach((item, i) => {
        assert.equal(item.status, "duplicate", `round ${round}: ${JSON.stringify(item)}`);
        assert.equal(body.promises[item.promise.ref].root, fresh[i].root, "its first promise");
      });
    }
    assert.ok(acknowledged.length > 100, `only ${acknowledged.length} receipts were acknowledged: the moments prove nothing`);
  });

  it("keeps sums that are those of the receipts in the store", async () => {
    const report = await world.settle();
    assert.ok(report.receipts >= acknowledged.length);
    const { body } = await world.gateway.get("/v1/settlements/1/archive");
    const books = world.books();
    const kept = new Set();
    for (const line of body.trim().split("\n").map((text) => JSON.parse(text)).filter((l) => l.type === "receipt")) {
      assert.ok(!kept.has(line.jobId), "a receipt is there twice");
      kept.add(line.jobId);
      books.add(line);
    }
    for (const { receipt } of acknowledged) assert.ok(kept.has(receipt.jobId), `${receipt.jobId} had a 2xx and is not settled`);
    assert.deepEqual([report.receipts, report.total], [kept.size, String(books.total)]);
    assert.ok(await world.gateway.command(["audit", world.gateway.url]));
  });
});

// In the order a run passes them (gateway/settle/crash.h).
const POINTS = ["closed", "prepared", "commit-stored", "commit-sent", "committed", "active", "distribute-stored", "distribute-sent", "distribute-mined", "distributed"];

describe("kill -9 of what settles, at every step of a run", () => {
  let world, books;

  before(async () => {
    world = await startWorld({ seed: SEED + 1, blockTime: 1 });
    books = world.books();
  });
  after(() => world?.end());

  async function serveAnew(options) {
    if (world.gateway.process) await world.stopServing();
    await world.gateway.serve(options);
  }

  async function work() {
    if (!world.gateway.process) await world.gateway.serve();
    const receipts = await Promise.all(world.nodes.map((node, i) => world.jobs.signed(node, world.models[i].model)));
    await world.postAccepted(receipts);
    for (const receipt of receipts) books.add(receipt);
  }

  for (const point of POINTS) {
    it(`the service at "${point}": started again, it finishes the run`, async () => {
      await serveAnew({ env: { QUITTANCE_CRASH_AT: point } });
      await work();
      const service = world.gateway.process;
      await assert.rejects(world.gateway.command(["settle", "--wait"]), CommandFailed);
      assert.equal((await service.ended).signal, "SIGKILL", service.log());
      await serveAnew();
      await world.settle();
      await world.assertPaidOnce(books);
    });

    it(`settle by itself at "${point}": the next run finishes it`, async () => {
      await work();
      await world.stopServing();
      const killed = await run(BINARY, ["-c", `${world.gateway.dir}/quittance.conf`, "settle", "--wait"],
        { env: { ...world.gateway.env, QUITTANCE_CRASH_AT: point } });
      assert.equal(killed.signal, "SIGKILL", `${killed.code} ${killed.stderr}`);
      await world.settle();
      await world.assertPaidOnce(books);
    });
  }

  it("settle by itself at any moment: the next run finishes it", async () => {
    const rng = new Rng(SEED);
    for (let round = 0; round < 4; round++) {
      await work();
      await world.stopServing();
      await run(BINARY, ["-c", `${world.gateway.dir}/quittance.conf`, "settle", "--wait"],
        { env: world.gateway.env, timeoutMs: 100 + rng.below(3500) }); // run() ends it with SIGKILL
      await world.settle();
      await world.assertPaidOnce(books);
    }
  });

  it("leaves books that stand the audit", async () => {
    await world.gateway.serve();
    assert.ok(await world.gateway.command(["audit", world.gateway.url]));
    const { body } = await world.gateway.get("/v1/settlements?limit=1000");
    assert.deepEqual(new Set(body.items.map((s) => s.state)), new Set(["final"]));
  });
});

// What makes the service store other bytes for a nonce that has some already, and where it dies then.
const SECOND_BYTES = [
  {
    point: "void-stored", state: "void",
    // Calls are refused for good; a transfer of nothing, which is short, is not.
    instead: ({ method, params }) => method === "eth_sendRawTransaction" && params[0].length > 500
      ? { error: { code: -32000, message: "intrinsic gas too low: gas 1, minimum needed 2" } } : undefined,
  },
  {
    point: "replacement-stored", state: "final",
    // Taken and never seen again, and by then the market has left it behind.
    instead: ({ method, params }) => method === "eth_sendRawTransaction" ? { result: keccak256(params[0]) } : undefined,
    baseFeePerGas: 40n * 10n ** 9n,
  },
];

describe("kill -9 with other bytes stored for a nonce and not sent yet", () => {
  let world, proxy, books;

  before(async () => {
    world = await startWorld({ seed: SEED + 2, blockTime: 0.5, between: async (chain) => (proxy = await FaultProxy.start(chain.url, SEED)).url });
    books = world.books();
  });
  after(() => endAll(() => world?.end(), () => proxy?.stop()));

  for (const { point, state, instead, baseFeePerGas } of SECOND_BYTES)
    it(`the service at "${point}": started again, it sends those, and pays everybody once`, async () => {
      await world.stopServing();
      await world.gateway.serve({ env: { QUITTANCE_CRASH_AT: point } });
      const receipts = await Promise.all(world.nodes.map((node, i) => world.jobs.signed(node, world.models[i].model)));
      await world.postAccepted(receipts);
      for (const receipt of receipts) books.add(receipt);
      proxy.instead = instead;
      const service = world.gateway.process;
      const settling = assert.rejects(world.gateway.command(["settle", "--wait"]), CommandFailed);
      if (baseFeePerGas) {
        await until(() => /event=tx_sent/.test(service.log()), "the first bytes sent");
        await world.chain.test.setNextBlockBaseFeePerGas({ baseFeePerGas });
      }
      await settling;
      assert.equal((await service.ended).signal, "SIGKILL", service.log());
      proxy.instead = undefined;
      await world.gateway.serve();
      const { sequence } = await world.settle();
      await world.assertPaidOnce(books);
      const { body } = await world.gateway.get(`/v1/settlements/${sequence}`);
      assert.ok(body.transactions.some((tx) => tx.state === state && tx.attempts.length > 1), JSON.stringify(body.transactions));
    });
});
