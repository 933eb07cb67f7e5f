// The rewards tree from a published file (rewards.json), built anew: leaves, root, and the proof of one account.
import { hex, keccak, word } from "./keccak.js";
import { leafOf } from "./proof.js";

const MOST = 512 * 1024 * 1024; // characters; more than a million accounts with their proofs
const ADDRESS = /^0x[0-9a-f]{40}$/i, AMOUNT = /^[1-9][0-9]{0,77}$/;

/** {metadata: {chainId, contract, token, sequence}, root, leaves: [{account, claimable}]} by account; throws with what is wrong. */
export function readRewards(textOfFile) {
  if (textOfFile.length > MOST) throw new Error("This file is over 512 MiB: no rewards.json of ours is.");
  let file;
  try {
    file = JSON.parse(textOfFile);
  } catch {
    throw new Error("This is no JSON file. What is wanted is rewards.json of a settlement.");
  }
  const { metadata: m, tree, root } = file ?? {};
  if (!Array.isArray(tree) || !m || !/^0x[0-9a-f]{64}$/i.test(root ?? "")) throw new Error("This is no rewards.json: it has no metadata, root and tree.");
  if (!Number.isSafeInteger(m.chainId) || !ADDRESS.test(m.contract ?? "") || !ADDRESS.test(m.token ?? "") || !Number.isSafeInteger(m.sequence))
    throw new Error("metadata must name chainId, contract, token and sequence.");
  const leaves = tree.map(({ account, claimable }, i) => {
    if (!ADDRESS.test(account ?? "") || !AMOUNT.test(claimable ?? "")) throw new Error(`tree[${i}] has no account or no claimable.`);
    return { account: account.toLowerCase(), claimable };
  }).sort((a, b) => (a.account < b.account ? -1 : 1));
  const twice = leaves.findIndex(({ account }, i) => i > 0 && leaves[i - 1].account === account);
  if (twice > 0) throw new Error(`tree names ${leaves[twice].account} twice.`);
  return { metadata: m, root: root.toLowerCase(), leaves };
}

const pair = (a, b) => (hex(a) < hex(b) ? keccak(a, b) : keccak(b, a));
const breathe = () => new Promise((resolve) => setTimeout(resolve));

/** [[leaf hashes], ..., [root]]: neighbours are paired, an odd last one moves up unchanged (design: trees).  tell: done of how many. */
export async function buildTree({ leaves, metadata: { token } }, tell = () => {}) {
  let level = [];
  for (const [i, { account, claimable }] of leaves.entries()) {
    level.push(leafOf(word(account), word(token), word(claimable)));
    if (i % 2000 === 1999) {
      tell(i + 1, leaves.length);
      await breathe();
    }
  }
  const levels = [level];
  while (level.length > 1) {
    const above = [];
    for (let i = 0; i < level.length; i += 2) above.push(i + 1 < level.length ? pair(level[i], level[i + 1]) : level[i]);
    levels.push(level = above);
    await breathe();
  }
  return levels;
}

export const rootOf = (levels) => (levels[0].length === 0 ? `0x${"0".repeat(64)}` : hex(levels.at(-1)[0]));

/** Neighbours of one leaf, upwards, as `claim` takes them. */
export function proofOf(levels, index) {
  const proof = [];
  for (const level of levels.slice(0, -1)) {
    if ((index ^ 1) < level.length) proof.push(hex(level[index ^ 1]));
    index >>= 1;
  }
  return proof;
}
