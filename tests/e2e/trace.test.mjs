// A whole load shaped like real traffic, through the node's own commands, and every sum recomputed to the last unit.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { BINARY } from "../../scripts/lib/gateway.mjs";
import { run } from "../../scripts/lib/process.mjs";
import { Rng } from "./jobs.mjs";
import { receiptsRoot, rewardsRoot } from "./trees.mjs";
import { ANY_PRICE, startWorld } from "./world.mjs";

const JOBS = 9683;
const REAL_TRACE = new URL("../../../shared/data/azure_llm_2023_conv_first_half.csv", import.meta.url).pathname;

/** As many rows, the same columns, about the same half hour, from a seed. */
function makeTrace(file) {
  const rng = new Rng(2023);
  const rows = Array.from({ length: JOBS }, (_, i) => {
    const at = new Date(Date.UTC(2023, 10, 16, 18, 15) + Math.floor((i * 1_800_000) / JOBS) + rng.below(100));
    const [input, output] = [1 + rng.below(rng.below(4) ? 1500 : 7000), 1 + rng.below(rng.below(3) ? 300 : 1000)];
    return `${at.toISOString().replace("T", " ").replace("Z", "0000")},${input},${output}`;
  });
  fs.writeFileSync(file, ["TIMESTAMP,ContextTokens,GeneratedTokens", ...rows, ""].join("\n"));
  return file;
}

describe("9 683 jobs of a trace", () => {
  let world, books, rows, report;

  before(async () => {
    world = await startWorld({ seed: 21, price: null });
    await world.setPrice(ANY_PRICE);
    const tuned = { model: world.models[1].model, unit: "image", perMillion: { inputTokens: "333333333333333333", outputTokens: "1234567890123456789" },
      split: { provider: 3333, creator: 6666, protocol: 1 } };
    await world.setPrice(tuned);
    // A second version that only the latest jobs of that model fall under.
    await world.setPrice({ ...tuned, effectiveFrom: Date.now() - 45_000, perMillion: { computeMs: "98765432109876543" } });
    books = world.books();
  });
  after(() => world?.end());

  const command = async (args, input) => {
    const result = await run(BINARY, ["receipt", ...args], { input });
    assert.equal(result.code, 0, result.stderr.slice(0, 2000));
    return result.stdout;
  };

  it("are made from the trace, the last one ending now", async () => {
    const trace = fs.existsSync(REAL_TRACE) ? REAL_TRACE : makeTrace(path.join(world.dir, "trace.csv"));
    const made = await command(["make", "--provider", world.nodes[0].address, "--model", world.models.map((m) => m.model).join(","), "--trace", trace]);
    rows = made.trim().split("\n").map((line) => JSON.parse(line));
    assert.equal(rows.length, JOBS);
    const last = Math.max(...rows.map((row) => row.finishedAt));
    assert.ok(Math.abs(Date.now() - last) < 60_000, `the last job ended at ${last}`);
  });

  it("are signed by three nodes and accepted, the second node's in signed bundles", async () => {
    rows.forEach((row, i) => { row.provider = world.nodes[i % 100 === 99 ? 2 : i % 2].address; });
    for (const [i, node] of world.nodes.entries()) {
      const lines = rows.filter((row) => row.provider === node.address).map((row) => JSON.stringify(row)).join("\n");
      const key = await world.keystoreOf(node), url = ["--url", world.gateway.url];
      const posted = i === 1 ? await command(["post", ...url, "--bundle", "500", ...key], lines)
        : await command(["post", ...url], await command(["sign", ...url, ...key], lines));
      const counts = JSON.parse(posted);
      assert.equal(counts.accepted, lines.split("\n").length, posted);
    }
  });

  it("settle in one run", async () => {
    for (const row of rows) books.add(row);
    report = await world.settle();
    assert.deepEqual([report.state, report.receipts, report.total, report.paid], ["final", JOBS, String(books.total), String(books.total)]);
  });

  it("fall under both price versions of the model that has two", async () => {
    const { body } = await world.gateway.get(`/v1/settlements/${report.sequence}/archive`);
    const lines = body.trim().split("\n").map((line) => JSON.parse(line)).filter((line) => line.type === "receipt");
    assert.deepEqual([...new Set(lines.map((line) => line.priceVersion))].sort(), [1, 2, 3]);
    for (const line of lines) assert.equal(line.amount, String(books.sharesOf(line).amount));
    const { body: settlement } = await world.gateway.get(`/v1/settlements/${report.sequence}`);
    assert.equal(receiptsRoot(lines), settlement.receiptsRoot);
  });

  it("are paid on the chain exactly as recomputed: claimed, balance and Transfer logs of every account", async () => {
    assert.equal(await world.view("activeRoot"), rewardsRoot(books.rewards(), world.token));
    const transfers = await world.transfers();
    for (const { account, claimable } of books.rewards()) {
      assert.equal(await world.view("claimed", account), claimable, account);
      assert.equal(await world.balance(account), claimable, account);
      assert.equal(transfers.get(account.toLowerCase()), claimable, account);
    }
    assert.equal(transfers.size, books.rewards().length);
    assert.equal(await world.view("totalClaimed"), books.total);
  });

  it("show by account, role and model the recomputed sums", async () => {
    for (const expected of books.accounts.values()) {
      const { body } = await world.gateway.get(`/v1/accounts/${expected.account}`);
      assert.equal(body.earned, String(expected.earned));
      const sums = (object) => Object.fromEntries(Object.entries(object).map(([k, x]) => [k, BigInt(x)]).filter(([, x]) => x > 0n));
      assert.deepEqual(sums(body.byRole), sums(expected.byRole), expected.account);
      assert.deepEqual(sums(body.byModel), sums(expected.byModel), expected.account);
    }
  });

  it("pass the audit", async () => {
    assert.ok(await world.gateway.command(["audit", world.gateway.url]));
  });
});
