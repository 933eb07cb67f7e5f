// The contract against its model, step by step on a real node: random lives, each from a seed, on each hard fork.
//   MODEL_SEEDS=a,b  lives to run      MODEL_STEPS=n  steps of each
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { parseAbi } from "viem";
import "../e2e/ends.mjs";
import { Contract, startAnvil } from "./chain.mjs";
import { Life } from "./life.mjs";
import { Model, NOBODY } from "./model.mjs";

const SEEDS = (process.env.MODEL_SEEDS ?? "spring,summer,autumn").split(",");
const STEPS = Number(process.env.MODEL_STEPS ?? 300);
const BORN = 1_900_000_000n;
const BALANCE = parseAbi(["function balanceOf(address) view returns (uint256)"]);
const DURATIONS = { capWindow: 86_400n, activationDelay: 3_600n, roleDelay: 7_200n, pauseDuration: 5_000n };
const SETTINGS = {
  spring: { cap: 10n ** 21n, isFunded: true },
  summer: { cap: 12_345n, isFunded: true }, // few units: rounding is all there is
  autumn: { cap: 10n ** 21n, isFunded: false, activationDelay: 0n },
};
const OUTCOMES = [
  "commit", "cancel", "claim", "distribute", "pause", "unpause", "revokeOperator", "proposeOperator", "proposeGuardian", "acceptOperator",
  "acceptGuardian", "setCap", "retire", "transferOwnership", "acceptOwnership", "NotOperator", "NotGuardian", "IsPaused", "StillPending",
  "NothingPending", "WrongSequence", "WrongParent", "ZeroRoot", "TotalFell", "OverCap", "Underfunded", "BadRun", "BadProof", "NothingToClaim",
  "WrongToken", "ExceedsTotal", "TooEarly", "BadConfig", "IsRetired", "OwnableUnauthorizedAccount", "ERC20InvalidReceiver",
];

async function begin(node, seed) {
  const [owner, operator, guardian, funder, ...others] = node.accounts;
  const { isFunded, ...settings } = { ...DURATIONS, ...(SETTINGS[seed] ?? SETTINGS.spring) };
  const token = await Contract.deploy(node, "DevToken", ["Dev", "DEV", 18], ++node.time);
  const roles = { token: token.address, owner, operator, guardian, funder: isFunded ? funder : NOBODY };
  const contract = await Contract.deploy(node, "Settlement",
    [...Object.values(roles), settings.cap, settings.capWindow, settings.activationDelay, settings.roleDelay, settings.pauseDuration], ++node.time);
  const model = new Model({ chainId: 31337n, address: contract.address, ...roles, ...settings });
  const give = async (to, amount) => {
    await token.send(++node.time, owner, "mint", [to, amount]);
    model.mint(0n, owner, to, amount);
  };
  await token.send(++node.time, funder, "approve", [contract.address, (1n << 256n) - 1n]);
  await give(isFunded ? funder : contract.address, settings.cap / 2n); // runs dry some time
  return { model, contract, token, give, people: [operator, owner, guardian, ...others.slice(0, 2)] };
}

async function compare({ model, contract, token }, accounts, time, what) {
  const want = model.views(time);
  const names = Object.keys(want);
  const headers = model.batches.map((_, n) => BigInt(n)).slice(-3);
  const got = await contract.views(time, [...names.map((name) => [name]), ...accounts.map((account) => ["claimed", account]),
    ...headers.map((n) => ["header", n])]);
  names.forEach((name, i) => assert.deepEqual(got[i], want[name], `${name} ${what}`));
  accounts.forEach((account, i) => assert.equal(got[names.length + i], model.paid(account), `claimed(${account}) ${what}`));
  headers.forEach((n, i) => assert.equal(got[names.length + accounts.length + i], model.batches[Number(n)].header, `header(${n}) ${what}`));
  const owners = [...accounts, contract.address, model.settings.funder];
  const ledger = Object.assign(Object.create(token), { abi: BALANCE });
  const balances = await Contract.prototype.views.call(ledger, time, owners.map((owner) => ["balanceOf", owner]));
  owners.forEach((owner, i) => assert.equal(balances[i], model.balance(owner), `balance of ${owner} ${what}`));
}

for (const hardfork of ["prague", "osaka"]) {
  describe(`the contract is its model, on ${hardfork}`, () => {
    const seen = {};
    let node;
    before(async () => {
      node = await startAnvil(hardfork);
      node.time = BORN; // of the last block
    });
    after(() => node.stop());

    for (const seed of SEEDS) {
      it(`through the life "${seed}"`, async () => {
        const world = await begin(node, seed);
        const { model, contract, give, people } = world;
        const life = new Life(seed, model, people);
        await compare(world, life.accounts, node.time, "at birth");
        for (let n = 1; n <= STEPS; ++n) {
          if (life.draw(25) === 0) await give(contract.address, life.draw(model.settings.cap));
          const time = node.time = life.nextTime(node.time);
          const isLast = n === Math.floor(STEPS * 0.85); // retires late, and lives on
          const { sender, name, args, modelArgs } = isLast ? life.plain(model.owner, "retire", [people[3]]) : life.step(time);
          const what = `after step ${n} of "${seed}", ${name}(${args.join(" ")}) by ${sender} at ${time}`;
          const got = await contract.send(time, sender, name, args);
          const want = model[name](time, sender, ...modelArgs);
          if (want.error) assert.deepEqual(got, { error: want.error, args: got.error === "ERC20InvalidReceiver" ? got.args : want.args }, what);
          else assert.deepEqual(got, { result: want.result, events: want.events }, what);
          await compare(world, life.accounts, time, what);
          const key = want.error ?? name;
          seen[key] = (seen[key] ?? 0) + 1;
        }
      });
    }

    it("and the lives between them met everything that can happen", { skip: Boolean(process.env.MODEL_SEEDS || process.env.MODEL_STEPS) }, () => {
      assert.deepEqual(OUTCOMES.filter((outcome) => !seen[outcome]), []);
    });
  });
}
