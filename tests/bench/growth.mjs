// Does ingest get slower as the store grows?  The rate at a million stored receipts against that at N, settled as it goes, a million
// a batch; how many bytes on disk a receipt takes, and whether memory stays.
//   scripts/bench growth [--receipts N]
import fs from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { atLeast, atMost, bench, fill, info, memoryKib, resetPeak } from "./lib.mjs";

const { values } = parseArgs({ options: { receipts: { type: "string", default: "4000000" } } });
const COUNT = Number(values.receipts), STEP = Math.min(1_000_000, Math.ceil(COUNT / 4)), SAMPLE = STEP / 2;
const KEPT_MIN = 0.8, RSS_MAX_MIB = 256;

function diskBytes(dir) {
  let sum = 0;
  for (const entry of fs.readdirSync(dir, { withFileTypes: true })) {
    const name = path.join(dir, entry.name);
    sum += entry.isDirectory() ? diskBytes(name) : fs.statSync(name).blocks * 512;
  }
  return sum;
}

await bench(async (world) => {
  const { dir, pid } = world.gateway, empty = diskBytes(dir);
  let stored = 0, first, last;
  const add = async (count, options) => { const report = await fill(world, count, options); stored += report.accepted; return report; };

  while (stored < COUNT) {
    await add(STEP);
    await world.settle("--timeout", "3600");
    if (first) continue;
    first = await add(SAMPLE, { measure: true });
    resetPeak(pid);
  }
  last = await add(SAMPLE, { measure: true });
  info(`growth, at ${STEP} receipts`, first.clock, "receipts/s");
  info(`growth, at ${stored - SAMPLE} receipts`, last.clock, "receipts/s");
  atLeast("growth, rate kept, by the clock", last.clock / first.clock, "", KEPT_MIN);
  atLeast("growth, rate kept, by CPU time", last.cpu / first.cpu, "", KEPT_MIN);
  atMost("growth, peak memory from the first batch on", memoryKib(pid, "VmHWM") / 1024, "MiB", RSS_MAX_MIB);
  await world.settle("--timeout", "3600");
  info("growth, bytes on disk a receipt, all settled", (diskBytes(dir) - empty) / stored, "bytes");
  info("growth, of these in published files", diskBytes(path.join(dir, "archive")) / stored, "bytes");
});
