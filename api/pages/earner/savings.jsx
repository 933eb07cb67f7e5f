// What a consumer was charged, against what the same tokens cost at the reference list: the gateway's signed statement.
import { useContext, useEffect, useState } from "preact/hooks";
import { Amount, Count, Empty, Facts, Known, Model, Panel, Problem, Table, Waiting } from "../lib/components.jsx";
import { useData } from "../lib/data.js";
import { download } from "../lib/format.js";
import { Dollars, dollarsOf, listFacts, Percent, savedBps, worthOf } from "./dollars.jsx";

const DAY_MS = 86_400_000;
const PERIODS = [["Last 7 days", 7], ["Last 30 days", 30], ["Last 365 days", 365]];
const CLOCK_MS = 1000; // a period may not end in the gateway's future, and clocks differ

/** The period's end stays until another is chosen: each asks for one statement. */
const periodOf = (days) => {
  const until = Date.now() - CLOCK_MS;
  return { days, from: until - days * DAY_MS, until };
};

function columnsOf({ reference, token }) {
  const worth = (m) => worthOf(m.charged, reference.tokenPrice, token.decimals), cost = (m) => m.reference && dollarsOf(m.reference.cost);
  const bps = (m) => m.reference && savedBps(worth(m), cost(m));
  return [
    { head: "Model", cell: (m) => <Model digest={m.model} />, csv: (m) => m.model },
    { head: "Jobs", number: true, cell: (m) => <Count value={m.receipts} />, csv: (m) => m.receipts },
    { head: "Charged", number: true, cell: (m) => <Amount value={m.charged} />, csvHead: "Charged (base units)", csv: (m) => m.charged },
    { head: "In dollars", number: true, cell: (m) => <Dollars value={worth(m)} />, csvHead: "Charged (10^-18 dollars)", csv: (m) => worth(m) },
    { head: "At the reference", number: true, cell: (m) => <Dollars value={cost(m)} />, csvHead: "At the reference (10^-18 dollars)", csv: (m) => cost(m) },
    { head: "Saved", number: true, cell: (m) => <Percent bps={bps(m)} />, csvHead: "Saved (basis points)", csv: (m) => bps(m) },
    { head: "Compared with", cell: (m) => (m.reference ? <bdi class="note">{m.reference.provider}/{m.reference.modelId}</bdi> : <span class="note">not on the list</span>), csv: (m) => m.reference && `${m.reference.provider}/${m.reference.modelId}` },
  ];
}

const Statement = ({ savings: s }) => (
  <>
    <div data-inset><Facts rows={[
      ["Charged for what is compared", <><Amount value={s.compared} symbol /> = <Dollars value={dollarsOf(s.comparedCost)} /></>],
      ["The same tokens at the reference", <Dollars value={dollarsOf(s.referenceCost)} />],
      s.saved && ["Saved", <span data-saved><Percent bps={BigInt(`${s.saved.sign === "-" ? "-" : ""}${s.saved.bps}`)} /></span>],
      ...listFacts(s.reference, s.token.symbol),
    ]} /></div>
    <Table name="savings" caption="Savings by model" columns={columnsOf(s)} list={{ items: s.models }} rowKey={(m) => m.model}
      empty={<Empty title="Nothing was charged in this time">Choose a longer one.</Empty>} />
    <p class="hint" data-inset>Signed by the gateway: <code>quittance verify</code> computes all of it again. Models that the list has no price for count on neither side.</p>
  </>
);

/** Nothing where no list was imported, or the account was never billed.  Asks again when somebody signs to read. */
export function Savings({ address, account, reader }) {
  const { at } = useContext(Known), [period, setPeriod] = useState(() => periodOf(30));
  const list = useData(account.charged ? at("/v1/reference-prices?limit=1") : undefined).data?.items[0];
  const path = at(`/v1/accounts/${address}/savings?from=${period.from}&until=${period.until}`);
  const { data, problem, reload } = useData(list && `${path}&reference=${list.version}`);
  useEffect(() => { if (reader) reload(); }, [reader]);
  if (!list || [401, 403].includes(problem?.status)) return null; // who may not read is asked to sign below
  const actions = (
    <div class="actions">
      <label>Period <select value={period.days} onChange={(e) => setPeriod(periodOf(Number(e.target.value)))}>{PERIODS.map(([name, days]) => <option key={days} value={days}>{name}</option>)}</select></label>
      <button type="button" disabled={!data} onClick={() => download(`${address}.savings.csv`, data.csv)}>Statement as CSV</button>
      <button type="button" disabled={!data} onClick={() => download(`${address}.savings.json`, JSON.stringify(data), "application/json")}>Signed, as JSON</button>
    </div>
  );
  return (
    <Panel title="Savings against the reference list" actions={actions} flush>
      <Problem problem={problem} />
      {data ? <Statement savings={data} /> : !problem && <Waiting />}
    </Panel>
  );
}
