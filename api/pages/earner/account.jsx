// One earner: what was earned, paid and waits, and why; its claim; the proof of all of it.
import { useContext, useEffect, useRef, useState } from "preact/hooks";
import { Address, Amount, Empty, explorerLink, Facts, Known, Model, Page, Panel, Problem, Table, Time, useAction, Waiting } from "../lib/components.jsx";
import { Chain, ChainSource, ConnectButton } from "../lib/connect.jsx";
import { Checks, useChecks } from "../lib/checks.jsx";
import { Claim } from "../lib/claim.jsx";
import { open } from "../lib/contract.js";
import { useChanges, useData, useList } from "../lib/data.js";
import { readableFaults } from "../lib/format.js";
import { checkAccountOnChain } from "../lib/proof.js";
import { signReader } from "../lib/reader.js";
import { Savings } from "./savings.jsx";
import { Statement } from "./statement.jsx";

const Figure = ({ name, note, children }) => <div class="figure"><h2>{name}</h2><p class="value">{children}</p><p class="note">{note}</p></div>;

const Sums = ({ account: a }) => (
  <div class="figures" data-sums>
    <Figure name="Earned" note="all that was ever credited"><Amount value={a.earned} symbol /></Figure>
    <Figure name="Paid" note="on the chain, and confirmed"><Amount value={a.paid} symbol /></Figure>
    <Figure name="Waiting" note="earned and not paid yet"><Amount value={a.pending} symbol /></Figure>
    <Figure name="Held" note="comes on top when it is released"><Amount value={a.held} symbol /></Figure>
  </div>
);

/** Of what waits: what the contract would pay now, and what no settlement holds yet. */
function Waits({ account: a, due, isCollected }) {
  const unsettled = BigInt(a.pending) - BigInt(due);
  return (
    <Facts rows={[["To collect now", isCollected ? (due === "0" ? "nothing more" : "collected; the gateway waits for confirmations") : <Amount value={due} symbol />], ["In a settlement to come", <Amount value={(unsettled > 0n ? unsettled : 0n).toString()} symbol />],
      a.adjusted && ["Corrected upwards", <Amount value={a.adjusted.up} symbol />], a.adjusted && ["Corrected downwards", <Amount value={a.adjusted.down} symbol />],
      a.debt && a.debt !== "0" && ["Owed against what comes", <Amount value={a.debt} symbol />], a.charged && ["Charged to it as a consumer", <Amount value={a.charged} symbol />]]} />
  );
}

const WHY = {
  none: <>Nothing was earned by this address here. Nodes earn by posting receipts once the operator has admitted their address, creators by jobs on models that they <a href="/register">registered</a>. Who named another account to be paid to looks there.</>,
  wait: "What is earned is in no settlement yet. The gateway settles by itself; come back after the next one.",
  paid: "Everything that is settled was paid.",
};

function ClaimPanel({ account, claim, problem, chainId, collected, onCollected }) {
  const { at } = useContext(Known), [held, setHeld] = useState(); // the claim that is under way stays, whatever the gateway says meanwhile
  useEffect(() => { if (claim) setHeld(claim); }, [claim?.claimable]);
  const shown = claim ?? held, isCollected = shown !== undefined && collected === shown.claimable;
  return (
    <Panel title="Claim">
      <Waits account={account} due={claim?.due ?? "0"} isCollected={isCollected} />
      {problem && problem.code !== "nothing-to-claim" && <Problem problem={problem} />}
      {shown ? <Claim claim={shown} chainId={chainId} onPaid={() => onCollected(shown.claimable)} /> : (
        <Empty title="Nothing to claim">{account.earned === "0" ? WHY.none : account.settled === "0" ? WHY.wait : WHY.paid}</Empty>
      )}
      {shown && <p class="hint">Collecting needs nobody’s leave. Keep <a href={at(`/v1/settlements/${shown.sequence}/rewards.json`)} download={`${shown.sequence}.rewards.json`}>rewards.json</a> and the <a href="/claim.html" download="claim.html">claim page</a>: with both you collect this when the gateway is gone.</p>}
    </Panel>
  );
}

function Proof({ account, claim, info, collected }) {
  const { source } = useContext(Chain), isKnown = claim || BigInt(account.settled) <= BigInt(account.paid);
  const { result, problem } = useChecks(() => (source && isKnown ? open(source, info.contract, info.chainId).then((contract) => checkAccountOnChain(account, claim, info, contract)) : undefined),
    [source?.key, info.contract, account.paid, account.settled, claim?.claimable, collected]);
  return (
    <Panel title="Against the chain, checked in this browser">
      {result && <Checks checks={result} right="The contract says the same." />}
      <Problem problem={problem} />
      <ChainSource />
    </Panel>
  );
}

function Parts({ account: a, name }) {
  const columns = [{ head: "Model", cell: ([digest]) => <Model digest={digest} />, csv: ([digest]) => digest },
    { head: "Amount", number: true, cell: ([, value]) => <Amount value={value} />, csvHead: "Amount (base units)", csv: ([, value]) => value }];
  const models = Object.entries(a.byModel).sort(([, x], [, y]) => (BigInt(y) > BigInt(x) ? 1 : -1));
  return (
    <div class="two">
      <Panel title="By role"><Facts rows={Object.entries(a.byRole).filter(([role, value]) => value !== "0" || ALWAYS.includes(role)).map(([role, value]) => [ROLES[role] ?? role, <Amount value={value} symbol />])} /></Panel>
      <Panel title="By model" flush><Table name={`${name}-models`} columns={columns} list={{ items: models }} rowKey={([digest]) => digest} empty={<Empty title="No model yet">Each model shows here with its first job.</Empty>} /></Panel>
    </div>
  );
}
const ALWAYS = ["provider", "creator", "lineage"];
const ROLES = { provider: "Provider: jobs it ran", creator: "Creator: jobs on its models", lineage: "Lineage: jobs on models made of its own", protocol: "Protocol", popularity: "Popularity pool", "adjusted-up": "Corrections upwards" };

/** A provider's receipts that wait for a decision, and by which rule. */
function Held({ address }) {
  const { at, token } = useContext(Known), list = useList(at(`/v1/accounts/${address}/receipts?status=quarantined`), 50);
  const columns = [
    { head: "Job", cell: (r) => <a class="mono" href={`/receipts/${r.jobId}?provider=${address}`} title={r.jobId}>{r.jobId.slice(0, 18)}…</a>, csv: (r) => r.jobId },
    { head: "Received", cell: (r) => <Time ms={r.receivedAt} />, csv: (r) => new Date(r.receivedAt).toISOString() },
    { head: "Model", cell: (r) => <Model digest={r.model} />, csv: (r) => r.model },
    { head: "Why", cell: (r) => <><code>{r.code}</code> <bdi class="note">{readableFaults(r.errors ?? [], token)}</bdi></>, csv: (r) => r.code },
    { head: "Worth", number: true, cell: (r) => <Amount value={r.amount} />, csv: (r) => r.amount },
  ];
  if (!list.items?.length) return null;
  return <Panel title="Held: kept, and not credited yet" flush><Table name="held" columns={columns} list={list} rowKey={(r) => r.jobId} /></Panel>;
}

/** Where single jobs are for their parties only. */
function Sign({ address, info, onReader }) {
  const { wallet } = useContext(Chain), run = useAction(async () => onReader(await signReader(wallet, info.domain)));
  return (
    <Panel title="Receipts and royalties">
      <Empty title="Only this account reads its jobs">{wallet && wallet.account.toLowerCase() !== address.toLowerCase() ? "The connected wallet is another account." : "This gateway shows single jobs to their parties. Prove that the account is yours: you sign one line, nothing is sent to the chain."}</Empty>
      <Problem problem={run.problem} />
      <div class="actions" data-start>{wallet ? <button type="button" class="main" disabled={run.busy} onClick={run.go}>Sign to read</button> : <ConnectButton />}</div>
    </Panel>
  );
}

/** The same account at the contract before this one, or after it. */
function Elsewhere({ account: a, info, address }) {
  const now = info?.contracts.find(({ state }) => state === "active")?.address;
  if (!a.others && (!now || now === info.contract)) return null;
  return (
    <Panel title="Other contracts">
      <Facts rows={(a.others ?? []).map((o) => [<a href={`/accounts/${address}?contract=${o.contract}`}>The one before</a>, <>earned <Amount value={o.earned} symbol />, waiting <Amount value={o.pending} symbol /></>])} />
      {!a.others && <p><a href={`/accounts/${address}`}>To the contract in force</a></p>}
    </Panel>
  );
}

/** Nothing was ever credited to it, or is held for it. */
const isEmpty = (a) => [a.earned, a.pending, a.held].every((sum) => sum === "0");

const EVERY_LIVE_MS = 120_000; // what is held makes no event
/** Events are told of the contract in force only. */
const isInForce = (info) => info && info.contract === (info.contracts?.find(({ state }) => state === "active")?.address ?? info.contract);

function Found({ address, reader, onReader }) {
  const { info, at } = useContext(Known), path = `/v1/accounts/${address}`;
  const [collected, setCollected] = useState(); // the leaf that was claimed here: looked at often until the gateway has seen it
  const [every, setEvery] = useState(15_000);
  const { data: a, problem, reload } = useData(at(path), every);
  const live = useChanges(isInForce(info) && `/v1/events?account=${address}`, reload);
  const claim = useData(a && BigInt(a.settled) > BigInt(a.paid) ? at(`${path}/claim`) : undefined);
  useEffect(() => void claim.reload(), [a?.settled, a?.paid]);
  useEffect(() => { setEvery(live ? EVERY_LIVE_MS : collected && a && BigInt(a.paid) < BigInt(collected) ? 2000 : 15_000); }, [live, collected, a?.paid]);
  const lines = useList(at(`${path}/statements`), 1000);
  useEffect(() => { if (reader) lines.reload(); }, [reader]);
  const isRead = useRef(false); // all parts below the sums come at once, so that none pushes another down
  isRead.current ||= Boolean(a && (lines.items || lines.problem) && (BigInt(a.settled) <= BigInt(a.paid) || claim.data || claim.problem));
  if (!a && problem) return <Problem problem={problem} />;
  if (!isRead.current) return <><Sums account={a ?? {}} /><Waiting /></>;
  const closed = [401, 403].includes(lines.problem?.status);
  return (
    <>
      <Problem problem={problem} />
      <Sums account={a} />
      <div class="two">
        <ClaimPanel account={a} claim={claim.data} problem={claim.problem} chainId={info?.chainId} collected={collected} onCollected={setCollected} />
        {info && <Proof account={a} claim={claim.data} info={info} collected={collected} />}
      </div>
      {!isEmpty(a) && <Parts account={a} name={address} />}
      {closed ? <Sign address={address} info={info} onReader={onReader} /> : !(isEmpty(a) && a.charged) && <Statement address={address} account={a} lines={lines} />}
      {lines.items && !closed && <Held address={address} />}
      <Savings address={address} account={a} reader={reader} />
      <Elsewhere account={a} info={info} address={address} />
    </>
  );
}

export function AccountPage({ address, reader, onReader }) {
  const { explorer } = useContext(Known), elsewhere = explorerLink(explorer, "address", address);
  const { wallet } = useContext(Chain), fits = /^0x[0-9a-f]{40}$/i.test(address);
  const mine = wallet?.account.toLowerCase() === address.toLowerCase();
  return (
    <Page title={mine ? "My account" : "Account"} intro={fits ? <Address value={address} link={false} whole /> : undefined} actions={fits && elsewhere && <a href={elsewhere} rel="noreferrer" target="_blank">On the explorer</a>}>
      {fits ? <Found address={address} reader={reader} onReader={onReader} />
        : <div class="problem" role="alert"><strong>This is no address.</strong> An address is 0x and 40 hex digits. <a href="/">Look for another</a>.</div>}
    </Page>
  );
}
