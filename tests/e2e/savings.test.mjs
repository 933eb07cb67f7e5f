// What a consumer's tokens would have cost elsewhere: lists imported and published, statements signed, and every figure made again.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { keccak256, parseUnits, sha256, stringToBytes, verifyTypedData } from "viem";
import { BINARY, Gateway } from "../../scripts/lib/gateway.mjs";
import { run, until } from "../../scripts/lib/process.mjs";
import { assertProblem, startWorld } from "./world.mjs";

const WRONG = 65;
const HEAD = "provider,model_id,name,context_window,deprecated,valid_from,daily_start,daily_end,input_usd_per_mtok,cache_read_usd_per_mtok,"
  + "cache_write_usd_per_mtok,output_usd_per_mtok,tier_start_tokens,tier_input_usd_per_mtok,tier_output_usd_per_mtok,input_audio_usd_per_mtok,"
  + "output_audio_usd_per_mtok,usd_per_1000_requests";
// Prices that changed, that will change, by the hour and for long prompts; no price for cached tokens; no price for output.
const LIST = `${HEAD}
vendor,large,"Large, by Vendor",200000,0,,,,9.5,4,,31,,,,,,
vendor,large,"Large, by Vendor",200000,0,2026-03-13,,,2.5,0.25,,10.000001,200000,5,15,,,
vendor,large,"Large, by Vendor",200000,0,2026-09-01,,,1,0.1,,2,,,,,,
other,@small/x-1,Small,64000,0,,,,0.3,,,1.1,,,,,,
other,@small/x-1,Small,64000,0,,16:30:00Z,00:30:00Z,0.15,,,0.55,,,,,,
other,embedding,Embedding,8000,0,,,,0.02,,,,,,,,,
`;
const TERMS = { date: "2026-08-21", tokenPrice: "0.75" };

/** RFC 4180; each cell with the comma or the end behind it. */
const parseCsv = (text) => {
  const rows = text.split("\r\n").slice(0, -1).map((line) => [...`${line},`.matchAll(/("(?:[^"]|"")*"|[^,]*),/g)]
    .map(([, cell]) => cell.replace(/^"|"$/g, "").replaceAll('""', '"')));
  return rows.slice(1).map((row) => Object.fromEntries(rows[0].map((name, i) => [name, row[i]])));
};

describe("savings", () => {
  let world, consumer, info, charges, savings, models;

  const importing = (over = {}, csv = LIST) => world.gateway.admin("POST", "/admin/v1/reference-prices", { csv, ...TERMS, models, ...over });
  const line = () => models.map(({ model, provider, modelId }) => `${model}=${provider}/${modelId}`).join(",");
  const get = async (pathname) => {
    const { status, body } = await world.gateway.get(pathname);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  };
  const saved = (name, value) => {
    const file = path.join(world.dir, name);
    fs.writeFileSync(file, typeof value === "string" ? value : JSON.stringify(value));
    return file;
  };
  const work = async () => {
    const receipts = [];
    for (const { model } of world.models)
      for (const node of world.nodes)
        receipts.push(await world.jobs.countersign(world.consumer, await world.jobs.signed(node, model, { consumer: world.consumer.address, inputTokens: 4000, cachedTokens: 1003 })));
    receipts.push(await world.jobs.signed(world.nodes[0], world.models[0].model, { consumer: world.consumer.address })); // the treasury's
    await world.postAccepted(receipts);
  };

  before(async () => {
    world = await startWorld({ seed: 77 });
    consumer = `/v1/accounts/${world.consumer.address}`;
    models = [{ model: world.models[0].model, provider: "vendor", modelId: "large" }, { model: world.models[1].model, provider: "other", modelId: "@small/x-1" }];
    await until(async () => (await get("/v1/info")).token.decimals !== undefined, "the token's decimals");
    await work();
  });
  after(() => world?.end());

  it("has no statement without a list", async () => {
    assertProblem(await world.gateway.get(`${consumer}/savings?from=0&until=${Date.now()}`), 404);
    assert.deepEqual(await get("/v1/reference-prices"), { items: [], next: null });
  });

  it("says what is wrong with a list", async () => {
    const row = (over) => [{ ...models[0], ...over }];
    for (const [answer, word] of [
      [await importing({ date: "2026-8-21" }), /date/], [await importing({ date: "2026-02-31" }), /date/], [await importing({ tokenPrice: "0" }), /tokenPrice/],
      [await importing({ tokenPrice: 1 }), /tokenPrice/], [await importing({ models: [] }), /models/], [await importing({ models: [models[0], models[0]] }), /twice/],
      [await importing({ models: row({ modelId: "none" }) }), /vendor\/none has no row in force/], [await importing({ date: "2020-01-01" }, LIST.replaceAll(",,,9.5", ",2021-01-01,,,9.5")), /row|cells/],
      [await importing({ models: [{ model: models[0].model, provider: "other", modelId: "embedding" }] }), /no price for output/],
      [await importing({ models: row({ model: "0x12" }) }), /model/], [await importing({}, LIST.replace("2.5,0.25", "2.5e1,0.25")), /row 3: input_usd_per_mtok/],
      [await importing({}, LIST.replace("output_usd", "out_usd")), /column output_usd_per_mtok/], [await importing({}, `${LIST}vendor,short\n`), /row 8: 2 cells/],
      [await importing({}, `${LIST}"vendor`), /not closed/], [await importing({ more: 1 }), /more/],
    ]) {
      assertProblem(answer, 422);
      assert.match(answer.body.detail, word);
    }
    assertProblem(await world.gateway.admin("POST", "/admin/v1/reference-prices", LIST, { "content-type": "text/plain" }), 415);
    assertProblem(await importing({}, "x".repeat(1_100_000)), 413);
    assertProblem(await world.gateway.admin("POST", "/admin/v1/reference-prices", "x".repeat(2_200_000), { "content-type": "text/csv" }), 413);
    assert.deepEqual((await get("/v1/reference-prices")).items, []);
  });

  it("imports a list once, by CSV, JSON or command, and publishes it byte for byte", async () => {
    const query = new URLSearchParams({ ...TERMS, models: line() });
    const first = await world.gateway.admin("POST", `/admin/v1/reference-prices?${query}`, LIST, { "content-type": "text/csv; charset=utf-8" });
    assert.equal(first.status, 201, JSON.stringify(first.body));
    assert.equal(first.body.digest, keccak256(stringToBytes(LIST)));
    const again = await importing();
    assert.deepEqual([again.status, again.body], [200, first.body]);
    const args = ["reference", "import", saved("list.csv", LIST), "--date", TERMS.date, "--token-price", TERMS.tokenPrice, "--models", line()];
    assert.deepEqual(await world.gateway.command(args), first.body);
    const large = first.body.models.find(({ modelId }) => modelId === "large"), small = first.body.models.find(({ provider }) => provider === "other");
    assert.deepEqual([large.inputPerMillion, large.cachedPerMillion, large.cachedListed, large.outputPerMillion], ["2.5", "0.25", true, "10.000001"]);
    assert.deepEqual([small.inputPerMillion, small.cachedPerMillion, small.cachedListed, small.outputPerMillion], ["0.15", "0.15", false, "0.55"]);
    const second = await importing({ tokenPrice: "0.5" });
    assert.deepEqual([second.status, second.body.version, second.body.digest], [201, 2, first.body.digest]);
    const terms = [second.body, first.body].map(({ models: _, ...rest }) => rest);
    assert.deepEqual((await get("/v1/reference-prices")).items, terms);
    const page = await get("/v1/reference-prices?limit=1");
    assert.deepEqual((await get(`/v1/reference-prices?limit=1&cursor=${page.next}`)).items, terms.slice(1));
    assert.deepEqual(await get("/v1/reference-prices/1"), first.body);
    const file = await world.gateway.get(`/v1/reference-prices/${first.body.digest}`);
    assert.equal(file.body, LIST);
    assert.match(file.headers.get("cache-control"), /immutable/);
    assert.equal((await world.gateway.get(`/v1/reference-prices/${first.body.digest}`, { "if-none-match": file.headers.get("etag") })).status, 304);
    for (const name of ["3", `0x${"12".repeat(32)}`]) assertProblem(await world.gateway.get(`/v1/reference-prices/${name}`), 404);
    assertProblem(await world.gateway.get("/v1/reference-prices/x"), 400);
    const log = (await world.gateway.admin("GET", "/admin/v1/audit")).body.items.filter(({ action }) => action === "reference-import");
    assert.equal(log.length, 2);
  });

  it("states what the same tokens would have cost, to the last digit", async () => {
    const now = Date.now(), period = `from=0&until=${now}`;
    charges = await get(`${consumer}/charges?${period}`);
    savings = await get(`${consumer}/savings?${period}&reference=1`);
    info = await get("/v1/info");
    assert.equal(charges.receipts, 9);
    assert.deepEqual([savings.charges, savings.charged, savings.reference.date], [charges.digest, charges.charged, TERMS.date]);
    const price = { large: [2_500_000n, 250_000n, 10_000_001n], "@small/x-1": [150_000n, 150_000n, 550_000n] }; // 10^-12 dollars a token
    let cost = 0n, compared = 0n, charged = 0n;
    for (const { model } of world.models) {
      const lines = parseCsv(charges.csv).filter((row) => row.model === model), row = savings.models.find((one) => one.model === model);
      const sum = (name) => lines.reduce((total, one) => total + BigInt(one[name]), 0n);
      assert.deepEqual([row.receipts, row.inputTokens, row.cachedTokens, row.outputTokens, row.charged],
        [3, Number(sum("inputTokens")), Number(sum("cachedTokens")), Number(sum("outputTokens")), String(sum("share"))]);
      charged += sum("share");
      const known = models.find((one) => one.model === model);
      assert.equal(row.reference === undefined, known === undefined);
      if (!known) continue;
      const [input, cached, output] = price[known.modelId];
      const exact = 1_000_000n * ((sum("inputTokens") - sum("cachedTokens")) * input + sum("cachedTokens") * cached + sum("outputTokens") * output);
      assert.equal(parseUnits(row.reference.cost, 18), exact);
      cost += exact;
      compared += sum("share");
    }
    assert.equal(String(charged), savings.charged);
    assert.equal(String(compared), savings.compared);
    assert.ok(compared < charged);
    assert.equal(parseUnits(savings.referenceCost, 18), cost);
    const worth = (compared * 75n + 99n) / 100n; // 18 decimals each; rounded up
    assert.equal(parseUnits(savings.comparedCost, 18), worth);
    assert.ok(cost > worth, "elsewhere it costs more");
    assert.deepEqual(savings.saved, { sign: "+", amount: savings.saved.amount, bps: Number(((cost - worth) * 10_000n) / cost) });
    assert.equal(parseUnits(savings.saved.amount, 18), cost - worth);
    assert.equal(savings.digest, sha256(stringToBytes(savings.csv)));
    assert.deepEqual(parseCsv(savings.csv).map(({ model, referenceCost }) => [model, referenceCost]), savings.models.map(({ model, reference }) => [model, reference?.cost ?? ""]));
    const csv = await world.gateway.get(`${consumer}/savings?${period}&reference=1&format=csv`);
    assert.equal(csv.body, savings.csv);
    assert.match(csv.headers.get("content-type"), /^text\/csv/);
    // The last list is the one where none is named: the token is worth less there.
    const other = await get(`${consumer}/savings?${period}`);
    assert.deepEqual([other.reference.version, other.referenceCost], [2, savings.referenceCost]);
    assert.ok(other.saved.bps > savings.saved.bps);
    for (const query of ["from=0", `from=0&until=${now + 60_000}`, `${period}&reference=0`, `${period}&reference=x`]) assertProblem(await world.gateway.get(`${consumer}/savings?${query}`), 400);
    assertProblem(await world.gateway.get(`${consumer}/savings?${period}&reference=9`), 404);
    const nobody = await get(`/v1/accounts/${world.nodes[0].address}/savings?${period}`);
    assert.deepEqual([nobody.models, nobody.charged, nobody.referenceCost, nobody.saved], [[], "0", "0", undefined]);
  });

  it("is signed by the gateway, as any wallet can tell", async () => {
    const types = { SavingsStatement: Object.entries({ consumer: "address", from: "uint64", until: "uint64", charges: "bytes32", charged: "uint256", compared: "uint256",
      list: "bytes32", listDate: "string", tokenPrice: "uint256", decimals: "uint8", referenceCost: "uint256", digest: "bytes32" }).map(([name, type]) => ({ name, type })) };
    const message = { ...savings, from: BigInt(savings.from), until: BigInt(savings.until), list: savings.reference.digest, listDate: savings.reference.date,
      tokenPrice: parseUnits(savings.reference.tokenPrice, 18), decimals: savings.token.decimals, referenceCost: parseUnits(savings.referenceCost, 18) };
    assert.ok(await verifyTypedData({ address: savings.signer, domain: world.domain, types, primaryType: "SavingsStatement", message, signature: savings.signature }));
    assert.ok(info.promiseSigners.some(({ address }) => address === savings.signer));
  });

  async function verify(statement, ...args) {
    const { code, stdout, stderr } = await run(BINARY, ["verify", saved("statement.json", statement), "--info", saved("info.json", info), ...args]);
    return { code, stderr, report: stdout ? JSON.parse(stdout) : undefined };
  }
  const offline = (list = LIST, behind = charges) => ["--list", saved("list.csv", list), "--charges", saved("charges.json", behind)];
  async function assertRight(statement, ...args) {
    const { code, stderr, report } = await verify(statement, ...args);
    assert.equal(code, 0, stderr + JSON.stringify(report));
    assert.ok(report.ok && report.checks.every(({ ok }) => ok));
    return report;
  }

  it("is checked offline, and against the published list", async () => {
    const alone = await assertRight(savings);
    assert.match(alone.notChecked.join("; "), /--list .*--charges/);
    const report = await assertRight(savings, ...offline());
    assert.deepEqual(report.checks.map(({ name }) => name).filter((name) => ["list-digest", "models", "referenceCost", "saved", "numbers", "charges-sum", "signature", "savings-signer"].includes(name)),
      ["list-digest", "models", "referenceCost", "saved", "charges-sum", "numbers", "signature", "savings-signer"]);
    const published = await assertRight(savings, "--published", world.gateway.url);
    assert.ok(published.checks.some(({ name }) => name === "list-pinned"));
    const unsettled = await assertRight(charges, "--published", world.gateway.url);
    assert.match(unsettled.notChecked.join("; "), /9 lines that stand in no archive yet/);
  });

  it("is checked against the chain's token where there is one", async () => {
    const report = await assertRight(savings, ...offline(), "--rpc", world.chain.url);
    assert.ok(report.checks.some(({ name, ok }) => name === "token-decimals" && ok));
    const { report: other } = await verify({ ...savings, token: { ...savings.token, decimals: 17 } }, "--rpc", world.chain.url);
    assert.equal(other.checks.find(({ ok }) => !ok).name, "token-decimals");
  });

  it("names the first thing that does not fit", async () => {
    const bent = (change) => {
      const copy = structuredClone(savings);
      change(copy);
      return copy;
    };
    const at = savings.models.findIndex(({ reference }) => reference);
    for (const [name, statement, args = offline] of [
      ["digest", bent((s) => { s.csv = s.csv.replace(/,3,/, ",4,"); })],
      ["list-digest", savings, () => offline(`${LIST}\n`)],
      ["list-prices", bent((s) => { s.reference.date = "2026-02-30"; })],
      ["models", bent((s) => { s.models[at].reference.inputPerMillion = "2.6"; })],
      ["models", bent((s) => { s.models[at].inputTokens += 1; })],
      ["models", bent((s) => { s.reference.date = "2026-09-01"; })],
      ["charged", bent((s) => { s.charged = "1"; })],
      ["comparedCost", bent((s) => { s.reference.tokenPrice = "0.7"; })],
      ["comparedCost", bent((s) => { s.token.decimals = 17; })],
      ["referenceCost", bent((s) => { s.referenceCost = "99"; })],
      ["saved", bent((s) => { s.saved.bps += 1; })],
      ["saved", bent((s) => { delete s.saved; })],
      ["numbers", bent((s) => { s.models.at(-1).receipts = 2; s.csv = s.csv.replace(/,3,(?![^]*,3,)/, ",2,"); s.digest = sha256(stringToBytes(s.csv)); })],
      ["charges-same", bent((s) => { s.until += 1; })],
      ["charges-named", bent((s) => { s.charges = s.digest; })],
      ["charges-digest", savings, () => offline(LIST, { ...charges, csv: charges.csv.replace("4000", "4001") })],
      ["signature", bent((s) => { s.signature = charges.signature; })],
      ["savings-signer", savings, () => ["--list", saved("list.csv", LIST), "--info", saved("others.json", { ...info, promiseSigners: [{ ...info.promiseSigners[0], address: world.contract }] })]],
      ["list-pinned", bent((s) => { s.reference.version = 2; }), () => ["--published", world.gateway.url]],
      ["list-pinned", bent((s) => { s.reference.version = 7; }), () => ["--published", world.gateway.url]],
      ["savings", bent((s) => { delete s.token; })],
    ]) {
      const { code, stderr, report } = await verify(statement, ...args());
      assert.equal(code, WRONG, `${name}: ${stderr}`);
      assert.equal(report.checks.find(({ ok }) => !ok).name, name, JSON.stringify(report.checks.filter(({ ok }) => !ok)));
      assert.match(stderr, new RegExp(name));
    }
    const other = structuredClone(charges), [head, ...rows] = charges.csv.split("\r\n");
    for (const [name, csv, over = {}] of [
      ["charges-lines", [head, rows[0], ...rows].join("\r\n")],
      ["charges-lines", charges.csv.replace("share", "shares")],
      ["charges-sum", [head, ...rows.slice(1)].join("\r\n"), { receipts: 8 }],
      ["charges-count", charges.csv, { receipts: 8 }],
      ["charges-period", charges.csv, { from: charges.until - 1 }],
      ["charges-signature", charges.csv, { consumer: world.contract }],
    ]) {
      const { code, report } = await verify({ ...other, csv, digest: sha256(stringToBytes(csv)), ...over });
      assert.equal(code, WRONG);
      assert.equal(report.checks.find(({ ok }) => !ok).name, name, JSON.stringify(report));
    }
  });

  it("is checked against the archives once it is settled, from a mirror too", async () => {
    assert.equal((await world.settle()).state, "final");
    const mirror = path.join(world.dir, "mirror");
    await world.gateway.command(["audit", world.gateway.url, "--mirror", mirror]);
    const { files } = JSON.parse(fs.readFileSync(path.join(mirror, "manifest.json")));
    assert.ok([`${savings.reference.digest}.reference.csv`, "1.reference.json", "2.reference.json"].every((name) => files.some((file) => file.name === name)));
    for (const place of [world.gateway.url, mirror]) {
      const report = await assertRight(savings, "--charges", saved("charges.json", charges), "--published", place);
      assert.match(report.checks.find(({ name }) => name === "charges-archived").detail, /^9 of 9 /);
      assert.ok(report.checks.find(({ name }) => name === "charges-complete").ok);
    }
    // A statement that the gateway signs, but that is not what its archives say.
    const [head, ...rows] = charges.csv.split("\r\n"), csv = [head, ...rows.slice(1)].join("\r\n");
    const short = { ...charges, csv, receipts: 8, digest: sha256(stringToBytes(csv)) };
    const { report } = await verify(short, "--published", mirror);
    assert.match(report.checks.find(({ name }) => name === "charges-complete").detail, /billed in settlement 1, is not on the statement/);
    const dearer = { ...charges, csv: charges.csv.replace(/"(\d+)"\r\n$/, (_, share) => `"${BigInt(share) + 1n}"\r\n`) };
    const { report: wrong } = await verify(dearer, "--published", mirror);
    assert.match(wrong.checks.find(({ name, ok }) => !ok && name === "charges-archived").detail, /share is not as in the archive of settlement 1/);
  });

  it("can be checked when the disk was lost and the store rebuilt", async () => {
    const mirror = path.join(world.dir, "mirror"), dir = path.join(world.dir, "rebuilt"), gateway = new Gateway(dir, {});
    await world.stopServing();
    fs.mkdirSync(dir);
    for (const file of ["quittance.conf", "operator.json", "passphrase", "secret"]) fs.copyFileSync(path.join(world.gateway.dir, file), path.join(dir, file));
    Object.assign(gateway, { env: world.gateway.env, address: world.gateway.address });
    world.gateway = gateway;
    await gateway.command(["store", "rebuild", mirror]);
    // Where no service runs the command imports by itself: the next version, or the same.
    const args = ["reference", "import", saved("list.csv", LIST), "--date", TERMS.date, "--models", line()];
    assert.equal((await gateway.command([...args, "--token-price", "0.5"])).version, 2);
    assert.equal((await gateway.command([...args, "--token-price", "0.6"])).version, 3);
    gateway.apiKey = (await gateway.command(["apikey", "new", "--role", "admin"])).key;
    fs.writeFileSync(path.join(dir, "admin.key"), `${gateway.apiKey}\n`, { mode: 0o600 });
    await gateway.serve();
    await assertRight(savings, "--charges", saved("charges.json", charges), "--published", gateway.url);
    await until(async () => (await get("/v1/info")).token.decimals !== undefined, "the token's decimals");
    const anew = await get(`${consumer}/savings?from=${savings.from}&until=${savings.until}&reference=1`);
    assert.deepEqual({ ...anew, signature: savings.signature }, savings);
  });
});
