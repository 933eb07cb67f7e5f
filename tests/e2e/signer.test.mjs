// Settling with a key that another service holds: the whole path, and a signer that is away, slow, or lies.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { BINARY } from "../../scripts/lib/gateway.mjs";
import { endAll, run, until } from "../../scripts/lib/process.mjs";
import { person } from "./jobs.mjs";
import { SELF_SIGNED, SignerServer } from "./signer-server.mjs";
import { deployAndServe, populate, startBareWorld } from "./world.mjs";

const A_PERSON = 70, TRY_AGAIN = 75, NO_PERMISSION = 77, CONFIGURATION = 78;
const TOKEN = "a-token-of-the-signer";

describe("a remote signer", () => {
  let world, signer, operator, books;

  before(async () => {
    world = await startBareWorld();
    operator = person("operator behind a signer");
    signer = await new SignerServer([person("somebody else"), operator], { token: TOKEN }).listen();
    fs.writeFileSync(path.join(world.gateway.dir, "token"), `${TOKEN}\n`, { mode: 0o600 });
    Object.assign(world.gateway.env, {
      QUITTANCE_SIGNER_KEY: `web3signer:${signer.url}/${operator.address}`, QUITTANCE_SIGNER_TOKEN_FILE: "token",
      QUITTANCE_SIGNER_PROMISE_KEY: "keystore:operator.json",
    });
    world.gateway.address = operator.address;
    await world.chain.test.setBalance({ address: operator.address, value: 10n ** 21n });
    await deployAndServe(world);
    await populate(world, { seed: 77 });
    books = world.books();
  });
  after(() => endAll(() => signer?.close(), () => world?.end()));

  async function work(count = 3) {
    const receipts = await Promise.all(Array.from({ length: count }, (_, i) =>
      world.jobs.signed(world.nodes[i % 3], world.models[i % 3].model)));
    await world.postAccepted(receipts);
    for (const receipt of receipts) books.add(receipt);
  }

  const command = (args, env = {}) => run(BINARY, ["-c", `${world.gateway.dir}/quittance.conf`, ...args], { env: { ...world.gateway.env, ...env } });

  async function settleFails(code, words) {
    const { code: got, stderr } = await command(["settle", "--wait", "--timeout", "30"]);
    assert.equal(got, code, stderr);
    assert.match(stderr, words);
    assert.match(stderr, /the remote signer at http:|signer: signed with another key/);
  }

  /** It is honest again, and what waited is paid once. */
  async function goesOn(sequence) {
    signer.behave();
    const report = await world.settle();
    assert.deepEqual([report.sequence, report.state], [sequence, "final"]);
    const transfers = await world.transfers();
    for (const { account, claimable } of books.rewards()) assert.equal(transfers.get(account.toLowerCase()), claimable, account);
    assert.equal([...transfers.values()].reduce((a, b) => a + b, 0n), books.total);
  }

  it("signs the deployment, the commit and the payments; the audit agrees", async () => {
    assert.equal(await world.view("operator"), operator.address);
    await work();
    await goesOn(1);
    assert.ok(signer.asked.filter((method) => method === "eth_signTransaction").length >= 5, signer.asked.join());
    assert.equal((await world.gateway.command(["status"])).signer, operator.address);
    assert.ok(await world.gateway.command(["audit", world.gateway.url]));
  });

  it("that is away keeps settlement waiting, and nothing else; then all goes on", async () => {
    await signer.close();
    await work();
    await settleFails(TRY_AGAIN, /not sent/);
    await work();
    assert.equal((await world.gateway.get("/readyz")).status, 200);
    assert.equal((await world.commits()).length, 1);
    await signer.listen();
    await goesOn(3);                    // 2 is what waited, 3 what came meanwhile
  });

  it("that is away when the service starts keeps it from nothing either", async () => {
    await world.settle();
    const { sequence } = await world.gateway.command(["contract", "show"]);
    await world.stopServing();
    await signer.close();
    await world.gateway.serve();
    await work();
    await signer.listen();
    await goesOn(sequence + 1);
  });

  it("that dawdles keeps no receipt waiting", async () => {
    const { sequence } = await world.gateway.command(["contract", "show"]);
    await work();
    const asked = signer.asked.length;
    let settled = false, letGo;
    signer.behave({ hold: new Promise((resolve) => { letGo = resolve; }) });
    const settling = world.settle().finally(() => { settled = true; });
    await until(() => signer.asked.length > asked, "the signer is asked");
    await work();
    assert.equal(settled, false, "receipts waited for the signer");
    letGo();
    assert.equal((await settling).sequence, sequence + 1);
    await goesOn(sequence + 2);
  });

  for (const [what, behaviour, words] of [
    ["another value", { change: (tx) => ({ ...tx, value: 1n }) }, /signed another value/],
    ["another receiver", { change: (tx) => ({ ...tx, to: operator.address }) }, /signed another to/],
    ["an access list", { change: (tx) => ({ ...tx, accessList: [{ address: operator.address, storageKeys: [] }] }) }, /access list/],
    ["an older type", { change: ({ type, maxFeePerGas, maxPriorityFeePerGas, ...tx }) => ({ ...tx, type: "legacy", gasPrice: maxFeePerGas }) }, /no signature to use|another/],
    ["another key", { as: person("a thief") }, /signed with another key/],
    ["garbage", { text: "<html>it works</html>" }, /not JSON/],
  ])
    it(`that answers ${what} stops the run: nothing is sent, nothing is stored`, async () => {
      await work();
      const nonce = await world.chain.client.getTransactionCount({ address: operator.address, blockTag: "pending" });
      signer.behave(behaviour);
      await settleFails(A_PERSON, words);
      assert.equal(await world.chain.client.getTransactionCount({ address: operator.address, blockTag: "pending" }), nonce);
      const { body: { items: [{ sequence }] } } = await world.gateway.get("/v1/settlements?limit=1");
      const { body: settlement } = await world.gateway.get(`/v1/settlements/${sequence}`);
      assert.deepEqual([settlement.state, settlement.transactions], ["prepared", []]);
      await goesOn(sequence);
    });

  it("wants its token, and no log tells it", async () => {
    const wrong = path.join(world.gateway.dir, "wrong-token");
    fs.writeFileSync(wrong, "guessed\n", { mode: 0o600 });
    const { code, stderr } = await command(["contract", "unpause", "--yes"], { QUITTANCE_SIGNER_TOKEN_FILE: wrong });
    assert.equal(code, NO_PERMISSION, stderr);
    assert.match(stderr, /token_file/);
    const shown = await command(["config", "print"]);
    assert.ok(![world.gateway.process.log(), stderr, shown.stdout, shown.stderr].some((text) => text.includes(TOKEN) || text.includes("guessed")));
  });

  it("is known by its certificate", async () => {
    const imposter = await new SignerServer([operator], { tls: SELF_SIGNED }).listen();
    const { code, stderr } = await command(["contract", "unpause", "--yes"], { QUITTANCE_SIGNER_KEY: `web3signer:${imposter.url}` });
    await imposter.close();
    assert.equal(code, TRY_AGAIN, stderr);
    assert.match(stderr, /certificate/);
    assert.deepEqual(imposter.asked, []);
  });

  it("signs no promises: a service without a keystore for them does not start", async () => {
    await world.stopServing();
    const { code, stderr } = await command(["serve"], { QUITTANCE_SIGNER_PROMISE_KEY: "" });
    assert.equal(code, CONFIGURATION, stderr);
    assert.match(stderr, /promise_key must be a keystore/);
  });
});
