// What must hold after a history: of the books, of what is published, of a store made from that, and of the same history done again.
import assert from "node:assert/strict";
import { Rng } from "../e2e/jobs.mjs";
import { DEBITS } from "./model.mjs";
import { replay } from "./replay.mjs";
import { saidBy } from "./steps.mjs";

const sorted = (map) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
const amounts = (rows, name) => sorted(new Map(rows.map((row) => [row.account.toLowerCase(), BigInt(row[name])])));
const byTime = (prices) => prices.map((p) => JSON.stringify(saidBy(p))).sort();

/** "account role model" → amount of what the gateway holds; of each batch both sides are equal. */
function sumsOf(postings) {
  const sums = new Map(), sides = new Map();
  for (const { batch, account, role, model, amount } of postings) {
    const name = [account.toLowerCase(), role, model].join(" ");
    assert.ok(BigInt(amount) > 0n, `${name} is ${amount}`);
    sums.set(name, (sums.get(name) ?? 0n) + BigInt(amount));
    sides.set(batch, (sides.get(batch) ?? 0n) + (DEBITS.has(role) ? -1n : 1n) * BigInt(amount));
  }
  for (const [batch, rest] of sides) assert.equal(rest, 0n, `batch ${batch} does not balance`);
  return sums;
}

/** "consumer day" → amount. */
const billedDays = (rows) => sorted(new Map(rows.filter(({ amount }) => amount !== "0").map(({ consumer, day, amount }) => [`${consumer.toLowerCase()} ${day}`, BigInt(amount)])));

/** Gives what another run of the history must come to. */
export async function checkBooks({ driver, model, archives }) {
  const books = await driver.do({ do: "books" }), { leaves, debts, differs } = replay(archives);
  const end = { sums: sorted(sumsOf(books.postings)), prices: byTime(books.prices) };
  assert.deepEqual(end.sums, sorted(model.sums()), "postings");
  assert.deepEqual(end.prices, byTime(model.prices), "prices");
  assert.deepEqual(billedDays(books.billed), sorted(model.billedDays()), "what consumers were billed a day");
  assert.deepEqual(differs, [], "what the archives say");
  assert.deepEqual(sorted(leaves), sorted(model.settled.leaves), "leaves replayed from the archives");
  assert.deepEqual(sorted(debts), sorted(model.settled.debts), "debts replayed from the archives");
  const audit = await driver.do({ do: "audit" });
  assert.equal(audit.error, undefined, `audit: ${audit.error}`);
  assert.deepEqual(amounts(audit.leaves, "claimable"), sorted(model.settled.leaves), "leaves of the audit");
  assert.deepEqual(amounts(audit.debts, "owed"), sorted(model.settled.debts), "debts of the audit");
  return end;
}

/** A new store from the archives holds what was settled, and pays and claims the same. */
export async function checkRebuilt({ driver, model }) {
  const rebuilt = await driver.do({ do: "rebuild" });
  assert.equal(rebuilt.error, undefined, `rebuild: ${rebuilt.error}`);
  assert.deepEqual(sorted(sumsOf(rebuilt.postings)), sorted(model.sums(model.settled.last)), "postings of a rebuilt store");
  assert.deepEqual(billedDays(rebuilt.billed), sorted(model.billedDays(model.settled.last)), "what consumers were billed a day, in a rebuilt store");
  assert.deepEqual(amounts(rebuilt.leaves, "claimable"), sorted(model.settled.leaves), "leaves of a rebuilt store");
  assert.deepEqual(amounts(rebuilt.debts, "owed"), sorted(model.settled.debts), "debts of a rebuilt store");
}

const shuffle = (list, rng) => {
  const out = [...list];
  for (let i = out.length - 1; i > 0; i--) { const k = rng.below(i + 1); [out[i], out[k]] = [out[k], out[i]]; }
  return out;
};

const isMovable = (step) => step?.do === "post" || step?.do === "adjust";

/** Jobs and corrections between two other lines in another order, each job alone. */
export function inAnotherOrder(told, seed) {
  const rng = new Rng(seed ^ 0x5f5f), lines = [];
  for (let i = 0; i < told.length; i++) {
    const run = [];
    for (; isMovable(told[i]); i++)
      run.push(...(told[i].do === "adjust" ? [told[i]] : told[i].receipts.map((entry) => ({ do: "post", bundle: false, receipts: [entry] }))));
    lines.push(...shuffle(run, rng));
    if (told[i] !== undefined) lines.push(told[i]);
  }
  return lines;
}

export const withRestarts = (told) => told.flatMap((step) => [{ do: "restart", whole: true }, step]);

/** A quote ends by the gateway's clock, so it has another hash each time: who named the old one names the new one. */
function renamed(step, quotes) {
  if (step.do !== "post") return step;
  return { ...step, receipts: step.receipts.map((entry) => {
    const now = quotes.get(entry.receipt.quote), shift = entry.atTheEnd === undefined || now === undefined ? 0 : now.shift, r = entry.receipt;
    return now === undefined ? entry
      : { ...entry, receipt: { ...r, quote: now.quote, startedAt: r.startedAt + shift, finishedAt: r.finishedAt + shift } };
  }) };
}

/** The lines once more, on a gateway of their own: the same sums, prices and settlements. */
export async function checkAgain({ driver, history }, lines, end, what) {
  const quotes = new Map();
  await driver.do({ do: "begin", ...history.settings });
  for (let i = 0; i < lines.length; ) {
    const run = [];
    do run.push(renamed(lines[i++], quotes)); while (i < lines.length && run.at(-1).got === undefined);
    const answer = (await driver.tell(run)).at(-1), { got, do: name } = run.at(-1);
    if (name === "quote" && got !== undefined) quotes.set(got.quote, { quote: answer.quote, shift: answer.validUntil - got.validUntil });
    else if (name === "settle" && got !== undefined) assert.equal(answer.rewardsRoot, got.rewardsRoot, `a settlement's rewards, ${what}`);
  }
  const books = await driver.do({ do: "books" });
  assert.deepEqual(sorted(sumsOf(books.postings)), end.sums, `postings, ${what}`);
  assert.deepEqual(byTime(books.prices), end.prices, `prices, ${what}`);
  await driver.do({ do: "end" });
}
