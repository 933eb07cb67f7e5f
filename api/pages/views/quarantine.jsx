// Held receipts: which rule, which figures; released or refused with a reason, one or many.
import { useMemo, useState } from "preact/hooks";
import { may, path, post } from "../lib/api.js";
import { Address, Amount, Dialog, Empty, Field, Page, Panel, Problem, Table, Time, useAction } from "../lib/components.jsx";
import { useEvents, useList } from "../lib/data.js";
import { count } from "../lib/format.js";

const keyOf = (row) => row.provider + row.jobId;

function Decide({ action, rows, onClose, onDone }) {
  const [reason, setReason] = useState(""), [left, setLeft] = useState(rows);
  const run = useAction(async () => {
    let rest = left;
    for (const row of left) {
      await post(path`/admin/v1/quarantine/${row.provider}/${row.jobId}/${action}`, { reason });
      rest = rest.slice(1);
      setLeft(rest);
    }
    onDone();
  });
  const what = `${count(rows.length)} ${rows.length === 1 ? "receipt" : "receipts"}`;
  return (
    <Dialog title={action === "release" ? `Release ${what}` : `Refuse ${what}`} onClose={onClose}>
      <form onSubmit={(e) => { e.preventDefault(); run.go(); }}>
        <p>{action === "release" ? "They are priced and credited now, and settled with the open batch. What has no admitted provider, no verified model or no price stays held." : "They are never credited. The receipt and your reason are kept."}</p>
        <Field label="Reason" value={reason} onInput={(e) => setReason(e.target.value)} maxLength={200} required hint="Kept with the receipt and in the audit log." />
        {run.problem && left.length < rows.length && <p class="hint">{rows.length - left.length} of {rows.length} were decided before this:</p>}
        <Problem problem={run.problem} />
        <div class="actions"><button type="button" onClick={onClose}>Cancel</button><button type="submit" class="main" data-danger={action === "refuse" ? "" : undefined} disabled={run.busy || !reason.trim()}>{action === "release" ? "Release" : "Refuse"} {count(left.length)}</button></div>
      </form>
    </Dialog>
  );
}

const figures = (row) => row.errors.map((e) => e.detail).join(" ");

export function Quarantine({ query }) {
  const code = query.get("code") ?? "", list = useList(`/admin/v1/quarantine${code ? `?code=${encodeURIComponent(code)}` : ""}`);
  const [picked, setPicked] = useState(() => new Map()), [deciding, setDeciding] = useState();
  useEvents(({ name, data }) => (name === "reset" || (name === "receipt" && data.quarantined > 0)) && list.reload());
  const codes = useMemo(() => [...new Set((list.items ?? []).map((row) => row.code))].sort(), [list.items]);
  const pick = (rows, on) => setPicked((old) => {
    const next = new Map(old);
    for (const row of rows) on ? next.set(keyOf(row), row) : next.delete(keyOf(row));
    return next;
  });
  const select = may("operator") && {
    One: ({ row }) => <input type="checkbox" aria-label={`Select job ${row.jobId}`} checked={picked.has(keyOf(row))} onChange={(e) => pick([row], e.target.checked)} />,
    All: ({ items }) => <input type="checkbox" aria-label="Select all that are shown" checked={items.length > 0 && items.every((row) => picked.has(keyOf(row)))} onChange={(e) => pick(items, e.target.checked)} />,
  };
  const columns = [
    { head: "Received", cell: (r) => <Time ms={r.receivedAt} />, csv: (r) => new Date(r.receivedAt).toISOString() },
    { head: "Rule", cell: (r) => <a href={`/quarantine?code=${r.code}`}>{r.code}</a>, csv: (r) => r.code },
    { head: "Figures", cell: (r) => <span class="prose">{figures(r)}</span>, csv: figures },
    { head: "Job", cell: (r) => <a class="mono" href={`/receipts/${r.jobId}?provider=${r.provider}`} title={r.jobId}>{r.jobId.slice(0, 18)}…</a>, csv: (r) => r.jobId },
    { head: "Provider", cell: (r) => <Address value={r.provider} />, csv: (r) => r.provider },
    { head: "Worth", number: true, cell: (r) => <Amount value={r.amount} />, csvHead: "Worth (base units)", csv: (r) => r.amount },
  ];
  const decide = (action) => <button type="button" disabled={picked.size === 0} onClick={() => setDeciding(action)}>{action === "release" ? "Release" : "Refuse"}{picked.size > 0 ? ` ${count(picked.size)}` : ""}…</button>;
  return (
    <Page title="Quarantine" intro="Kept, not yet credited: each with the rule that holds it and the figures that failed." actions={select && <>{decide("release")}{decide("refuse")}</>}>
      {(code || codes.length > 1) && <nav class="switch" aria-label="Rule"><a href="/quarantine" aria-current={code === "" ? "true" : undefined}>all</a>{codes.map((c) => <a key={c} href={`/quarantine?code=${c}`} aria-current={c === code ? "true" : undefined}>{c}</a>)}</nav>}
      <Panel flush>
        <Table name="quarantine" columns={columns} list={list} rowKey={keyOf} select={select} empty={<Empty title="Nothing is held">Receipts that a rule doubts would wait here for you.</Empty>} />
      </Panel>
      {deciding && <Decide action={deciding} rows={[...picked.values()]} onClose={() => { setDeciding(undefined); list.reload(); setPicked(new Map()); }} onDone={() => { setDeciding(undefined); setPicked(new Map()); list.reload(); }} />}
    </Page>
  );
}
