// The claim page: one file, the same from every build, which pays from a saved file with the service gone.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { encodeAbiParameters, keccak256 } from "viem";
import { endAll } from "../../scripts/lib/process.mjs";
import { look, openPage, SIZES, startBrowser } from "./browser.mjs";
import { person } from "./jobs.mjs";
import { giveWallet } from "./wallet.mjs";
import { startWorld } from "./world.mjs";

const ROOT = new URL("../../", import.meta.url).pathname;
const calm = (on) => assert.deepEqual(on.complaints, []);

describe("the claim page", () => {
  let world, gateway, browser, saved;

  before(async () => {
    // Nobody is paid by the gateway itself: everybody claims.
    [world, browser] = await Promise.all([startWorld({ seed: 85, settings: { SETTLE_DISTRIBUTE_MINIMUM: 10n ** 30n } }), startBrowser()]);
    gateway = world.gateway;
    const receipts = [];
    for (let i = 0; i < 12; i++) receipts.push(await world.jobs.signed(world.nodes[i % 3], world.models[i % 3].model));
    await world.postAccepted(receipts);
    await world.settle();
    await world.chain.fund(world.nodes[2].address, 10n ** 18n);
  });
  after(() => endAll(() => browser?.close(), () => world?.end()));

  it("serves the claim page whose digest stands in the README, the same from every build", async () => {
    const digest = (bytes) => createHash("sha256").update(bytes).digest("hex");
    const served = Buffer.from(await (await fetch(`${gateway.url}/claim.html`)).arrayBuffer());
    const [, written] = /SHA-256 of claim\.html: `([0-9a-f]{64})`/.exec(fs.readFileSync(path.join(ROOT, "README.md"), "utf8"));
    const rebuilt = execFileSync(process.execPath, [path.join(ROOT, "scripts/build-pages"), "--digest"], { encoding: "utf8" }).trim();
    assert.deepEqual([digest(served), digest(fs.readFileSync(path.join(ROOT, "build/pages/claim.html"))), rebuilt], [written, written, written]);
    const text = served.toString(), [, policy] = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(text);
    for (const [tag, name] of [["script", "script-src"], ["style", "style-src"]]) {
      const [, body] = new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(text);
      assert.ok(policy.includes(`${name} 'sha256-${createHash("sha256").update(body).digest("base64")}'`), `${name} names what is in the file`);
    }
    assert.match(policy, /^default-src 'none';/);
    assert.doesNotMatch(text, /(?:src|href)="(?!data:,")/, "nothing is loaded");
  });

  it("pays from the saved file when the gateway is gone", async () => {
    saved = { page: path.join(world.dir, "claim.html"), rewards: path.join(world.dir, "1.rewards.json") };
    fs.writeFileSync(saved.page, await (await fetch(`${gateway.url}/claim.html`)).text());
    fs.writeFileSync(saved.rewards, await (await fetch(`${gateway.url}/v1/settlements/1/rewards.json`)).text());
    const late = world.nodes[2], { body: account } = await gateway.get(`/v1/accounts/${late.address}`);
    await world.stopServing();
    const on = await openPage(browser, `file://${saved.page}`);
    await giveWallet(on, world.chain, late.account);
    await on.goto(`file://${saved.page}`);
    const give = (text) => on.getByLabel("rewards.json of the newest settlement you have").setInputFiles({ name: "rewards.json", mimeType: "application/json", buffer: Buffer.from(text) });
    const file = JSON.parse(fs.readFileSync(saved.rewards, "utf8"));

    await give("{}");
    await on.getByRole("alert").getByText("This is no rewards.json").waitFor();
    await give(JSON.stringify({ ...file, tree: file.tree.map((leaf) => ({ ...leaf, claimable: `${leaf.claimable}0` })) }));
    await on.getByRole("alert").getByText("This file is damaged.").waitFor();
    await give(JSON.stringify(file));
    await on.getByText("Rewards root, built here").waitFor();
    await on.getByLabel("Address that earned").fill(person("nobody").address);
    await on.getByText("Not in this file").waitFor();
    await on.getByLabel("Address that earned").fill("");
    await on.getByRole("button", { name: "Connect wallet" }).click();
    await on.getByRole("button", { name: "Connect your wallet" }).click();
    await on.getByText(/The contract agrees, as of block/).waitFor();
    assert.deepEqual(await look(on, "claim-ready"), []);
    assert.equal(await world.balance(late.address), 0n);
    await on.getByRole("button", { name: /^Claim/ }).click();
    await on.getByText("Nothing to claim").waitFor();
    assert.equal(await world.balance(late.address), BigInt(account.settled));
    assert.equal((await on.getByText("Paid so far").locator("xpath=../dd/data").getAttribute("value")), account.settled);
    calm(on);
    await on.context().close();
  });

  it("shows from the file alone what another tool may send, and refuses a file whose root the contract does not hold", async () => {
    const on = await openPage(browser, `file://${saved.page}`, { size: SIZES.phone, theme: "dark" }), creator = world.creators[0];
    await on.goto(`file://${saved.page}`);
    await on.getByLabel("rewards.json of the newest settlement you have").setInputFiles(saved.rewards);
    await on.getByLabel("Address that earned").fill(creator.address);
    await on.getByText("Send it by another tool").click();
    const calldata = await on.locator(".by-hand [title^='0x']").last().getAttribute("title"), before = await world.balance(creator.address);
    await on.getByLabel("RPC endpoint").fill(world.chain.url);
    await on.getByRole("button", { name: "Use this endpoint" }).click();
    await on.getByText(/The contract agrees, as of block/).waitFor();
    assert.deepEqual(await look(on, "claim-by-hand"), []);
    const hash = await world.chain.wallet.sendTransaction({ to: world.contract, data: calldata });      // a stranger pays the fee
    await world.chain.client.waitForTransactionReceipt({ hash });
    assert.ok((await world.balance(creator.address)) > before);
    const file = JSON.parse(fs.readFileSync(saved.rewards, "utf8")), other = path.join(world.dir, "other.rewards.json");
    const [leaf] = file.tree.filter(({ account }) => account === creator.address), claimable = `${leaf.claimable}0`;
    // A tree of one, whose root is its leaf: right in itself, and not what the contract holds.
    const root = keccak256(keccak256(encodeAbiParameters([{ type: "address" }, { type: "address" }, { type: "uint256" }], [leaf.account, leaf.reward, BigInt(claimable)])));
    fs.writeFileSync(other, JSON.stringify({ ...file, root, tree: [{ ...leaf, claimable, proof: [] }] }));
    await on.getByLabel("rewards.json of the newest settlement you have").setInputFiles(other);
    await on.getByText("Not with this file").waitFor();
    assert.deepEqual(on.complaints.filter((text) => text !== `elsewhere: ${world.chain.url}/`), []);
    await on.context().close();
  });
});
