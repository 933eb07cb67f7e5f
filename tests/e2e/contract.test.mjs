// Owner, guardian and the next ones, by the command line: what is asked for is done, what is not understood is not sent.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { person } from "./jobs.mjs";
import { startWorld } from "./world.mjs";

const USAGE = 64;

describe("contract", () => {
  let world, next, keys;

  before(async () => {
    world = await startWorld({ seed: 99 });
    next = person("next operator");
    keys = await world.keystoreOf(next);
    await world.chain.fund(next.address, 10n ** 20n);
  });
  after(() => world?.end());

  const contract = (...words) => world.gateway.command(["contract", ...words]);
  const refused = async (...words) => {
    const before = await world.chain.client.getBlockNumber();
    const error = await contract(...words, "--yes").then(() => assert.fail(`contract ${words.join(" ")} was taken`), (e) => e);
    assert.equal(await world.chain.client.getBlockNumber(), before, "nothing was sent");
    return error;
  };

  for (const role of ["operator", "guardian"]) {
    it(`propose and accept ${role}`, async () => {
      const proposed = await contract("propose", role, next.address, "--yes");
      assert.deepEqual([proposed.action, proposed.role], ["propose", role]);
      assert.notEqual(await world.view(role), next.address);
      const accepted = await contract("accept", role, "--yes", ...keys);
      assert.deepEqual([accepted.action, accepted.role, accepted.contract], ["accept", role, world.contract]);
      assert.equal((await contract("show"))[role], next.address);
    });
  }

  it("sets the cap and pauses", async () => {
    await contract("set-cap", "12345", "--yes");
    assert.equal(String(await world.view("cap")), "12345");
    await contract("pause", "--yes", ...keys);
    assert.ok(await world.view("pausedUntil") > 0n);
    await contract("unpause", "--yes");
  });

  it("takes no words it does not know, and sends nothing", async () => {
    for (const words of [["dance"], ["propose"], ["propose", "owner", next.address], ["propose", "operator"], ["propose", next.address],
      ["propose", "operator", next.address, "x"], ["accept"], ["accept", "operator", next.address], ["pause", "1"], ["cancel"], ["show", "1"],
      ["propose-operator", next.address], ["set-cap"], ["fund"]])
      assert.equal((await refused(...words)).code, USAGE, words.join(" "));
    assert.match((await refused("propose", "operator", "0x1234")).stderr, /no address/);
    assert.match((await refused("set-cap", "1.5")).stderr, /whole number/);
  });

  it("asks before it sends", async () => {
    const error = await contract("pause", ...keys).then(() => assert.fail("sent without a yes"), (e) => e);
    assert.match(error.stderr, /calldata/);
    assert.match(error.stderr, /--yes/);
  });
});
