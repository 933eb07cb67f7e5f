// A token of the operator's own with 6 decimals settles as one with 18 does: base units are all that counts.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { encodeFunctionData, getAddress } from "viem";
import { ERC20 } from "../../scripts/lib/devchain.mjs";
import { rewardsRoot } from "./trees.mjs";
import { deployAndServe, populate, startBareWorld } from "./world.mjs";

// About what 10^6 tokens cost, in a token of each kind.
const PRICES = {
  6: { perMillion: { inputTokens: "500000", cachedTokens: "50000", outputTokens: "2000000", units: "7000001", computeMs: "13" } },
  18: { perMillion: { inputTokens: "500000000000000003", cachedTokens: "50000000000000001", outputTokens: "2000000000000000007", units: "7", computeMs: "1" } },
};

for (const decimals of [6, 18]) {
  describe(`a token with ${decimals} decimals`, () => {
    let world, books, report;

    before(async () => {
      world = await startBareWorld();
      const token = await deployToken(decimals);
      world.gateway.env.QUITTANCE_CHAIN_TOKEN = token;
      const deployed = await deployAndServe(world, []);
      assert.equal(deployed.token, token);
      await send({ to: token, data: encodeFunctionData({ abi: ERC20, functionName: "mint", args: [world.contract, 10n ** 15n * 10n ** BigInt(decimals)] }) });
      await populate(world, { seed: 60 + decimals, price: null });
      await world.setPrice({ model: "*", unit: "image", split: { provider: 7001, creator: 2498, protocol: 501 }, ...PRICES[decimals] });
      books = world.books();
    });
    after(() => world?.end());

    const send = async (transaction) => {
      const hash = await world.chain.wallet.sendTransaction(transaction);
      return world.chain.client.waitForTransactionReceipt({ hash });
    };
    const deployToken = async (units) => {
      const { abi, bytecode } = world.gateway.artefact("DevToken");
      const hash = await world.chain.wallet.deployContract({ abi, bytecode, args: ["Test Dollar", "TUSD", units] });
      return getAddress((await world.chain.client.waitForTransactionReceipt({ hash })).contractAddress);
    };

    it("says so", async () => {
      const { body } = await world.gateway.get("/v1/info");
      assert.deepEqual([body.token.symbol, body.token.decimals], ["TUSD", decimals]);
    });

    it("settles", async () => {
      const receipts = await Promise.all(Array.from({ length: 40 }, (_, i) => world.jobs.signed(world.nodes[i % 3], world.models[i % 3].model)));
      await world.postAccepted(receipts);
      for (const receipt of receipts) books.add(receipt);
      report = await world.settle();
      assert.deepEqual([report.state, report.total, report.paid], ["final", String(books.total), String(books.total)]);
    });

    it("pays to the unit", async () => {
      for (const { account, claimable } of books.rewards()) assert.equal(await world.balance(account), claimable, account);
      assert.equal(await world.view("activeRoot"), rewardsRoot(books.rewards(), world.token));
      assert.ok(await world.gateway.command(["audit", world.gateway.url]));
    });
  });
}
