// The earner's pages, walked in a real browser against the real service and a real chain; and the claim page with the service gone.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { until } from "../../scripts/lib/process.mjs";
import { assertAccessible, openPage, screen, shifts, SIZES, startBrowser } from "./browser.mjs";
import { person } from "./jobs.mjs";
import { giveWallet } from "./wallet.mjs";
import { deployAndServe, HOUR, modelDigest, startBareWorld, startWorld } from "./world.mjs";

// What a stranger may have put into a name.
const EVIL = `<img src=x onerror="window.injected=1">`, EVIL_SCRIPT = `"><script>window.injected=1</script>`;
const ROOT = new URL("../../", import.meta.url).pathname;

const heading = (name, on) => on.getByRole("heading", { level: 1, name, exact: true }).waitFor();
const calm = (on) => assert.deepEqual(on.complaints, []);

/** A figure of the page by its heading, in base units. */
const figure = (on, name) => on.locator(".figure", { has: on.getByRole("heading", { name, exact: true }) }).locator("data").getAttribute("value");
const fact = (on, name) => on.locator(".facts > div", { has: on.locator("dt").getByText(name, { exact: true }) }).locator("dd");

describe("the earner's pages", () => {
  let world, gateway, browser, evil, earner, job, saved;

  before(async () => {
    // Nobody is paid by the gateway itself: everybody claims.
    world = await startWorld({ seed: 83, settings: { SETTLE_DISTRIBUTE_MINIMUM: 10n ** 30n } });
    gateway = world.gateway;
    earner = world.nodes[0];
    evil = await world.addModel(EVIL, world.creators[0], [{ parent: world.models[0].model, shareBps: 1000 }]);
    await gateway.must("POST", "/admin/v1/providers", { address: person("evil node").address, name: EVIL_SCRIPT });
    await world.setPrice({ model: world.models[1].model, unit: EVIL.slice(0, 32), perMillion: { inputTokens: "900000000000000000", outputTokens: "3000000000000000000" }, split: { provider: 7000, creator: 2500, protocol: 500 }, effectiveFrom: Date.now() - 48 * HOUR });
    const receipts = [];
    for (let i = 0; i < 36; i++) receipts.push(await world.jobs.signed(world.nodes[i % 3], world.models[i % 4].model, i % 4 === 0 ? { finishedAt: Date.now() - 20 * HOUR - i } : {}));
    await world.postAccepted(receipts);
    await gateway.post("/v1/receipts", [await world.jobs.signed(earner, evil, { finishedAt: Date.now() - 30 * HOUR })]);
    job = receipts[0];
    await gateway.must("POST", "/admin/v1/adjustments", { account: earner.address, amount: "1000000", sign: "+", reason: EVIL });
    await world.settle();
    await world.postAccepted([await world.jobs.signed(earner, evil)]);      // waits for the next one
    for (const someone of [earner, world.nodes[2], world.creators[0]]) await world.chain.fund(someone.address, 10n ** 18n);
    browser = await startBrowser();
  });
  after(async () => {
    await browser?.close();
    await world?.end();
  });

  it("serves its files packed, under policies that name what each page may ask", async () => {
    const strict = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";
    const policies = { "/": strict, "/register": strict, [`/models/${evil}`]: strict, [`/accounts/${earner.address}`]: `${strict}; connect-src 'self' http: https:`,
      [`/receipts/${job.jobId}`]: `${strict}; connect-src 'self' http: https:`, "/claim.html": "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'" };
    for (const [place, policy] of Object.entries(policies)) {
      const answer = await fetch(gateway.url + place);
      assert.equal(answer.headers.get("content-security-policy"), policy, place);
      assert.deepEqual([answer.headers.get("x-content-type-options"), answer.headers.get("referrer-policy")], ["nosniff", "no-referrer"]);
    }
    const text = await (await fetch(gateway.url)).text();
    assert.doesNotMatch(text, /<script(?![^>]+src=)|<style|style=|https?:\/\//);
    const [, script] = /src="(\/assets\/[^"]+\.js)"/.exec(text);
    const packed = await fetch(gateway.url + script, { headers: { "accept-encoding": "gzip" } });
    assert.ok(Number(packed.headers.get("content-length")) < 120 * 1024, `${packed.headers.get("content-length")} bytes of JavaScript`);
    assert.equal((await fetch(`${gateway.url}/assets/earner.html`)).status, 404);
    for (const desk of ["/admin/v1/overview", "/quarantine", "/keys", "/metrics"]) assert.equal((await fetch(gateway.url + desk)).status, 404, `${desk} is not on the public listener`);
  });

  it("shows what an address earned, and why, without a wallet", async () => {
    const on = await openPage(browser, gateway.url);
    await on.goto("/");
    await on.getByLabel("Address, model’s digest or job").fill("0x12");
    await on.getByRole("button", { name: "Show", exact: true }).click();
    await on.getByRole("alert").getByText("That is no address").waitFor();
    await on.getByLabel("Address, model’s digest or job").fill(earner.address.toLowerCase());
    await on.keyboard.press("Enter");
    await heading("Account", on);
    await on.locator(".intro").getByText(earner.address).waitFor();      // with its checksum
    const { body: account } = await gateway.get(`/v1/accounts/${earner.address}`);
    await on.getByText("These are all lines, and they add up to what was earned").waitFor();
    assert.deepEqual([await figure(on, "Earned"), await figure(on, "Paid"), await figure(on, "Waiting"), await figure(on, "Held")], [account.earned, "0", account.pending, account.held]);
    assert.ok(BigInt(account.held) > 0n);
    const sums = async (table) => (await on.locator(`table[data-name="${table}"] td[data-head="Amount"] data`).evaluateAll((all) => all.map((d) => d.value))).reduce((a, b) => a + BigInt(b), 0n);
    assert.equal(await sums("days"), BigInt(account.earned) + 1_000_000n, "days hold corrections, too");
    assert.equal(await sums(`${earner.address.toLowerCase()}-models`), BigInt(account.earned));
    await on.locator('table[data-name="held"]').getByText("late").first().waitFor();
    await on.getByText("bps of gross").first().waitFor();
    calm(on);
    await on.context().close();
  });
});
