// Runs the end-to-end tests, a few files at once: node tests/e2e/run.mjs [--jobs N] [NAME ...]
// A file that passes is one line; of one that fails everything is shown.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { BINARY } from "../../scripts/lib/gateway.mjs";
import { run } from "../../scripts/lib/process.mjs";

const FILE_TIMEOUT_MS = 10 * 60_000; // the longest takes two minutes on a sanitizer build
// Begun first, so that none of them is left running alone at the end.
const LONGEST = ["screens", "crash", "earner", "pages", "rebuild", "watch", "backup", "faults", "popularity"];

function usage(complaint) {
  console.error(`run.mjs: ${complaint}`);
  process.exit(64);
}

const dir = path.dirname(fileURLToPath(import.meta.url));
const all = fs.readdirSync(dir).filter((name) => name.endsWith(".test.mjs")).map((name) => name.slice(0, -9)).sort();
// Half of a file's time is waiting for blocks and leases: one more than there are processors.
const options = { jobs: { type: "string", default: String(os.availableParallelism() + 1) }, help: { type: "boolean", short: "h" } };
const { values: { jobs, help }, positionals } = (() => {
  try {
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    return usage(error.message);
  }
})();
if (help) {
  console.log(`usage: node tests/e2e/run.mjs [--jobs N] [NAME ...]\n\nRuns all files, or those named, ${options.jobs.default} at once unless told.  There are:\n${all.join(" ")}`);
  process.exit(0);
}
if (!/^[1-9]\d?$/.test(jobs)) usage(`--jobs is 1 to 99, not ${jobs}`);
const wanted = positionals.map((name) => path.basename(name).replace(/\.test\.mjs$/, ""));
const unknown = wanted.filter((name) => !all.includes(name));
if (unknown.length > 0) usage(`there is no ${unknown.join(", ")}; there are ${all.join(", ")}`);
try {
  fs.accessSync(BINARY, fs.constants.X_OK);
} catch {
  usage(`${BINARY} is not there: run make first`);
}

/** The last "# pass N" of TAP, or "ℹ pass N" of a newer Node's own format. */
const count = (text, what) => Number([...text.matchAll(new RegExp(`^(?:#|ℹ) ${what} (\\d+)`, "gm"))].at(-1)?.[1] ?? 0);

let passed = 0, failed = 0;

async function runFile(name) {
  const began = Date.now();
  const { code, timedOut, stdout, stderr } = await run(process.execPath, [path.join(dir, `${name}.test.mjs`)], { timeoutMs: FILE_TIMEOUT_MS, leads: true });
  const good = count(stdout, "pass"), bad = count(stdout, "fail") + count(stdout, "cancelled");
  // A file that broke before its first test has failed too.
  const failures = code === 0 ? bad : Math.max(bad, 1);
  passed += good;
  failed += failures;
  if (failures > 0) console.log(stdout + stderr + (timedOut ? `${name} did not end within ${FILE_TIMEOUT_MS / 1000} s\n` : ""));
  console.log(`e2e ${name.padEnd(12)} ${String(good).padStart(3)} passed, ${failures} failed, ${((Date.now() - began) / 1000).toFixed(1)} s`);
}

const chosen = wanted.length > 0 ? wanted : all;
const left = [...LONGEST.filter((name) => chosen.includes(name)), ...chosen.filter((name) => !LONGEST.includes(name))];

async function work() {
  while (left.length > 0) await runFile(left.shift());
}

await Promise.all(Array.from({ length: Number(jobs) }, work));
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
