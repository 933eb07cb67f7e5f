// Minutes at 80 % of the peak that is found first, with reads and a settlement every minute: no error, and memory that stays flat.
//   node tests/e2e/soak-peak.mjs [--minutes N]
//
// Arrays of 100, signed while they are sent: 10 minutes of bundles at that share would fill a disk.  Flat: a straight line through the
// service's own memory after the first minute (caches are full by then) rises by GROWTH_MAX_MIB at most from its begin to its end.
import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { BINARY } from "../../scripts/lib/gateway.mjs";
import { sleep } from "../../scripts/lib/process.mjs";
import { memoryKib } from "../bench/lib.mjs";
import { accepted, startLoad } from "../bench/load.mjs";
import { startWorld } from "./world.mjs";

const { values } = parseArgs({ options: { minutes: { type: "string", default: "10" } } });
const MINUTES = Number(values.minutes), PEAK_S = 20, SHARE = 0.8, KEPT = 0.9, WARM_UP_MS = 60_000, SAMPLE_MS = 2000;
const SANITIZED = /address|thread|undefined/.test(BINARY); // keeps freed memory: its own report counts
const GROWTH_MAX_MIB = 8, RSS_MAX_MIB = 256;
const LOAD = { form: "array", per: 100, connections: 16, requests: 10_000_000, ahead: 64 };

/** What a least-squares line rises from the first sample to the last. */
function rise(samples) {
  const n = samples.length, meanX = (n - 1) / 2, meanY = samples.reduce((a, b) => a + b, 0) / n;
  let xy = 0, xx = 0;
  samples.forEach((y, x) => { xy += (x - meanX) * (y - meanY); xx += (x - meanX) ** 2; });
  return xy / xx * (n - 1);
}

async function findPeak(world) {
  const load = await startLoad(world, LOAD);
  await sleep(PEAK_S * 1000);
  return accepted(await load.stop()).raw;
}

/** One a minute, or as soon as the one before is done; how many. */
async function settleEveryMinute(world, end) {
  let settlements = 0;
  for (let next = Date.now() + 60_000; next < end; next = Math.max(next + 60_000, Date.now())) {
    await sleep(next - Date.now());
    assert.equal((await world.settle("--timeout", "3600")).state, "final");
    console.log(`soak-peak: settlement ${++settlements} is final, ${Math.round(memoryKib(world.gateway.pid, "RssAnon") / 1024)} MiB`);
  }
  return settlements;
}

async function readAndSample(world, end) {
  const samples = [], warm = Date.now() + WARM_UP_MS;
  for (; Date.now() < end; await sleep(SAMPLE_MS)) {
    for (const page of ["/v1/info", `/v1/accounts/${world.nodes[0].address}`, "/v1/settlements"]) assert.equal((await world.gateway.get(page)).status, 200, page);
    if (Date.now() >= warm) samples.push(memoryKib(world.gateway.pid, "RssAnon") / 1024);
  }
  assert.ok(samples.length > 10, `only ${samples.length} samples of memory`);
  return samples;
}

async function soak(world) {
  const peak = await findPeak(world), rate = Math.floor(peak * SHARE), end = Date.now() + MINUTES * 60_000;
  const load = await startLoad(world, { ...LOAD, rate });
  console.log(`soak-peak: the peak is ${Math.round(peak)} receipts/s, going on at ${rate}`);
  const [samples, settlements] = await Promise.all([readAndSample(world, end), settleEveryMinute(world, end)]);
  const report = accepted(await load.stop()), grown = rise(samples), most = memoryKib(world.gateway.pid, "VmHWM") / 1024;
  console.log(`soak-peak: ${report.accepted} receipts at ${Math.round(report.raw)} a second, ${settlements} settlements, p99 ${report.p99} ms, ${report.busy} times told to wait; `
    + `memory rises by ${grown.toFixed(1)} MiB, allowed are ${GROWTH_MAX_MIB}, ${Math.round(most)} MiB at most`);
  assert.ok(report.raw >= KEPT * rate, `${Math.round(report.raw)} receipts a second went in, not ${rate}`);
  if (SANITIZED) return;
  assert.ok(grown <= GROWTH_MAX_MIB, "memory grows");
  assert.ok(most <= RSS_MAX_MIB, "memory is over its bound");
}

let failure;
const world = await startWorld({ seed: 111, settings: { RECEIPTS_RATE_LIMIT: 0, RECEIPTS_DAILY_LIMIT: 10n ** 30n } });
try {
  await soak(world);
} catch (error) {
  failure = error;
}
await world.end().catch((error) => { failure ??= error; });
console.log(failure ? `soak-peak: ${failure.message}` : "soak-peak: no error, flat memory");
process.exit(failure ? 1 : 0);
