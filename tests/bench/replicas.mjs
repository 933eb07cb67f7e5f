// What a receipt costs on PostgreSQL with one, two and three gateways: CPU time of gateways and server, bytes and round trips between
// them; and how long it takes until another settles after kill -9 of the settler.  The method is in tests/bench/README.md.
//   scripts/with-postgres --durable node tests/bench/replicas.mjs [--receipts N]
import fs from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { schemaOf, sql } from "../../scripts/lib/postgres.mjs";
import { endAll, until } from "../../scripts/lib/process.mjs";
import { DatabaseProxy, socketOf, through } from "../e2e/database-proxy.mjs";
import { startWorld } from "../e2e/world.mjs";
import { atMost, cpuSeconds, info } from "./lib.mjs";
import { load } from "./load.mjs";

const { values: { receipts } } = parseArgs({ options: { receipts: { type: "string", default: "300000" } } });
const COUNT = Number(receipts), TAKEN_OVER_MS = 15_000;
const SERVER = process.env.QUITTANCE_TEST_STORE;

// Small bundles beside large ones: what is paid once a group shows.
const FORMS = [
  { name: "bundles of 10 000", form: "binary", per: 10_000, connections: 4, minimal: true, share: 1 },
  { name: "arrays of 100", form: "array", per: 100, connections: 8, share: 0.1 },
  { name: "an object a request", form: "object", per: 1, connections: 32, share: 0.02 },
];

/** CPU seconds of the server: its first process with all that have ended, and those that live. */
function serverSeconds() {
  const folder = path.dirname(socketOf(SERVER)), first = fs.readFileSync(path.join(folder, "data/postmaster.pid"), "utf8").split("\n")[0];
  const stat = (pid) => fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ").map(Number);
  const own = stat(first), children = fs.readFileSync(`/proc/${first}/task/${first}/children`, "utf8").trim().split(" ");
  let ticks = own[11] + own[12] + own[13] + own[14];
  for (const pid of children) {
    const fields = fs.existsSync(`/proc/${pid}/stat`) ? stat(pid) : [];
    ticks += (fields[11] ?? 0) + (fields[12] ?? 0);
  }
  return ticks / 100;
}

async function roundTrips(gateways) {
  let sum = 0;
  for (const gateway of gateways) {
    const { body } = await gateway.admin("GET", "/metrics");
    sum += Number(/^quittance_database_round_trips_total (\d+)$/m.exec(body)[1]);
  }
  return sum;
}

const sum = (list) => list.reduce((a, b) => a + b, 0);

async function readings(gateways, proxies) {
  return {
    gateway: sum(gateways.map(({ pid }) => cpuSeconds(pid))), server: serverSeconds(), trips: await roundTrips(gateways),
    sent: sum(proxies.map((p) => p.sent)), received: sum(proxies.map((p) => p.received)),
  };
}

async function measure(world, gateways, proxies, form) {
  const requests = Math.max(1, Math.ceil(COUNT * form.share / form.per / gateways.length));
  const one = (gateway) => load(world, { ...form, requests, url: gateway.url, pid: gateway.pid });
  await Promise.all(gateways.map((gateway) => load(world, { ...form, requests: Math.ceil(requests / 20), url: gateway.url, pid: gateway.pid })));
  const before = await readings(gateways, proxies), began = performance.now();
  const taken = sum((await Promise.all(gateways.map(one))).map((report) => report.accepted)), seconds = (performance.now() - began) / 1000;
  const after = await readings(gateways, proxies), each = (name, factor = 1) => (after[name] - before[name]) * factor / taken;
  return { rate: taken / seconds, gateway: each("gateway", 1e6), server: each("server", 1e6), sent: each("sent"), received: each("received"), trips: each("trips") };
}

const UNITS = { rate: "receipts/s by the clock", gateway: "µs of gateways", server: "µs of the server", sent: "bytes to it", received: "bytes from it", trips: "round trips" };

const table = [];
async function replicas(count) {
  const proxies = [], store = schemaOf(SERVER), proxied = async () => {
    proxies.push(await new DatabaseProxy(socketOf(SERVER)).open());
    return through(store, proxies.at(-1));
  };
  const settings = { RECEIPTS_DAILY_LIMIT: 10n ** 30n, RECEIPTS_RATE_LIMIT: 0 };
  const world = await startWorld({ seed: 7, settings: { ...settings, STORE_URL: await proxied() } });
  const gateways = [world.gateway];
  try {
    for (let i = 1; i < count; i++) {
      gateways.push(world.gateway.another(path.join(world.dir, `gateway-${i + 1}`)));
      gateways[i].env.QUITTANCE_STORE_URL = await proxied();
      await gateways[i].serve();
    }
    for (const form of FORMS) {
      const figures = await measure(world, gateways, proxies, form);
      for (const [name, unit] of Object.entries(UNITS)) info(`${form.name}, ${count} gateways, a receipt`, figures[name], unit);
      table.push({ count, name: form.name, ...figures });
    }
    if (count > 1) atMost(`another settles after kill -9, ${count} gateways`, await takeOver(gateways, store), "ms", TAKEN_OVER_MS);
  } finally {
    await endAll(...gateways.slice(1).map((gateway) => () => gateway.end()), () => world.end(), ...proxies.map((proxy) => () => proxy.close()));
  }
}

async function takeOver(gateways, store) {
  const holder = () => Number(sql(store, "SELECT holder FROM settler").match(/^process (\d+) /)?.[1]);
  const killed = await until(() => gateways.find(({ pid }) => pid === holder()), "one settles");
  killed.process.child.kill("SIGKILL");
  const began = performance.now();
  await killed.process.ended;
  killed.process = undefined;
  await until(() => gateways.some(({ pid }) => pid !== killed.pid && pid === holder()), "another settles");
  return performance.now() - began;
}

for (const count of [1, 2, 3]) await replicas(count);
const rounded = (value) => value >= 100 ? Math.round(value) : Number(value.toPrecision(3));
console.log(`\n| a receipt of | gateways | ${Object.values(UNITS).join(" | ")} |\n| --- | --- | ${Object.keys(UNITS).map(() => "---").join(" | ")} |`);
for (const form of FORMS)
  for (const row of table.filter(({ name }) => name === form.name))
    console.log(`| ${row.name} | ${row.count} | ${Object.keys(UNITS).map((name) => rounded(row[name])).join(" | ")} |`);
process.exit(0);
