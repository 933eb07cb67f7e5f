// Hashing as the contract does it, and the few ABI words that are hashed here.
import { sha256 } from "@noble/hashes/sha256";
import { keccak_256 } from "@noble/hashes/sha3";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils";

export { bytesToHex, concatBytes, sha256, utf8ToBytes };
export const bytes = (hex) => hexToBytes(hex.replace(/^0x/, ""));
export const hex = (b) => `0x${bytesToHex(b)}`;
export const keccak = (...parts) => keccak_256(concatBytes(...parts));

/** A 32-byte word: of a number or decimal string, of an address, or of 32 bytes as they are. */
export const word = (value) => bytes(BigInt(value).toString(16).padStart(64, "0"));
/** A UUID as bytes16: left-aligned. */
export const jobWord = (jobId) => bytes(jobId.replaceAll("-", "").padEnd(64, "0"));

/** EIP-55. */
export function checksum(address) {
  const plain = address.slice(2).toLowerCase(), digest = bytesToHex(keccak(utf8ToBytes(plain)));
  return `0x${[...plain].map((c, i) => (Number.parseInt(digest[i], 16) >= 8 ? c.toUpperCase() : c)).join("")}`;
}
