// A real browser for the pages: Debian's Chromium by playwright-core, axe-core put in by hand, screens kept to be looked at.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SCREENS = new URL("../../build/screens/", import.meta.url).pathname;
export const SIZES = { wide: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };

const findChromium = () => execFileSync("sh", ["-c", "command -v chromium || command -v chromium-browser"], { encoding: "utf8" }).trim();

export async function startBrowser() {
  fs.mkdirSync(SCREENS, { recursive: true });
  return chromium.launch({ executablePath: findChromium(), args: process.getuid() === 0 ? ["--no-sandbox"] : [] });
}

/** A page whose complaints are kept: console errors, exceptions, requests to any other host. */
export async function openPage(browser, base, { size = SIZES.wide, theme = "light" } = {}) {
  const context = await browser.newContext({ viewport: size, colorScheme: theme, baseURL: base, reducedMotion: "reduce", timezoneId: "UTC" });
  const page = await context.newPage();
  page.complaints = [];
  page.on("console", (message) => message.type() === "error" && page.complaints.push(`console: ${message.text()} ${message.location().url}`));
  page.on("pageerror", (error) => page.complaints.push(`exception: ${error.message}`));
  page.on("request", (request) => new URL(request.url()).host !== new URL(base).host && !/^(blob|data):/.test(request.url()) && page.complaints.push(`elsewhere: ${request.url()}`));
  return page;
}

/** How much moved by itself while the page loaded: 0 is nothing (layout shifts, as browsers count them). */
const shifts = (page) => page.evaluate(() => new Promise((resolve) => {
  let sum = 0;
  const observer = new PerformanceObserver((list) => list.getEntries().forEach((entry) => { sum += entry.hadRecentInput ? 0 : entry.value; }));
  observer.observe({ type: "layout-shift", buffered: true });
  setTimeout(() => { observer.disconnect(); resolve(sum); }, 50);
}));

/** A dialog hides what is below it: of such a page what is seen at once, of others all. */
export const screen = async (page, name) => page.screenshot({ path: `${SCREENS}${name}.png`, fullPage: (await page.locator("dialog[open]").count()) === 0 });

/** axe-core comes in over the debugger: the page's policy lets no script in that is not its own. */
async function violations(page) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(AXE);
  return page.evaluate(async () => (await window.axe.run(document, { resultTypes: ["violations"] })).violations
    .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html, any }) => `${html.slice(0, 160)} ${any[0]?.message ?? ""}`).join("\n    ")}`));
}

const THEMES = ["light", "dark"];
/** What is wider than its place: the page, or a table that a reader would have to push to and fro. */
const tooWide = (page) => page.evaluate(() => [document.documentElement, ...document.querySelectorAll(".table-box, dialog")]
  .filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => `${box.tagName} ${box.querySelector("table")?.dataset.name ?? ""} ${box.scrollWidth} > ${box.clientWidth}`));

/** What is wrong with a page as it stands, in both sizes and both themes: pictures of all four, of a part of a page (a dialog) of two; axe-core on
 *  the wide one in light and the narrow one in dark.  [text] */
export async function look(page, name, { isPart = false } = {}) {
  const faults = [];
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport);
    faults.push(...(await tooWide(page)).map((box) => `${name} at ${viewport.width}: ${box}`));
    for (const theme of size === "wide" ? THEMES : [...THEMES].reverse()) {
      const isFirst = (size === "wide") === (theme === "light");
      if (isPart && !isFirst) continue;
      await page.emulateMedia({ colorScheme: theme });
      if (isFirst) faults.push(...(await violations(page)).map((text) => `${name} at ${viewport.width}, ${theme}: ${text}`));
      await screen(page, `${name}-${viewport.width}${theme === "dark" ? "-dark" : ""}`);
    }
  }
  await page.setViewportSize(SIZES.wide);
  return faults;
}

/** What a page promises of each table, sum and time: that it can be taken along, that all digits are at hand, and the moment itself. */
const broken = (page) => page.evaluate(() => [
  ...[...document.querySelectorAll("table[data-name]")].filter((table) => ![...table.closest(".panel").querySelectorAll("button")].some((b) => b.textContent === "Export CSV"))
    .map((table) => `table ${table.dataset.name} has no export`),
  ...[...document.querySelectorAll("data, time")].filter((e) => !e.title && e.dateTime !== e.textContent).map((e) => `${e.textContent} does not tell the exact one`),
  ...[...document.querySelectorAll(".address")].filter((e) => !/^0x[0-9a-fA-F]{40}$/.test(e.querySelector(".mono").title) || !e.querySelector("button.copy") || !e.querySelector(".identicon")).map((e) => `${e.textContent} is no whole address`),
]);

const MOVED_MAX = 0.02; // of layout shifts: 0.1 is felt

/** The same of a place, {name, path, what: a selector that is there once it is complete, then: (page) => opens a part}, loaded anew; and whether
 *  anything moved by itself while it loaded. */
export async function walk(page, { name, path, what, then }) {
  await page.setViewportSize(SIZES.wide);
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto(path);
  await page.locator(what).first().waitFor();
  await page.waitForFunction(() => !document.querySelector(".waiting, [data-waiting]"));
  const moved = await shifts(page);
  await then?.(page);
  return [...(await broken(page)).map((text) => `${name}: ${text}`), ...(moved > MOVED_MAX ? [`${name} moves by ${moved.toFixed(3)} while it loads`] : []), ...await look(page, name, { isPart: then !== undefined })];
}
