// kill -9 of serve at full load, single receipts, arrays and binary bundles at once: every request that had a 2xx is there afterwards,
// each of its receipts.  The load is sent again byte for byte, and all of it must be known.
import assert from "node:assert/strict";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { sleep, until } from "../../scripts/lib/process.mjs";
import { startLoad } from "../bench/load.mjs";
import { Rng } from "./jobs.mjs";
import { startWorld } from "./world.mjs";

const ROUNDS = 3, SEED = 57, TAKEN_FIRST = 12_000; // receipts a round before it is killed, at least
const FORMS = [
  { form: "object", per: 1, connections: 24, requests: 20_000, ahead: 100 },
  { form: "array", per: 100, connections: 8, requests: 2_000, ahead: 10 },
  { form: "binary", per: 10_000, connections: 3, requests: 200, ahead: 4, minimal: true },
];

describe("kill -9 of serve at full load", () => {
  let world;
  const acknowledged = FORMS.map(() => 0);

  before(async () => {
    world = await startWorld({ seed: SEED, settings: { RECEIPTS_RATE_LIMIT: 0, RECEIPTS_DAILY_LIMIT: 10n ** 30n } });
  });
  after(() => world?.end());

  const accepted = async () => {
    const { body } = await world.gateway.admin("GET", "/metrics");
    return Number(/^quittance_receipts_total\{status="accepted"\} (\d+)$/m.exec(body)[1]);
  };

  async function kill() {
    const service = world.gateway.process;
    world.gateway.process = undefined;
    service.child.kill("SIGKILL");
    assert.equal((await service.ended).signal, "SIGKILL", service.log());
  }

  it(`keeps all that was answered, ${ROUNDS} times`, async (t) => {
    const rng = new Rng(SEED);
    for (let round = 0; round < ROUNDS; round++) {
      const start = Date.now() - 60_000;
      const runs = FORMS.map((form, i) => ({ ...form, name: `${form.form} ${round}`, acked: path.join(world.dir, `acked-${round}-${i}`), seed: ((round + 1) * 10 + i) * 1e6, start }));
      const same = ({ seed, start: ms }) => ["--seed", seed, "--start", ms];
      const loads = await Promise.all(runs.map((r) => startLoad(world, { ...r, more: [...same(r), "--acked", r.acked] })));
      await until(async () => await accepted() >= TAKEN_FIRST, "the load is taken");
      await sleep(rng.below(1000));
      await kill();
      const sent = await Promise.all(loads.map((load) => load.ended));
      await world.gateway.serve();
      for (const [i, r] of runs.entries()) {
        const { answered, accepted: receipts, failed, rejected, quarantined, duplicate } = sent[i];
        assert.deepEqual({ failed, rejected, quarantined, duplicate }, { failed: 0, rejected: 0, quarantined: 0, duplicate: 0 }, r.name);
        assert.equal(receipts, answered * r.per, r.name);
        acknowledged[i] += receipts;
        if (answered === 0) continue;
        const again = await (await startLoad(world, { ...r, more: [...same(r), "--only", r.acked] })).ended;
        assert.deepEqual([again.answered, again.duplicate], [answered, receipts], `${r.name}: ${JSON.stringify(again)}`);
      }
      t.diagnostic(`round ${round}: ${sent.map(({ accepted: n }, i) => `${n} by ${FORMS[i].form}`).join(", ")}`);
    }
    assert.ok(acknowledged.every((count) => count > 0), `${acknowledged}: of a form nothing was answered, so nothing is shown`);
  });

  it("settles them, and the books stand", async () => {
    const report = await world.settle();
    const all = acknowledged.reduce((a, b) => a + b);
    assert.ok(report.receipts >= all, `${report.receipts} settled, ${all} acknowledged`);
    assert.equal(report.state, "final");
  });
});
