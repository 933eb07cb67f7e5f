// Everything at once: receipts in every form, reads, metrics and settlements, for as long as is said.  Meant for the thread
// sanitizer's build, whose reports make the service end with another code than 0:
//   QUITTANCE_BINARY=build/thread/quittance node tests/e2e/busy.mjs [SECONDS]
import assert from "node:assert/strict";
import { sleep } from "../../scripts/lib/process.mjs";
import { accepted, startLoad } from "../bench/load.mjs";
import { startWorld } from "./world.mjs";

const SECONDS = Number(process.argv[2] ?? 20);
const FORMS = [
  { form: "object", connections: 12 },
  { form: "array", per: 100, connections: 4 },
  { form: "bundle", per: 500, connections: 2 },
  { form: "binary", per: 2000, connections: 2, minimal: true },
];

async function readAll(world, jobs, until) {
  const pages = ["/v1/info", "/v1/models", "/v1/settlements", "/v1/settlements/1/rewards.json", "/v1/settlements/1/archive", "/openapi.json", "/readyz",
    ...jobs.map(({ jobId }) => `/v1/receipts/${jobId}`),
    ...world.nodes.flatMap(({ address }) => ["", "/claim"].map((what) => `/v1/accounts/${address}${what}`))];
  let reads = 0;
  while (Date.now() < until)
    for (const page of pages) {
      const { status } = await world.gateway.get(page);
      assert.ok(status < 500 && status !== 400, `${page}: ${status}`);
      assert.equal((await world.gateway.admin("GET", ["/metrics", "/admin/v1/providers", "/admin/v1/quarantine", "/admin/v1/transactions"][reads++ % 4])).status, 200);
    }
  return reads;
}

async function settleAgainAndAgain(world, until) {
  let settled = 0;
  while (Date.now() < until) {
    const { state } = await world.settle();
    assert.ok(state === "final", state);
    settled++;
  }
  return settled;
}

const world = await startWorld({ seed: 91, settings: { RECEIPTS_RATE_LIMIT: 0, RECEIPTS_DAILY_LIMIT: 10n ** 30n } });
const service = world.gateway.process;
let failure, said = "";
try {
  const jobs = await Promise.all(Array.from({ length: 20 }, () => world.jobs.signed(world.nodes[0], world.models[0].model)));
  await world.postAccepted(jobs);
  await world.settle();
  const loads = await Promise.all(FORMS.map((form) => startLoad(world, { requests: 10_000_000, ahead: 4, ...form })));
  const until = Date.now() + SECONDS * 1000;
  // A settlement gives way to the load: its last one ends when that has.
  const stopped = sleep(SECONDS * 1000).then(() => Promise.all(loads.map((load) => load.stop())));
  const work = await Promise.allSettled([readAll(world, jobs, until), readAll(world, jobs, until), settleAgainAndAgain(world, until)]);
  const reports = await stopped;
  for (const { reason } of work) if (reason) throw reason;
  reports.forEach(accepted);
  said = `${reports.map((r, i) => `${r.accepted} by ${FORMS[i].form}`).join(", ")}; ${work[0].value + work[1].value} reads, ${work[2].value} settlements`;
} catch (error) {
  failure = error;
}
await world.end().catch((error) => { failure ??= error; }); // fails when the service does not end with 0
if (/Sanitizer/.test(service.log())) failure ??= new Error("a sanitizer reports");
if (failure) console.error(service.log().slice(-20_000), failure);
console.log(failure ? "busy: failed" : `busy: ${said}, no report`);
process.exit(failure ? 1 : 0);
