// A random life of the contract, drawn from one seed: who calls what and when.  Mostly what could happen, often a
// little wrong: the wrong caller, number, second, leaf or hash.
import { keccak256, toHex } from "viem";
import { NOBODY, ZERO } from "./model.mjs";
import { leafOf, proofOf, rootOf, walkOf } from "./tree.mjs";

const FEW = 3n;

export class Life {
  constructor(seed, model, people) {
    Object.assign(this, { state: keccak256(toHex(seed)), model, people, trees: [] });
    // One of the accounts is none: the token refuses to pay it, so it is skipped.
    this.accounts = Array.from({ length: 9 }, (_, i) => (i === 4 ? NOBODY : keccak256(toHex(`account ${i}`)).slice(0, 42)));
  }

  /** A number from 0 to bound - 1; a BigInt for a BigInt. */
  draw(bound) {
    this.state = keccak256(this.state);
    const n = BigInt(this.state) % BigInt(bound);
    return typeof bound === "bigint" ? n : Number(n);
  }

  one(list) { return list[this.draw(list.length)]; }
  isRare() { return this.draw(8) === 0; }
  mostly(who) { return this.isRare() ? this.one(this.people) : who; }

  /** The next second something happens in: at once, about a boundary, or much later. */
  nextTime(time) {
    const { model } = this, { capWindow, pauseDuration } = model.settings;
    const bounds = [model.last().activeAt, model.paused, model.paused + pauseDuration, model.proposed.operator.at,
      model.proposed.guardian.at, model.bucket.raise?.at ?? 0n, model.retiredAt ?? 0n]
      .flatMap((at) => [at - 1n, at]).filter((at) => at > time);
    const kind = this.draw(4);
    if (kind === 0 && bounds.length > 0) return this.one(bounds);
    return time + 1n + (kind === 1 && !model.isPending(time) ? this.draw(capWindow * 2n) : this.draw(600n));
  }

  /** [sender, function, arguments for the contract, arguments for the model]. */
  step(time) {
    const { model } = this, { owner, roles } = model, next = model.proposed.operator.who;
    if (model.operator(time) === NOBODY && model.retiredAt === null && this.draw(3) === 0) {
      return next === NOBODY ? this.plain(owner, "proposeOperator", [this.people[0]]) : this.plain(next, "acceptOperator");
    }
    const kinds = [
      [20, () => this.commit(time)],
      [5, () => this.plain(this.mostly(roles.guardian), "cancel", [BigInt(model.batches.length - 1) + (this.isRare() ? 1n : 0n)])],
      [22, () => this.claim(time)],
      [22, () => this.distribute(time)],
      [2, () => this.plain(this.mostly(roles.guardian), "pause")],
      [3, () => this.plain(this.mostly(owner), "unpause")],
      [1, () => this.plain(this.mostly(roles.guardian), "revokeOperator")],
      [3, () => this.plain(this.mostly(owner), "proposeOperator", [this.one(this.people)])],
      [2, () => this.plain(this.mostly(owner), "proposeGuardian", [this.one([...this.people, NOBODY])])],
      [6, () => this.plain(this.mostly(this.orSomebody(next)), "acceptOperator")],
      [3, () => this.plain(this.mostly(this.orSomebody(model.proposed.guardian.who)), "acceptGuardian")],
      [4, () => this.plain(this.mostly(owner), "setCap", [this.draw(40) === 0 ? 0n : 1n + this.draw(2n * model.settings.cap)])],
      [1, () => this.plain(this.mostly(owner), "transferOwnership", [this.one(this.people)])],
      [2, () => this.plain(this.mostly(this.orSomebody(model.pendingOwner)), "acceptOwnership")],
      [1, () => this.plain(this.mostly(owner), "renounceOwnership")],
      [model.retiredAt === null ? 0 : 6, () => this.plain(this.mostly(owner), "retire", [this.one(this.people)])],
    ];
    let left = this.draw(kinds.reduce((sum, [weight]) => sum + weight, 0));
    return kinds.find(([weight]) => (left -= weight) < 0)[1]();
  }

  orSomebody(who) { return who === NOBODY ? this.people[0] : who; }
  plain(sender, name, args = []) { return { sender, name, args, modelArgs: args }; }

  commit(time) {
    const { model } = this, before = this.leaves(model.active(time));
    const rows = this.accounts.slice(0, before.length + (before.length < 9 ? 1 + this.draw(2) : 0))
      .map((account, i) => [account, (before[i]?.[1] ?? 1n) + this.draw(model.settings.cap / 20n)]);
    const sum = rows.reduce((sum, [, claimable]) => sum + claimable, 0n) - (this.isRare() ? this.draw(1000n) : 0n);
    let total = sum < model.active(time).total && !this.isRare() ? model.active(time).total : sum;
    if (this.isRare()) total = model.active(time).total + model.views(time).capAvailable + this.draw(FEW) - 1n;
    if (this.draw(40) === 0) total = 1n << 128n;
    const root = this.draw(40) === 0 ? ZERO : this.keep(rows);
    const args = [
      BigInt(model.batches.length) + (this.draw(20) === 0 ? 1n : 0n),
      this.draw(20) === 0 ? keccak256("0x") : model.last().header,
      keccak256(toHex("receipts")), root, keccak256(toHex("archive")), total < 0n ? 0n : total, this.draw(1000n),
    ];
    return this.plain(this.mostly(model.operator(time) === NOBODY ? this.people[0] : model.operator(time)), "commit", args);
  }

  keep(rows) {
    const leaves = rows.map(([account, claimable]) => leafOf(account, this.model.settings.token, claimable));
    this.trees.push({ rows, leaves, root: rootOf(leaves) });
    return this.trees.at(-1).root;
  }

  leaves(batch) { return this.trees.find(({ root }) => root === batch.root)?.rows ?? []; }

  /** Mostly a tree that counts; any other is pending, refused, cancelled or too old. */
  tree(time) {
    const accepted = this.model.accepted(time), good = this.trees.filter(({ root }) => accepted.includes(root));
    return this.draw(4) === 0 || good.length === 0 ? this.one(this.trees) : this.one(good);
  }

  claim(time) {
    if (this.trees.length === 0) return this.distribute(time);
    const { rows, leaves } = this.tree(time), index = this.draw(rows.length), lies = this.draw(12) === 0;
    const [account, claimable] = rows[index];
    const proof = proofOf(leaves, index);
    const reward = this.draw(30) === 0 ? this.people[0] : this.model.settings.token;
    const told = claimable + (lies ? 1n : 0n);
    const lead = (leaf) => (leaf === leaves[index] ? rootOf(leaves) : keccak256(leaf)); // elsewhere
    return { sender: this.one(this.people), name: "claim", args: [account, reward, told, proof],
      modelArgs: [account, reward, told, { root: lead }] };
  }

  distribute(time) {
    const { rows, leaves, root } = this.trees.length === 0 ? { rows: [], leaves: [ZERO], root: ZERO } : this.tree(time);
    const all = this.draw(3) === 0;
    const wanted = rows.map(() => all || this.draw(2) === 0);
    const picked = rows.filter((_, i) => wanted[i]).map((row) => [...row]);
    const { proof, steps } = picked.length > 0 ? walkOf(leaves, wanted) : { proof: [root], steps: "0x80" };
    let leads = root, walked = steps;
    const fault = this.draw(20);
    if (fault === 0 && picked.length > 0) {
      picked[0][1] += 1n;
      leads = keccak256(root);
    } else if (fault === 1) {
      walked = `${steps}80`;
      leads = null;
    }
    return { sender: this.one(this.people), name: "distribute",
      args: [picked.map(([account]) => account), picked.map(([, claimable]) => claimable), proof, walked], modelArgs: [picked, leads] };
  }
}
