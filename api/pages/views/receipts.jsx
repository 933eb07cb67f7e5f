// The newest receipts, by provider, model or state; and one with its whole proof, checked here.
import { useContext, useState } from "preact/hooks";
import { Checks, useChecks } from "../lib/checks.jsx";
import { Address, Amount, Empty, Facts, Hash, Known, Model, Page, Panel, Problem, State, Table, Time, Waiting } from "../lib/components.jsx";
import { useData, useList } from "../lib/data.js";
import { exact } from "../lib/format.js";
import { checkReceipt } from "../lib/proof.js";
import { Decided, Job, settlementRows, Shares } from "../lib/receipt.jsx";

const go = (href) => window.dispatchEvent(new CustomEvent("desk:go", { detail: href }));
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** What was typed: a job, an address, a digest, or the name of a model or provider. */
function lookUp(text, { models, names }) {
  const wanted = text.trim(), low = wanted.toLowerCase();
  if (wanted === "") return "/receipts";
  if (UUID.test(wanted)) return `/receipts/${low}`;
  if (/^0x[0-9a-f]{40}$/i.test(wanted)) return `/receipts?provider=${wanted}`;
  if (/^0x[0-9a-f]{64}$/i.test(wanted)) return `/receipts?model=${low}`;
  for (const [digest, { name }] of models) if (name.toLowerCase() === low) return `/receipts?model=${digest}`;
  for (const [address, name] of names) if (name.toLowerCase() === low) return `/receipts?provider=${address}`;
  throw new Error("This is no jobId (a UUID), no address, no model's digest, and no name of a model or provider.");
}

function Search({ start }) {
  const known = useContext(Known), [text, setText] = useState(start), [wrong, setWrong] = useState();
  const submit = (event) => {
    event.preventDefault();
    try {
      go(lookUp(text, known));
    } catch (error) {
      setWrong(error.message);
    }
  };
  return (
    <form class="search" role="search" onSubmit={submit}>
      <input data-search aria-label="Search by job, provider or model" placeholder="Job, provider or model: an id, an address, a digest, a name" value={text} onInput={(e) => { setText(e.target.value); setWrong(undefined); }} spellcheck={false} />
      <button type="submit">Search</button>
      {wrong && <p class="hint" role="alert">{wrong}</p>}
    </form>
  );
}

const STATES = ["", "accepted", "quarantined", "refused"];

export function Receipts({ query }) {
  const { token } = useContext(Known);
  const filter = new URLSearchParams([...query].filter(([name]) => ["provider", "model", "state"].includes(name))), text = filter.toString();
  const list = useList(`/admin/v1/receipts${text ? `?${text}` : ""}`, 50);
  const withState = (state) => {
    const next = new URLSearchParams(filter);
    next.delete("state");
    if (state) next.set("state", state);
    return `/receipts${next.size || [...next].length ? `?${next}` : ""}`;
  };
  const columns = [
    { head: "Job", cell: (r) => <a class="mono" href={`/receipts/${r.jobId}?provider=${r.provider}`} title={r.jobId}>{r.jobId.slice(0, 13)}…</a>, csv: (r) => r.jobId },
    { head: "Finished", cell: (r) => <Time ms={r.finishedAt} />, csv: (r) => new Date(r.finishedAt).toISOString() },
    { head: "Provider", cell: (r) => <Address value={r.provider} />, csv: (r) => r.provider },
    { head: "Model", cell: (r) => <Model digest={r.model} />, csv: (r) => r.model },
    { head: "State", cell: (r) => <><State value={r.state} />{r.code && <div class="note">{r.code}</div>}</>, csv: (r) => r.state },
    { head: "Price", number: true, cell: (r) => <Amount value={r.amount} />, csvHead: `Price (${token?.symbol ?? "base units"})`, csv: (r) => (r.amount ? exact(r.amount, token?.decimals ?? 0).replaceAll("\u202f", "") : "") },
    { head: "Batch", number: true, cell: (r) => r.batch || "–", csv: (r) => r.batch },
  ];
  return (
    <Page title="Receipts" intro="Newest jobs first.">
      <Search key={text} start={filter.get("provider") ?? filter.get("model") ?? ""} />
      <nav class="switch" aria-label="State">{STATES.map((state) => <a key={state} href={withState(state)} aria-current={(filter.get("state") ?? "") === state ? "true" : undefined}>{state || "all"}</a>)}</nav>
      <Panel flush>
        <Table name="receipts" columns={columns} list={list} rowKey={(r) => r.jobId + r.provider}
          empty={list.more ? <Empty title="Nothing among the newest"><button type="button" onClick={list.more}>Look further back</button></Empty>
            : <Empty title="No receipts here">{text ? <>Nothing fits. <a href="/receipts">Show all receipts</a>.</> : <>Nodes post them to <code>/v1/receipts</code>: see <a href="/openapi.json">openapi.json</a>.</>}</Empty>} />
      </Panel>
    </Page>
  );
}

function Proof({ answer, checks }) {
  return (
    <Panel title="Proof, checked in this browser">
      <Checks checks={checks} right="Everything is right, from the fields to the settlement’s header." />
      {answer.settlement?.header && checks.every((c) => c.state !== "wrong") && <p class="hint">What is left to compare: the contract’s own <code>header({answer.settlement.sequence})</code> with the header below.</p>}
    </Panel>
  );
}

function Found({ answer }) {
  const { settlement: s } = answer, { info, isReady } = useContext(Known);
  const { result: checks } = useChecks(() => (info ? checkReceipt(answer, info) : undefined), [answer, info]);
  if (!checks || !isReady) return <Waiting />;
  return (
    <>
      <Decided answer={answer} />
      <div class="two">
        <Job answer={answer} />
        <div>
          <Proof answer={answer} checks={checks} />
          <Panel title="Settlement">
            {s ? <Facts rows={[["Sequence", <a href={`/settlements/${s.sequence}`}>{s.sequence}</a>], ...settlementRows(s)]} />
              : <Empty title="Not settled yet">{answer.promise ? <>Promised to be settled by <Time ms={answer.promise.settleBy} />.</> : <>A held receipt is decided under <a href="/quarantine">Quarantine</a>.</>}</Empty>}
          </Panel>
        </div>
      </div>
      <Shares answer={answer} />
    </>
  );
}

export function Receipt({ jobId, query }) {
  const provider = query.get("provider"), { data, problem } = useData(`/v1/receipts/${encodeURIComponent(jobId)}${provider ? `?provider=${encodeURIComponent(provider)}` : ""}`);
  return (
    <Page title="Receipt" intro={<Hash value={jobId} label="jobId" whole />}>
      <Problem problem={problem} />
      {!data ? !problem && <Waiting /> : data.providers ? (
        <Panel title="Several providers used this jobId"><ul>{data.providers.map((p) => <li key={p}><a href={`/receipts/${jobId}?provider=${p}`}>{p}</a></li>)}</ul></Panel>
      ) : <Found answer={data} />}
    </Page>
  );
}
