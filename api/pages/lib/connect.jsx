// Connecting a wallet, and choosing whom the chain is asked through.
import { createContext } from "preact";
import { useContext, useState } from "preact/hooks";
import { Dialog, Problem, useAction } from "./components.jsx";
import { middle } from "./format.js";
import { walletProblem } from "./wallet.js";

/** What useChain gives. */
export const Chain = createContext({ wallets: [] });

const asked = (run) => run().catch((error) => { throw walletProblem(error); });

/** onDone: told the wallet was connected. */
export function Wallets({ onDone }) {
  const { wallets, connect } = useContext(Chain);
  const action = useAction((wallet) => asked(() => connect(wallet)).then(onDone));
  return (
    <div class="wallets">
      {wallets.map((wallet) => (
        <button key={wallet.uuid ?? wallet.name} type="button" class="main" disabled={action.busy} onClick={() => action.go(wallet)}>
          Connect {wallet.uuid ? <bdi>{wallet.name}</bdi> : "your wallet"}
        </button>
      ))}
      {wallets.length === 0 && <p>No wallet shows itself to this page. Install one in this browser, or open this address in your wallet’s own browser. To look at an account none is needed: paste its address.</p>}
      {action.busy && <p class="hint" role="status">Your wallet asks you.</p>}
      <Problem problem={action.problem} />
    </div>
  );
}

/** linked: false where no gateway is. */
export function ConnectButton({ children = "Connect wallet", linked = true }) {
  const { wallet, leave } = useContext(Chain), [open, setOpen] = useState(false);
  if (wallet)
    return (
      <span class="connected">{linked ? <a class="mono" href={`/accounts/${wallet.account}`} title={wallet.account}>{middle(wallet.account)}</a> : <span class="mono" title={wallet.account}>{middle(wallet.account)}</span>}
        <button type="button" class="quiet" onClick={leave}>Leave</button></span>
    );
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>{children}</button>
      {open && <Dialog title="Connect a wallet" onClose={() => setOpen(false)}><p>The page sees your address only. Nothing is signed or sent before you say so.</p><Wallets onDone={() => setOpen(false)} /></Dialog>}
    </>
  );
}

/** Whom the chain is asked through, and the way to choose another. */
export function ChainSource() {
  const { wallet, rpc, setRpc, source } = useContext(Chain), [text, setText] = useState(rpc ?? ""), [wrong, setWrong] = useState();
  const submit = (event) => {
    event.preventDefault();
    try {
      setRpc(text.trim() || undefined);
      setWrong(undefined);
    } catch (error) {
      setWrong(error.message);
    }
  };
  return (
    <div class="chain-source">
      <p role="status">{source ? <>The chain is asked through <strong><bdi>{source.name}</bdi></strong>{rpc ? "" : ", your wallet"}.</> : "Not compared with the chain yet: connect a wallet, or name an RPC endpoint."}</p>
      <form class="search" onSubmit={submit}>
        <input aria-label="RPC endpoint" aria-describedby={wrong ? "rpc-wrong" : undefined} aria-invalid={wrong ? "true" : undefined} placeholder="https://rpc.example/" value={text} inputMode="url" spellcheck={false} autocomplete="off"
          onInput={(e) => { setText(e.target.value); setWrong(undefined); }} />
        <button type="submit">Use this endpoint</button>
        {rpc && wallet && <button type="button" onClick={() => { setText(""); setRpc(undefined); }}>Use the wallet</button>}
        {wrong && <p class="hint" id="rpc-wrong" role="alert">{wrong}</p>}
      </form>
    </div>
  );
}
