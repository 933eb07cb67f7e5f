// Whose leaf stands where, with corrections, by the words of the README: a leaf never falls; what an account cannot bear it owes;
// the protocol account has what others owe only once they have borne it.

/** Per account what all of its postings come to, and the leaves of the settlement before.  Gives {leaves, debts}: account → amount. */
export function settleAccounts(balances, before, protocol) {
  const leaves = new Map(before), debts = new Map();
  const settle = (account, balance) => {
    const leaf = leaves.get(account) ?? 0n;
    if (balance > leaf) leaves.set(account, balance);
    if (balance < leaf) debts.set(account, leaf - balance);
  };
  for (const [account, balance] of balances) if (account !== protocol) settle(account, balance);
  const withheld = [...debts.values()].reduce((sum, owed) => sum + owed, 0n);
  settle(protocol, (balances.get(protocol) ?? 0n) - withheld);
  for (const [account, leaf] of leaves) if (leaf === 0n) leaves.delete(account);
  return { leaves, debts };
}

/** All leaves sum to all that was ever accepted, and what the protocol account itself owes. */
export function checkSum({ leaves, debts }, accepted, protocol) {
  const sum = [...leaves.values()].reduce((a, b) => a + b, 0n), advance = debts.get(protocol) ?? 0n;
  if (sum !== accepted + advance) throw new Error(`leaves sum to ${sum}, accepted were ${accepted}, the protocol account owes ${advance}`);
}
