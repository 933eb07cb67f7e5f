// A network that looks like one that is used: many providers, models made of models over several steps, prices with a history, several
// settlements, jobs that every rule holds, sums of many sizes, and names as people and enemies write them.
import { DAY, HOUR, modelDigest, startWorld } from "./world.mjs";
import { person } from "./jobs.mjs";

/** What a stranger, or a careless operator, may put wherever text is taken. */
export const EVIL = `<img src=x onerror="window.injected=1">`, EVIL_SCRIPT = `"><script>window.injected=1</script>`;

const LONGEST = "Kooperative für verteiltes Rechnen Nord, Halle 14, Regal 3, Nr 7"; // 64 characters
const PLACES = ["Aurora", "Borealis", "Cinder", "Delta", "Ember", "Fjord", "Gale", "Harbour", "Iris", "Juniper", "Kestrel", "Lumen"];
const NAMES = [LONGEST, "عقدة الحوسبة في دبي", "分散計算ノード 東京第三", EVIL_SCRIPT, "n", ...PLACES.flatMap((place) => [`${place} GPU 1`, `${place} GPU 2`, `${place} Labs`])];

/** [name, creator, parents: [name, basis points]]; a family of seven steps, two of whose ways meet again. */
const FAMILY = [
  ["Granite 70B", 0, []],
  ["Granite 70B Instruct", 1, [["Granite 70B", 3000]]],
  ["Granite Code", 2, [["Granite 70B Instruct", 2500], ["Granite 70B", 500]]],
  ["Granite Code Long Context, four bits, for small accelerators", 3, [["Granite Code", 1250]]],
  ["大規模言語モデル 日本語", 4, [["Granite 70B Instruct", 2000]]],
  ["Merge of code and Japanese", 5, [["Granite Code", 1500], ["大規模言語モデル 日本語", 1500]]],
  ["Merge, distilled", 0, [["Merge of code and Japanese", 900]]],
  [EVIL, 1, [["Merge, distilled", 333]]],
  ["Voice of the sea", 2, []],
  ["Pictures", 3, []],
];
const REFERENCE = `provider,model_id,name,valid_from,input_usd_per_mtok,cache_read_usd_per_mtok,output_usd_per_mtok,tier_input_usd_per_mtok,tier_output_usd_per_mtok
vendor,<b>large</b>,Large,,2.5,0.25,10.000001,,
vendor,small-with-a-long-name-2026-01-preview,Small,,0.15,0.075,0.6,,
`;

const tokens = (text) => (BigInt(Math.round(Number(text) * 1e6)) * 10n ** 12n).toString();
const perMillion = (inputTokens, cachedTokens, outputTokens, units = "0") => ({ inputTokens: tokens(inputTokens), cachedTokens: tokens(cachedTokens), outputTokens: tokens(outputTokens), units: tokens(units), computeMs: "0" });
const SPLIT = { provider: 7000, creator: 2500, protocol: 500 };

async function addPeople(world) {
  world.crowd = NAMES.map((name, i) => ({ ...person(`of the network ${i}`), name }));
  for (const [i, { address, name }] of world.crowd.entries())
    await world.gateway.must("POST", "/admin/v1/providers", { address, name, ...(i % 5 === 0 ? { dailyLimit: tokens(250_000.5 * (i + 1)) } : {}) });
  await world.gateway.must("DELETE", `/admin/v1/providers/${world.crowd.at(-1).address}`);
  world.crowd.pop();
  world.buyers = ["Search portal of the city library", LONGEST, "b"].map((name, i) => ({ ...person(`buyer ${i}`), name }));
  for (const [i, { address, name }] of world.buyers.entries())
    await world.gateway.must("POST", "/admin/v1/consumers", { address, name, ...(i < 2 ? { creditLimit: tokens(1_000_000 * (i + 1)) } : {}) });
  for (const [name, role] of [["cron on the first machine", "operator"], ["dashboard of the office", "viewer"], [EVIL, "viewer"]])
    await world.gateway.must("POST", "/admin/v1/keys", { name, role });
}

async function addFamily(world) {
  const creators = Array.from({ length: 6 }, (_, i) => person(`maker ${i}`));
  world.family = new Map();
  for (const [name, creator, parents] of FAMILY)
    world.family.set(name, await world.addModel(name, creators[creator], parents.map(([parent, shareBps]) => ({ parent: world.family.get(parent), shareBps }))));
  await world.claimModel("Waits to be verified", creators[2], [{ parent: world.family.get("Merge, distilled"), shareBps: 250 }]);
  await world.claimModel("Granite 70B", person("somebody else")); // a second claim to a digest
  world.creators = creators;
}

async function addPrices(world) {
  const now = Date.now(), of = (name) => world.family.get(name);
  for (const [from, ...prices] of [[now - 30 * DAY, 0.9, 0.09, 2.7, 0.1], [now, 0.8, 0.05, 2.2, 0.12], [now + 2 * DAY, 0.7, 0.05, 2, 0.12]])
    await world.setPrice({ model: of("Granite 70B"), unit: "", perMillion: perMillion(...prices), split: SPLIT, effectiveFrom: from });
  for (const [name, unit, prices] of [["Pictures", "image", [0, 0, 0, 40_000]], ["Voice of the sea", EVIL.slice(0, 32), [0.2, 0.1, 0.4, 6]], ["Granite Code", "", [12_345_678.9, 1_234_567.89, 98_765_432.1]]])
    await world.setPrice({ model: of(name), unit, perMillion: perMillion(...prices), split: SPLIT, effectiveFrom: now - 8 * DAY });
  await world.setPrice({ model: of("Merge, distilled"), unit: "", perMillion: { inputTokens: "1000", outputTokens: "3000" }, split: SPLIT, effectiveFrom: now - 8 * DAY });
  await world.setPrice({ model: "*", unit: "image", perMillion: perMillion(0.6, 0.06, 1.9, 0.25), split: { provider: 6800, creator: 2700, protocol: 500 }, effectiveFrom: now });
  await world.setPrice({ model: "*", unit: "image", perMillion: perMillion(0.55, 0.05, 1.75, 0.25), split: SPLIT, effectiveFrom: now + 3 * DAY });
}

/** n jobs over everybody and every model, the older ones first; some bought by somebody who is billed. */
async function jobs(world, n, olderBy) {
  const digests = [...world.family.values(), ...world.models.slice(0, 3).map(({ model }) => model)], receipts = [];
  for (let i = 0; i < n; i++) {
    const node = world.crowd[(i * i + 3 * i) % world.crowd.length], model = digests[i % digests.length], finishedAt = Date.now() - olderBy - (n - i) * 9000;
    const consumer = i % 4 === 0 ? world.buyers[i % 3] : undefined, units = model === world.family.get("Pictures") ? 1 + (i % 4) : 0;
    const job = await world.jobs.signed(node, model, { finishedAt, units, ...(consumer ? { consumer: consumer.address } : {}) });
    receipts.push(consumer ? await world.jobs.countersign(consumer, job) : job);
  }
  await world.postAccepted(receipts);
  return receipts;
}

/** At least one job for each rule that holds them. */
async function holdSome(world, posted) {
  const [digest] = world.family.values(), node = world.crowd[1], held = [];
  for (let i = 0; i < 24; i++) held.push(await world.jobs.signed(world.crowd[i], digest, { finishedAt: Date.now() - 25 * HOUR - i * 3_700_000 }));
  for (let i = 0; i < 4; i++) held.push(await world.jobs.signed(person(`nobody's node ${i}`), digest));
  for (let i = 0; i < 3; i++) held.push(await world.jobs.signed(node, modelDigest(`unheard of ${i}`)));
  held.push(await world.jobs.signed(node, modelDigest("Waits to be verified")));
  held.push(await world.jobs.signed(node, digest, { outputTokens: 9_000_000_000_000, computeMs: 5 }));
  held.push(await world.jobs.signed(world.crowd[3], posted[0].model, { jobId: posted[0].jobId, startedAt: posted[0].startedAt, finishedAt: posted[0].finishedAt }));
  const { body } = await world.gateway.post("/v1/receipts", held);
  const surprises = body.results.filter(({ status }) => status !== "quarantined");
  if (surprises.length > 0) throw new Error(`not held: ${JSON.stringify(surprises)}`);
  await world.gateway.must("POST", `/admin/v1/quarantine/${held[0].provider}/${held[0].jobId}/refuse`, { reason: EVIL });
  await world.gateway.must("POST", `/admin/v1/quarantine/${held[1].provider}/${held[1].jobId}/release`, { reason: "The node’s clock was wrong; its operator sent the logs, and they agree with the consumer’s." });
  return held;
}

export async function startNetwork(settings = {}) {
  const world = await startWorld({ seed: 92, settings: { SETTLE_DISTRIBUTE_MINIMUM: 10n ** 15n, API_EXPLORER: "https://explorer.example/{kind}/{value}", ...settings } });
  try {
    await addPeople(world);
    await addFamily(world);
    await addPrices(world);
    world.posted = [];
    for (let i = 0; i < 4; i++) {
      world.posted.push(await jobs(world, 39, (4 - i) * 2 * HOUR));
      if (i < 3) await world.settle(); // the last wait
    }
    world.held = await holdSome(world, world.posted[0]);
    await world.gateway.must("POST", "/admin/v1/adjustments", { account: world.crowd[1].address, amount: tokens(12.5), sign: "+", reason: EVIL });
    await world.gateway.must("POST", "/admin/v1/adjustments", { account: world.crowd[2].address, amount: "1", sign: "-", reason: "one base unit too many" });
    await world.gateway.must("POST", "/admin/v1/reference-prices", { csv: REFERENCE, date: "2026-08-21", tokenPrice: "0.75",
      models: [{ model: world.family.get("Granite 70B"), provider: "vendor", modelId: "<b>large</b>" }, { model: world.family.get("Voice of the sea"), provider: "vendor", modelId: "small-with-a-long-name-2026-01-preview" }] });
    return world;
  } catch (error) {
    await world.end();
    throw error;
  }
}
