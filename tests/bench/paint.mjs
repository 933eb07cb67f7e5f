// How soon the operator's desk stands in a real browser with so many receipts stored: the overview's first paint and its figures, each
// time in a browser context of its own that has nothing in its cache; then, once each, the other pages until their first rows.
//   scripts/bench paint [--receipts N] [--runs N]
import { parseArgs } from "node:util";
import { openPage, startBrowser } from "../e2e/browser.mjs";
import { HOUR } from "../e2e/world.mjs";
import { atMost, bench, fill, info, knownJobs, quantile } from "./lib.mjs";

const { values } = parseArgs({ options: { receipts: { type: "string", default: "300000" }, runs: { type: "string", default: "10" } } });
const COUNT = Number(values.receipts), STEP = Math.min(1_000_000, Math.ceil(COUNT / 3)), PAINT_MS = 300, HELD = 200;

/** Settled a step at a time, as cron would, but for the last; and some that are held. */
async function store(world) {
  const jobs = await knownJobs(world, 3);
  for (let stored = 0; stored < COUNT; stored += STEP) {
    if (stored > 0) await world.settle("--timeout", "3600");
    await fill(world, Math.min(STEP, COUNT - stored));
  }
  const late = await Promise.all(Array.from({ length: HELD }, (_, i) =>
    world.jobs.signed(world.nodes[i % 3], world.models[i % 3].model, { finishedAt: Date.now() - 30 * HOUR - i * 1000 })));
  const { body } = await world.gateway.post("/v1/receipts", late);
  if (body.results.some(({ status }) => status !== "quarantined")) throw new Error("not all late receipts are held");
  return jobs;
}

async function signedIn(gateway) {
  const answer = await fetch(`${gateway.adminUrl}/admin/v1/session`, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ key: gateway.apiKey }),
  });
  const [name, value] = answer.headers.get("set-cookie").split(";")[0].split("=");
  return { name, value, url: gateway.adminUrl, httpOnly: true, sameSite: "Strict" };
}

async function open(browser, gateway, cookie) {
  const page = await openPage(browser, gateway.adminUrl);
  await page.context().addCookies([cookie]);
  await page.addInitScript(() => {
    window.painted = new Promise((resolve) => {
      new PerformanceObserver((list) => resolve(list.getEntries()[0].renderTime)).observe({ type: "element", buffered: true });
    });
  });
  return page;
}

/** {paint, figures}: ms from the start of the navigation until the browser painted them (Paint Timing, Element Timing); cpu: ms of CPU time
 *  that the page's own thread took until then. */
async function overview(browser, gateway, cookie) {
  const page = await open(browser, gateway, cookie), devtools = await page.context().newCDPSession(page);
  await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
  await page.goto("/", { waitUntil: "commit" });
  const times = await page.evaluate(async () => ({
    figures: await window.painted, paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
  }));
  const { metrics } = await devtools.send("Performance.getMetrics");
  times.cpu = metrics.find(({ name }) => name === "TaskDuration").value * 1000;
  await page.context().close();
  return times;
}

async function timePage(browser, gateway, cookie, path, what) {
  const page = await open(browser, gateway, cookie);
  await page.goto(path, { waitUntil: "commit" });
  await page.locator(what).first().waitFor();
  const ms = await page.evaluate(() => performance.now());
  await page.context().close();
  return ms;
}

await bench(async (world) => {
  const { gateway } = world, [job] = await store(world), browser = await startBrowser();
  try {
    await overview(browser, gateway, await signedIn(gateway)); // the browser's own first page
    await world.stopServing();
    await gateway.serve();
    const cookie = await signedIn(gateway), first = await overview(browser, gateway, cookie), times = [];
    for (let i = 0; i < Number(values.runs); i++) times.push(await overview(browser, gateway, cookie));
    info("paint, receipts stored", COUNT, "receipts");
    atMost("paint, overview, first contentful paint after a restart", first.paint, "ms", PAINT_MS);
    atMost("paint, overview, its figures after a restart", first.figures, "ms", PAINT_MS);
    atMost(`paint, overview, first contentful paint, p50 of ${times.length}`, quantile(times.map(({ paint }) => paint), 0.5), "ms", PAINT_MS);
    atMost(`paint, overview, its figures, p50 of ${times.length}`, quantile(times.map(({ figures }) => figures), 0.5), "ms", PAINT_MS);
    info(`paint, overview, its figures, shortest of ${times.length}`, quantile(times.map(({ figures }) => figures), 0), "ms");
    info("paint, overview, CPU time of the page until its figures, p50", quantile(times.map(({ cpu }) => cpu), 0.5), "ms");
    for (const [name, path, what] of [
      ["settlements", "/settlements", "table tbody tr"], ["transactions", "/transactions", "table tbody tr"], ["receipts", "/receipts", "table tbody tr"],
      ["a receipt, checked", `/receipts/${job}`, ".verdict"], ["quarantine", "/quarantine", "table tbody tr"], ["providers", "/providers", "table tbody tr"],
      ["models", "/models", "table tbody tr"], ["prices", "/prices", "table tbody tr"], ["accounts", "/accounts", "table tbody tr"],
      ["an account", `/accounts/${world.nodes[0].address}`, ".facts"], ["keys", "/keys", "table tbody tr"], ["audit log", "/audit", "table tbody tr"],
    ]) info(`paint, ${name}, first rows`, await timePage(browser, gateway, cookie, path, what), "ms");
  } finally {
    await browser.close();
  }
});
