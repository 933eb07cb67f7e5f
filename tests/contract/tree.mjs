// Rewards trees, proofs and walks as contract.md describes them, by viem's keccak alone: shares no code with the gateway.
import { concat, encodeAbiParameters, keccak256 } from "viem";

const LEAF = [{ type: "address" }, { type: "address" }, { type: "uint256" }];

export const leafOf = (account, token, claimable) => keccak256(keccak256(encodeAbiParameters(LEAF, [account, token, claimable])));
const join = (a, b) => keccak256(BigInt(a) < BigInt(b) ? concat([a, b]) : concat([b, a]));

/** Every level from the leaves up; an odd last node moves up unchanged. */
function levelsOf(leaves) {
  const levels = [leaves];
  while (levels.at(-1).length > 1) {
    const below = levels.at(-1), above = [];
    for (let i = 0; i < below.length; i += 2) above.push(i + 1 < below.length ? join(below[i], below[i + 1]) : below[i]);
    levels.push(above);
  }
  return levels;
}

export const rootOf = (leaves) => levelsOf(leaves).at(-1)[0];

export function proofOf(leaves, index) {
  const proof = [];
  for (const level of levelsOf(leaves)) {
    if ((index ^ 1) < level.length && level.length > 1) proof.push(level[index ^ 1]);
    index >>= 1;
  }
  return proof;
}

/** The walk that proves the wanted leaves: {proof, steps}. */
export function walkOf(leaves, wanted) {
  const levels = levelsOf(leaves), proof = [], steps = [];
  const visit = (height, at) => {
    const first = at << height;
    const isWanted = wanted.slice(first, first + (1 << height)).some(Boolean);
    if (!isWanted) {
      proof.push(levels[height][at]);
      steps.push(0x80);
    } else if (height === 0) {
      steps.push(0);
    } else {
      visit(height - 1, 2 * at);
      if (2 * at + 1 < levels[height - 1].length) {
        visit(height - 1, 2 * at + 1);
        steps[steps.length - 1] += 1;
      }
    }
  };
  visit(levels.length - 1, 0);
  return { proof, steps: `0x${Buffer.from(steps).toString("hex")}` };
}
