// disclosure = parties: the published part tells nothing about a job, a party reads its own and nobody else's, and an auditor
// with all keys audits as in public.  Boxes are opened here by @noble/ciphers, which shares no code with libsodium.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { createRequire } from "node:module";
import { createHmac } from "node:crypto";
import { encodeAbiParameters, hexToBytes, keccak256 } from "viem";
import { BINARY } from "../../scripts/lib/gateway.mjs";
import { run } from "../../scripts/lib/process.mjs";
import { receiptHash } from "../../scripts/lib/typed.mjs";
import { person } from "./jobs.mjs";
import { rootOf } from "./trees.mjs";
import { assertProblem, startWorld } from "./world.mjs";

const { xsalsa20poly1305 } = createRequire(import.meta.url)("@noble/ciphers/salsa");
const ACCESS = { Access: [{ name: "account", type: "address" }, { name: "expires", type: "uint64" }] };

/** The receipt line in a box; undefined: the key is another line's. */
function open(line, key) {
  try {
    const plain = xsalsa20poly1305(hexToBytes(key), new Uint8Array(24)).decrypt(Buffer.from(line.box, "base64"));
    return JSON.parse(Buffer.from(plain).toString());
  } catch {
    return undefined;
  }
}

describe("parties", () => {
  let world, items, posted, archive, lines, sealed, keysFile;

  before(async () => {
    world = await startWorld({ seed: 91, settings: { ARCHIVE_DISCLOSURE: "parties" } });
    const { nodes, models, jobs, consumer } = world;
    posted = await Promise.all(Array.from({ length: 10 }, (_, i) => jobs.signed(nodes[i % 3], models[i % 3].model)));
    posted.push(await jobs.countersign(consumer, await jobs.signed(nodes[0], models[2].model, { consumer: consumer.address })));
    items = (await world.gateway.post("/v1/receipts", posted)).body.results;
    const bundled = [1, 2, 3, 4].map(() => jobs.make(nodes[1], models[2].model));
    items.push(...(await world.gateway.post("/v1/receipts", await jobs.jsonBundle(nodes[1], bundled))).body.results);
    posted.push(...bundled);
    assert.deepEqual(items.map(({ status }) => status), items.map(() => "accepted"));
    await world.settle();
    archive = await (await fetch(`${world.gateway.url}/v1/settlements/1/archive`)).text();
    lines = archive.trim().split("\n").map((line) => JSON.parse(line));
    sealed = lines.filter(({ type }) => type === "sealed");
    keysFile = path.join(world.dir, "keys.ndjson");
  });
  after(() => world?.end());

  const header = async (who, { expires = Date.now() + 60_000, signer = who } = {}) => {
    const message = { account: who.address, expires: BigInt(expires) };
    const signature = await signer.account.signTypedData({ domain: world.domain, types: ACCESS, primaryType: "Access", message });
    return { "quittance-auth": `${who.address} ${expires} ${signature}` };
  };
  const read = async (i, headers) => world.gateway.get(`/v1/receipts/${posted[i].jobId}`, headers);

  it("tells nothing about a job in what it publishes", async () => {
    const rewards = await (await fetch(`${world.gateway.url}/v1/settlements/1/rewards.json`)).text();
    const plain = (text) => Buffer.from(text, "utf8").toString("latin1");
    const boxes = lines.map((line) => `${line.box ?? ""}${line.wrap ?? ""}`).filter(Boolean);
    const haystacks = [archive.toLowerCase(), rewards.toLowerCase(), ...boxes.map((box) => Buffer.from(box, "base64").toString("latin1"))];
    assert.equal(lines.filter(({ type }) => type === "receipt" || type === "bundle").length, 0);
    for (const [i, receipt] of posted.entries()) {
      const secrets = [receipt.jobId, receipt.jobId.replaceAll("-", ""), receiptHash(receipt).slice(2), keccak256(receiptHash(receipt)).slice(2), items[i].key.slice(2)];
      if (receipt.signature) secrets.push(receipt.signature.slice(2));
      if (receipt.consumerSignature) secrets.push(receipt.consumerSignature.slice(2), receipt.consumer.slice(2).toLowerCase());
      for (const secret of secrets) {
        const bytes = Buffer.from(secret.replaceAll("-", ""), "hex");
        for (const needle of [secret, bytes.toString("base64").slice(0, 20), bytes.toString("latin1")])
          for (const haystack of haystacks) assert.ok(!haystack.includes(needle.length > 60 ? needle : plain(needle)), `${needle} of receipt ${i}`);
      }
    }
    const members = { sealed: "type leaf box wrap", "sealed-consumer": "type box", "sealed-bundle": "type box", reward: "type account before after" };
    for (const line of lines) if (members[line.type]) assert.deepEqual(Object.keys(line), members[line.type].split(" "));
    // Nothing can be told from lengths, of receipts signed alone, countersigned or in a bundle.
    assert.equal(new Set(sealed.map(({ box }) => box.length)).size, 1);
  });

  it("keeps leaves in the open, and they lead to the receipts root", () => {
    assert.equal(sealed.length, posted.length);
    assert.equal(rootOf(sealed.map(({ leaf }) => leaf)), lines[0].receiptsRoot);
  });

  it("gives a node the key of its own line, which opens that one only", () => {
    const secret = fs.readFileSync(path.join(world.gateway.dir, "secret"), "utf8").trim();
    for (const [i, receipt] of posted.entries()) {
      const opened = sealed.map((line, index) => ({ index, line, plain: open(line, items[i].key) })).filter(({ plain }) => plain);
      assert.equal(opened.length, 1);
      const [{ index, line, plain }] = opened;
      assert.equal(plain.type, "receipt");
      assert.equal(plain.jobId, receipt.jobId);
      assert.equal(plain.outputTokens, receipt.outputTokens);
      assert.equal(plain.signature, receipt.signature);
      const uuid = `0x${plain.jobId.replaceAll("-", "")}`;
      const content = encodeAbiParameters(
        [{ type: "uint64" }, { type: "bytes16" }, { type: "address" }, { type: "bytes32" }, { type: "bytes32" }],
        [BigInt(index), uuid, plain.provider, plain.salt, receiptHash(receipt)]);
      assert.equal(keccak256(keccak256(content)), line.leaf);
      const name = Buffer.concat([Buffer.from("line"), Buffer.from(uuid.slice(2), "hex"), Buffer.from(plain.provider.slice(2), "hex")]);
      assert.equal(`0x${createHmac("sha256", Buffer.from(secret.slice(2), "hex")).update(name).digest("hex")}`, items[i].key);
    }
  });

  it("answers a receipt to its parties and nobody else", async () => {
    const { nodes, consumer, creators, payout } = world;
    assertProblem(await read(0), 401, "unauthorized");
    for (const who of [nodes[0], consumer, ...creators]) {
      const answer = await read(10, await header(who));
      assert.equal(answer.status, 200, who.name);
      assert.equal(answer.body.key, items[10].key);
    }
    assert.equal((await read(1, await header(payout))).status, 200);
    for (const who of [nodes[1], payout, person("a stranger")]) assertProblem(await read(10, await header(who)), 403, "forbidden");
    for (const wrong of [{ expires: Date.now() - 1 }, { expires: Date.now() + 25 * 3_600_000 }, { signer: nodes[1] }])
      assertProblem(await read(0, await header(nodes[0], wrong)), 401, "unauthorized");
    const viewer = await world.gateway.must("POST", "/admin/v1/keys", { role: "viewer", name: "auditor" });
    assert.equal((await read(0, { authorization: `Bearer ${viewer.key}` })).status, 200);
    assertProblem(await read(0, { authorization: "Bearer nothing" }), 401);
  });

  async function auditOf(...more) {
    const result = await run(BINARY, ["audit", world.gateway.url, "--rpc", world.chain.url, "--contract", world.contract, ...more]);
    assert.equal(result.code, 0, result.stderr);
    return JSON.parse(result.stdout);
  }

  it("is audited without keys, with all keys, and with the secret", async () => {
    const answer = await world.gateway.admin("GET", "/admin/v1/settlements/1/keys");
    assert.equal(answer.status, 200);
    assert.equal((await world.gateway.request(world.gateway.adminUrl, "GET", "/admin/v1/settlements/1/keys")).status, 401);
    const rows = answer.body.trim().split("\n").map((line) => JSON.parse(line));
    assert.equal(rows.length, posted.length + 1);
    assert.deepEqual(new Set(rows.slice(1).map(({ key }) => key)), new Set(items.map(({ key }) => key)));
    const audit = async (keys) => {
      fs.writeFileSync(keysFile, keys.map((row) => `${JSON.stringify(row)}\n`).join(""));
      return auditOf("--keys", keysFile);
    };
    const without = await auditOf(), all = await audit(rows);
    assert.deepEqual([without.ok, without.receipts, without.sealed], [true, 15, 15]);
    assert.deepEqual([all.ok, all.receipts, all.sealed, all.total], [true, 15, undefined, without.total]);
    assert.equal((await audit(rows.slice(0, 1))).sealed, undefined);       // the settlement's key is enough
    assert.equal((await audit(rows.slice(1))).sealed, 4);                  // bundles open by it alone
    assert.equal((await audit(rows.filter(({ jobId }) => jobId === posted[0].jobId))).sealed, 14);
    assert.equal((await world.gateway.command(["audit", world.gateway.url])).sealed, undefined);
  });

  it("serves parts of its files", async () => {
    for (const name of ["archive", "rewards.json"]) {
      const url = `${world.gateway.url}/v1/settlements/1/${name}`, plain = { "accept-encoding": "identity" };
      const whole = await fetch(url, { headers: plain }), text = await whole.text(), etag = whole.headers.get("etag");
      assert.equal(whole.headers.get("accept-ranges"), "bytes");
      const half = Math.floor(text.length / 2);
      const first = await fetch(url, { headers: { ...plain, range: `bytes=0-${half - 1}` } });
      const rest = await fetch(url, { headers: { ...plain, range: `bytes=${half}-`, "if-range": etag } });
      assert.deepEqual([first.status, rest.status], [206, 206]);
      assert.equal(rest.headers.get("content-range"), `bytes ${half}-${text.length - 1}/${text.length}`);
      assert.equal((await first.text()) + (await rest.text()), text);
      const beyond = await fetch(url, { headers: { ...plain, range: `bytes=${text.length}-` } });
      assert.deepEqual([beyond.status, beyond.headers.get("content-range")], [416, `bytes */${text.length}`]);
      assert.equal((await fetch(url, { headers: { ...plain, range: "bytes=0-1", "if-range": '"another"' } })).status, 200);
      assert.equal((await fetch(url, { headers: { ...plain, "if-none-match": etag } })).status, 304);
    }
  });

  it("is rebuilt from sealed archives with the secret, and not without it", async () => {
    const mirror = fs.mkdtempSync(path.join(world.dir, "mirror-"));
    fs.writeFileSync(path.join(mirror, "1.archive.ndjson"), archive);
    fs.writeFileSync(path.join(mirror, "1.rewards.json"), await (await fetch(`${world.gateway.url}/v1/settlements/1/rewards.json`)).text());
    await world.stopServing();
    const other = path.join(world.dir, "other-secret");
    fs.writeFileSync(other, `0x${"11".repeat(32)}\n`, { mode: 0o600 });
    const env = { STORE_URL: `sqlite:${path.join(world.dir, "new.db")}`, ARCHIVE_DIR: path.join(world.dir, "new-archive") };
    const named = (more) => Object.fromEntries(Object.entries({ ...env, ...more }).map(([key, value]) => [`QUITTANCE_${key}`, value]));
    await assert.rejects(world.gateway.command(["store", "rebuild", mirror], { env: named({ SIGNER_SECRET_FILE: other }) }), /secret_file/);
    const made = await world.gateway.command(["store", "rebuild", mirror], { env: named({ STORE_URL: `sqlite:${path.join(world.dir, "newer.db")}` }) });
    assert.deepEqual([made.settlements, made.receipts], [1, 15]);
  });
});
