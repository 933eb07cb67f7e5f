// Both trees, the promise's tree and the header chain of design 5, written from the design with viem's primitives alone.
import { concat, encodeAbiParameters, getAddress, keccak256, parseAbiParameters } from "viem";
import { receiptHash } from "../../scripts/lib/typed.mjs";

const EMPTY = `0x${"00".repeat(32)}`;
const joined = (a, b) => keccak256(BigInt(a) < BigInt(b) ? concat([a, b]) : concat([b, a]));
const levelUp = (level) => level.flatMap((node, i) =>
  i % 2 === 1 ? [] : [i + 1 < level.length ? joined(node, level[i + 1]) : node]);

/** Neighbours are joined, an odd last one moves up unchanged. */
export function rootOf(leaves) {
  if (leaves.length === 0) return EMPTY;
  let level = leaves;
  while (level.length > 1) level = levelUp(level);
  return level[0];
}

export function proofOf(leaves, index) {
  const proof = [];
  for (let level = leaves, i = index; level.length > 1; level = levelUp(level), i >>= 1)
    if ((i ^ 1) < level.length) proof.push(level[i ^ 1]);
  return proof;
}

export const rootFromProof = (leaf, proof) => proof.reduce(joined, leaf);

const twice = (types, values) => keccak256(keccak256(encodeAbiParameters(types, values)));
const REWARD = parseAbiParameters("address, address, uint256");
const RECEIPT = parseAbiParameters("uint64, bytes16, address, bytes32, bytes32");

export const rewardLeaf = (account, token, claimable) => twice(REWARD, [account, token, BigInt(claimable)]);
export const receiptLeaf = (index, receipt, salt) =>
  twice(RECEIPT, [BigInt(index), jobBytes(receipt.jobId), receipt.provider, salt, receiptHash(receipt)]);
export const promiseLeaf = (structHash) => keccak256(structHash);
export const jobBytes = (jobId) => `0x${jobId.replaceAll("-", "")}`;

/** Rows of {account, claimable}, sorted by account as a number. */
export const rewardsRoot = (rows, token) =>
  rootOf(sortedBy(rows, (row) => row.account.toLowerCase()).map((row) => rewardLeaf(row.account, token, row.claimable)));

/** Receipt lines of an archive, sorted by (jobId, provider). */
export const receiptsRoot = (lines) =>
  rootOf(sortedBy(lines, (line) => line.jobId + line.provider.toLowerCase()).map((line, i) => receiptLeaf(i, line, line.salt)));

const sortedBy = (list, key) => list.map((item) => [key(item), item]).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, item]) => item);

export const firstHeader = ({ chainId, contract, token }) =>
  keccak256(encodeAbiParameters(parseAbiParameters("uint256, address, address"), [BigInt(chainId), getAddress(contract), getAddress(token)]));

const HEADER = parseAbiParameters("bytes32, uint64, bytes32, bytes32, bytes32, uint256, uint64, uint64");
export const nextHeader = (parent, s) =>
  keccak256(encodeAbiParameters(HEADER, [
    parent, BigInt(s.sequence), s.receiptsRoot, s.rewardsRoot, s.archive, BigInt(s.total), BigInt(s.receipts), BigInt(s.committedAt),
  ]));
