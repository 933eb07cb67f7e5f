// Settlements while the node fails in every way that nodes do (fault-proxy.mjs), the chain reorganises and its fees leap, and the
// service is killed with -9: once the faults end, all becomes final, and everybody has got exactly what was earned, once.
//   node tests/e2e/faults.test.mjs [--runs N] [--seed N]      one run a seed, counted up from the first; a seed runs again alone
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseArgs } from "node:util";
import { CommandFailed } from "../../scripts/lib/gateway.mjs";
import { endAll, sleep } from "../../scripts/lib/process.mjs";
import { FaultProxy } from "./fault-proxy.mjs";
import { Rng } from "./jobs.mjs";
import { startWorld } from "./world.mjs";

const { values: options } = parseArgs({ options: { runs: { type: "string", default: "5" }, seed: { type: "string", default: "1" } } });
const SETTLEMENTS = 2;
const RAGE_MS = 3000; // a settlement
const CONFIRMATIONS = 4;
const FINAL_WITHIN_MS = 60_000;
const GWEI = 10n ** 9n;

class Run {
  static async start(seed) {
    const run = new Run();
    run.rng = new Rng(seed);
    run.happened = [];
    run.world = await startWorld({
      seed, blockTime: 0.25, settings: { CHAIN_CONFIRMATIONS: CONFIRMATIONS },
      between: async (chain) => (run.proxy = await FaultProxy.start(chain.url, seed)).url,
    });
    run.books = run.world.books();
    await run.world.chain.test.mine({ blocks: CONFIRMATIONS }); // what this world began with is no reorg's: nobody would send it again
    return run;
  }

  async end() {
    this.proxy.calm();
    await endAll(() => this.world.end(), () => this.proxy.stop());
  }

  async post() {
    for (let i = 0; i < 2; i++) {
      const receipts = await Promise.all(this.world.nodes.map((node, n) => this.world.jobs.signed(node, this.world.models[n].model)));
      await this.world.postAccepted(receipts);
      for (const receipt of receipts) this.books.add(receipt);
    }
  }

  /** Asks for a settlement, as cron would; who answers may be killed meanwhile. */
  ask() {
    this.world.gateway.admin("POST", "/admin/v1/settlements", {}).catch(() => {});
  }

  async killAndServe() {
    const service = this.world.gateway.process;
    this.world.gateway.process = undefined;
    service.child.kill("SIGKILL");
    assert.equal((await service.ended).signal, "SIGKILL", service.log().slice(-4000));
    await this.world.gateway.serve();
  }

  /** Transactions of the blocks that go are lost, too: anvil returns none to its pool. */
  reorg() {
    return this.world.chain.client.request({ method: "anvil_reorg", params: [1 + this.rng.below(CONFIRMATIONS - 1), []] });
  }

  baseFee(gwei) {
    return this.world.chain.test.setNextBlockBaseFeePerGas({ baseFeePerGas: BigInt(gwei) * GWEI });
  }

  async trouble(name) {
    this.happened.push(name);
    if (name === "kill") await this.killAndServe();
    if (name === "reorg") await this.reorg();
    if (name === "fees") await this.baseFee(2 + this.rng.below(60));
  }

  /** Always one kill, at any moment; the rest as the seed has it.  Asked again and again, so that no pause wastes the faults. */
  async rage() {
    const end = Date.now() + RAGE_MS, troubles = [{ name: "kill", at: Date.now() + this.rng.below(RAGE_MS) }];
    for (let i = 0; i < 3; i++) troubles.push({ name: ["reorg", "fees", "kill"][this.rng.below(3)], at: Date.now() + this.rng.below(RAGE_MS) });
    troubles.sort((a, b) => a.at - b.at);
    this.proxy.rage();
    while (Date.now() < end || troubles.length > 0) {
      this.ask();
      if (troubles[0]?.at <= Date.now()) await this.trouble(troubles.shift().name);
      else await sleep(100);
    }
  }

  /** No faults any more.  A run that still trips over one from before is asked for again. */
  async finish() {
    const end = Date.now() + FINAL_WITHIN_MS;
    this.proxy.calm();
    await this.baseFee(1);
    for (;;) {
      try {
        const report = await this.world.settle();
        if (report.state === "final" || report.nothing) return;
        throw new Error(`settle --wait came back with ${JSON.stringify(report)}`);
      } catch (error) {
        if (!(error instanceof CommandFailed) || error.code !== 75 || Date.now() > end) throw error; // 75: try again later
        await sleep(250);
      }
    }
  }

  async check() {
    await this.world.assertPaidOnce(this.books);
    assert.equal(await this.world.view("sequence"), BigInt(SETTLEMENTS));
    const { body } = await this.world.gateway.get("/v1/settlements");
    assert.deepEqual(body.items.map((s) => s.state), Array(SETTLEMENTS).fill("final"));
    assert.ok(await this.world.gateway.command(["audit", this.world.gateway.url]));
  }
}

// Most of a run is waiting for blocks.
describe("settlements through faults of every kind", { concurrency: 3 }, () => {
  const first = Number(options.seed);
  for (let seed = first; seed < first + Number(options.runs); seed++)
    it(`pays everybody once: --runs 1 --seed ${seed}`, async (t) => {
      const run = await Run.start(seed);
      try {
        for (let i = 0; i < SETTLEMENTS; i++) {
          await run.post();
          await run.rage();
          await run.finish();
        }
        await run.check();
      } catch (error) {
        console.error(`seed ${seed}: ${error.message}\n${run.happened.join(" ")}\n${run.proxy.summary()}\n${run.world.gateway.process?.log().slice(-6000)}`);
        throw error;
      } finally {
        await run.end();
      }
      t.diagnostic(`seed ${seed}: ${run.happened.join(" ")}; ${run.proxy.summary()}`);
    });
});
