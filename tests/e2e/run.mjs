// Runs the end-to-end tests, one file after the other (files would share two cores): node tests/e2e/run.mjs [NAME ...]
// A file that passes is one line; of one that fails everything is shown.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { BINARY } from "../../scripts/lib/gateway.mjs";
import { run } from "../../scripts/lib/process.mjs";

const FILE_TIMEOUT_MS = 20 * 60_000; // sanitizer builds and slow machines included

const dir = path.dirname(fileURLToPath(import.meta.url));
const all = fs.readdirSync(dir).filter((name) => name.endsWith(".test.mjs")).map((name) => name.slice(0, -9)).sort();
const wanted = process.argv.slice(2).map((name) => path.basename(name).replace(/\.test\.mjs$/, ""));
const unknown = wanted.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`run.mjs: there is no ${unknown.join(", ")}; there are ${all.join(", ")}`);
  process.exit(64);
}
try {
  fs.accessSync(BINARY, fs.constants.X_OK);
} catch {
  console.error(`run.mjs: ${BINARY} is not there: run make first`);
  process.exit(64);
}

/** The last "# pass N" of TAP, or "ℹ pass N" of a newer Node's own format. */
const count = (text, what) => Number([...text.matchAll(new RegExp(`^(?:#|ℹ) ${what} (\\d+)`, "gm"))].at(-1)?.[1] ?? 0);

let passed = 0, failed = 0;
for (const name of wanted.length > 0 ? wanted : all) {
  const began = Date.now();
  const { code, stdout, stderr } = await run(process.execPath, [path.join(dir, `${name}.test.mjs`)], { timeoutMs: FILE_TIMEOUT_MS });
  const good = count(stdout, "pass"), bad = count(stdout, "fail") + count(stdout, "cancelled");
  // A file that broke before its first test has failed too.
  const failures = code === 0 ? bad : Math.max(bad, 1);
  passed += good;
  failed += failures;
  if (failures > 0) console.log(stdout + stderr);
  console.log(`e2e ${name.padEnd(10)} ${String(good).padStart(3)} passed, ${failures} failed, ${((Date.now() - began) / 1000).toFixed(1)} s`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
