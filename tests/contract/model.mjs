// What the contract should do, written from contract.md: plain lists of all batches ever, no packing, no lazy activation,
// no ring of roots.  Every call takes the block's time and its sender, and returns {error} or {result, events}; nothing
// changes on an error.  Addresses are lower case, numbers are BigInt.
import { encodeAbiParameters, keccak256, parseAbiParameters, stringToHex } from "viem";
import { leafOf, rootOf } from "./tree.mjs";

export const ZERO = `0x${"00".repeat(32)}`;
export const NOBODY = `0x${"00".repeat(20)}`;
const MOST = (1n << 128n) - 1n;
const ROLE = { operator: stringToHex("operator", { size: 32 }), guardian: stringToHex("guardian", { size: 32 }) };
const hash = (types, values) => keccak256(encodeAbiParameters(parseAbiParameters(types), values));
const fails = (error, ...args) => ({ error, args });
const atLeastZero = (n) => (n > 0n ? n : 0n);

export class Model {
  /** settings: chainId, address, token, owner, operator, guardian, funder, cap, capWindow and the three durations. */
  constructor(settings) {
    this.settings = settings;
    this.owner = settings.owner;
    this.pendingOwner = NOBODY;
    this.roles = { operator: settings.operator, guardian: settings.guardian };
    this.proposed = { operator: { who: NOBODY, at: 0n }, guardian: { who: NOBODY, at: 0n } };
    this.retiredAt = null;
    this.paused = 0n;
    this.batches = [{ root: ZERO, total: 0n, activeAt: 0n, isCancelled: false,
      header: hash("uint256, address, address", [settings.chainId, settings.address, settings.token]) }];
    this.claimed = new Map();
    this.balances = new Map();
    this.bucket = { used: 0n, asOf: 0n, cap: settings.cap, raise: null };
  }

  balance(who) { return this.balances.get(who) ?? 0n; }
  paid(account) { return this.claimed.get(account) ?? 0n; }
  totalClaimed() { return [...this.claimed.values()].reduce((sum, n) => sum + n, 0n); }
  last() { return this.batches.at(-1); }
  operator(time) { return this.retiredAt !== null && time >= this.retiredAt ? NOBODY : this.roles.operator; }
  isPending(time) { return !this.last().isCancelled && time < this.last().activeAt; }
  /** The batches that ever counted by now, oldest first; the state before the first is one of them. */
  counting(time) { return this.batches.filter((batch) => !batch.isCancelled && time >= batch.activeAt); }
  active(time) { return this.counting(time).at(-1); }
  accepted(time) { return this.counting(time).slice(-2).map((batch) => batch.root).filter((root) => root !== ZERO); }

  /** The bucket as of now: what leaked since it was last written, rounded down once a cap. */
  settled(time) {
    let { used, asOf, cap, raise } = this.bucket;
    const leak = (until) => {
      used = atLeastZero(used - (cap * (until - asOf)) / this.settings.capWindow);
      asOf = until;
    };
    if (raise && time >= raise.at) {
      leak(raise.at);
      cap = raise.cap;
      raise = null;
    }
    leak(time);
    return { used, asOf, cap, raise };
  }

  views(time) {
    const { settings: s } = this, bucket = this.settled(time), counting = this.counting(time);
    const waits = this.isPending(time) ? this.last() : { root: ZERO, total: 0n, activeAt: 0n };
    return {
      token: s.token, owner: this.owner, operator: this.operator(time), guardian: this.roles.guardian, funder: s.funder,
      pendingOwner: this.pendingOwner, cap: bucket.cap, capWindow: s.capWindow, capAvailable: atLeastZero(bucket.cap - bucket.used),
      activationDelay: s.activationDelay, roleDelay: s.roleDelay, pauseDuration: s.pauseDuration, pausedUntil: this.paused,
      proposedOperator: [this.proposed.operator.who, this.proposed.operator.at],
      proposedGuardian: [this.proposed.guardian.who, this.proposed.guardian.at],
      sequence: BigInt(this.batches.length - 1), activeRoot: counting.at(-1).root, previousRoot: (counting.at(-2) ?? { root: ZERO }).root,
      total: counting.at(-1).total, totalClaimed: this.totalClaimed(),
      pending: [this.isPending(time) ? BigInt(this.batches.length - 1) : 0n, waits.root, waits.total, waits.activeAt],
    };
  }

  mint(time, sender, to, amount) {
    this.balances.set(to, this.balance(to) + amount);
    return { events: [] };
  }

  commit(time, sender, sequence, parent, receiptsRoot, rewardsRoot, archive, total, receipts) {
    const { settings: s } = this, before = this.last().isCancelled ? this.active(time) : this.last();
    if (sender !== this.operator(time)) return fails("NotOperator");
    if (time < this.paused) return fails("IsPaused");
    if (this.isPending(time)) return fails("StillPending");
    if (sequence !== BigInt(this.batches.length)) return fails("WrongSequence", BigInt(this.batches.length));
    if (parent !== this.last().header) return fails("WrongParent");
    if (rewardsRoot === ZERO) return fails("ZeroRoot");
    if (total < before.total) return fails("TotalFell");
    if (total > MOST) return fails("OverCap", MOST - before.total);
    const bucket = this.settled(time), room = atLeastZero(bucket.cap - bucket.used), growth = total - before.total;
    if (growth > room) return fails("OverCap", room);
    const missing = total - this.totalClaimed() - this.balance(s.address);
    if (missing > 0n && (s.funder === NOBODY || this.balance(s.funder) < missing)) return fails("Underfunded", missing);
    if (missing > 0n) this.move(s.funder, s.address, missing);
    const header = hash("bytes32, uint64, bytes32, bytes32, bytes32, uint256, uint64, uint64",
      [parent, sequence, receiptsRoot, rewardsRoot, archive, total, receipts, time]);
    const activeAt = time + s.activationDelay;
    this.bucket = { ...bucket, used: bucket.used + growth };
    this.batches.push({ root: rewardsRoot, total, activeAt, isCancelled: false, header, growth });
    return { events: [["Committed", { sequence, receiptsRoot, rewardsRoot, archive, total, receipts, activeAt, header }]] };
  }

  cancel(time, sender, sequence) {
    const last = this.last();
    if (sender !== this.roles.guardian) return fails("NotGuardian");
    if (!this.isPending(time)) return fails("NothingPending");
    if (sequence !== BigInt(this.batches.length - 1)) return fails("WrongSequence", BigInt(this.batches.length - 1));
    last.isCancelled = true;
    last.header = hash("bytes32, string", [last.header, "cancelled"]);
    const bucket = this.settled(time);
    this.bucket = { ...bucket, used: atLeastZero(bucket.used - last.growth) };
    return { events: [["Cancelled", { sequence }]] };
  }

  claim(time, sender, account, reward, claimable, proof) {
    if (reward !== this.settings.token) return fails("WrongToken");
    if (!this.accepted(time).includes(proof.root(leafOf(account, reward, claimable)))) return fails("BadProof");
    const amount = claimable - this.paid(account);
    if (amount <= 0n) return fails("NothingToClaim");
    if (amount > this.active(time).total - this.totalClaimed()) return fails("ExceedsTotal");
    if (account === NOBODY) return fails("ERC20InvalidReceiver"); // the token's own refusal, passed on
    this.pay(account, amount);
    return { result: amount, events: [["Claimed", { account, reward, amount }]] };
  }

  /** rows: [account, claimable] of the wanted leaves; root: where the walk leads, null where it does not fit. */
  distribute(time, sender, rows, root) {
    if (root === null || rows.length === 0) return fails("BadRun");
    if (!this.accepted(time).includes(root)) return fails("BadProof");
    let paid = 0n, skipped = 0n;
    const events = [], due = [], seen = new Map(this.claimed);
    for (const [account, claimable] of rows) {
      const amount = claimable - (seen.get(account) ?? 0n);
      if (amount <= 0n) continue;
      if (amount > this.active(time).total - this.totalClaimed() - paid) return fails("ExceedsTotal");
      if (account === NOBODY) {
        skipped += amount;
        events.push(["Skipped", { account, amount }]);
      } else {
        paid += amount;
        seen.set(account, claimable);
        due.push([account, amount]);
      }
    }
    for (const [account, amount] of due) this.pay(account, amount);
    return { result: [paid, skipped], events: [...events, ["Distributed", { paid, skipped }]] };
  }

  pay(account, amount) {
    this.claimed.set(account, this.paid(account) + amount);
    this.move(this.settings.address, account, amount);
  }

  move(from, to, amount) {
    this.balances.set(from, this.balance(from) - amount);
    this.balances.set(to, this.balance(to) + amount);
  }

  pause(time, sender) {
    if (sender !== this.roles.guardian) return fails("NotGuardian");
    if (time < this.paused + this.settings.pauseDuration) return fails("TooEarly");
    return this.pauseUntil(time + this.settings.pauseDuration);
  }

  unpause(time, sender) {
    if (sender !== this.owner) return fails("OwnableUnauthorizedAccount", sender);
    return time < this.paused ? this.pauseUntil(time) : { events: [] };
  }

  pauseUntil(time) {
    this.paused = time;
    return { events: [["PausedUntil", { time }]] };
  }

  revokeOperator(time, sender) {
    if (sender !== this.roles.guardian && sender !== this.owner) return fails("NotGuardian");
    return this.setRole("operator", NOBODY);
  }

  proposeOperator(time, sender, who) { return this.propose("operator", time, sender, who); }
  proposeGuardian(time, sender, who) { return this.propose("guardian", time, sender, who); }
  acceptOperator(time, sender) { return this.accept("operator", "NotOperator", time, sender); }
  acceptGuardian(time, sender) { return this.accept("guardian", "NotGuardian", time, sender); }

  propose(role, time, sender, who) {
    if (sender !== this.owner) return fails("OwnableUnauthorizedAccount", sender);
    const acceptableAt = time + this.settings.roleDelay;
    this.proposed[role] = { who, at: acceptableAt };
    return { events: [["RoleProposed", { role: ROLE[role], who, acceptableAt }]] };
  }

  accept(role, refusal, time, sender) {
    if (sender !== this.proposed[role].who) return fails(refusal);
    if (time < this.proposed[role].at) return fails("TooEarly");
    if (role === "operator" && this.retiredAt !== null && time >= this.retiredAt) return fails("IsRetired");
    this.proposed[role] = { who: NOBODY, at: 0n };
    return this.setRole(role, sender);
  }

  setRole(role, who) {
    this.roles[role] = who;
    return { events: [["RoleChanged", { role: ROLE[role], who }]] };
  }

  setCap(time, sender, cap) {
    if (sender !== this.owner) return fails("OwnableUnauthorizedAccount", sender);
    if (cap === 0n || cap > MOST) return fails("BadConfig");
    const bucket = this.settled(time), rises = cap > bucket.cap;
    const effectiveAt = rises ? time + this.settings.roleDelay : time;
    this.bucket = rises ? { ...bucket, raise: { cap, at: effectiveAt } } : { ...bucket, cap, raise: null };
    return { events: [["CapChanged", { cap, effectiveAt }]] };
  }

  retire(time, sender, successor) {
    if (sender !== this.owner) return fails("OwnableUnauthorizedAccount", sender);
    if (this.retiredAt !== null && time >= this.retiredAt) return fails("IsRetired");
    this.retiredAt = time + this.settings.roleDelay;
    return { events: [["Retired", { successor, effectiveAt: this.retiredAt }]] };
  }

  transferOwnership(time, sender, who) {
    if (sender !== this.owner) return fails("OwnableUnauthorizedAccount", sender);
    this.pendingOwner = who;
    return { events: [["OwnershipTransferStarted", { previousOwner: this.owner, newOwner: who }]] };
  }

  acceptOwnership(time, sender) {
    if (sender !== this.pendingOwner) return fails("OwnableUnauthorizedAccount", sender);
    const events = [["OwnershipTransferred", { previousOwner: this.owner, newOwner: sender }]];
    [this.owner, this.pendingOwner] = [sender, NOBODY];
    return { events };
  }

  renounceOwnership() { return fails("BadConfig"); }
}

/** A claim's proof, folded as any standard verifier does: the model needs only where it leads. */
export const folded = (hashes, lead) => ({ hashes, root: (leaf) => lead(leaf, hashes) });
export { rootOf };
