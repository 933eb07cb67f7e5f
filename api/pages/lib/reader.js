// Where `disclosure = parties`, a wallet signs who reads (api/access.h).  The header is a password while it lives: an hour, and in
// this tab only.
import { recallHere, rememberHere } from "./storage.js";
import { signTyped } from "./wallet.js";

const LIVES_MS = 3_600_000;

/** "" when nobody has signed here, or too long ago. */
export function readerHeader() {
  const header = recallHere("reader") ?? "", [, expires] = header.split(" ");
  return Number(expires) > Date.now() ? header : "";
}

export async function signReader(wallet, domain) {
  const expires = Date.now() + LIVES_MS;
  const signature = await signTyped(wallet, domain, "Access", { Access: [{ name: "account", type: "address" }, { name: "expires", type: "uint64" }] }, { account: wallet.account, expires });
  const header = `${wallet.account} ${expires} ${signature}`;
  rememberHere("reader", header);
  return header;
}
