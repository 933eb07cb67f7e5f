#!/usr/bin/env node
// Random histories done to a real gateway and to the model of model.mjs; every answer, posting, root and archive compared.
import { Driver } from "./driver.mjs";
import { checkAgain, checkBooks, checkRebuilt, inAnotherOrder, withRestarts } from "./checks.mjs";
import { awayFromEdges, History } from "./history.mjs";
import { Model } from "./model.mjs";
import { doStep } from "./steps.mjs";

const HELP = `usage: run.mjs --driver FILE [--histories N] [--seed S] [--steps N] [--workers N] [--progress] [--lines]
       run.mjs --driver FILE --mutations | --mutation NAME [--histories N] ...

Makes N histories (1 000) from seeds S, S + 1, ... (1) of N steps each (50), on as many drivers as --workers (2).
A history that differs is told with its seed and the line where it did; --histories 1 --seed S runs it again, --lines
writes its lines to stderr.
--mutation plants a bug and stops at the first history that finds it; --mutations plants all of mutations.h, one after
the other, and fails unless each is found within N (300) histories.`;

const options = { driver: "", histories: 0, seed: 1, steps: 50, workers: 2, progress: false, lines: false, mutations: false, mutation: "" };
for (let i = 2; i < process.argv.length; i++) {
  const name = process.argv[i].replace(/^--/, "");
  if (name === "help") { console.log(HELP); process.exit(0); }
  if (!(name in options)) { console.error(`no option --${name}\n${HELP}`); process.exit(64); }
  options[name] = typeof options[name] === "boolean" ? true : typeof options[name] === "string" ? process.argv[++i] : Number(process.argv[++i]);
}

const numberOf = (people, address) => people.indexOf(address) + 1;

/** The lines that were done to both. */
async function live(context) {
  const { history, model, people } = context, told = [];
  for (let i = 0; i < options.steps; i++) {
    const left = options.steps - i, held = [...model.receipts.values()].filter((entry) => entry.state === "quarantined");
    const step = history.last(model.now, left) ?? history.next(model.now, held);
    if (step === undefined) continue;
    if (!history.contention && left > 3 && (step.entry !== undefined || step.do === "settle")) continue;      /* another order fills other batches */
    if (step.entry !== undefined) {
      Object.assign(step, { jobId: step.entry.receipt.jobId, provider: numberOf(people, step.entry.receipt.provider) });
      Object.defineProperty(step, "entry", { enumerable: false });
    }
    if (options.lines) console.error(`${i} ${JSON.stringify(step)}`);
    try {
      await doStep(context, step);
    } catch (error) {
      error.message = `line ${i}, ${JSON.stringify(step)}\n${error.message}`;
      throw error;
    }
    told.push(step);
  }
  return told;
}

async function run(driver, seed) {
  const history = new History(seed, seed % 4 !== 0), begun = await driver.do({ do: "begin", ...history.settings });
  const { people, protocol, token, archive } = begun, model = new Model({ protocol, ...history.settings });
  const context = { driver, model, history, people, token, archive, archives: [] };
  Object.assign(history, { people, protocol, model });
  const first = { do: "clock", now: awayFromEdges(begun.now) };
  await doStep(context, first);
  const told = [first, ...(await live(context))], end = await checkBooks(context);
  if (seed % 4 === 2) await checkRebuilt(context);
  await driver.do({ do: "end" });
  if (!history.contention) await checkAgain(context, inAnotherOrder(told, seed), end, "in another order");
  if (seed % 32 === 1) await checkAgain(context, withRestarts(told), end, "with a restart before each line");
  return { receipts: model.receipts.size, settlements: context.archives.length,
    shares: context.archives.flat().flatMap((line) => line.models ?? []).filter((row) => row.share !== "0").length,
    steps: model.prices.filter((p) => p.step !== undefined).length, corrections: told.filter((step) => step.do === "adjust").length,
    quoted: [...model.receipts.values()].filter((e) => e.state === "accepted" && model.offers.quotedPrice(e.receipt) !== undefined).length,
    overLimit: [...model.receipts.values()].filter((e) => e.code === "over-limit").length };
}

/** Histories from the next seed on, until `most` are done or, where a bug is planted, one has found it. */
async function runAll(most, planted) {
  const sums = { passed: 0, failed: 0 };
  let next = 0;
  const work = async () => {
    let driver;
    while (next < most && !(planted && sums.failed > 0)) {
      const seed = options.seed + next++;
      try {
        if (driver === undefined) {
          driver = new Driver(options.driver);
          await driver.do({ do: "plant", name: planted || "NONE" });
        }
        const done = await run(driver, seed);
        for (const [name, count] of Object.entries(done)) sums[name] = (sums[name] ?? 0) + count;
        sums.passed++;
      } catch (error) {
        sums.failed++;
        if (planted) sums.why ??= `history ${seed}: ${error.message.split("\n").slice(1, 3).join(" ").slice(0, 120)}`;
        else console.error(`history ${seed}: ${error.message}`);
        driver.process.kill();
        driver = undefined;
      }
      if (options.progress && next % 500 === 0) console.error(`histories: ${next} of ${most}, ${Math.round((1000 * next) / (Date.now() - began))}/s`);
    }
    driver?.end();
  };
  await Promise.all(Array.from({ length: options.workers }, work));
  return sums;
}

async function runMutations() {
  const driver = new Driver(options.driver), { mutations } = await driver.do({ do: "mutations" });
  let missed = 0;
  driver.end();
  for (const { name, text } of mutations.filter((m) => options.mutations || m.name === options.mutation)) {
    const { passed, failed, why } = await runAll(options.histories || 300, name);
    missed += failed === 0;
    console.log(`${name.padEnd(22)} ${failed > 0 ? `found after ${passed} that passed` : "NOT FOUND"}: ${text}\n    ${why ?? ""}`);
  }
  return missed;
}

const began = Date.now();
if (options.mutations || options.mutation !== "") process.exit((await runMutations()) > 0 ? 1 : 0);
const { passed, failed, ...counts } = await runAll(options.histories || 1000, "");
console.log(`histories: ${passed} passed, ${failed} failed; ${Object.entries(counts).map(([name, count]) => `${count} ${name}`).join(", ")}; ${Math.round((Date.now() - began) / 1000)} s`);
process.exit(failed > 0 ? 1 : 0);
