// Held receipts: which rule, which figures; released or refused with a reason, one or many.
import { useContext, useMemo, useState } from "preact/hooks";
import { may, path, post } from "../lib/api.js";
import { Address, Amount, Dialog, Empty, Field, Known, Page, Panel, Problem, Table, Time, useAction } from "../lib/components.jsx";
import { useEvents, useList } from "../lib/data.js";
import { count, plural, readableFaults } from "../lib/format.js";

const keyOf = (row) => row.provider + row.jobId;

const WORDS = { release: "Release", refuse: "Refuse" }, DONE = { release: "released", refuse: "refused" };

/** The reason and what became of it; run: (reason, tell) => does it, telling how far it came. */
function Decide({ action, what, run, onClose, onDone }) {
  const [reason, setReason] = useState(""), [told, setTold] = useState();
  const deciding = useAction(async () => {
    if (await run(reason, setTold)) onDone();
  });
  return (
    <Dialog title={`${WORDS[action]} ${what}`} onClose={onClose}>
      <form onSubmit={(e) => { e.preventDefault(); deciding.go(); }}>
        <p>{action === "release" ? "They are priced and credited now, and settled with the open batch. What has no admitted provider, no verified model or no price stays held." : "They are never credited. The receipt and your reason are kept."}</p>
        <Field label="Reason" value={reason} onInput={(e) => setReason(e.target.value)} maxLength={200} required hint="Kept with the receipt and in the audit log." />
        {told && <p class="hint" role="status">{told.text}</p>}
        {told?.failures?.length > 0 && <ul class="hint">{told.failures.map((f) => <li key={f.provider + f.jobId}><code>{f.jobId}</code> {f.detail}</li>)}</ul>}
        <Problem problem={deciding.problem} />
        <div class="actions"><button type="button" onClick={onClose}>{told ? "Close" : "Cancel"}</button><button type="submit" class="main" data-danger={action === "refuse" ? "" : undefined} disabled={deciding.busy || !reason.trim()}>{WORDS[action]} {what}</button></div>
      </form>
    </Dialog>
  );
}

/** One by one, those that were picked; a second try goes on where the first ended. */
function eachOf(rows, action) {
  let left = rows;
  return async (reason, tell) => {
    while (left.length > 0) {
      await post(path`/admin/v1/quarantine/${left[0].provider}/${left[0].jobId}/${action}`, { reason });
      left = left.slice(1);
      tell({ text: `${count(rows.length - left.length)} of ${count(rows.length)} are ${DONE[action]}.` });
    }
    return true;
  };
}

/** All that a rule holds, however many: the service takes a thousand at a time. */
const allOf = (code, action) => async (reason, tell) => {
  for (let done = 0, more = true; more;) {
    const answer = await post(`/admin/v1/quarantine/${action}`, { reason, ...(code ? { code } : {}) });
    done += answer[DONE[action]];
    more = answer.more && answer[DONE[action]] > 0;
    tell({ text: `${plural(done, "receipt")} ${done === 1 ? "is" : "are"} ${DONE[action]}${answer.failed > 0 ? `, ${count(answer.failed)} stay held` : ""}${more ? "; there are more" : "."}`, failures: answer.failures });
    if (answer.failed > 0 && !more) return false;
  }
  return true;
};

const figures = (row) => row.errors.map((e) => e.detail).join(" ");

export function Quarantine({ query }) {
  const code = query.get("code") ?? "", list = useList(`/admin/v1/quarantine${code ? `?code=${encodeURIComponent(code)}` : ""}`);
  const { token } = useContext(Known), [picked, setPicked] = useState(() => new Map()), [whole, setWhole] = useState(false), [deciding, setDeciding] = useState();
  useEvents(({ name, data }) => (name === "reset" || (name === "receipt" && data.quarantined > 0)) && list.reload());
  const codes = useMemo(() => [...new Set((list.items ?? []).map((row) => row.code))].sort(), [list.items]);
  const pick = (rows, on) => {
    setWhole(false);
    setPicked((old) => {
      const next = new Map(old);
      for (const row of rows) on ? next.set(keyOf(row), row) : next.delete(keyOf(row));
      return next;
    });
  };
  const select = may("operator") && {
    One: ({ row }) => <input type="checkbox" aria-label={`Select job ${row.jobId}`} checked={picked.has(keyOf(row))} onChange={(e) => pick([row], e.target.checked)} />,
    All: ({ items }) => <input type="checkbox" aria-label="Select all that are shown" checked={items.length > 0 && items.every((row) => picked.has(keyOf(row)))} onChange={(e) => pick(items, e.target.checked)} />,
  };
  const columns = [
    { head: "Received", cell: (r) => <Time ms={r.receivedAt} />, csv: (r) => new Date(r.receivedAt).toISOString() },
    { head: "Rule", cell: (r) => <a href={`/quarantine?code=${r.code}`}>{r.code}</a>, csv: (r) => r.code },
    { head: "Figures", cell: (r) => <span class="prose" title={figures(r)}>{readableFaults(r.errors, token)}</span>, csv: figures },
    { head: "Job", cell: (r) => <a class="mono" href={`/receipts/${r.jobId}?provider=${r.provider}`} title={r.jobId}>{r.jobId.slice(0, 13)}…</a>, csv: (r) => r.jobId },
    { head: "Provider", cell: (r) => <Address value={r.provider} />, csv: (r) => r.provider },
    { head: "Worth", number: true, cell: (r) => <Amount value={r.amount} />, csvHead: "Worth (base units)", csv: (r) => r.amount },
  ];
  const everything = list.items?.length > 0 && list.items.every((row) => picked.has(keyOf(row))), what = whole ? "all of them" : plural(picked.size, "receipt");
  const decide = (action) => <button type="button" disabled={picked.size === 0} onClick={() => setDeciding({ action, what, run: whole ? allOf(code, action) : eachOf([...picked.values()], action) })}>{WORDS[action]}{picked.size > 0 ? ` ${whole ? "all" : count(picked.size)}` : ""}…</button>;
  const end = () => {
    setDeciding(undefined);
    setPicked(new Map());
    setWhole(false);
    list.reload();
  };
  return (
    <Page title="Quarantine" intro="Kept, not yet credited: each with the rule that holds it and the figures that failed." actions={select && <>{decide("release")}{decide("refuse")}</>}>
      <nav class="switch" aria-label="Rule"><a href="/quarantine" aria-current={code === "" ? "true" : undefined}>all</a>{codes.map((c) => <a key={c} href={`/quarantine?code=${c}`} aria-current={c === code ? "true" : undefined}>{c}</a>)}</nav>
      {select && everything && list.more && (
        <p class="whole" role="status">
          {whole ? <>Everything that {code ? <>the rule <strong>{code}</strong></> : "any rule"} holds is selected.</> : <>The {count(list.items.length)} that are shown are selected; there are more.</>}
          <button type="button" class="quiet" onClick={() => setWhole(!whole)}>{whole ? "Only those shown" : `Select everything${code ? ` of ${code}` : " that is held"}`}</button>
        </p>
      )}
      <Panel flush>
        <Table name="quarantine" columns={columns} list={list} rowKey={keyOf} select={select} empty={<Empty title="Nothing is held">Receipts that a rule doubts would wait here for you.</Empty>} />
      </Panel>
      {deciding && <Decide {...deciding} onClose={end} onDone={end} />}
    </Page>
  );
}
