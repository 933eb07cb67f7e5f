// One claim, by the wallet of whoever is here: tried, sent, and followed until its tokens are there.
import { useContext, useEffect, useRef, useState } from "preact/hooks";
import { Address, Amount, Facts, Hash, Problem, Transaction, useAction } from "./components.jsx";
import { Chain, ConnectButton } from "./connect.jsx";
import { claimCall, claimPaid, open, reasonOf } from "./contract.js";
import { asSource, goTo, sendCall, walletProblem } from "./wallet.js";

const STAGES = { asking: "Your wallet asks you.", sent: "Sent. Waiting for a block; this page may be closed, the claim goes on.", paid: "Paid." };

async function follow(wallet, claim, chainId, stop, tell) {
  const source = asSource(wallet), { contract, account } = claim, told = (error) => { throw walletProblem(error); };
  tell({ stage: "asking" });
  await goTo(wallet.provider, chainId).catch(told);
  const before = await (await open(source, contract, chainId)).balance(account);
  const hash = await sendCall(wallet, contract, claimCall(claim), reasonOf).catch(told);
  tell({ stage: "sent", hash });
  const { failed, amount } = await claimPaid(source, claim, chainId, hash, stop);
  if (failed) throw Object.assign(new Error("The transaction was mined, and failed: somebody may have claimed just before."), { kept: "Nothing was paid by it." });
  tell({ stage: "paid", hash, amount, before, after: await (await open(source, contract, chainId)).balance(account) });
}

/** claim: {account, reward, claimable, due, proof, contract}.  onPaid: told once the tokens are there. */
export function Claim({ claim, chainId, onPaid }) {
  const { wallet } = useContext(Chain), [done, setDone] = useState(), stop = useRef(new AbortController());
  useEffect(() => () => stop.current.abort(), []);
  const run = useAction(async () => {
    try {
      await follow(wallet, claim, chainId, stop.current.signal, setDone);
    } catch (error) {
      setDone((old) => (old?.hash ? { ...old, stage: undefined } : undefined)); // what was sent stays on the page
      throw error;
    }
    onPaid?.();
  });
  const others = wallet && wallet.account.toLowerCase() !== claim.account.toLowerCase();
  return (
    <>
      {done?.stage && <p role="status" class="verdict" data-state={done.stage === "paid" ? "right" : "open"}>{STAGES[done.stage]}</p>}
      {done?.hash && <Facts rows={[["Transaction", <Transaction hash={done.hash} />], done.amount !== undefined && ["Paid by it", <Amount value={done.amount.toString()} symbol />],
        done.after !== undefined && ["Balance before", <Amount value={done.before.toString()} symbol />], done.after !== undefined && ["Balance now", <Amount value={done.after.toString()} symbol />]]} />}
      <Problem problem={run.problem} />
      {done?.stage !== "paid" && (
        <div class="actions" data-start>
          {wallet ? <button type="button" class="main" disabled={run.busy} onClick={run.go}>Claim <Amount value={claim.due} symbol /></button> : <ConnectButton>Connect a wallet to claim</ConnectButton>}
        </div>
      )}
      {others && <p class="hint">Sent and paid for by <Address value={wallet.account} link={false} />; the tokens go to <Address value={claim.account} link={false} /> all the same.</p>}
      <details class="by-hand">
        <summary>Send it by another tool</summary>
        <p class="hint">Anybody may send this call, with no value; the contract pays the account that the proof names.</p>
        <Facts rows={[["To", <Address value={claim.contract} link={false} whole />], ["Calldata", <Hash value={claimCall(claim)} label="calldata" />]]} />
      </details>
    </>
  );
}
