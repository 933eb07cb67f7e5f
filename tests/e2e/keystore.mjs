// Keystore V3 files for tests, written without the product: what `quittance init` makes costs a second of work at every
// start by design (scrypt n = 262144), these cost nothing and are read by the same code.
import crypto from "node:crypto";
import fs from "node:fs";
import { hexToBytes, keccak256 } from "viem";

export const PASSPHRASE = "a passphrase of a test";

export function writeKeystore(file, passphraseFile, privateKey, address) {
  const salt = crypto.randomBytes(32), iv = crypto.randomBytes(16), n = 2, r = 8, p = 1;
  const derived = crypto.scryptSync(PASSPHRASE, salt, 32, { N: n, r, p });
  const cipher = crypto.createCipheriv("aes-128-ctr", derived.subarray(0, 16), iv);
  const ciphertext = Buffer.concat([cipher.update(hexToBytes(privateKey)), cipher.final()]);
  const keystore = {
    version: 3, id: crypto.randomUUID(), address: address.slice(2).toLowerCase(),
    crypto: {
      cipher: "aes-128-ctr", cipherparams: { iv: iv.toString("hex") }, ciphertext: ciphertext.toString("hex"),
      kdf: "scrypt", kdfparams: { n, r, p, dklen: 32, salt: salt.toString("hex") },
      mac: keccak256(Buffer.concat([derived.subarray(16, 32), ciphertext])).slice(2),
    },
  };
  fs.writeFileSync(file, JSON.stringify(keystore), { mode: 0o600 });
  fs.writeFileSync(passphraseFile, `${PASSPHRASE}\n`, { mode: 0o600 });
}
