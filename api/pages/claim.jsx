// The claim page: one file that needs no gateway.  From a saved rewards.json it builds the tree anew, compares its root with the
// contract's, and sends the claim.
import { render } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import "./desk.css";
import "./earner.css";
import { Checks, useChecks } from "./lib/checks.jsx";
import { Claim } from "./lib/claim.jsx";
import { Address, Amount, Count, Empty, Facts, Field, Hash, Known, Panel, Problem, useAction } from "./lib/components.jsx";
import { Chain, ChainSource, ConnectButton } from "./lib/connect.jsx";
import { open } from "./lib/contract.js";
import { plural } from "./lib/format.js";
import { startTheme, Theme } from "./lib/theme.jsx";
import { buildTree, proofOf, readRewards, rootOf } from "./lib/tree.js";
import { useChain } from "./lib/wallet.js";

/** {name, metadata, root, leaves, levels}: a file, with the tree that was built from it. */
async function read(file, tell) {
  const rewards = readRewards(await file.text()), levels = await buildTree(rewards, tell);
  return { ...rewards, name: file.name, levels, built: rootOf(levels) };
}

function SavedFile({ rewards, onRewards }) {
  const [progress, setProgress] = useState();
  const action = useAction(async (file) => {
    onRewards(undefined);
    onRewards(await read(file, (done, of) => setProgress(`${done} of ${of} accounts`)));
  });
  const taken = (event) => {
    event.preventDefault();
    const [file] = event.dataTransfer?.files ?? event.target.files;
    if (file) action.go(file);
  };
  const m = rewards?.metadata;
  return (
    <Panel title="1. The file">
      <div class="drop" onDragOver={(e) => e.preventDefault()} onDrop={taken}>
        <Field label="rewards.json of the newest settlement you have" type="file" accept=".json,application/json" disabled={action.busy} onChange={taken} hint="Saved from the gateway, or from anybody’s mirror of it (quittance audit URL --mirror DIR): the contract’s own root tells whether it is true." />
      </div>
      {action.busy && <p role="status">Reading{progress ? `: ${progress}` : "…"}</p>}
      <Problem problem={action.problem && { message: action.problem.message, kept: "Nothing was read." }} />
      {rewards && (
        <Facts rows={[["Settlement", m.sequence], ["Accounts", <Count value={rewards.leaves.length} />], ["Contract", <Address value={m.contract} link={false} whole />], ["Chain", m.chainId],
          ["Rewards root, built here", <Hash value={rewards.built} label="rewards root" />]]} />
      )}
      {rewards && rewards.built !== rewards.root && <div class="problem" role="alert"><strong>This file is damaged.</strong> <span>It says that its root is another ({rewards.root.slice(0, 18)}…). Take another copy.</span></div>}
    </Panel>
  );
}

function Who({ address, onAddress }) {
  const { wallet } = useContext(Chain), wrong = address.trim() !== "" && !/^0x[0-9a-f]{40}$/i.test(address.trim());
  useEffect(() => { if (wallet && address === "") onAddress(wallet.account); }, [wallet?.account]);
  return (
    <Panel title="2. The account" actions={<ConnectButton linked={false} />}>
      <Field label="Address that earned" value={address} onInput={(e) => onAddress(e.target.value)} error={wrong ? "An address is 0x and 40 hex digits." : undefined} placeholder="0x…" spellcheck={false} hint="The tokens go there, whoever sends the claim." />
    </Panel>
  );
}

/** What the contract says of this file and this account. */
async function compare(source, { metadata: m, built }, leaf) {
  const contract = await open(source, m.contract, m.chainId), same = (a, b) => a.toLowerCase() === b.toLowerCase();
  const [active, previous, claimed, token] = await Promise.all([contract.activeRoot(), contract.previousRoot(), contract.claimed(leaf.account), contract.words()]);
  return {
    claimed, token, block: contract.block,
    checks: [
      { name: "Root", state: same(built, active) || same(built, previous) ? "right" : "wrong", text: same(built, active) ? "the file's tree is the contract's active one" : same(built, previous) ? "the file's tree is the one before the active: still good" : "the contract holds another root: this file is too old, not active yet, or false" },
      { name: "Token", state: same(token.address, m.token) ? "right" : "wrong", text: "the contract pays the token that the file names" },
    ],
  };
}

function OnChain({ rewards, leaf, index }) {
  const { source, wallet } = useContext(Chain), [paid, setPaid] = useState(0);
  const { result: found, problem } = useChecks(() => source && compare(source, rewards, leaf), [source?.key, rewards, leaf, paid]);
  const due = found && BigInt(leaf.claimable) - found.claimed, good = found?.checks.every(({ state }) => state === "right");
  const claim = { account: leaf.account, reward: rewards.metadata.token, claimable: leaf.claimable, proof: proofOf(rewards.levels, index), contract: rewards.metadata.contract };
  return (
    <Known.Provider value={{ token: found?.token, models: new Map(), names: new Map(), isReady: true }}>
      <Panel title="3. The contract">
        <ChainSource />
        <Problem problem={problem && { message: problem.message, kept: "Nothing was sent. The file and the address stay here." }} />
        {found && <Checks checks={found.checks} right={`The contract agrees, as of block ${found.block}.`} />}
        <Facts rows={[["The file grants, since the start", <Amount value={leaf.claimable} symbol />], found && ["Paid so far", <Amount value={found.claimed.toString()} symbol />],
          found && ["To collect now", <Amount value={(due > 0n ? due : 0n).toString()} symbol />]]} />
        <p class="hint">The file names the contract above. Make sure that it is the one that you know: from an explorer, an older payment, or another copy of the file.</p>
      </Panel>
      <Panel title="4. The claim">
        {found && good && due <= 0n ? <Empty title="Nothing to claim">Everything that this file grants was paid. A newer file may hold more.</Empty>
          : found && !good ? <Empty title="Not with this file">The contract would refuse the proof. Look for a newer rewards.json.</Empty>
            : <Claim claim={{ ...claim, due: found ? due.toString() : leaf.claimable }} chainId={rewards.metadata.chainId} onPaid={() => setPaid(paid + 1)} />}
        {!found && wallet === undefined && <p class="hint">Without the chain it is not known how much of it was paid already.</p>}
      </Panel>
    </Known.Provider>
  );
}

function ClaimPage() {
  const chain = useChain(), [rewards, setRewards] = useState(), [address, setAddress] = useState("");
  const account = address.trim().toLowerCase(), index = rewards ? rewards.leaves.findIndex((leaf) => leaf.account === account) : -1;
  const ready = rewards && rewards.built === rewards.root && /^0x[0-9a-f]{40}$/.test(account);
  return (
    <Chain.Provider value={chain}>
      <main class="claim">
        <h1>Claim</h1>
        <p class="intro">Collect what you earned without the gateway: with a saved file, and the contract. This page is one file, asks nobody but your wallet or the RPC endpoint that you name, and works from a disk.</p>
        <SavedFile rewards={rewards} onRewards={setRewards} />
        <Who address={address} onAddress={setAddress} />
        {ready && index < 0 && <Panel title="3. The contract"><Empty title="Not in this file">Settlement {rewards.metadata.sequence} holds {plural(rewards.leaves.length, "account")}, and not this one. Look for a newer file, or mind which address is the payout address.</Empty></Panel>}
        {ready && index >= 0 && <OnChain key={account + rewards.built} rewards={rewards} leaf={rewards.leaves[index]} index={index} />}
        <footer class="foot"><p>From a disk, some wallets show themselves only when their settings allow files (“Allow access to file URLs”).</p><p><Theme /></p></footer>
      </main>
    </Chain.Provider>
  );
}

startTheme();
render(<ClaimPage />, document.getElementById("app"));
