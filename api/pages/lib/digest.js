// The SHA-256 of a file, piece by piece: a manifest may be larger than what a page should hold.
import { hex, sha256 } from "./keccak.js";

const PIECE = 4 * 1024 * 1024;

export async function fileDigest(file) {
  const hash = sha256.create();
  for (let at = 0; at < file.size; at += PIECE) hash.update(new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer()));
  return hex(hash.digest());
}
