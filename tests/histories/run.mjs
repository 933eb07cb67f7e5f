#!/usr/bin/env node
// Random histories done to a real gateway and to the model of model.mjs; every answer, posting, root and archive compared.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { Rng } from "../e2e/jobs.mjs";
import { rewardsRoot } from "../e2e/trees.mjs";
import { History } from "./history.mjs";
import { Model } from "./model.mjs";
import { readArchive, replay } from "./replay.mjs";

const HELP = `usage: run.mjs --driver FILE [--histories N] [--seed S] [--steps N] [--workers N] [--progress]

Makes N histories (1 000) from seeds S, S + 1, ... (1) of N steps each (40), on as many drivers as --workers (2).
A history that differs is told with its seed and the line where it did; --histories 1 --seed S runs it again.`;

const options = { driver: "", histories: 1000, seed: 1, steps: 40, workers: 2, progress: false };
for (let i = 2; i < process.argv.length; i++) {
  const name = process.argv[i].replace(/^--/, "");
  if (name === "help") { console.log(HELP); process.exit(0); }
  if (!(name in options)) { console.error(`no option --${name}\n${HELP}`); process.exit(64); }
  options[name] = name === "progress" ? true : name === "driver" ? process.argv[++i] : Number(process.argv[++i]);
}

class Driver {
  constructor() {
    this.process = spawn(options.driver, { stdio: ["pipe", "pipe", "inherit"] });
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }

  /** Several commands at a time: they wait in the pipe, not for each other. */
  async tell(commands) {
    this.process.stdin.write(commands.map((command) => `${JSON.stringify(command)}\n`).join(""));
    const answers = [];
    for (const command of commands) {
      const { value, done } = await this.lines.next();
      if (done) throw new Error(`the driver ended at ${JSON.stringify(command)}`);
      answers.push(JSON.parse(value));
    }
    return answers;
  }

  async do(command) { return (await this.tell([command]))[0]; }
  end() { this.process.stdin.end(); }
}

/** Does one line to both. */
const steps = {
  admit: (model, step, people) => { model.admit(people[step.provider - 1], step.payout && people[step.payout - 1]); return step; },
  expel: (model, step, people) => { model.expel(people[step.provider - 1]); return step; },
  enroll: (model, step, people) => { model.enroll(people[step.consumer - 1]); return step; },
  claim: (model, step, people) => { model.claim(step.model, people[step.creator - 1], step.parents); return step; },
  verify: (model, step, people) => { model.verify(step.model, people[step.creator - 1]); return step; },
  price: (model, step) => { model.price({ ...step.price, version: model.prices.length + 1 }); return step; },
  pool: (model, step) => { model.pool(step); return step; },
  clock: (model, step) => { model.now = step.now; return step; },
  restart: (model, step) => step,
};

const held = (model) => [...model.receipts.values()].filter((entry) => entry.state === "quarantined");
const numberOf = (people, address) => people.indexOf(address) + 1;

async function post(driver, model, step) {
  const expected = step.receipts.map(({ receipt, countersigned }) => model.post(receipt, countersigned));
  const answer = await driver.do(step);
  assert.deepEqual(answer.items, expected);
}

async function decide(driver, model, step, people) {
  const { receipt } = step.entry, done = step.do === "release" ? model.release(step.entry) : (model.refuse(step.entry), true);
  const answer = await driver.do({ do: step.do, jobId: receipt.jobId, provider: numberOf(people, receipt.provider) });
  assert.equal(answer.error === undefined, done, `${step.do}: ${answer.error}`);
}

async function settle(driver, model, step, context) {
  const answer = await driver.do(step), batch = model.close();
  assert.equal(answer.error, undefined);
  assert.equal(answer.nothing, batch === undefined);
  if (batch === undefined) return;
  model.carried = step.cancel;
  const leaves = model.rewards(batch);
  assert.equal(answer.total, String(leaves.reduce((sum, { claimable }) => sum + claimable, 0n)));
  assert.equal(answer.rewardsRoot, rewardsRoot(leaves, context.token), "rewards root");
  assert.equal(answer.receipts, model.counts.get(batch) ?? 0);
  if (step.cancel) return;
  context.archives.push(readArchive(context.archive, answer.sequence));
  context.settled = leaves;
}

/** "account role model" → amount of what the gateway holds; of each batch both sides are equal. */
function sumsOf(postings) {
  const sums = new Map(), sides = new Map();
  for (const { batch, account, role, model, amount } of postings) {
    const name = [account.toLowerCase(), role, model].join(" "), debit = role === "consumer" || role === "treasury";
    assert.ok(BigInt(amount) > 0n, `${name} is ${amount}`);
    sums.set(name, (sums.get(name) ?? 0n) + BigInt(amount));
    sides.set(batch, (sides.get(batch) ?? 0n) + (debit ? -1n : 1n) * BigInt(amount));
  }
  for (const [batch, rest] of sides) assert.equal(rest, 0n, `batch ${batch} does not balance`);
  return sums;
}

const sorted = (map) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

async function check(driver, model, context) {
  const books = sumsOf((await driver.do({ do: "books" })).postings), { leaves, differs } = replay(context.archives);
  assert.deepEqual(sorted(books), sorted(model.sums()), "postings");
  assert.deepEqual(differs, [], "what the archives say");
  const wanted = sorted(new Map(context.settled.map(({ account, claimable }) => [account, claimable])));
  assert.deepEqual(sorted(leaves), wanted, "leaves replayed from the archives");
  const audit = await driver.do({ do: "audit" });
  assert.equal(audit.error, undefined, `audit: ${audit.error}`);
  assert.deepEqual(sorted(new Map(audit.leaves.map((l) => [l.account.toLowerCase(), BigInt(l.claimable)]))), wanted, "leaves of the audit");
  return books;
}

const shuffle = (list, rng) => {
  const out = [...list];
  for (let i = out.length - 1; i > 0; i--) { const k = rng.below(i + 1); [out[i], out[k]] = [out[k], out[i]]; }
  return out;
};

/** The same jobs between the same settings, each run of posts in another order: the same sums. */
async function checkOrder(driver, told, seed, books) {
  const rng = new Rng(seed ^ 0x5f5f), lines = [];
  for (let i = 0; i < told.length; i++) {
    const run = [];
    while (told[i]?.do === "post") run.push(...told[i++].receipts);
    for (const entry of shuffle(run, rng)) lines.push({ do: "post", bundle: false, receipts: [entry] });
    if (told[i] !== undefined) lines.push(told[i]);
  }
  await driver.tell([{ do: "begin" }, ...lines]);
  assert.deepEqual(sorted(sumsOf((await driver.do({ do: "books" })).postings)), sorted(books), "postings in another order");
  await driver.do({ do: "end" });
}

async function run(driver, seed) {
  const history = new History(seed), { people, protocol, token, now, archive } = await driver.do({ do: "begin" });
  const model = new Model(protocol), context = { token, archive, archives: [], settled: [] }, told = [];
  Object.assign(history, { people, contention: seed % 4 !== 0 });
  model.now = now;
  for (let i = 0; i < options.steps; i++) {
    const step = history.last(model.now, options.steps - i) ?? history.next(model.now, held(model));
    if (step === undefined) continue;
    if (step.do === "settle" && !history.contention) continue;      /* another order fills other batches */
    try {
      if (step.do === "post") await post(driver, model, step);
      else if (step.do === "release" || step.do === "refuse") { if (history.contention) await decide(driver, model, step, people); }
      else if (step.do === "settle") await settle(driver, model, step, context);
      else assert.equal((await driver.do(steps[step.do](model, step, people))).error, undefined);
    } catch (error) {
      error.message = `line ${i}, ${JSON.stringify(step)}\n${error.message}`;
      throw error;
    }
    if (step.do !== "release" && step.do !== "refuse") told.push(step);
  }
  const books = await check(driver, model, context);
  await driver.do({ do: "end" });
  if (!history.contention) await checkOrder(driver, told, seed, books);
  return { receipts: model.receipts.size, settlements: context.archives.length,
    shares: context.archives.flat().flatMap((line) => line.models ?? []).filter((row) => row.share !== "0").length };
}

let next = 0, failed = 0, receipts = 0, settlements = 0, shares = 0;
const began = Date.now();

async function work() {
  let driver = new Driver();
  while (next < options.histories) {
    const seed = options.seed + next++;
    try {
      const done = await run(driver, seed);
      receipts += done.receipts;
      settlements += done.settlements;
      shares += done.shares;
    } catch (error) {
      failed++;
      console.error(`history ${seed}: ${error.message}`);
      driver.process.kill();
      driver = new Driver();
    }
    if (options.progress && next % 500 === 0) console.error(`histories: ${next} of ${options.histories}, ${Math.round((1000 * next) / (Date.now() - began))}/s`);
  }
  driver.end();
}

await Promise.all(Array.from({ length: options.workers }, work));
console.log(`histories: ${options.histories - failed} passed, ${failed} failed; ${receipts} receipts, ${settlements} settlements, ${shares} shares of the pool, ${Math.round((Date.now() - began) / 1000)} s`);
process.exit(failed > 0 ? 1 : 0);
