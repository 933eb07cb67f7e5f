// The audit trusts nobody: it takes a true mirror of the published files and names the first thing that is false in any other.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { BINARY } from "../../scripts/lib/gateway.mjs";
import { run } from "../../scripts/lib/process.mjs";
import { assertMembers, startWorld } from "./world.mjs";

const WRONG = 65;

describe("audit", () => {
  let world, files;

  before(async () => {
    world = await startWorld({ seed: 81 });
    const { nodes, models, jobs } = world;
    for (const batch of [0, 1]) {
      const receipts = await Promise.all(Array.from({ length: 12 }, (_, i) => jobs.signed(nodes[i % 3], models[(i + batch) % 3].model)));
      receipts.push(await jobs.countersign(world.consumer, await jobs.signed(nodes[0], models[0].model, { consumer: world.consumer.address })));
      await world.postAccepted(receipts);
      await world.gateway.post("/v1/receipts", await jobs.jsonBundle(nodes[1], [1, 2, 3].map(() => jobs.make(nodes[1], models[2].model))));
      await world.settle();
    }
    files = {};
    for (const sequence of [1, 2])
      for (const [served, name] of [["archive", "archive.ndjson"], ["rewards.json", "rewards.json"]])
        files[`${sequence}.${name}`] = await (await fetch(`${world.gateway.url}/v1/settlements/${sequence}/${served}`)).text();
  });
  after(() => world?.end());

  /** Audits a folder of these files with the chain alone: no configuration, no service. */
  async function auditOf(changed, ...more) {
    const dir = fs.mkdtempSync(path.join(world.dir, "mirror-"));
    for (const [name, text] of Object.entries({ ...files, ...changed })) if (text !== null) fs.writeFileSync(path.join(dir, name), text);
    const result = await run(BINARY, ["audit", dir, "--rpc", world.chain.url, "--contract", world.contract, ...more]);
    return { ...result, report: result.stdout ? JSON.parse(result.stdout) : undefined };
  }

  it("takes a true mirror, by the chain alone", async () => {
    const { code, report, stderr } = await auditOf({});
    assert.equal(code, 0, stderr);
    assertMembers(report, "ok settlements receipts accounts total paid lastSequence");
    const total = await world.view("total");
    assert.deepEqual([report.ok, report.settlements, report.receipts, report.total, report.paid, report.lastSequence], [true, 2, 32, String(total), String(total), 2]);
  });

  it("takes the running gateway, and up to one settlement", async () => {
    assert.equal((await world.gateway.command(["audit", world.gateway.url])).settlements, 2);
    assert.equal((await auditOf({ "2.archive.ndjson": null, "2.rewards.json": null }, "--sequence", "1")).report.settlements, 1);
  });

  const change = (name, from, to) => {
    const text = files[name].replace(from, to);
    assert.notEqual(text, files[name], `nothing to change in ${name}`);
    return { [name]: text };
  };
  const withoutLine = (name, type) => {
    const lines = files[name].split("\n"), at = lines.findIndex((line) => line.includes(`"type":"${type}"`));
    assert.ok(at >= 0);
    return { [name]: lines.filter((_, i) => i !== at).join("\n") };
  };
  const digit = (text) => text.replace(/\d(?=")/, (d) => String((Number(d) + 1) % 10));
  const falsehoods = {
    "a receipt's amount": () => change("1.archive.ndjson", /"amount":"\d+"/, digit),
    "a receipt's tokens": () => change("2.archive.ndjson", /"outputTokens":\d/, (s) => `${s}1`),
    "a receipt's signature": () => change("1.archive.ndjson", /"signature":"0x.{20}/, (s) => s.slice(0, -1) + (s.endsWith("0") ? "1" : "0")),
    "a receipt's salt": () => change("1.archive.ndjson", /"salt":"0x.{20}/, (s) => s.slice(0, -1) + (s.endsWith("0") ? "1" : "0")),
    "a missing receipt": () => withoutLine("2.archive.ndjson", "receipt"),
    "a missing bundle": () => withoutLine("1.archive.ndjson", "bundle"),
    "a missing model": () => withoutLine("1.archive.ndjson", "model"),
    "a price": () => change("1.archive.ndjson", /"inputTokens":"\d+"/, digit),
    "a total": () => change("2.archive.ndjson", /"total":"\d+"/, digit),
    "an account's sum": () => change("2.archive.ndjson", /"after":"\d+"/, digit),
    "a claimable": () => change("1.rewards.json", /"claimable":\s*"\d+"/, digit),
    "a proof": () => change("2.rewards.json", /"proof":\s*\["0x.{10}/, (s) => s.slice(0, -1) + (s.endsWith("0") ? "1" : "0")),
    "rewards of another settlement": () => ({ "2.rewards.json": files["1.rewards.json"] }),
    "an archive of another settlement": () => ({ "1.archive.ndjson": files["2.archive.ndjson"] }),
    "an archive cut short": () => ({ "2.archive.ndjson": files["2.archive.ndjson"].slice(0, -40) }),
    "a space at the end": () => ({ "2.archive.ndjson": `${files["2.archive.ndjson"]} ` }),
  };
  for (const [name, make] of Object.entries(falsehoods)) {
    it(`exits 65 and names it: ${name}`, async () => {
      const { code, stderr, report } = await auditOf(make());
      assert.equal(code, WRONG, stderr);
      assert.ok(stderr.length > 20, "says what differs");
      if (report) assert.equal(report.ok, false);
    });
  }

  it("does not pass when a file is missing", async () => {
    assert.notEqual((await auditOf({ "1.archive.ndjson": null })).code, 0);
    assert.notEqual((await auditOf({ "2.rewards.json": null })).code, 0);
  });

  it("ends with 75 when the chain is away: nothing is known to be wrong", async () => {
    assert.equal((await auditOf({}, "--rpc", "http://127.0.0.1:1")).code, 75);
  });
});
