// One line of a history, done to the gateway and to the model: what both answer must be the same.
import assert from "node:assert/strict";
import { rewardsRoot } from "../e2e/trees.mjs";
import { readArchive } from "./replay.mjs";

const low = (text) => text?.toLowerCase();
const address = (people, number) => number && people[number - 1];

/** What the model makes of a setting; false: the gateway must refuse it. */
const settings = {
  admit: (model, step, people) => model.admit(address(people, step.provider), address(people, step.payout), step.dailyLimit),
  cap: (model, step) => model.cap(step.max),
  expel: (model, step, people) => model.expel(address(people, step.provider)),
  enroll: (model, step, people) => model.enroll(address(people, step.consumer), step.creditLimit),
  dismiss: (model, step, people) => model.dismiss(address(people, step.consumer)),
  claim: (model, step, people) => model.claim(step.model, address(people, step.creator), step.parents),
  verify: (model, step, people) => model.verify(step.model, address(people, step.creator)),
  price: (model, step) => model.price(step.price),
  pool: (model, step) => model.pool(step),
  capacity: (model, step, people) => model.offers.announce({ ...step, provider: low(address(people, step.provider)) }),
  adjust: (model, step) => model.adjust(step.adjustment),
  clock: (model, step) => model.clock(step.now),
  restart: () => undefined,
};

async function post({ driver, model }, step) {
  model.posts++;
  const expected = step.receipts.map(({ receipt, countersigned }) => model.post(receipt, countersigned));
  const answer = await driver.do(step);
  assert.deepEqual(answer.items, expected);
}

async function decide({ driver, model }, step) {
  const done = step.do === "release" ? model.release(step.entry) : (model.refuse(step.entry), true);
  const answer = await driver.do({ do: step.do, jobId: step.jobId, provider: step.provider });
  assert.equal(answer.error === undefined, done, `${step.do}: ${answer.error}`);
}

/** What a price version says, without its number: which of two markets moves first is nobody's business. */
export const saidBy = ({ model, effectiveFrom, perMillion, split, step }) => ({ model: low(model), effectiveFrom, perMillion, split,
  ...(step === undefined ? {} : { from: step.from, demand: String(step.demand), capacity: String(step.capacity), multiplier: String(step.multiplier) }) });

async function quote({ driver, model, history, people }, step) {
  const price = model.offers.quotable(step.model), answer = await driver.do(step);
  assert.equal(answer.error === undefined, price !== undefined, `quote: ${answer.error}`);
  if (price === undefined) return;
  assert.deepEqual(saidBy(answer.price), saidBy(price), "the price of a quote");
  assert.ok(Math.abs(answer.validUntil - model.now - model.offers.quoteMax) < 2_000, `valid until ${answer.validUntil}`);
  const { quote: hash, validUntil } = answer, consumer = low(address(people, step.consumer)), provider = low(address(people, step.provider));
  model.offers.quote(hash, { model: step.model, provider, consumer, version: price, validUntil });
  history.quotes.push({ quote: hash, model: step.model, provider: step.provider, consumer: step.consumer, validUntil });
  step.got = { quote: hash, validUntil };
}

async function settle(context, step) {
  const { driver, model } = context, answer = await driver.do(step), batch = model.close();
  assert.equal(answer.error, undefined);
  assert.equal(answer.nothing, batch === undefined);
  if (batch === undefined) return;
  const stand = model.standAfter(batch), leaves = [...stand.leaves].map(([account, claimable]) => ({ account, claimable }));
  assert.equal(answer.total, String(leaves.reduce((sum, { claimable }) => sum + claimable, 0n)));
  assert.equal(answer.rewardsRoot, rewardsRoot(leaves, context.token), "rewards root");
  assert.equal(answer.receipts, model.counts.get(batch) ?? 0);
  step.got = answer;
  if (step.cancel) return;
  context.archives.push(readArchive(context.archive, answer.sequence));
  model.settled = stand;
}

async function change({ driver, model, people }, step) {
  const taken = settings[step.do](model, step, people) !== false, answer = await driver.do(step);
  assert.equal(answer.error === undefined, taken, `${step.do}: ${answer.error}`);
}

const doings = { post, release: decide, refuse: decide, quote, settle };

/** context: {driver, model, history, people, token, archive, archives}. */
export const doStep = (context, step) => (doings[step.do] ?? change)(context, step);
