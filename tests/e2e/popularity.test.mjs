// The popularity pool: epochs of a few seconds, a restart and two kills in them, and every share recomputed from what was posted
// by the words of gateway/pool/POPULARITY.md alone.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import test from "node:test";
import { isDeepStrictEqual } from "node:util";
import { Gateway } from "../../scripts/lib/gateway.mjs";
import { sleep, until } from "../../scripts/lib/process.mjs";
import { person } from "./jobs.mjs";
import { ANY_PRICE, startWorld } from "./world.mjs";

const EPOCH_MS = 3000, BUDGET = 200_000_000_000_003n, CAP_BPS = 5000n, BPS = 10_000n;
const SETTINGS = { POPULARITY_EPOCH: `${EPOCH_MS / 1000}`, POPULARITY_BUDGET: `${BUDGET}`, POPULARITY_CAP_BPS: `${CAP_BPS}` };

/** The floor of the root, by halving: the gateway takes Newton's steps. */
function isqrt(v) {
  let low = 0n, high = 1n << 128n;
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (middle * middle <= v) low = middle;
    else high = middle;
  }
  return low;
}

/** {score, fees, share} of each model, and what is carried out. */
function shared(jobs, carriedIn) {
  const models = new Map();
  for (const { model, consumer, fee } of jobs) {
    const consumers = models.get(model) ?? models.set(model, new Map()).get(model);
    consumers.set(consumer, (consumers.get(consumer) ?? 0n) + fee);
  }
  const rows = [...models].sort(([a], [b]) => (a < b ? -1 : 1)).map(([model, consumers]) => ({
    model, fees: [...consumers.values()].reduce((a, b) => a + b, 0n),
    score: [...consumers.values()].reduce((sum, fees) => sum + isqrt(fees), 0n),
  }));
  const scores = rows.reduce((sum, row) => sum + row.score, 0n), available = BUDGET + carriedIn;
  for (const row of rows) {
    const cap = (row.fees * CAP_BPS) / BPS, part = (available * row.score) / scores;
    row.share = part < cap ? part : cap;
  }
  return { rows, carriedOut: rows.reduce((left, row) => left - row.share, available) };
}

test("what is widely used is rewarded, once, whatever dies meanwhile", { timeout: 180_000 }, async (t) => {
  const world = await startWorld({ settings: SETTINGS });
  t.after(() => world.end());
  const [base, tuned, merged] = world.models.map((m) => m.model);
  const consumers = [world.consumer, ...["second", "third"].map(person)];
  for (const consumer of consumers.slice(1))
    await world.gateway.must("POST", "/admin/v1/consumers", { address: consumer.address, name: consumer.name });
  const posted = [], books = world.books();

  /** One job each, countersigned; kept with what the protocol gets of it. */
  const use = async (model, by) => {
    const receipts = [];
    for (const consumer of by) {
      const signed = await world.jobs.signed(world.nodes[0], model, { consumer: consumer.address });
      receipts.push(await world.jobs.countersign(consumer, signed));
    }
    await world.postAccepted(receipts);
    for (const receipt of receipts) {
      const amount = books.add(receipt);
      posted.push({ jobId: receipt.jobId, model, consumer: receipt.consumer, fee: (amount * BigInt(ANY_PRICE.split.protocol)) / BPS });
    }
  };
  const beginOfEpoch = () => sleep(EPOCH_MS - (Date.now() % EPOCH_MS) + 20);
  const serveAnew = async (options) => {
    await world.gateway.serve(options);
    await until(async () => (await world.gateway.get("/readyz")).status === 200, "the service to be ready");
  };
  const gone = async () => {
    const { signal } = await world.gateway.process.ended;
    world.gateway.process = undefined;
    return signal;
  };
  const lines = () => {
    const dir = path.join(world.gateway.dir, "archive"), found = [];
    for (let sequence = 1; fs.existsSync(path.join(dir, `${sequence}.archive.ndjson`)); sequence++)
      for (const line of fs.readFileSync(path.join(dir, `${sequence}.archive.ndjson`), "utf8").trimEnd().split("\n"))
        if (line.startsWith('{"type":"popularity"')) found.push({ sequence, ...JSON.parse(line) });
    return found;
  };
  const modelOf = async (model) => (await world.gateway.get(`/v1/models/${model}`)).body;
  const bookedEpoch = async () => {
    const { body } = await world.gateway.admin("GET", "/metrics");
    return Number(/^quittance_popularity_epoch_booked (\d+)$/m.exec(body)[1]);
  };

  await t.test("a restart in the middle of an epoch changes nothing", async () => {
    await beginOfEpoch();
    await use(base, consumers);
    await use(merged, [consumers[0], consumers[0]]);
    const treasury = await world.jobs.signed(world.nodes[1], base);          // nobody is billed for it
    await world.postAccepted([treasury]);
    books.add(treasury);
    const before = await modelOf(base);
    await world.stopServing();
    await serveAnew();
    const { popularity } = await modelOf(base);
    if (popularity.epoch === before.popularity.epoch) assert.deepEqual(popularity, before.popularity);
    await use(base, [consumers[1]]);
    await use(tuned, [consumers[2]]);
  });

  await t.test("kill -9 behind the booking: it is booked once", async () => {
    await beginOfEpoch();
    await world.stopServing();
    await serveAnew({ env: { QUITTANCE_CRASH_AT: "popularity-booked" } });
    // The settlement's end makes the epoch due; whoever books it dies with the commit.
    await world.settle().catch(() => {});
    assert.equal(await gone(), "SIGKILL");
    await serveAnew();
    assert.equal((await world.settle()).state, "final");
    const of = lines();
    assert.ok(of.length > 0);
    assert.deepEqual(of.map((line) => line.epoch), of.map((_, i) => i + 1));
    assert.equal(of.filter((line) => line.models.some((row) => row.model === base && row.share !== "0")).length > 0, true);
  });

  const backup = path.join(world.dir, "backup.db");
  await world.gateway.command(["store", "backup", backup]);

  await t.test("kill -9 at any moment of an epoch's end loses and doubles nothing", async () => {
    await use(merged, consumers);
    await sleep(EPOCH_MS - (Date.now() % EPOCH_MS) - 5);
    world.gateway.process.child.kill("SIGKILL");
    await gone();
    await serveAnew();
    await use(tuned, [consumers[0], consumers[1]]);
    assert.equal((await world.settle()).state, "final");
  });

  await t.test("epochs that pass while nothing runs are booked one after the other, by cron alone", async () => {
    await use(base, [consumers[0]]);
    await world.stopServing();
    await sleep(2 * EPOCH_MS);
    await world.settle();
    await world.settle();
    const of = lines();
    assert.deepEqual(of.map((line) => line.epoch), of.map((_, i) => i + 1));
    for (const [i, line] of of.entries()) {
      assert.equal(line.ends % EPOCH_MS, 0);
      if (i > 0) assert.equal(line.begins, of[i - 1].ends);
    }
    await serveAnew();
  });

  // All that was posted lies in a booked epoch now.
  const of = lines();
  for (const job of posted) job.acceptedAt = (await world.gateway.get(`/v1/receipts/${job.jobId}`)).body.acceptedAt;
  assert.ok(of.at(-1).ends > Math.max(...posted.map((job) => job.acceptedAt)));

  await t.test("every score, share and carry is what the receipts say", () => {
    let carried = 0n;
    for (const line of of) {
      const expected = shared(posted.filter((job) => line.begins <= job.acceptedAt && job.acceptedAt < line.ends), carried);
      assert.equal(BigInt(line.carriedIn), carried);
      assert.equal(BigInt(line.carriedOut), expected.carriedOut);
      assert.deepEqual(line.models.map(({ model, score, fees, share }) => ({ model, fees: BigInt(fees), score: BigInt(score), share: BigInt(share) })),
        expected.rows);
      carried = expected.carriedOut;
    }
    const shares = of.flatMap((line) => line.models);
    assert.ok(shares.some((row) => BigInt(row.share) === (BigInt(row.fees) * CAP_BPS) / BPS), "nobody was at the cap");
    assert.equal(shares.reduce((sum, row) => sum + BigInt(row.share), carried), BUDGET * BigInt(of.length));
  });

  await t.test("it runs through the lineages, into accounts, settlements and wallets", async () => {
    const pay = (digest, x) => {
      const model = world.models.find((m) => m.model === digest);
      let kept = x;
      for (const { parent, shareBps } of model.parents) {
        const part = (x * BigInt(shareBps)) / BPS;
        kept -= part;
        pay(parent, part);
      }
      const sums = books.account(model.creator);
      sums.earned += kept;
      sums.byRole.popularity = (sums.byRole.popularity ?? 0n) + kept;
      books.total += kept;
    };
    for (const line of of) for (const { model, share } of line.models) pay(model, BigInt(share));
    for (const creator of world.creators) {
      const { body } = await world.gateway.get(`/v1/accounts/${creator.address}`);
      assert.equal(BigInt(body.byRole.popularity), books.account(creator.address).byRole.popularity);
      assert.equal(BigInt(body.earned), books.account(creator.address).earned);
    }
    await world.assertPaidOnce(books);
    const last = of.filter((line) => line.models.some((row) => row.model === base)).at(-1);
    assert.equal((await modelOf(base)).popularity.last.epoch, last.epoch);
    assert.equal((await modelOf(base)).popularity.last.share, last.models.find((row) => row.model === base).share);
    assert.ok(await bookedEpoch() >= of.length);
  });

  await t.test("a statement has a line for each part, and its figures give the share again", async () => {
    const statement = async (address) => {
      const items = [];
      for (let next = ""; next !== null;) {
        const { body } = await world.gateway.get(`/v1/accounts/${address}/statements?limit=3&cursor=${next}`);
        items.push(...body.items);
        next = body.next;
      }
      return items;
    };
    let parts = 0;
    for (const { address } of [...world.creators, ...world.nodes]) {
      const { body } = await world.gateway.get(`/v1/accounts/${address}`), items = await statement(address);
      const sum = (list) => list.reduce((all, { share }) => all + BigInt(share), 0n), popular = items.filter(({ kind }) => kind === "popularity");
      assert.equal(sum(items), BigInt(body.earned), address);
      assert.equal(sum(popular), BigInt(body.byRole.popularity ?? 0), address);
      for (const { epoch, model, gross, reason, at } of popular) {
        const line = of.find((l) => l.epoch === epoch), row = line.models.find((m) => m.model === model);
        const [, available, score, scores, cap, fees] = reason.match(/less of (\d+) x (\d+) \/ (\d+) scores and (\d+) bps of (\d+) fees/).map((x) => x.match(/^\d+$/) && BigInt(x));
        const part = (available * score) / scores, most = (fees * cap) / BPS;
        assert.equal(gross, row.share);
        assert.equal(BigInt(gross), part < most ? part : most);
        assert.equal(at, line.ends);
        parts++;
      }
    }
    assert.ok(parts > of.length, `${parts} parts`);
  });

  await t.test("the audit agrees, and finds a share that is one unit too high", async () => {
    const dir = path.join(world.gateway.dir, "archive");
    assert.ok((await world.gateway.command(["audit", world.gateway.url])).settlements > 2);
    const false_ = path.join(world.dir, "false");
    fs.cpSync(dir, false_, { recursive: true });
    const file = path.join(false_, `${of[0].sequence}.archive.ndjson`);
    fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace(/"carriedOut":"(\d+)"/, (_, n) => `"carriedOut":"${BigInt(n) + 1n}"`));
    for (const name of fs.readdirSync(false_)) if (name.endsWith(".zst")) fs.rmSync(path.join(false_, name));
    await assert.rejects(world.gateway.command(["audit", false_]), (error) => error.code === 65);
  });

  await t.test("a store rebuilt from the archives says the same", async () => {
    const read = async () => ({
      models: await Promise.all([base, tuned, merged].map(async (model) => (await modelOf(model)).popularity.last)),
      accounts: await Promise.all(world.creators.map(async (who) => (await world.gateway.get(`/v1/accounts/${who.address}`)).body)),
    });
    const before = await read(), files = path.join(world.gateway.dir, "archive"), old = world.gateway;
    // Once it is level, and payments are read from the chain.
    const asBefore = async () => {
      await until(async () => isDeepStrictEqual(await read(), before), "the store to be level", 20_000).catch(() => {});
      assert.deepEqual(await read(), before);
    };
    // A backup from before some epochs were booked catches up by itself.
    await world.stopServing();
    for (const name of ["quittance.db", "quittance.db-wal", "quittance.db-shm"]) fs.rmSync(path.join(old.dir, name), { force: true });
    fs.copyFileSync(backup, path.join(old.dir, "quittance.db"));
    await serveAnew();
    await asBefore();
    await world.stopServing();
    world.gateway = new Gateway(path.join(world.dir, "rebuilt"), {});
    fs.mkdirSync(world.gateway.dir);
    for (const name of ["quittance.conf", "operator.json", "passphrase", "secret"])
      fs.copyFileSync(path.join(old.dir, name), path.join(world.gateway.dir, name));
    Object.assign(world.gateway, { env: old.env, address: old.address });
    await world.gateway.command(["store", "rebuild", files]);
    const { key } = await world.gateway.command(["apikey", "new", "--role", "admin"]);
    fs.writeFileSync(path.join(world.gateway.dir, "admin.key"), `${key}\n`, { mode: 0o600 });
    world.gateway.apiKey = key;
    await serveAnew();
    await asBefore();
    await use(tuned, consumers);
    await beginOfEpoch();
    assert.equal((await world.settle()).state, "final");
    await until(async () => (await bookedEpoch()) > of.length, "the next epoch to be booked");
    await world.settle();
    await world.gateway.command(["audit", world.gateway.url]);
  });
});
