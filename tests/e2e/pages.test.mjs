// The operator's desk, walked in a real browser against the real service and a real chain.
import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, describe, it } from "node:test";
import { toHex } from "viem";
import { endAll, until } from "../../scripts/lib/process.mjs";
import { look, openPage, startBrowser } from "./browser.mjs";
import { person } from "./jobs.mjs";
import { EVIL, EVIL_SCRIPT } from "./network.mjs";
import { deployAndServe, HOUR, startBareWorld, startWorld } from "./world.mjs";

const heading = (name, on) => on.getByRole("heading", { level: 1, name, exact: true }).waitFor();

async function signIn(on, key) {
  await on.goto("/");
  await on.getByLabel("API key").fill(key);
  await on.getByRole("button", { name: "Sign in", exact: true }).click();
  await heading("Overview", on);
}

let browser, bare;
before(async () => {
  bare = startBareWorld({ settings: { WATCHDOG_GAS_RUNS_WARN: 1_000_000_000 } }).then(async (world) => { // beside the other
    await deployAndServe(world).catch(async (error) => { await world.end(); throw error; });
    return world;
  });
  bare.catch(() => {}); // told where it is awaited
  browser = await startBrowser();
});
after(() => endAll(() => browser?.close(), async () => (await bare)?.end()));

describe("the operator's desk", () => {
  const operator = person("desk operator"), stranger = person("desk stranger");
  let world, gateway, page, job;

  before(async () => {
    world = await startWorld({ seed: 71, settings: { WATCHDOG_INTERVAL: 1, API_WALLETS: `${operator.address}:operator`, API_EXPLORER: "https://explorer.example/{kind}/{value}" } });
    gateway = world.gateway;
    const evil = await world.addModel(EVIL, world.creators[0], [{ parent: world.models[0].model, shareBps: 1000 }]);
    await world.claimModel("waits for its verification", world.creators[1], [{ parent: evil, shareBps: 250 }]);
    await gateway.must("POST", "/admin/v1/providers", { address: person("evil node").address, name: EVIL_SCRIPT });
    await world.setPrice({ model: world.models[1].model, unit: EVIL.slice(0, 32), perMillion: { inputTokens: "900000000000000000", outputTokens: "3000000000000000000" }, split: { provider: 7000, creator: 2500, protocol: 500 }, effectiveFrom: Date.now() - 48 * HOUR });
    const receipts = [];
    for (let i = 0; i < 24; i++) receipts.push(await world.jobs.signed(world.nodes[i % 3], world.models[i % 4].model));
    await world.postAccepted(receipts);
    job = receipts[2];
    const held = [];
    for (let i = 0; i < 3; i++) held.push(await world.jobs.signed(world.nodes[0], evil, { finishedAt: Date.now() - 30 * HOUR - i * 1000 }));
    held.push(await world.jobs.signed(person("a stranger's node"), evil));
    const { body } = await gateway.post("/v1/receipts", held);
    assert.deepEqual(body.results.map(({ code }) => code), ["late", "late", "late", "unknown-provider"]);
    page = await openPage(browser, gateway.adminUrl);
  });
  after(() => world?.end());

  const calm = (on = page) => assert.deepEqual(on.complaints, []);

  it("serves its files packed, kept for ever, under a policy without exceptions", async () => {
    const shell = await fetch(gateway.adminUrl), text = await shell.text();
    assert.equal(shell.headers.get("content-security-policy"), "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'");
    assert.deepEqual([shell.headers.get("x-content-type-options"), shell.headers.get("referrer-policy"), shell.headers.get("cache-control")], ["nosniff", "no-referrer", "public, no-cache"]);
    assert.doesNotMatch(text, /<script(?![^>]+src=)|<style|style=|https?:\/\/(?!www\.w3\.org)/);
    const again = await fetch(gateway.adminUrl, { headers: { "if-none-match": shell.headers.get("etag") } });
    assert.equal(again.status, 304);
    const [, script] = /src="(\/assets\/[^"]+\.js)"/.exec(text);
    const packed = await fetch(gateway.adminUrl + script, { headers: { "accept-encoding": "gzip" } });
    assert.equal(packed.headers.get("cache-control"), "public, max-age=31536000, immutable");
    assert.equal(packed.headers.get("content-encoding"), "gzip");
    assert.ok(Number(packed.headers.get("content-length")) < 120 * 1024, `${packed.headers.get("content-length")} bytes of JavaScript`);
    const plain = await fetch(gateway.adminUrl + script, { headers: { "accept-encoding": "identity" } });
    assert.equal(await plain.text(), await packed.text());
    assert.equal((await fetch(`${gateway.adminUrl}/assets/desk.html`)).status, 404);
    assert.equal((await fetch(`${gateway.url}/quarantine`)).status, 404, "no page of it is on the public listener");
  });

  it("lets nobody in with a wrong key, and says so", async () => {
    await page.goto("/settlements");
    await page.getByLabel("API key").fill("qk_wrong");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("alert").getByText("This key is not known.").waitFor();
    page.complaints.length = 0; // the browser tells of each 401
  });

  it("signs in by key and shows what stands", async () => {
    await signIn(page, gateway.apiKey);
    await page.getByText("24 accepted, 0 rejected since the start").waitFor();
    await page.locator(".figure", { hasText: "Next run" }).getByText("in 2 d").waitFor(); // settle_within is 3 days
    const { chain } = (await gateway.admin("GET", "/admin/v1/overview")).body;
    assert.equal(chain.confirmed, chain.head, "a test chain's blocks are final at once");
    assert.ok(chain.endpoints[0].head > 0);
    calm();
    const cookies = await page.context().cookies();
    assert.deepEqual(cookies.map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite]), [["quittance_session", true, "Strict"]]);
    assert.equal(await page.evaluate(() => document.cookie), "", "scripts do not see it");
  });

  it("changes nothing for a cookie without its token, or for another site's page", async () => {
    const [{ name, value }] = await page.context().cookies();
    const body = { address: person("forged").address, name: "forged" }, cookie = `${name}=${value}`;
    const session = await gateway.request(gateway.adminUrl, "GET", "/admin/v1/session", undefined, { cookie });
    assert.equal(session.body.role, "admin");
    const attempt = async (headers) => (await gateway.request(gateway.adminUrl, "POST", "/admin/v1/providers", body, { cookie, ...headers })).status;
    assert.equal(await attempt({}), 403);
    assert.equal(await attempt({ "x-csrf-token": "0".repeat(64) }), 403);
    assert.equal(await attempt({ "x-csrf-token": session.body.csrf, origin: "https://evil.example" }), 403);
    assert.equal(await attempt({ "x-csrf-token": session.body.csrf, "content-type": "text/plain" }), 415, "as a form of another site would send it");
    assert.equal(await attempt({ "x-csrf-token": session.body.csrf, origin: gateway.adminUrl }), 201);
  });

  it("settles after showing what it would do, and follows to the end, live", async () => {
    await page.getByRole("button", { name: "Settle now" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("1 commit").waitFor();
    assert.equal((await gateway.get("/v1/settlements")).body.items.length, 0, "looking settles nothing");
    await dialog.getByRole("button", { name: "Start the run" }).click();
    await dialog.getByText("final").waitFor({ timeout: 60_000 });
    await dialog.getByRole("button", { name: "Close", exact: true }).last().click();
    await page.locator(".happening").getByRole("link", { name: "Settlement 1" }).first().waitFor();
    await page.locator(".happening").getByText("Paid").first().waitFor();
    assert.ok((await world.view("totalClaimed")) > 0n);
    calm();
  });

  it("checks a receipt's whole proof in the browser, and finds what was changed", async () => {
    await page.keyboard.press("g");
    await page.keyboard.press("r");
    await heading("Receipts", page);
    await page.keyboard.press("/");
    await page.keyboard.type(job.jobId);
    await page.keyboard.press("Enter");
    await page.getByText("Everything is right").waitFor();
    await page.route("**/v1/receipts/*", async (route) => {
      const answer = await route.fetch(), body = await answer.json();
      body.receipt.outputTokens += 1;
      await route.fulfill({ response: answer, json: body });
    });
    await page.reload();
    await page.getByText(/checks failed/).waitFor();
    await page.locator('.checks li[data-state="wrong"]', { hasText: "Identity" }).waitFor();
    await page.unroute("**/v1/receipts/*");
    calm();
  });

  it("finds receipts by provider and by a model's name", async () => {
    await page.goto("/receipts");
    await page.locator("[data-search]").fill("tuned");
    await page.keyboard.press("Enter");
    await page.locator("table tbody tr").first().waitFor();
    const rows = await page.locator("table tbody tr").count();
    assert.equal(rows, 6, "24 receipts over four models");
    await page.goto(`/receipts?provider=${world.nodes[0].address}&state=accepted`);
    await page.locator("table tbody tr").first().waitFor();
    assert.equal(await page.locator("table tbody tr").count(), 8);
  });

  it("releases one held receipt and refuses another, with a reason that is kept as text", async () => {
    await page.goto("/quarantine?code=late");
    await page.locator("table tbody tr").first().waitFor();
    assert.equal(await page.locator("table tbody tr").count(), 3);
    for (const [button, action] of [["Release", "Release 1"], ["Refuse", "Refuse 1"]]) {
      await page.locator("table tbody tr").first().getByRole("checkbox").check();
      await page.getByRole("button", { name: `${button} 1…` }).click();
      await page.getByLabel("Reason").fill(EVIL);
      await page.getByRole("dialog").getByRole("button", { name: action }).click();
      await page.getByRole("dialog").waitFor({ state: "detached" });
    }
    await until(async () => (await page.locator("table tbody tr").count()) === 1, "two of three are decided");
    const { items } = (await gateway.admin("GET", "/admin/v1/audit")).body;
    assert.deepEqual(items.filter(({ detail }) => detail?.reason === EVIL).length, 2);
    calm();
  });

  it("shows what a price would have changed before it is saved", async () => {
    await page.goto("/prices");
    await page.getByRole("button", { name: "New version" }).click();
    const dialog = page.getByRole("dialog"), output = dialog.getByLabel("output tokens");
    await until(async () => (await output.inputValue()) === "2.000000000000000007", "the price in force is filled in");
    await output.fill("4");
    assert.ok(await dialog.getByRole("button", { name: "Save" }).isDisabled(), "the effect comes first");
    await dialog.getByRole("button", { name: "Show the effect" }).click();
    await dialog.locator("[data-change]").waitFor();
    assert.match(await dialog.locator("[data-change]").textContent(), /^\+\d/);
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
    const { items } = (await gateway.admin("GET", "/admin/v1/prices?limit=1000")).body;
    assert.equal(items.filter(({ model, perMillion }) => model === "*" && perMillion.outputTokens === "4000000000000000000").length, 1);
    calm();
  });

  it("admits a provider and makes a key that is shown once", async () => {
    await page.goto("/providers");
    await page.getByRole("button", { name: "Admit a provider" }).click();
    await page.getByRole("textbox", { name: "Address" }).fill(person("a stranger's node").address);
    await page.getByRole("textbox", { name: "Name" }).fill("late comer");
    await page.getByRole("button", { name: "Admit", exact: true }).click();
    await page.locator("table td").getByText("late comer").first().waitFor();
    await page.goto("/keys");
    await page.getByRole("button", { name: "New key" }).click();
    await page.getByLabel("Name").fill(EVIL);
    await page.getByRole("button", { name: "Make it" }).click();
    const key = await page.locator(".secret code").textContent();
    assert.match(key, /^qk_[0-9a-f]{64}$/);
    await page.getByRole("button", { name: "I have kept it" }).click();
    assert.equal((await gateway.admin("GET", "/admin/v1/prices", undefined, { authorization: `Bearer ${key}` })).status, 200);
    calm();
  });

  it("is worked by keys: / searches wherever one is, g and a letter open a page, a form begins in its first field", async () => {
    await page.keyboard.press("g");
    await page.keyboard.press("t");
    await heading("Transactions", page);
    await page.keyboard.press("/");
    await heading("Receipts", page);
    await until(() => page.evaluate(() => document.activeElement?.matches("[data-search]")), "the search is where one types");
    await page.keyboard.press("Escape");
    await page.goto("/keys");
    await page.getByRole("button", { name: "New key" }).click();
    await until(() => page.evaluate(() => document.activeElement?.matches("dialog input")), "the name is where one types");
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await until(() => page.evaluate(() => document.activeElement?.textContent === "New key"), "one is where one was");
  });

  it("decides about everything that a rule holds, at once", async () => {
    const late = await Promise.all(Array.from({ length: 120 }, (_, i) =>
      world.jobs.signed(world.nodes[1], world.models[0].model, { finishedAt: Date.now() - 40 * HOUR - i * 1000 })));
    const { body } = await gateway.post("/v1/receipts", [...late, await world.jobs.signed(person("nobody's node"), world.models[0].model)]);
    assert.equal(body.results.filter(({ code }) => code === "late").length, 120);
    await page.goto("/quarantine?code=late");
    await page.getByRole("checkbox", { name: "Select all that are shown" }).check();
    await page.getByRole("button", { name: "Select everything of late" }).click();
    await page.getByRole("button", { name: "Refuse all…" }).click();
    await page.getByLabel("Reason").fill("the clock of that node was wrong");
    await page.getByRole("dialog").getByRole("button", { name: "Refuse all of them" }).click();
    await page.locator(".empty").getByText("Nothing is held").waitFor();
    const { items } = (await gateway.admin("GET", "/admin/v1/quarantine?limit=1000")).body;
    assert.deepEqual([...new Set(items.map(({ code }) => code))], ["unknown-provider"], "other rules keep what they hold");
    calm();
  });

  it("expels a provider and admits it again", async () => {
    await page.goto("/providers");
    const row = page.locator("table tbody tr", { hasText: "late comer" });
    await row.getByRole("button", { name: "Expel" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Expel" }).click();
    await row.getByText("expelled").waitFor();
    await row.getByRole("button", { name: "Admit again" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Admit", exact: true }).click();
    await row.getByText("admitted").waitFor();
    calm();
  });

  it("enrolls a consumer, limits its credit and expels it", async () => {
    await page.goto("/consumers");
    await page.getByRole("button", { name: "Enroll a consumer" }).click();
    await page.getByRole("textbox", { name: "Address" }).fill(person("a late consumer").address);
    await page.getByRole("textbox", { name: "Name" }).fill(EVIL);
    await page.getByRole("button", { name: "Enroll", exact: true }).click();
    const row = page.locator("table tbody tr", { hasText: EVIL });
    await row.getByText("none", { exact: true }).waitFor();
    await row.getByRole("button", { name: "Change" }).click();
    await page.getByRole("textbox", { name: "Credit limit of a period" }).fill("12.5");
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await row.getByText("12.5", { exact: true }).waitFor();
    await row.getByRole("button", { name: "Expel" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Expel" }).click();
    await row.getByText("expelled").waitFor();
    calm();
  });

  it("draws an hour, a day or a week", async () => {
    const hasPoint = async () => (await gateway.admin("GET", "/admin/v1/samples?range=hour")).body.at.length > 0;
    await until(hasPoint, "a point of the last hour"); // one is taken each 10 s
    await page.goto("/");
    const switcher = page.getByRole("group", { name: "Range of the plots" });
    const steps = {};
    for (const range of ["day", "week", "hour"]) {
      const asked = page.waitForResponse((answer) => answer.url().endsWith(`/admin/v1/samples?range=${range}`));
      await switcher.getByRole("button", { name: range }).click();
      const { at, step } = await (await asked).json();
      if (range === "hour") assert.ok(at.length > 0, "the page is given no point");
      steps[range] = step;
      assert.equal(await switcher.getByRole("button", { name: range }).getAttribute("aria-pressed"), "true");
    }
    assert.ok(steps.hour < steps.day && steps.day < steps.week, `a point is ${JSON.stringify(steps)} ms long`);
    calm();
  });

  it("leads to the configured explorer", async () => {
    await page.goto("/transactions");
    const link = page.locator("table tbody tr a[target=_blank]").first(), hash = await link.getAttribute("title");
    assert.equal(await link.getAttribute("href"), `https://explorer.example/tx/${hash}`);
    await page.goto(`/accounts/${world.nodes[0].address}`);
    const there = page.getByRole("link", { name: "On the explorer" });
    assert.equal(await there.getAttribute("href"), `https://explorer.example/address/${world.nodes[0].address}`);
    assert.equal(await there.getAttribute("rel"), "noreferrer");
  });

  it("exports a table as CSV, without formulas", async () => {
    await page.goto("/models");
    await page.locator("table tbody tr").first().waitFor();
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export CSV" }).first().click()]);
    const text = fs.readFileSync(await file.path(), "utf8");
    assert.match(text, /^Name,Digest,Creator,State/);
    assert.ok(text.includes(`"${EVIL.replaceAll('"', '""')}"`));
  });

  describe("with a wallet", () => {
    /** A wallet of the tests' own (EIP-1193): asks, signs, and remembers what it was asked. */
    async function openWithWallet(account) {
      const on = await openPage(browser, gateway.adminUrl), asked = [];
      await on.exposeFunction("walletOfTests", async (method, params) => {
        asked.push([method, params]);
        if (method === "eth_requestAccounts") return [account.address.toLowerCase()];
        assert.equal(method, "personal_sign");
        return account.signMessage({ message: { raw: params[0] } });
      });
      await on.addInitScript(() => { window.ethereum = { request: ({ method, params }) => window.walletOfTests(method, params) }; });
      await on.goto("/");
      await on.getByRole("button", { name: "Sign in with your wallet" }).click();
      return { on, asked };
    }

    it("lets an address in that the configuration names, with its role, and out again", async () => {
      const { on, asked } = await openWithWallet(operator.account);
      await heading("Overview", on);
      await on.locator(".who .role").getByText("operator").waitFor();
      await on.goto("/providers");
      await on.locator("table tbody tr").first().waitFor();
      assert.equal(await on.getByRole("button", { name: "Admit a provider" }).count(), 0, "an operator does not admit");
      const [{ name, value }] = await on.context().cookies(), cookie = `${name}=${value}`;
      const { body: session } = await gateway.request(gateway.adminUrl, "GET", "/admin/v1/session", undefined, { cookie });
      const may = async (path, body) => (await gateway.request(gateway.adminUrl, "POST", path, body, { cookie, "x-csrf-token": session.csrf })).status;
      assert.equal(session.role, "operator");
      assert.deepEqual([await may("/admin/v1/providers", { address: stranger.address, name: "x" }), await may("/admin/v1/keys", { role: "admin", name: "x" })], [403, 403]);
      assert.equal(await may("/admin/v1/settlements", { dryRun: true }), 202);
      const [message] = asked.at(-1)[1], signature = await operator.account.signMessage({ message: { raw: message } });
      const again = await gateway.request(gateway.adminUrl, "POST", "/admin/v1/session", { message: Buffer.from(message.slice(2), "hex").toString(), signature });
      assert.equal(again.status, 401);
      assert.match(again.body.detail, /used before/);
      await on.getByRole("button", { name: "Sign out" }).click();
      await on.getByLabel("API key").waitFor();
      const after = await gateway.request(gateway.adminUrl, "GET", "/admin/v1/prices", undefined, { cookie });
      assert.equal(after.status, 401);
      calm(on);
    });

    it("refuses an address that it does not name", async () => {
      const { on } = await openWithWallet(stranger.account);
      await on.getByRole("alert").getByText("none of [api] wallets").waitFor();
    });

    it("refuses a message for another host or chain, without a nonce of its own, or out of its time", async () => {
      const { body } = await gateway.request(gateway.adminUrl, "GET", "/admin/v1/session/nonce"), host = new URL(gateway.adminUrl).host;
      const send = async (over = {}) => {
        const m = { domain: host, uri: gateway.adminUrl, chain: body.chainId, nonce: body.nonce, ...over };
        const message = [`${m.domain} wants you to sign in with your Ethereum account:`, operator.address, "", "", `URI: ${m.uri}`, "Version: 1", `Chain ID: ${m.chain}`, `Nonce: ${m.nonce}`, `Issued At: ${m.issuedAt ?? new Date().toISOString()}`, ...(m.more ?? [])].join("\n");
        const signature = await operator.account.signMessage({ message });
        return gateway.request(gateway.adminUrl, "POST", "/admin/v1/session", { message, signature });
      };
      const ahead = new Date(Date.now() + HOUR).toISOString(), past = new Date(Date.now() - HOUR).toISOString();
      for (const over of [{ domain: "evil.example" }, { uri: "https://evil.example" }, { chain: 1 }, { nonce: "a".repeat(64) }, { nonce: toHex(1n, { size: 32 }).slice(2) }, { issuedAt: ahead }, { more: [`Expiration Time: ${past}`] }, { more: [`Not Before: ${ahead}`] }])
        assert.equal((await send(over)).status, 401, JSON.stringify(over));
      assert.equal((await send()).status, 201);
    });
  });

  it("tells events again to whoever comes back", async () => {
    const listen = async (headers, wanted) => {
      const stop = new AbortController(), answer = await fetch(`${gateway.adminUrl}/admin/v1/events`, { headers: { authorization: `Bearer ${gateway.apiKey}`, ...headers }, signal: stop.signal });
      assert.equal(answer.headers.get("content-type"), "text/event-stream");
      let text = "";
      for await (const piece of answer.body) {
        text += Buffer.from(piece).toString();
        if (wanted.test(text)) break;
      }
      stop.abort();
      return text;
    };
    const first = listen({}, /event: receipt\ndata: .*\n\n/);
    await until(async () => {
      await world.postAccepted([await world.jobs.signed(world.nodes[1], world.models[0].model)]);
      return Promise.race([first, new Promise((resolve) => setTimeout(resolve, 500))]);
    }, "an event for a receipt");
    const id = Number(/id: (\d+)/.exec(await first)[1]);
    const replayed = await listen({ "last-event-id": String(id - 1) }, /event: receipt/);
    assert.match(replayed, new RegExp(`id: ${id}\nevent: receipt`));
  });
});

describe("the desk of a gateway that has nothing yet", () => {
  it("shows alarms first, and on each page what to do next", async () => {
    const { gateway } = await bare, page = await openPage(browser, gateway.adminUrl);
    await signIn(page, gateway.apiKey);
    await page.locator('.alarms li[data-level="warning"]').getByText("send coin to the signer").waitFor();
    assert.deepEqual(await look(page, "overview-empty"), []);
    for (const [path, next] of [["settlements", "Once receipts are accepted"], ["transactions", "The first settlement makes"], ["receipts", "Nodes post them"], ["quarantine", "would wait here"],
      ["providers", "Admit the address"], ["models", "Creators sign"], ["prices", "sets the first"], ["accounts", "with the first accepted receipt"], ["consumers", "charged to the treasury until"]]) {
      await page.goto(`/${path}`);
      await page.locator(".empty").getByText(next).waitFor();
    }
    await page.getByRole("link", { name: "Settlements" }).first().click();
    await page.getByRole("button", { name: "Settle now" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Nothing to settle" }).waitFor();
    assert.deepEqual(page.complaints, []);
  });
});
