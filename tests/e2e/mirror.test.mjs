// When the gateway is gone, a folder of its files and the chain are enough: audited, restartable, and everybody can collect.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { createHash } from "node:crypto";
import { BINARY } from "../../scripts/lib/gateway.mjs";
import { run } from "../../scripts/lib/process.mjs";
import { startWorld } from "./world.mjs";

const WRONG = 65;

describe("a mirror", () => {
  let world, dir, answer;

  const settleSome = async () => {
    const receipts = await Promise.all([0, 1, 2].map((i) => world.jobs.signed(world.nodes[i], world.models[i].model)));
    await world.postAccepted(receipts);
    await world.settle();
    return receipts[0];
  };
  const names = (folder = dir) => fs.readdirSync(folder).sort();
  const audit = async (place, ...args) => {
    const { code, stdout, stderr } = await run(BINARY, ["audit", place, "--rpc", world.chain.url, "--contract", world.contract, ...args]);
    return { code, stderr, report: stdout ? JSON.parse(stdout) : undefined };
  };

  before(async () => {
    world = await startWorld({ seed: 97, settings: { SETTLE_DISTRIBUTE_MINIMUM: String(10n ** 24n) } });
    dir = path.join(world.dir, "mirror");
    await settleSome();
    const { jobId, provider } = await settleSome();
    answer = (await world.gateway.get(`/v1/receipts/${jobId}?provider=${provider}`)).body;
  });
  after(() => world?.end());

  it("keeps all published files and a manifest of their digests", async () => {
    const { code, report, stderr } = await audit(world.gateway.url, "--mirror", dir);
    assert.equal(code, 0, stderr);
    assert.deepEqual([report.ok, report.settlements, report.mirror.fetched, report.mirror.missing], [true, 2, 4, 0]);
    assert.deepEqual(names(), ["1.archive.ndjson", "1.rewards.json", "2.archive.ndjson", "2.rewards.json", "info.json", "manifest.json"]);
    const manifest = JSON.parse(fs.readFileSync(path.join(dir, "manifest.json")));
    assert.equal(manifest.contract, world.contract);
    assert.deepEqual(manifest.files.map((file) => file.name).sort(), names().filter((name) => name !== "manifest.json"));
    for (const { name, bytes, sha256 } of manifest.files) {
      const content = fs.readFileSync(path.join(dir, name));
      assert.deepEqual([content.length, `0x${createHash("sha256").update(content).digest("hex")}`], [bytes, sha256], name);
    }
  });

  it("fetches only what is missing, and what is no longer what the chain says", async () => {
    assert.equal((await audit(world.gateway.url, "--mirror", dir)).report.mirror.fetched, 0);
    fs.rmSync(path.join(dir, "1.archive.ndjson"));
    fs.appendFileSync(path.join(dir, "2.archive.ndjson"), " ");
    fs.writeFileSync(path.join(dir, "1.rewards.json"), "{}");
    assert.equal((await audit(dir)).code !== 0, true);
    assert.equal((await audit(world.gateway.url, "--mirror", dir)).report.mirror.fetched, 3);
    await settleSome();
    assert.equal((await audit(world.gateway.url, "--mirror", dir)).report.mirror.fetched, 2);
  });

  it("goes on from a checkpoint, and only from a true one", async () => {
    const checkpoint = path.join(world.dir, "checkpoint");
    assert.equal((await audit(dir, "--checkpoint", checkpoint, "--sequence", "2")).report.settlements, 2);
    assert.equal(JSON.parse(fs.readFileSync(checkpoint)).sequence, 2);
    const all = await audit(dir, "--checkpoint", checkpoint);
    const whole = await audit(dir);
    assert.deepEqual(all, whole, "the same report as without");
    assert.equal(JSON.parse(fs.readFileSync(checkpoint)).sequence, 3);
    // rewards.json of what is known is not read again; one that is not known is.
    const copy = path.join(world.dir, "copy");
    fs.cpSync(dir, copy, { recursive: true });
    fs.rmSync(path.join(copy, "1.rewards.json"));
    assert.equal((await audit(copy, "--checkpoint", checkpoint)).code, 0);
    fs.writeFileSync(checkpoint, JSON.stringify({ ...JSON.parse(fs.readFileSync(checkpoint)), header: `0x${"11".repeat(32)}` }));
    assert.notEqual((await audit(copy, "--checkpoint", checkpoint)).code, 0, "another header: nothing is known");
    fs.writeFileSync(checkpoint, "half a fi");
    assert.equal((await audit(dir, "--checkpoint", checkpoint)).code, 0);
    // An archive that is known must still be the chain's.
    fs.appendFileSync(path.join(copy, "2.archive.ndjson"), " ");
    const changed = await audit(copy, "--checkpoint", checkpoint);
    assert.equal(changed.code, WRONG);
    assert.match(changed.stderr, /settlement 2: archive/);
  });

  it("pays when the gateway is gone: audit, claim and verify by files and chain alone", async () => {
    await world.stopServing();
    assert.equal((await audit(dir)).report.settlements, 3);
    for (const { address } of [world.nodes[0], world.payout, world.creators[0]]) {
      const { code, report: claim, stderr } = await audit(dir, "--claim", address);
      assert.equal(code, 0, stderr);
      const file = path.join(world.dir, "claim.json");
      fs.writeFileSync(file, JSON.stringify(claim));
      const verified = await run(BINARY, ["verify", file, "--info", path.join(dir, "info.json"), "--rpc", world.chain.url]);
      assert.equal(verified.code, 0, verified.stderr);
      const hash = await world.chain.wallet.sendTransaction({ to: claim.contract, data: claim.calldata, gas: 300_000n });
      assert.equal((await world.chain.client.waitForTransactionReceipt({ hash })).status, "success");
      assert.equal(await world.balance(address), BigInt(claim.claimable));
      assert.notEqual((await audit(dir, "--claim", address)).code, 0, "nothing is due any more");
    }
    assert.notEqual((await audit(dir, "--claim", world.consumer.address)).code, 0);
    const file = path.join(world.dir, "answer.json");
    fs.writeFileSync(file, JSON.stringify(answer));
    const { code, stdout } = await run(BINARY, ["verify", file, "--info", path.join(dir, "info.json"), "--rpc", world.chain.url]);
    assert.equal(code, 0, stdout);
    assert.equal(JSON.parse(stdout).promise, "kept");
  });
});
