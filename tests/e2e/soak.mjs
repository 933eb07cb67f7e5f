// Is anything kept that should be given back?  After as many receipts as fill SQLite's page caches (64 MiB of the writer),
// 100 000 more must leave the service's memory as it is.  A sanitizer build needs no warming up: its exit code shows leaks.
//   node tests/e2e/soak.mjs [COUNT | --minutes N]      with minutes: as many as go in, with a settlement of every 20 000
//   QUITTANCE_BINARY=build/address-undefined/quittance for the sanitizer build
import assert from "node:assert/strict";
import fs from "node:fs";
import { parseArgs } from "node:util";
import { run } from "../../scripts/lib/process.mjs";
import { BINARY } from "../../scripts/lib/gateway.mjs";
import { startWorld } from "./world.mjs";

const { values: { minutes }, positionals: [count = minutes ? "Infinity" : "100000"] } = parseArgs({
  options: { minutes: { type: "string" } }, allowPositionals: true });
const COUNT = Number(count);
const END = minutes ? Date.now() + Number(minutes) * 60_000 : Infinity;
const STEP = 10_000;
const SANITIZED = /address|leak|undefined/.test(BINARY);
const WARM_UP = SANITIZED ? 0 : 130_000;
const GROWTH_MAX_KIB = 4 * 1024; // a leak of 40 bytes a receipt shows

// Memory of its own: pages of mapped files come and go as the kernel likes.
const memoryKib = (pid) => Number(/^RssAnon:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))[1]);

async function command(args, input) {
  const result = await run(BINARY, ["receipt", ...args], { input });
  assert.equal(result.code, 0, result.stderr.slice(0, 2000));
  return result.stdout;
}

const world = await startWorld({ seed: 101, settings: { RECEIPTS_DAILY_LIMIT: 10n ** 30n } });
let failure;
try {
  const node = world.nodes[0], url = ["--url", world.gateway.url], key = await world.keystoreOf(node), sizes = [];
  for (let sent = 0; sent < WARM_UP + COUNT && (Date.now() < END || sent <= WARM_UP); sent += STEP) {
    const jobs = await command(["make", "--provider", node.address, "--model", world.models.map((m) => m.model).join(","), "--count", String(STEP), "--seed", String(sent + 1)]);
    // Every other step in bundles: both ways in are measured.
    const posted = (sent / STEP) % 2 === 1 ? await command(["post", ...url, "--bundle", "500", ...key], jobs)
      : await command(["post", ...url], await command(["sign", ...url, ...key], jobs));
    assert.equal(JSON.parse(posted).accepted, STEP, posted);
    // What earners and nodes read meanwhile.
    for (const line of jobs.split("\n").slice(0, 200)) if (line) await world.gateway.get(`/v1/receipts/${JSON.parse(line).jobId}`);
    for (const { address } of world.nodes) await world.gateway.get(`/v1/accounts/${address}`);
    if (minutes && (sent / STEP) % 2 === 1) assert.equal((await world.settle()).state, "final");
    sizes.push(memoryKib(world.gateway.pid));
    console.log(`${sent + STEP} receipts, ${sizes.at(-1)} KiB${sent + STEP <= WARM_UP ? " (warming up)" : ""}`);
  }
  // A sanitizer keeps freed memory in quarantine, so there only its own report counts.
  if (!SANITIZED) {
    const grown = sizes.at(-1) - sizes[WARM_UP / STEP - 1];
    console.log(`${(sizes.length * STEP) - WARM_UP} receipts after the warm-up: grown by ${grown} KiB, allowed are ${GROWTH_MAX_KIB}`);
    assert.ok(grown <= GROWTH_MAX_KIB, "memory grows with the receipts: something is kept");
  }
} catch (error) {
  failure = error;
}
try {
  await world.end(); // fails when the service does not end with 0
} catch (error) {
  failure ??= error;
}
console.log(failure ? `soak: ${failure.message}` : "soak: no leak");
process.exit(failure ? 1 : 0);
