// What closing a batch takes, from the moment it is closed to both trees, archive and settlement on disk: idle, then at half of peak
// ingest; whether ingest ever stops for it, how much memory it takes, and how fast proofs from the batch are answered.
//   scripts/bench close [--receipts N]
import { parseArgs } from "node:util";
import { sleep } from "../../scripts/lib/process.mjs";
import { atMost, bench, cpuSeconds, fill, info, knownJobs, memoryKib, quantile, resetPeak, timedGet } from "./lib.mjs";
import { accepted, load, startLoad } from "./load.mjs";

const { values } = parseArgs({ options: { receipts: { type: "string", default: "500000" } } });
const COUNT = Number(values.receipts);
// For 5 million; smaller batches have their part of it.
const FULL = 5_000_000, IDLE_S = 60, LOADED_S = 120, GAP_MS = 100, PROOF_MS = 20, RSS_MAX_MIB = 256;
const AFTER_MS = 5000; // what a settlement leaves to do afterwards must not stop ingest either
const SMALL = { form: "binary", per: 500, connections: 4, minimal: true };

const timeOf = (line) => Date.parse(/^ts=(\S+)/.exec(line)[1]);

const number = (line, name) => Number(new RegExp(` ${name}=(\\d+)`).exec(line)[1]);
let told = 0; // the sequence whose figure was the last

/** Settles what is open; seconds from batch_closed to settlement_prepared in the service's log.  A batch holds five million at most: what
 * came beside them is the next one's, and with its first receipt the full one is closed, so its time counts from when this asks. */
async function close(world) {
  const asked = Date.now();
  await world.settle("--timeout", "3600");
  const lines = world.gateway.process.log().split("\n");
  const prepared = lines.find((line) => line.includes("event=settlement_prepared ") && number(line, "sequence") > told && number(line, "count") >= COUNT);
  if (!prepared) throw new Error(`no batch holds ${COUNT} receipts`);
  const closed = lines.find((line) => line.includes(`event=batch_closed batch=${number(prepared, "batch")} `));
  told = number(prepared, "sequence");
  return { count: number(prepared, "count"), seconds: (timeOf(prepared) - (closed ? timeOf(closed) : asked)) / 1000 };
}

async function proofs(world, jobs, label) {
  const times = [];
  for (const job of jobs) times.push(await timedGet(`${world.gateway.url}/v1/receipts/${job}`));
  info(`close, ${label}, first proof`, times[0], "ms");
  atMost(`close, ${label}, p99 of ${jobs.length} proofs`, quantile(times, 0.99), "ms", PROOF_MS);
}

async function fillBatch(world) {
  const jobs = await knownJobs(world, 100);
  await fill(world, COUNT / 2);
  jobs.push(...await knownJobs(world, 100));
  await fill(world, COUNT / 2);
  return jobs;
}

async function idle(world) {
  const jobs = await fillBatch(world);
  resetPeak(world.gateway.pid);
  const cpu = cpuSeconds(world.gateway.pid);
  const { count, seconds } = await close(world);
  info("close, idle, CPU time", cpuSeconds(world.gateway.pid) - cpu, "s");
  atMost(`close, idle, ${count} receipts`, seconds, "s", IDLE_S * count / FULL);
  atMost("close, idle, peak memory", memoryKib(world.gateway.pid, "VmHWM") / 1024, "MiB", RSS_MAX_MIB);
  await proofs(world, jobs, "idle");
}

async function loaded(world) {
  const peak = await load(world, { ...SMALL, requests: 400 });
  const rate = Math.floor(peak.raw / 2);
  const quiet = await load(world, { ...SMALL, rate, requests: Math.ceil(rate * 5 / SMALL.per) });
  await world.settle("--timeout", "3600");
  await fillBatch(world);
  const beside = await startLoad(world, { ...SMALL, rate, requests: Math.ceil(rate * 7200 / SMALL.per), ahead: 200 });
  resetPeak(world.gateway.pid);
  const { count, seconds } = await close(world);
  await sleep(AFTER_MS);
  const report = accepted(await beside.stop());
  info("close, half of peak ingest", report.raw, "receipts/s");
  info("close, longest time without an answer at that rate, nothing closing", quiet.longestGap, "ms");
  atMost(`close, at half of peak ingest, ${count} receipts`, seconds, "s", LOADED_S * count / FULL);
  atMost("close, longest time without an answer while closing", report.longestGap, "ms", GAP_MS);
  atMost("close, at half of peak ingest, peak memory", memoryKib(world.gateway.pid, "VmHWM") / 1024, "MiB", RSS_MAX_MIB);
}

await bench(async (world) => {
  await idle(world);
  await loaded(world);
});
