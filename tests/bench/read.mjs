// How long reads take while receipts come in at half of what the service can take: a receipt with its proof, a receipt that is not
// settled yet, an account.  One reader that asks again as soon as it is answered; its own time is in the figures.  The first proof of a
// settlement may build what later ones use: it stands by itself.
//   scripts/bench read [--seconds N] [--stored N]
import { parseArgs } from "node:util";
import { atMost, bench, fill, info, knownJobs, quantile, timedGet } from "./lib.mjs";
import { accepted, load, startLoad } from "./load.mjs";

const { values } = parseArgs({ options: { seconds: { type: "string", default: "10" }, stored: { type: "string", default: "300000" } } });
const P99_MS = 10;
const INGEST = { form: "binary", per: 1000, connections: 4, minimal: true };

await bench(async (world) => {
  const peak = await load(world, { ...INGEST, requests: 200 });
  const settled = await knownJobs(world, 200);
  await fill(world, Number(values.stored) / 2);
  await world.settle();
  const open = await knownJobs(world, 200);
  await fill(world, Number(values.stored) / 2);
  const paths = {
    "a settled receipt with its proof": settled.map((job) => `/v1/receipts/${job}`),
    "a receipt of the open batch": open.map((job) => `/v1/receipts/${job}`),
    "an account": [...world.nodes, ...world.creators].map(({ address }) => `/v1/accounts/${address}`),
  };
  const rate = Math.floor(peak.raw / 2);
  const beside = await startLoad(world, { ...INGEST, rate, requests: Math.ceil(rate * 3600 / INGEST.per), ahead: 200 });
  info("read, first proof of a settlement", await timedGet(world.gateway.url + paths["a settled receipt with its proof"][0]), "ms");
  const times = Object.fromEntries(Object.keys(paths).map((name) => [name, []]));
  const until = Date.now() + Number(values.seconds) * 1000;
  for (let i = 0; Date.now() < until; i++)
    for (const [name, list] of Object.entries(paths)) times[name].push(await timedGet(world.gateway.url + list[i % list.length]));
  info("read, beside an ingest of", accepted(await beside.stop()).raw, "receipts/s");
  for (const [name, list] of Object.entries(times)) {
    info(`read, ${name}, p50 of ${list.length}`, quantile(list, 0.5), "ms");
    atMost(`read, ${name}, p99`, quantile(list, 0.99), "ms", P99_MS);
  }
});
