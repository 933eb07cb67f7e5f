// Every page and every dialog of the desk, of the earner's pages and the claim page, over a network that is used: pictures in both sizes and
// both themes in build/screens, which are there to be looked at; axe-core; nothing moves, nothing is cut off, no text of a stranger runs.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { endAll } from "../../scripts/lib/process.mjs";
import { openPage, startBrowser, walk } from "./browser.mjs";
import { person } from "./jobs.mjs";
import { EVIL, startNetwork } from "./network.mjs";
import { modelDigest } from "./world.mjs";

const LANES = 2; // at a time: one computes while another waits

const press = (name) => (page) => page.getByRole("button", { name, exact: typeof name === "string" }).first().click();
const thenSee = (name, what) => async (page) => {
  await press(name)(page);
  await page.locator(what).first().waitFor();
};

describe("what people see", () => {
  let world, browser, cookie;

  before(async () => {
    [world, browser] = await Promise.all([startNetwork(), startBrowser()]);
    const answer = await world.gateway.request(world.gateway.adminUrl, "POST", "/admin/v1/session", { key: world.gateway.apiKey });
    const [name, value] = answer.headers.get("set-cookie").split(";")[0].split("=");
    cookie = { name, value, url: world.gateway.adminUrl, httpOnly: true, sameSite: "Strict" };
  });
  after(() => endAll(() => browser?.close(), () => world?.end()));

  async function walkAll(places, base, { cookies = [], isExpected = () => false } = {}) {
    const left = [...places], faults = [];
    const lane = async () => {
      const page = await openPage(browser, base);
      await page.context().addCookies(cookies);
      for (let place; (place = left.shift());) faults.push(...await walk(page, place));
      assert.equal(await page.evaluate(() => window.injected), undefined);
      assert.deepEqual(page.complaints.filter((text) => !isExpected(text)), []);
      await page.context().close();
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    assert.deepEqual(faults, []);
  }

  const ROWS = "table tbody tr";
  const desk = () => {
    const job = world.posted[0][4], held = world.held[5], model = world.family.get("Merge of code and Japanese"), account = world.crowd[2].address;
    return [
      ["models", "/models", ".lineage .node"], ["receipts", "/receipts", ROWS], ["consumers", "/consumers", ROWS], ["quarantine", "/quarantine", ROWS], ["providers", "/providers", ROWS],
      ["settlements", "/settlements", ROWS], ["settlement", "/settlements/2", ".timeline"], ["transactions", "/transactions", ROWS],
      ["receipt", `/receipts/${job.jobId}`, ".verdict"], ["receipt-held", `/receipts/${held.jobId}`, ".verdict"], ["model", `/models/${model}`, ".lineage .node"],
      ["prices", "/prices", ".plot canvas"], ["price-of-a-model", `/prices?model=${world.family.get("Voice of the sea")}`, ".plot canvas"],
      ["accounts", "/accounts", ROWS], ["account", `/accounts/${account}`, ".facts"], ["keys", "/keys", ROWS], ["audit", "/audit", ROWS],
      ["not-here", "/models/0x12", ".problem"],
      ["dialog-settle-now", "/", ".figure .value", thenSee("Settle now", "dialog .facts")],
      ["dialog-admit", "/providers", ROWS, press("Admit a provider")], ["dialog-expel", "/providers", ROWS, press("Expel")],
      ["dialog-consumer", "/consumers", ROWS, press("Enroll a consumer")], ["dialog-verify", "/models", ROWS, press("Verify")], ["dialog-key", "/keys", ROWS, press("New key")],
      ["dialog-refuse", "/quarantine?code=late", ROWS, async (page) => { await page.getByRole("checkbox").first().check(); await press(/^Refuse \d+…$/)(page); }],
      ["dialog-price", "/prices", ".plot canvas", async (page) => { await press("New version")(page); await page.getByLabel("output tokens").fill("2.5"); await thenSee("Show the effect", "[data-change]")(page); }],
      ["dialog-keys-help", "/keys", ROWS, (page) => page.keyboard.press("?")],
      ["menu", "/keys", ROWS, async (page) => { await page.setViewportSize({ width: 390, height: 844 }); await press("Menu")(page); }],
      ["overview", "/", ".plot canvas"], // last: its plots have had time for points
    ].map(([name, path, what, then]) => ({ name, path, what, then }));
  };

  it("shows the desk", () => walkAll(desk(), world.gateway.adminUrl, { cookies: [cookie], isExpected: (text) => /\/v1\/models\/0x12$|\/claim$/.test(text) }));

  it("shows who is not signed in where to begin", () => walkAll([{ name: "sign-in", path: "/", what: "form" }], world.gateway.adminUrl));

  it("shows the earner's pages", () => {
    const job = world.posted[0][4], held = world.held[5];
    const places = [
      ["overview", "/", 'table[data-name="settlements"] tbody tr'], ["account", `/accounts/${world.crowd[1].address}`, 'table[data-name="statement"] tbody tr'],
      ["account-creator", `/accounts/${world.creators[0].address}`, 'table[data-name="statement"] tbody tr'], ["account-consumer", `/accounts/${world.buyers[0].address}`, 'table[data-name="savings"] tbody tr'],
      ["account-nothing", `/accounts/${person("nobody").address}`, ".empty"], ["receipt", `/receipts/${job.jobId}`, ".verdict"], ["receipt-held", `/receipts/${held.jobId}`, ".verdict"],
      ["model", `/models/${world.family.get(EVIL)}`, ".lineage .node"], ["register", "/register", "form"], ["claim", "/claim.html", "input[type=file]"],
      ["connect", "/register", "form", thenSee("Connect wallet", "dialog")], ["not-here", `/models/${modelDigest("nobody's")}`, ".problem"],
    ].map(([name, path, what, then]) => ({ name: `earner-${name}`, path, what, then }));
    return walkAll(places, world.gateway.url, { isExpected: (text) => text.includes(modelDigest("nobody's")) });
  });
});
