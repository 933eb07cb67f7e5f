// The earner's pages, walked in a real browser against the real service and a real chain.
import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, describe, it } from "node:test";
import { parseUnits } from "viem";
import { endAll, until } from "../../scripts/lib/process.mjs";
import { look, openPage, startBrowser } from "./browser.mjs";
import { person } from "./jobs.mjs";
import { EVIL, EVIL_SCRIPT } from "./network.mjs";
import { giveWallet } from "./wallet.mjs";
import { HOUR, modelDigest, startWorld } from "./world.mjs";

// The reference list: one model of ours is on it, cached tokens included.
const LIST = `provider,model_id,name,valid_from,input_usd_per_mtok,cache_read_usd_per_mtok,output_usd_per_mtok,tier_input_usd_per_mtok,tier_output_usd_per_mtok
vendor,<b>large</b>,Large,,2.5,0.25,10.000001,,
`;
const TOKEN_PRICE = 75n, CENTS = 100n;

const heading = (name, on) => on.getByRole("heading", { level: 1, name, exact: true }).waitFor();
const calm = (on) => assert.deepEqual(on.complaints, []);

/** A figure of the page by its heading, in base units. */
const figure = (on, name) => on.locator(".figure", { has: on.getByRole("heading", { name, exact: true }) }).locator("data").getAttribute("value");
const fact = (on, name) => on.locator(".facts > div", { has: on.locator("dt").getByText(name, { exact: true }) }).locator("dd");

describe("the earner's pages", () => {
  let world, gateway, browser, evil, earner, job;

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
    for (const model of world.models.slice(0, 2))
      await world.postAccepted([await world.jobs.countersign(world.consumer, await world.jobs.signed(world.nodes[1], model.model, { consumer: world.consumer.address, inputTokens: 4000, cachedTokens: 1003 }))]);
    await gateway.must("POST", "/admin/v1/reference-prices", { csv: LIST, date: "2026-08-21", tokenPrice: "0.75", models: [{ model: world.models[0].model, provider: "vendor", modelId: "<b>large</b>" }] });
    await gateway.must("POST", "/admin/v1/adjustments", { account: earner.address, amount: "1000000", sign: "+", reason: EVIL });
    await world.settle();
    await world.postAccepted([await world.jobs.signed(earner, evil)]);      // waits for the next one
    for (const someone of [earner, world.nodes[2], world.creators[0]]) await world.chain.fund(someone.address, 10n ** 18n);
    browser = await startBrowser();
  });
  after(() => endAll(() => browser?.close(), () => world?.end()));

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
    await on.getByText("gross less 24.98 % to the creator").first().waitFor();
    calm(on);
    await on.context().close();
  });

  it("checks sums and every line against the chain through the wallet, and finds what was changed", async () => {
    const on = await openPage(browser, gateway.url), wallet = await giveWallet(on, world.chain, world.creators[0].account);
    await on.goto("/");
    await on.getByRole("button", { name: "Connect wallet" }).first().click();
    await on.getByRole("button", { name: "Connect your wallet" }).click();
    await on.getByRole("link", { name: "My account" }).first().click();
    await heading("My account", on);
    await on.getByText("The contract says the same.").waitFor();
    await on.getByRole("cell", { name: "lineage" }).first().waitFor();      // royalties
    const lines = await on.locator('table[data-name="statement"] tbody tr').count();
    await on.getByRole("button", { name: `Check these ${lines}` }).click();
    await on.getByText(`${lines} lines checked, none is wrong.`).waitFor();
    // 9 jobs of each of four models; creator of two, ancestor of the others: all but the last are settled.
    assert.equal(await on.locator(".checked", { hasText: "on the chain" }).count(), lines - (await on.locator(".checked", { hasText: "promised" }).count()));
    await on.route("**/v1/receipts/*", async (route) => {
      const answer = await route.fetch(), body = await answer.json();
      body.settlement = body.settlement && { ...body.settlement, total: `${body.settlement.total}0` };
      await route.fulfill({ response: answer, json: body });
    });
    await on.getByRole("button", { name: `Check these ${lines}` }).click();
    await on.locator(".verdict").getByText("failed. Keep this page").waitFor();
    await on.locator('.checked[data-state="wrong"]', { hasText: "Header" }).first().waitFor();
    await on.getByRole("button", { name: `Check these ${lines}` }).waitFor();      // all of them are done
    await on.unroute("**/v1/receipts/*");
    assert.deepEqual(wallet.asked.filter((method) => !/^eth_(requestAccounts|accounts|chainId|blockNumber|call)$/.test(method)), [], "looking signs and sends nothing");
    calm(on);
    await on.context().close();
  });

  it("claims with the wallet, and the tokens are there", async () => {
    const on = await openPage(browser, gateway.url), wallet = await giveWallet(on, world.chain, earner.account, { elsewhere: true });
    const before = await world.balance(earner.address), { body: claim } = await gateway.get(`/v1/accounts/${earner.address}/claim`);
    assert.equal(before, 0n);
    await on.goto(`/accounts/${earner.address}`);
    await on.getByRole("button", { name: "Connect a wallet to claim" }).click();
    await on.getByRole("button", { name: "Connect your wallet" }).click();
    await on.getByRole("alert").getByText(`wallet is on chain 1, and this is about chain ${world.chain.id}: switch it there.`).waitFor();
    wallet.refuse = "eth_sendTransaction";
    await on.getByRole("button", { name: /^Claim/ }).click();
    await on.getByRole("alert").getByText("The wallet refused. Nothing was signed or sent.").waitFor();
    assert.equal(await world.balance(earner.address), 0n);
    assert.equal(wallet.elsewhere, false, "the claim took the wallet to its chain");
    await on.getByText("The contract says the same.").waitFor();
    await on.getByRole("button", { name: /^Claim/ }).click();
    await on.getByText("Paid.", { exact: true }).waitFor();
    assert.equal(await world.balance(earner.address), BigInt(claim.due));
    assert.equal(await fact(on, "Balance now").locator("data").getAttribute("value"), claim.due);
    await until(async () => (await figure(on, "Paid")) === claim.due, "the page follows the gateway");
    await on.getByText("The contract says the same.").waitFor();
    assert.deepEqual(await look(on, "earner-claimed"), []);
    calm(on);
    await on.context().close();
  });

  it("compares with the chain through an endpoint that is given, and asks no other host", async () => {
    const on = await openPage(browser, gateway.url), { body: before } = await gateway.get(`/v1/receipts/${job.jobId}`);
    await on.goto(`/receipts/${job.jobId}`);
    await on.getByText("Everything is right, from the fields to the settlement’s header.").waitFor();
    await on.getByLabel("RPC endpoint").fill("ftp://nowhere");
    await on.getByRole("button", { name: "Use this endpoint" }).click();
    await on.getByRole("alert").getByText("An RPC endpoint is an address such as").waitFor();
    calm(on);
    await on.getByLabel("RPC endpoint").fill("http://127.0.0.1:1/");
    await on.getByRole("button", { name: "Use this endpoint" }).click();
    await on.getByRole("alert").getByText("127.0.0.1:1 cannot be reached from this page").waitFor();
    on.complaints.length = 0; // the browser tells of what cannot be reached
    await on.getByLabel("RPC endpoint").fill(world.chain.url);
    await on.getByRole("button", { name: "Use this endpoint" }).click();
    await on.locator('.checks li[data-state="right"]', { hasText: "Commit" }).waitFor();
    assert.equal(before.receipt.provider, earner.address);
    await on.goto(`/accounts/${earner.address}`);      // remembered
    await on.getByText("The contract says the same.").waitFor();
    assert.deepEqual(on.complaints.filter((text) => text !== `elsewhere: ${world.chain.url}/`), []);
    await on.context().close();
  });

  const cells = (on, table, head) => on.locator(`table[data-name="${table}"] td[data-head="${head}"] data`).evaluateAll((all) => all.map((d) => BigInt(d.value)));
  const up = (value, by) => (value + by - 1n) / by;

  it("compares list prices with the reference list, to the last digit", async () => {
    const on = await openPage(browser, gateway.url), { body: model } = await gateway.get(`/v1/models/${world.models[0].model}`);
    const { inputTokens, cachedTokens, outputTokens } = model.price.perMillion;
    const here = [inputTokens, cachedTokens, outputTokens].map((price) => up(BigInt(price) * TOKEN_PRICE, CENTS)); // the token has 18 decimals, as dollars here
    const there = ["2.5", "0.25", "10.000001"].map((price) => parseUnits(price, 18));
    await on.goto("/");
    await on.getByText("A comparison of list prices, not a statement").waitFor();
    assert.deepEqual(await cells(on, "reference", "In dollars"), here);
    assert.deepEqual(await cells(on, "reference", "At the reference"), there);
    assert.deepEqual(await cells(on, "reference", "Less by"), there.map((cost, i) => (here[i] <= cost ? ((cost - here[i]) * 10_000n) / cost : -up((here[i] - cost) * 10_000n, cost))));
    assert.equal(await fact(on, "Reference list of").innerText(), "2026-08-21, version 1");
    const { body: list } = await gateway.get(await fact(on, "Its digest (Keccak-256)").locator("a").getAttribute("href"));
    assert.equal(list, LIST);
    calm(on);
    await on.context().close();
  });

  const isSavings = (response) => response.url().includes("/savings?");
  it("shows a consumer what it was charged and saved, as the signed statement says", async () => {
    const on = await openPage(browser, gateway.url), [response] = await Promise.all([
      on.waitForResponse(isSavings), on.goto(`/accounts/${world.consumer.address}`)]);
    const { body: savings } = await gateway.get(response.url().slice(gateway.url.length));
    await on.locator('table[data-name="savings"]').waitFor();
    assert.deepEqual(await cells(on, "savings", "Charged"), savings.models.map(({ charged }) => BigInt(charged)));
    assert.equal(savings.models.length, 2);
    const [listed] = savings.models.filter(({ reference }) => reference), [cost] = await cells(on, "savings", "At the reference");
    assert.equal(cost, parseUnits(listed.reference.cost, 18));
    assert.equal(savings.referenceCost, listed.reference.cost);
    assert.equal(savings.saved.sign, "+");
    assert.deepEqual(await cells(on, "savings", "Saved"), [BigInt(savings.saved.bps)], "of one model it is what was saved of all");
    assert.equal(await on.locator("[data-saved] data").getAttribute("value"), String(savings.saved.bps));
    const [file] = await Promise.all([on.waitForEvent("download"), on.getByRole("button", { name: "Statement as CSV" }).first().click()]);
    assert.equal(fs.readFileSync(await file.path(), "utf8"), savings.csv);
    await Promise.all([on.waitForResponse(isSavings), on.getByLabel("Period").selectOption("Last 7 days")]);
    await on.locator('table[data-name="savings"]').waitFor();
    assert.deepEqual(await look(on, "earner-savings", { isPart: true }), []);
    await on.goto(`/accounts/${earner.address}`);      // never billed
    await on.getByText("These are all lines").waitFor();
    assert.equal(await on.getByText("Savings against the reference list").count(), 0);
    calm(on);
    await on.context().close();
  });

  it("follows an account by events, and asks now and then where it may not listen", async () => {
    const on = await openPage(browser, gateway.url), node = world.nodes[2], account = `/v1/accounts/${node.address}`, place = `${gateway.url}/v1/events?account=${node.address}`;
    const earned = async () => (await gateway.get(account)).body.earned;
    await on.goto(`/accounts/${node.address}`);
    await until(async () => (await figure(on, "Earned")) === (await earned()), "the account is shown");
    calm(on);

    // As many as may of one address: pages that were closed before do not count.
    const stop = new AbortController(), streams = [];
    let refused;
    while (!refused && streams.length < 5) {
      const answer = await fetch(place, { signal: stop.signal });
      if (answer.status === 503) refused = answer;
      else streams.push(answer);
    }
    assert.equal(streams.length, 3, "four listen: the page, and these");
    assert.ok(Number(refused.headers.get("retry-after")) > 0);
    assert.equal((await refused.json()).code, "try-again");
    assert.match(streams[0].headers.get("content-type"), /^text\/event-stream/);
    // The first look names all kinds; each later one what changed since.
    const reader = streams[0].body.getReader(), decoder = new TextDecoder(), fits = `data: {"account":"${node.address}","changed":["receipts"]}\n\n`;
    let told = "";
    await until(async () => {
      await world.postAccepted([await world.jobs.signed(node, evil)]);
      return (told += decoder.decode((await reader.read()).value)).includes(fits);
    }, "the stream tells of a job");
    await until(async () => (await figure(on, "Earned")) === (await earned()), "the page hears of it", 12_000); // with a stream it asks by itself every two minutes
    const other = await openPage(browser, gateway.url);
    await other.clock.install();
    await other.goto(`/accounts/${node.address}`);
    await until(async () => other.complaints.some((text) => text.includes("503")), "the page is refused");
    await until(async () => (await figure(other, "Earned")) === (await earned()), "the account is shown");
    await Promise.all([other.waitForRequest((request) => request.url().endsWith(account)), other.clock.runFor(15_000)]);
    assert.deepEqual(other.complaints.filter((text) => !text.includes("503")), []);
    stop.abort();
    await other.context().close();
    for (const [query, status] of [["", 400], ["?account=0x12", 400], [`?account=${node.address}&contract=${node.address}`, 404]])
      assert.equal((await fetch(`${gateway.url}/v1/events${query}`)).status, status, query);
    await on.context().close();
  });

  it("registers a model with a wallet's signature", async () => {
    const on = await openPage(browser, gateway.url), creator = world.creators[1], wallet = await giveWallet(on, world.chain, creator.account);
    await on.goto("/register");
    await on.getByRole("main").getByRole("button", { name: "Connect wallet" }).click();
    await on.getByRole("button", { name: "Connect your wallet" }).click();
    await on.getByRole("button", { name: "Sign and register" }).click();
    await on.getByText("0x and 64 hex digits: the SHA-256").waitFor();
    assert.equal(await on.evaluate(() => document.activeElement.getAttribute("aria-invalid")), "true", "the first wrong field has the focus");
    const manifest = "weights manifest of registered in a browser";
    await on.getByLabel("or its manifest, hashed in this browser").setInputFiles({ name: "manifest.json", mimeType: "application/json", buffer: Buffer.from(manifest) });
    await until(async () => (await on.getByLabel("Model’s digest").inputValue()) === modelDigest("registered in a browser"), "the file's digest is filled in");
    await on.getByLabel("Name").fill(EVIL_SCRIPT);
    await on.getByRole("button", { name: "Add a parent" }).click();
    await on.getByLabel("Parent 1, digest").fill(evil);
    await on.getByLabel("Share, %").fill("12.5");
    assert.deepEqual(await look(on, "earner-register-filled", { isPart: true }), []);
    wallet.refuse = "eth_signTypedData_v4";
    await on.getByRole("button", { name: "Sign and register" }).click();
    await on.getByRole("alert").getByText("The wallet refused.").waitFor();
    await on.getByRole("button", { name: "Sign and register" }).click();
    await on.getByText("The gateway’s operator looks at the claim now.").waitFor();
    const { body: model } = await gateway.get(`/v1/models/${modelDigest("registered in a browser")}`);
    assert.deepEqual([model.name, model.creator, model.parents, model.state], [EVIL_SCRIPT, creator.address, [{ parent: evil, shareBps: 1250 }], "unverified"]);
    await on.getByRole("link", { name: "See the model" }).click();
    await heading(EVIL_SCRIPT, on);
    assert.equal(await on.evaluate(() => window.injected), undefined);
    calm(on);
    await on.context().close();
  });
});

describe("the earner's pages of a gateway that is young, and shows jobs to their parties only", () => {
  let world, gateway, browser;
  before(async () => {
    world = await startWorld({ seed: 84, settings: { ARCHIVE_DISCLOSURE: "parties" } });
    gateway = world.gateway;
    await world.postAccepted([await world.jobs.signed(world.nodes[0], world.models[2].model)]);
    browser = await startBrowser();
  });
  after(() => endAll(() => browser?.close(), () => world?.end()));

  it("says what to do where there is nothing yet", async () => {
    const on = await openPage(browser, gateway.url);
    await on.goto("/");
    await on.getByText("Nothing was settled yet").waitFor();
    assert.deepEqual(await look(on, "earner-young", { isPart: true }), []);
    await on.goto("/accounts/0x12");
    await on.getByRole("alert").getByText("An address is 0x and 40 hex digits.").waitFor();
    await on.goto("/nowhere").catch(() => {});
    assert.equal((await fetch(`${gateway.url}/nowhere`)).status, 404);
    await on.context().close();
  });

  it("reads an account's jobs once its wallet has signed who reads", async () => {
    const on = await openPage(browser, gateway.url), node = world.nodes[0], wallet = await giveWallet(on, world.chain, node.account);
    await on.goto(`/accounts/${node.address}`);
    await on.getByText("Only this account reads its jobs").waitFor();
    on.complaints.length = 0; // the browser tells of each 401
    assert.deepEqual(await look(on, "earner-sign-to-read", { isPart: true }), []);
    await on.getByRole("main").getByRole("button", { name: "Connect wallet" }).last().click();
    await on.getByRole("button", { name: "Connect your wallet" }).click();
    await on.getByRole("button", { name: "Sign to read" }).click();
    await on.getByText("These are all lines, and they add up to what was earned").waitFor();
    assert.ok(wallet.asked.includes("eth_signTypedData_v4"));
    await on.locator('table[data-name="statement"] a.mono').first().click();
    await heading("Receipt", on);
    await on.getByText("checks are right").waitFor();
    await on.getByText("The gateway promised, and signed, to settle it").waitFor();
    calm(on);
    await on.context().close();
  });
});
