// Rounds of trouble under load, with two and with three gateways on one PostgreSQL: kill -9 or SIGSTOP of one of them or of the one
// that settles, or every connection of the database cut.  Afterwards nothing is lost, and nobody was paid twice.
//   node tests/e2e/rounds.test.mjs [--rounds N] [--seed N]      N rounds of each; the same seed is the same trouble
import assert from "node:assert/strict";
import path from "node:path";
import { describe, it } from "node:test";
import { parseArgs } from "node:util";
import { ensureServer, sql } from "../../scripts/lib/postgres.mjs";
import { endAll, sleep, until } from "../../scripts/lib/process.mjs";
import { Rng } from "./jobs.mjs";
import { startWorld } from "./world.mjs";

ensureServer(import.meta.url);

const { values: options } = parseArgs({ options: { rounds: { type: "string", default: "5" }, seed: { type: "string", default: "1" } } });
const ROUNDS = Number(options.rounds), SEED = Number(options.seed);
const TROUBLES = ["stop settler", "kill gateway", "cut", "kill settler", "stop gateway"]; // each comes once in five rounds
const LEASE_MS = 12_000, GROUP = 5, CLIENTS = 4;

class Run {
  static async start(count, seed) {
    const run = new Run();
    run.rng = new Rng(seed);
    run.happened = [];
    run.sent = 0;
    run.beside = 0;
    run.world = await startWorld({ seed, blockTime: 0.25, settings: { CHAIN_CONFIRMATIONS: 2 } });
    run.books = run.world.books();
    run.gateways = [run.world.gateway];
    try {
      for (let i = 1; i < count; i++) run.gateways.push(run.world.gateway.another(path.join(run.world.dir, `gateway-${i + 1}`)));
      await Promise.all(run.gateways.slice(1).map((gateway) => gateway.serve()));
    } catch (error) {
      await run.end().catch(() => {});
      throw error;
    }
    return run;
  }

  end() {
    return endAll(...this.gateways.slice(1).map((gateway) => () => gateway.end()), () => this.world.end());
  }

  sql(text) {
    return sql(this.world.gateway.env.QUITTANCE_STORE_URL, text);
  }

  /** Those that answer. */
  awake() {
    return this.gateways.filter((gateway) => gateway.process && !gateway.stopped);
  }

  any(list) {
    return list[this.rng.below(list.length)];
  }

  settler() {
    const pid = Number(this.sql("SELECT holder FROM settler").match(/^process (\d+) /)?.[1]);
    return this.awake().find((gateway) => gateway.pid === pid);
  }

  /** Groups of receipts until it is told to stop, each as a node sends it: to any gateway, again until it is answered as kept. */
  async load() {
    while (!this.enough) {
      const nodes = this.world.nodes, models = this.world.models;
      const group = await Promise.all(Array.from({ length: GROUP }, (_, i) => this.world.jobs.signed(nodes[i % 3], models[i % 3].model)));
      await until(async () => {
        const { status, body } = await this.any(this.awake()).post("/v1/receipts", group);
        if (status !== 200) return false;
        for (const item of body.results) assert.match(item.status, /^(accepted|duplicate)$/, JSON.stringify(item));
        return true;
      }, "a group of receipts kept");
      for (const receipt of group) this.books.add(receipt);
      this.sent += group.length;
    }
  }

  /** Counts the groups that these have written beside others; of one that is killed they are counted before. */
  async countBeside(gateways) {
    for (const gateway of gateways) {
      const { body } = await gateway.admin("GET", "/metrics");
      this.beside += Number(/^quittance_groups_beside_total (\d+)$/m.exec(body)?.[1]);
    }
  }

  /** As cron would ask; who is asked may be killed meanwhile. */
  ask() {
    this.any(this.awake()).admin("POST", "/admin/v1/settlements", {}).catch(() => {});
  }

  async kill(gateway) {
    await this.countBeside([gateway]);
    const { child, ended, log } = gateway.process;
    gateway.process = undefined;
    child.kill("SIGKILL");
    assert.equal((await ended).signal, "SIGKILL", log().slice(-4000));
    await sleep(this.rng.below(1500));
    await gateway.serve();
  }

  async stop(gateway, ms) {
    gateway.stopped = true;
    gateway.process.child.kill("SIGSTOP");
    await sleep(ms);
    gateway.process.child.kill("SIGCONT");
    gateway.stopped = false;
  }

  /** The first settler that is stopped stays so past its lease, until another settles. */
  async stopSettler(gateway) {
    if (this.outlived) return this.stop(gateway, 500 + this.rng.below(2000));
    this.outlived = true;
    gateway.stopped = true;
    gateway.process.child.kill("SIGSTOP");
    await sleep(LEASE_MS);
    await until(() => this.settler(), "another settles", 20_000);
    gateway.process.child.kill("SIGCONT");
    gateway.stopped = false;
  }

  async round(trouble) {
    this.happened.push(trouble);
    this.ask();
    await sleep(this.rng.below(500));
    const [what, whom] = trouble.split(" ");
    if (what === "cut")
      this.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = current_setting('application_name') AND pid <> pg_backend_pid()");
    else {
      const victim = whom === "settler" ? await until(() => this.settler(), "one settles", 30_000) : this.any(this.awake());
      if (what === "kill") await this.kill(victim);
      else if (whom === "settler") await this.stopSettler(victim);
      else await this.stop(victim, 500 + this.rng.below(2000));
    }
    this.ask();
    await sleep(this.rng.below(500));
  }

  /** No more trouble: what is left is settled. */
  async finish() {
    await until(async () => {
      const { status, body } = await this.any(this.awake()).admin("POST", "/admin/v1/settlements", { wait: 5 });
      return status === 202 && body.nothing === true;
    }, "all settled", 60_000);
  }

  async check() {
    assert.equal(Number(this.sql("SELECT COUNT(*) FROM receipts")), this.sent);
    await this.world.assertPaidOnce(this.books);
    for (const gateway of this.gateways) {
      const report = await gateway.command(["audit", gateway.url]);
      assert.deepEqual([report.ok, report.receipts], [true, this.sent], JSON.stringify(report));
    }
  }
}

function shuffled(list, rng) {
  const left = [...list], out = [];
  while (left.length > 0) out.push(...left.splice(rng.below(left.length), 1));
  return out;
}

// Most of a round is waiting for somebody who is stopped.
describe("rounds of trouble under load", { concurrency: 2 }, () => {
  for (const count of [2, 3])
    it(`${count} gateways, ${ROUNDS} rounds: --rounds ${ROUNDS} --seed ${SEED}`, async (t) => {
      const run = await Run.start(count, SEED + count);
      try {
        const load = Promise.all(Array.from({ length: CLIENTS }, () => run.load()));
        load.catch(() => {}); // awaited below
        for (let done = 0; done < ROUNDS; )
          for (const trouble of shuffled(TROUBLES, run.rng))
            if (done < ROUNDS) {
              await Promise.race([run.round(trouble), load.then(() => assert.fail("the load ended"))]);
              done++;
            }
        run.enough = true;
        await load;
        await run.finish();
        await run.countBeside(run.gateways);
        assert.ok(run.beside > 0, "groups of several gateways are written beside each other");
        await run.check();
      } catch (error) {
        run.enough = true;
        for (const gateway of run.gateways) gateway.process?.child.kill("SIGCONT");
        console.error(`seed ${SEED}: ${error.stack}\n${run.happened.join(", ")}\n${run.gateways.map((g) => g.process?.log().slice(-3000)).join("\n---\n")}`);
        throw error;
      } finally {
        await run.end();
      }
      t.diagnostic(`${run.sent} receipts, ${run.beside} groups beside others; ${run.happened.join(", ")}`);
    });
});
