// The load generator (tests/bench/loadgen.c) against a world's gateway: of benches, and of tests that want a service under load.
import os from "node:os";
import path from "node:path";
import { BINARY } from "../../scripts/lib/gateway.mjs";
import { start, stop } from "../../scripts/lib/process.mjs";

const CORES = os.cpus().length;
const STOPPED_MS = 120_000; // its last requests wait for their answers
/** Beside the binary that is tested, so built as it is. */
export const PROGRAMS = path.join(path.dirname(BINARY), "tests/bench/");

let seed = Date.now() % 1e9 * 1000;

async function commandLine(world, { url = world.gateway.url, pid = world.gateway.pid, providers = 3, form, per = 1, requests, connections,
  rate, ahead, minimal, pace, more = [] }) {
  const keys = [];
  for (const node of world.nodes.slice(0, providers)) keys.push(...await world.keystoreOf(node));
  const first = seed;
  seed += requests;
  return ["--url", url, ...keys, "--models", world.models.map((m) => m.model).join(","), "--form", form, "--per", per, "--requests", requests,
    "--connections", connections, "--seed", first, "--pid", pid, ...(rate ? ["--rate", rate] : []), ...(ahead ? ["--ahead", ahead] : []),
    ...(pace && !rate ? ["--pace", pace] : []), ...(minimal ? ["--minimal"] : []), ...more].map(String);
}

/** What loadgen says, with the rates that follow: as it was, with the generator counted out, and by the service's CPU time. */
function rates(report) {
  const r = report;
  r.raw = r.accepted / r.seconds;
  // The generator takes its share of the cores' time away from the service.
  r.clock = r.accepted / (r.seconds - r.cpuSeconds / CORES);
  r.cpu = r.accepted / r.serviceCpuSeconds * CORES;
  return r;
}

/** A load that has begun, and runs until it has sent all or is told to stop; `ended` is what it says then. */
export async function startLoad(world, options) {
  const started = start(`${PROGRAMS}loadgen`, await commandLine(world, options)), { child } = started;
  const out = [];
  child.stdout.on("data", (bytes) => out.push(bytes));
  const ended = started.ended.then(({ code, signal }) => {
    if (code !== 0) throw new Error(`loadgen ended with ${code ?? signal}: ${started.log()}`);
    return rates(JSON.parse(Buffer.concat(out).toString()));
  });
  const begun = new Promise((resolve) => child.stderr.once("data", resolve));
  await Promise.race([begun, ended.catch(() => {})]); // an error is told to whoever asks for the end
  return { ended, stop: () => stop(started, "SIGTERM", STOPPED_MS).then(() => ended) };
}

/** Every receipt that was sent is accepted, or there is no figure. */
export function accepted(report) {
  const { failed, quarantined, rejected, duplicate, cut } = report;
  if (failed + quarantined + rejected + duplicate + cut > 0 || report.accepted === 0) throw new Error(`not all was accepted: ${JSON.stringify(report)}`);
  return report;
}

export const load = async (world, options) => accepted(await (await startLoad(world, options)).ended);
