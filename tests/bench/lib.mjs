// What the benches of the service share: figures as tests/bench/figure.h prints them, a service under real load, the load generator.
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import { firstLine, run, start, stop } from "../../scripts/lib/process.mjs";
import { BINARY } from "../../scripts/lib/gateway.mjs";
import { startWorld } from "../e2e/world.mjs";

export const CORES = os.availableParallelism?.() ?? os.cpus().length;
const PROGRAMS = new URL("../../build/tests/bench/", import.meta.url).pathname;
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

/** Runs a bench on a world of its own and ends with 1 where a figure is worse than its limit. */
export async function bench(work, settings = {}) {
  let failure;
  const world = await startWorld({ seed: 7, settings: { RECEIPTS_DAILY_LIMIT: 10n ** 30n, RECEIPTS_RATE_LIMIT: 0, ...settings } });
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

export async function hashRate(seconds = 1) {
  const figures = new Map((await program("bench_hash", [seconds])).map(({ figure, value }) => [figure, value]));
  return { clock: figures.get("hash, all cores"), cpu: figures.get("hash, CPU time of all cores") };
}

let seed = Date.now() % 1e9 * 1000;

async function loadArgs(world, { url = world.gateway.url, pid = world.gateway.pid, providers = 3, form, per = 1, requests, connections,
  rate, ahead, minimal, more = [] }) {
  const keys = [];
  for (const node of world.nodes.slice(0, providers)) keys.push(...await world.keystoreOf(node));
  seed += requests;
  return ["--url", url, ...keys, "--models", world.models.map((m) => m.model).join(","), "--form", form, "--per", per, "--requests", requests,
    "--connections", connections, "--seed", seed, "--pid", pid, ...(rate ? ["--rate", rate] : []), ...(ahead ? ["--ahead", ahead] : []),
    ...(minimal ? ["--minimal"] : []), ...more].map(String);
}

/** What loadgen prints, with the rates that follow: by the clock with the generator counted out, and by the service's CPU time. */
function measured(text, mayFail = false) {
  const m = JSON.parse(text);
  const bad = m.failed + m.quarantined + m.rejected + m.duplicate + (mayFail ? 0 : m.cut);
  if (bad > 0 || m.accepted === 0) throw new Error(`not all was accepted: ${text}`);
  // The generator takes its share of the cores' time away from the service.
  m.clock = m.accepted / (m.seconds - m.cpuSeconds / CORES);
  m.raw = m.accepted / m.seconds;
  m.cpu = m.accepted / m.serviceCpuSeconds * CORES;
  return m;
}

export async function load(world, options) {
  const result = await run(`${PROGRAMS}loadgen`, await loadArgs(world, options), { timeoutMs: 3_600_000 });
  if (result.code !== 0) throw new Error(`loadgen ended with ${result.code ?? result.signal}: ${result.stderr}`);
  return measured(result.stdout, options.mayFail);
}

/** A load beside which other things are measured; stop() ends it and gives what it did. */
export async function startLoad(world, options) {
  const args = await loadArgs(world, { requests: 100_000_000, ahead: 64, ...options });
  const child = spawn(`${PROGRAMS}loadgen`, args, { stdio: ["ignore", "pipe", "inherit"] });
  const out = [];
  child.stdout.on("data", (bytes) => out.push(bytes));
  const ended = new Promise((resolve) => child.on("close", resolve));
  return {
    async stop() {
      child.kill("SIGTERM");
      const code = await ended;
      if (code !== 0) throw new Error(`loadgen ended with ${code}`);
      return measured(Buffer.concat(out).toString());
    },
  };
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

export { BINARY };
