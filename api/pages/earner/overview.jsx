// What this gateway is and does, for everybody; and the way to one's own account.
import { useContext, useState } from "preact/hooks";
import { Amount, Count, Empty, Hash, Known, Page, Panel, Problem, State, Table, Time } from "../lib/components.jsx";
import { Chain, ConnectButton } from "../lib/connect.jsx";
import { useData, useList } from "../lib/data.js";
import { usedOf } from "../lib/lineage.jsx";
import { ModelsTable } from "./models.jsx";
import { ReferencePrices } from "./reference.jsx";

/** An address leads to its account, a digest to its model, a UUID to its receipt. */
function placeOf(text) {
  if (/^0x[0-9a-f]{40}$/i.test(text)) return `/accounts/${text}`;
  if (/^0x[0-9a-f]{64}$/i.test(text)) return `/models/${text.toLowerCase()}`;
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return `/receipts/${text.toLowerCase()}`;
  return undefined;
}

function Find() {
  const { wallet } = useContext(Chain), [text, setText] = useState(""), [wrong, setWrong] = useState(false);
  const submit = (event) => {
    event.preventDefault();
    const place = placeOf(text.trim());
    setWrong(!place);
    if (place) location.assign(place);
  };
  return (
    <Panel title="What did I earn?">
      <form class="search" role="search" onSubmit={submit}>
        <input data-search aria-label="Address, model’s digest or job" aria-describedby={wrong ? "find-wrong" : undefined} aria-invalid={wrong ? "true" : undefined} placeholder="0x… (your address)" value={text} spellcheck={false} autocomplete="off"
          onInput={(e) => { setText(e.target.value); setWrong(false); }} />
        <button type="submit" class="main">Show</button>
        {wallet ? <a class="button" href={`/accounts/${wallet.account}`}>My account</a> : <ConnectButton />}
        {wrong && <p class="hint" id="find-wrong" role="alert">That is no address (0x and 40 hex digits), no model’s digest (0x and 64) and no job’s UUID.</p>}
      </form>
      <p class="hint">No account is opened here: an address that earns has one. Nothing is sent by looking.</p>
    </Panel>
  );
}

const Figure = ({ name, note, children }) => <div class="figure"><h2>{name}</h2><p class="value">{children}</p><p class="note">{note}</p></div>;

function Totals({ models, last }) {
  const sum = (models ?? []).filter(usedOf).reduce((all, m) => ({ receipts: all.receipts + m.receipts, usage: all.usage + BigInt(m.usage) }), { receipts: 0, usage: 0n });
  const known = models !== undefined;
  return (
    <div class="figures" data-waiting={known ? undefined : ""}>
      <Figure name="Jobs" note="accepted, signed by who ran them">{known && <Count value={sum.receipts} />}</Figure>
      <Figure name="Earned" note="by everybody, for these jobs">{known && <Amount value={sum.usage.toString()} symbol />}</Figure>
      <Figure name="Settled" note="committed to the contract since the start">{known && <Amount value={last?.total ?? "0"} symbol />}</Figure>
      <Figure name="Settlements" note={last?.committedAt ? <>the last one <Time ms={last.committedAt * 1000} /></> : "none yet"}>{known && <Count value={last?.sequence ?? 0} />}</Figure>
    </div>
  );
}

const SETTLEMENTS = [
  { head: "Sequence", cell: (s) => s.sequence, csv: (s) => s.sequence },
  { head: "State", cell: (s) => <State value={s.state} />, csv: (s) => s.state },
  { head: "Committed", cell: (s) => <Time ms={s.committedAt && s.committedAt * 1000} />, csv: (s) => (s.committedAt ? new Date(s.committedAt * 1000).toISOString() : "") },
  { head: "Jobs", number: true, cell: (s) => <Count value={s.receipts} />, csv: (s) => s.receipts },
  { head: "Earners", number: true, cell: (s) => <Count value={s.accounts} />, csv: (s) => s.accounts },
  { head: "Total since the start", number: true, cell: (s) => <Amount value={s.total} />, csvHead: "Total (base units)", csv: (s) => s.total },
  { head: "Rewards root", cell: (s) => <Hash value={s.rewardsRoot} label="rewards root" />, csv: (s) => s.rewardsRoot },
  { head: "Files", cell: (s) => s.header && <><a href={`/v1/settlements/${s.sequence}/archive`} download={`${s.sequence}.archive.ndjson`}>archive</a>, <a href={`/v1/settlements/${s.sequence}/rewards.json`} download={`${s.sequence}.rewards.json`}>rewards</a></> },
];

/** The newest reference list with its prices: {list, isKnown}; list is undefined where none was imported. */
function useReference() {
  const newest = useData("/v1/reference-prices?limit=1"), version = newest.data?.items[0]?.version;
  const list = useData(version && `/v1/reference-prices/${version}`);
  return { list: list.data, problem: newest.problem ?? list.problem, isKnown: Boolean(newest.problem || list.problem || list.data || (newest.data && !version)) };
}

export function Overview() {
  const { problem } = useContext(Known), models = useList("/v1/models", 1000), settlements = useList("/v1/settlements", 10), reference = useReference();
  const last = useData("/v1/settlements?limit=20", 15_000).data?.items.find(({ state }) => state !== "cancelled");
  return (
    <Page title="Quittance" intro="Everybody who serves or makes a model is paid here for each job, and can check every unit of it against the chain.">
      <Problem problem={problem ?? models.problem ?? reference.problem} />
      <Find />
      <Totals models={models.items} last={last} />
      {models.items && reference.list && <ReferencePrices models={models.items} list={reference.list} />}
      {reference.isKnown && (models.items || models.problem || !reference.list) && <Panel title="Models by popularity, prices per million" flush><ModelsTable list={models} /></Panel>}
      {reference.isKnown && (models.items || models.problem) && ( // not before, so that nothing is pushed down
        <Panel title="Settlements" flush>
          <Table name="settlements" columns={SETTLEMENTS} list={settlements} rowKey={(s) => s.sequence} empty={<Empty title="Nothing was settled yet">Accepted jobs wait for the first settlement; each has the gateway’s signed promise.</Empty>} />
        </Panel>
      )}
    </Page>
  );
}
