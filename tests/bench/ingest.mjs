// How many receipts a second the service takes durably through HTTP, against what the signatures and hashes alone would allow, and
// beside what others would write.  The method is in tests/bench/README.md.
//   scripts/bench ingest-single [--receipts N]      scripts/bench ingest-bundle [--receipts N]
//   scripts/bench postgres-single      scripts/bench postgres-bundle      on a PostgreSQL: the goals are others, CPU time is the gateway's alone
import { parseArgs } from "node:util";
import { atLeast, atMost, bench, benchWorld, hashRate, info, memoryKib, resetPeak, verifyLatency, verifyRate, withPeer } from "./lib.mjs";
import { load } from "./load.mjs";

const { values: { receipts }, positionals: [kind] } = parseArgs({ options: { receipts: { type: "string" } }, allowPositionals: true });

// A node reports a job when it is done and keeps its connection: as many objects are under way as there are nodes.
const OBJECT = { form: "object", connections: 512 };
const ARRAY = { form: "array", per: 100, connections: 16 };
// Jobs that end one after another, at this many a second in the whole network; each request reports those of a second.
const BUNDLE = { form: "binary", per: 10_000, connections: 4, minimal: true, pace: 100_000 };
// The worst of orders: all end within a few seconds, so each request's jobs lie between those of all others.
const SCATTERED = { ...BUNDLE, pace: undefined };
const ON_SERVER = Boolean(process.env.QUITTANCE_TEST_STORE);
const P99_MS = 50, BUNDLE_RATE = ON_SERVER ? 60_000 : 150_000, PEER_TIMES = 200, RSS_MAX_MIB = 256, OF_SQLITE = 0.8;

const mean = (a, b) => ({ clock: (a.clock + b.clock) / 2, cpu: (a.cpu + b.cpu) / 2 });

/** The best of what a peer does with objects and with arrays. */
async function peerRate(world, name, label, arrays) {
  return withPeer(world, name, async (url, pid) => {
    const object = await load(world, { ...OBJECT, connections: 16, url, pid, requests: 1500 });
    const array = await load(world, { ...ARRAY, connections: 4, url, pid, requests: arrays });
    info(`peer, ${label}, an object a request`, object.raw, "receipts/s");
    info(`peer, ${label}, arrays of 100`, array.raw, "receipts/s");
    // One process, so one core: its CPU time is what it would do undisturbed.
    return { object, array, cpu: Math.max(object.accepted / object.serviceCpuSeconds, array.accepted / array.serviceCpuSeconds) };
  });
}

const peers = async (world) => ({
  viem: await peerRate(world, "viem-service", `Node.js ${process.version} and viem`, 20),
  sqlite: await peerRate(world, "sqlite-service", "SQLite insert a request", 100),
});

async function halfLoad(world, label, form, peak, seconds) {
  const rate = Math.floor(peak.raw / 2);
  const per = form.per ?? 1;
  const half = await load(world, { ...form, rate, requests: Math.ceil(rate * seconds / per) });
  const alone = await verifyLatency(rate, per, seconds);
  info(`${label}, p50 at half of its peak`, half.p50, "ms");
  atMost(`${label}, p99 at half of its peak`, half.p99, "ms", P99_MS);
  info(`${label}, p99 of verification alone as these fall due`, alone.p99, "ms");
}

/** Both kinds of singles, after a few that fill its caches. */
async function loadSingles(world, count, between = async () => {}) {
  await load(world, { ...ARRAY, requests: 50 });
  await between();
  const object = await load(world, { ...OBJECT, requests: count });
  await between();
  const array = await load(world, { ...ARRAY, requests: Math.ceil(count * 2 / 100) });
  await between();
  return { object, array };
}

/** Of what the same gateway takes with SQLite on this machine. */
async function besideSqlite(count, { object, array }) {
  const world = await benchWorld({ STORE_URL: "sqlite:quittance.db" });
  try {
    const sqlite = await loadSingles(world, count);
    atLeast("single, an object a request, of SQLite's rate", object.raw / sqlite.object.raw, "", OF_SQLITE);
    atLeast("single, arrays of 100, of SQLite's rate", array.raw / sqlite.array.raw, "", OF_SQLITE);
  } finally {
    await world.end();
  }
}

async function single(world) {
  const count = Number(receipts ?? 60_000);
  // Each between two measures of its limit, so that whatever else goes on is in both.
  const verify = [];
  const { object, array } = await loadSingles(world, count, async () => { verify.push(await verifyRate()); });
  info("verify, all cores", verify[1].clock, "signatures/s");
  for (const [label, m, at, limit] of [["an object a request", object, 0, 0.4], ["arrays of 100", array, 1, 0.6]]) {
    const of = mean(verify[at], verify[at + 1]);
    info(`single, ${label}`, m.clock, "receipts/s");
    const tellShare = ON_SERVER ? info : atLeast;
    tellShare(`single, ${label}, of verify by CPU time`, m.cpu / of.cpu, "", limit);
    tellShare(`single, ${label}, of verify by the clock`, m.clock / of.clock, "", limit);
  }
  if (ON_SERVER) await besideSqlite(count, { object, array });
  await halfLoad(world, "single, an object a request", OBJECT, object, 8);
  await halfLoad(world, "single, arrays of 100", ARRAY, array, 8);
  if (ON_SERVER) return;
  const { viem, sqlite } = await peers(world);
  info("single, arrays of 100, against Node.js and viem", array.raw / viem.array.raw, "times");
  info("single, an object a request, against SQLite insert a request", object.raw / sqlite.object.raw, "times");
}

async function bundle(world) {
  const count = Number(receipts ?? 1_500_000);
  await load(world, { ...BUNDLE, requests: 20 });
  resetPeak(world.gateway.pid);
  const m = await load(world, { ...BUNDLE, requests: Math.ceil(count / BUNDLE.per) });
  const peak = memoryKib(world.gateway.pid, "VmHWM") / 1024;
  const scattered = await load(world, { ...SCATTERED, requests: Math.ceil(count / 2 / BUNDLE.per) });
  const hash = await hashRate();
  info("bundles, through HTTP, whole machine", m.raw, "receipts/s");
  atLeast("bundles, through HTTP, the generator counted out", m.clock, "receipts/s", BUNDLE_RATE);
  (ON_SERVER ? info : atLeast)("bundles, through HTTP, by CPU time", m.cpu, "receipts/s", BUNDLE_RATE);
  info("bundles, of hash by CPU time", m.cpu / hash.cpu, "");
  info("bundles, all of the same few seconds, by the clock", scattered.clock, "receipts/s");
  info("bundles, all of the same few seconds, by CPU time", scattered.cpu, "receipts/s");
  info("bundles, p99 of an answer at peak", m.p99, "ms");
  atMost("bundles, peak memory", peak, "MiB", RSS_MAX_MIB);
  if (ON_SERVER) return;
  const { viem } = await peers(world);
  atLeast("bundles, against Node.js and viem by the clock", m.clock / Math.max(viem.object.raw, viem.array.raw), "times", PEER_TIMES);
  atLeast("bundles, against Node.js and viem by CPU time", m.cpu / viem.cpu, "times", PEER_TIMES);
}

if (!["single", "bundle"].includes(kind)) throw new Error("usage: ingest.mjs single|bundle [--receipts N]");
await bench(kind === "single" ? single : bundle);
