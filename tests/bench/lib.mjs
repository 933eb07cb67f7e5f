// What the benches of the service share: figures as tests/bench/figure.h prints them, a service under real load, what they run.
import fs from "node:fs";
import http from "node:http";
import { firstLine, run, start, stop } from "../../scripts/lib/process.mjs";
import { startWorld } from "../e2e/world.mjs";
import { load, PROGRAMS } from "./load.mjs";

const round = (value) => Number(value.toFixed(value < 10 ? 3 : 1));
let worse = 0;

function tell(figure, value, unit, more = {}) {
  console.log(JSON.stringify({ figure, value: round(value), unit, ...more }));
}

/** A figure that others are measured against, or that stands beside one with a limit. */
export const info = (figure, value, unit) => tell(figure, value, unit);

export function atLeast(figure, value, unit, limit) {
  worse += value >= limit ? 0 : 1;
  tell(figure, value, unit, { limit: round(limit), ratio: round(value / limit) });
}

export function atMost(figure, value, unit, limit) {
  worse += value <= limit ? 0 : 1;
  tell(figure, value, unit, { limit: round(limit), ratio: round(limit / value) });
}

/** A service without the limits that a provider has; its settings beside those. */
export const benchWorld = (settings = {}) => startWorld({ seed: 7, settings: { RECEIPTS_DAILY_LIMIT: 10n ** 30n, RECEIPTS_RATE_LIMIT: 0, ...settings } });

/** Runs a bench on a world of its own and ends with 1 where a figure is worse than its limit. */
export async function bench(work, settings = {}) {
  let failure;
  const world = await benchWorld(settings);
  try {
    await work(world);
  } catch (error) {
    failure = error;
  }
  await world.end().catch((error) => { failure ??= error; });
  if (failure) console.error(failure);
  process.exit(failure ? 2 : worse > 0 ? 1 : 0);
}

async function program(name, args = []) {
  const result = await run(PROGRAMS + name, args.map(String), { timeoutMs: 3_600_000 });
  if (result.code !== 0) throw new Error(`${name} ended with ${result.code ?? result.signal}: ${result.stderr}`);
  return result.stdout.trim().split("\n").map((line) => JSON.parse(line));
}

/** {clock, cpu}: signatures a second on all cores, by the clock and by CPU time. */
export async function verifyRate(seconds = 2) {
  const figures = new Map((await program("bench_verify", [seconds])).map(({ figure, value }) => [figure, value]));
  return { clock: figures.get("verify, all cores"), cpu: figures.get("verify, CPU time of all cores") };
}

/** {p50, p99} in ms of verification alone, of requests that fall due at this rate of signatures a second. */
export async function verifyLatency(rate, per, seconds) {
  const [p50, p99] = await program("bench_verify", [seconds, rate, per]);
  return { p50: p50.value, p99: p99.value };
}

export async function hashRate(seconds = 1) {
  const figures = new Map((await program("bench_hash", [seconds])).map(({ figure, value }) => [figure, value]));
  return { clock: figures.get("hash, all cores"), cpu: figures.get("hash, CPU time of all cores") };
}

/** KiB of a process: VmRSS, VmHWM. */
export const memoryKib = (pid, name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))[1]);
/** The peak begins anew from what is used now. */
export const resetPeak = (pid) => fs.writeFileSync(`/proc/${pid}/clear_refs`, "5");

export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
}

/** Runs a peer (tests/bench/peers) on a port of its own while `work(url, pid)` measures it. */
export async function withPeer(world, name, work) {
  const peer = start(process.execPath, [new URL(`peers/${name}.mjs`, import.meta.url).pathname],
    { env: { PEER_DOMAIN: JSON.stringify(world.domain), PEER_DIR: world.dir } });
  try {
    return await work(await firstLine(peer), peer.child.pid);
  } finally {
    await stop(peer);
  }
}

/** Seconds of CPU a process has used: proc(5), fields 14 and 15, in ticks of 10 ms. */
export function cpuSeconds(pid) {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Posts `count` receipts, as fast as they go in; made before the clock runs where that is to be a measure. */
export const fill = (world, count, { measure = false } = {}) =>
  load(world, { form: "binary", per: 10_000, connections: 4, minimal: true, pace: 100_000, ahead: measure ? 0 : 32, requests: Math.ceil(count / 10_000) });

const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });

/** Ms until the last byte of a GET's answer, which must be a 200. */
export function timedGet(url) {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    http.get(url, { agent }, (answer) => {
      answer.resume();
      answer.on("end", () => answer.statusCode === 200 ? resolve(performance.now() - began) : reject(new Error(`${url}: ${answer.statusCode}`)));
    }).on("error", reject);
  });
}

/** Signs and posts a few receipts; their jobIds. */
export async function knownJobs(world, count) {
  const jobs = await Promise.all(Array.from({ length: count }, (_, i) => world.jobs.signed(world.nodes[i % 3], world.models[i % 3].model)));
  await world.postAccepted(jobs);
  return jobs.map(({ jobId }) => jobId);
}
