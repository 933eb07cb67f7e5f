// Instructions a receipt, counted by valgrind's callgrind on a fixed input: a figure that no other process on the machine moves.
// Fails when a path costs over 5 % more than instructions.json says; says so when it costs over 5 % less.  --record writes what is
// measured: do that in the change that makes it so, and say why.
//   make instructions      node tests/bench/instructions.mjs [--record]
//
// Valgrind shows the program no AVX-512, so keccak256_many goes by its AVX2 width there; a processor without AVX2 counts other
// instructions, and is not compared.
import fs from "node:fs";
import { run } from "../../scripts/lib/process.mjs";

const RECORD = new URL("instructions.json", import.meta.url);
const PROGRAM = new URL("../../build/tests/bench/instructions", import.meta.url).pathname;
const OVER = 1.05, UNDER = 0.95;

async function count(kind) {
  const result = await run("valgrind", ["--tool=callgrind", "--instr-atstart=no", "--callgrind-out-file=/dev/null", PROGRAM, kind], { timeoutMs: 300_000 });
  if (result.code !== 0) throw new Error(`valgrind ended with ${result.code ?? result.signal}: ${result.stderr}`);
  const { receipts } = JSON.parse(result.stdout.trim().split("\n").at(-1));
  const total = Number(/Collected : (\d+)/.exec(result.stderr)?.[1]); // of all threads
  if (!(total > 0)) throw new Error(`callgrind counted nothing: ${result.stderr}`);
  return Math.round(total / receipts);
}

let failed = false;
const kinds = ["object", "single", "bundle"]; // one a submission, in arrays of 100, in bundles
const seen = Object.fromEntries(await Promise.all(kinds.map(async (kind) => [kind, await count(kind)])));
if (process.argv.includes("--record")) {
  fs.writeFileSync(RECORD, `${JSON.stringify(seen, null, 2)}\n`);
  console.log(`instructions: recorded ${JSON.stringify(seen)}`);
} else if (!/\bavx2\b/.test(fs.readFileSync("/proc/cpuinfo", "utf8"))) {
  console.log(`instructions: ${JSON.stringify(seen)}, not compared: the record is of a processor with AVX2`);
} else {
  const record = JSON.parse(fs.readFileSync(RECORD, "utf8"));
  for (const [kind, value] of Object.entries(seen)) {
    const ratio = value / record[kind];
    const verdict = ratio > OVER ? "costs more: find out why, or record it" : ratio < UNDER ? "costs less: lower the record (--record)" : "as recorded";
    console.log(`instructions: ${kind} ${value} a receipt, ${(ratio * 100).toFixed(1)} % of ${record[kind]}: ${verdict}`);
    failed ||= !(ratio <= OVER);
  }
}
process.exit(failed ? 1 : 0);
