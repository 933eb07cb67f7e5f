// All settlements, and one with its states in time, roots, totals and transactions.
import { useContext, useState } from "preact/hooks";
import { may, post } from "../lib/api.js";
import { Amount, Count, Dialog, Empty, Facts, Field, Hash, Known, Page, Panel, Problem, State, Table, Time, Transaction, useAction, Waiting, Wei } from "../lib/components.jsx";
import { useData, useEvents, useList } from "../lib/data.js";
import { exact } from "../lib/format.js";
import { SettleNow } from "./settle-now.jsx";

export function Settlements() {
  const list = useList("/v1/settlements"), { token } = useContext(Known);
  useEvents(({ name }) => (name === "settlement" || name === "reset") && list.reload());
  const columns = [
    { head: "Sequence", cell: (s) => <a href={`/settlements/${s.sequence}`}>{s.sequence}</a>, csv: (s) => s.sequence },
    { head: "State", cell: (s) => <State value={s.state} />, csv: (s) => s.state },
    { head: "Committed", cell: (s) => <Time ms={s.committedAt && s.committedAt * 1000} />, csv: (s) => (s.committedAt ? new Date(s.committedAt * 1000).toISOString() : "") },
    { head: "Receipts", number: true, cell: (s) => <Count value={s.receipts} />, csv: (s) => s.receipts },
    { head: "Accounts", number: true, cell: (s) => <Count value={s.accounts} />, csv: (s) => s.accounts },
    { head: "Total since the start", number: true, cell: (s) => <Amount value={s.total} />, csvHead: `Total (${token?.symbol ?? "base units"})`, csv: (s) => exact(s.total, token?.decimals ?? 0).replaceAll("\u202f", "") },
    { head: "Receipts root", cell: (s) => <Hash value={s.receiptsRoot} label="receipts root" />, csv: (s) => s.receiptsRoot },
  ];
  return (
    <Page title="Settlements" intro="Each is one commit of a batch’s roots to the contract, and the payments under it." actions={may("operator") && <SettleNow onEnd={list.reload} />}>
      <Panel flush>
        <Table name="settlements" columns={columns} list={list} rowKey={(s) => s.sequence}
          empty={<Empty title="Nothing was settled yet">Once receipts are accepted, “Settle now” shows what a run would do. Cron does the same with <code>quittance settle</code>.</Empty>} />
      </Panel>
    </Page>
  );
}

const STATES = ["closed", "prepared", "committed", "active", "distributed", "final"];
const MEANS = {
  closed: "no more receipts", prepared: "roots and archive are made", committed: "the roots are on the chain", active: "earners may claim", distributed: "payments are sent", final: "everything is confirmed",
};

function Timeline({ settlement: s }) {
  if (s.state === "cancelled") return <div class="problem"><strong>This batch was cancelled by the guardian.</strong> <span>Its receipts wait until it is carried into a new sequence.</span></div>;
  const reached = STATES.indexOf(s.state), mined = (kind) => s.transactions.find((t) => t.kind === kind);
  const times = { closed: s.closedAt, prepared: s.preparedAt, committed: s.committedAt * 1000, active: s.activeAt * 1000, distributed: mined("distribute")?.createdAt };
  return (
    <ol class="timeline">
      {STATES.map((state, i) => (
        <li key={state} data-reached={i <= reached} aria-current={i === reached ? "step" : undefined}>
          <strong>{state}</strong><span>{MEANS[state]}</span>{i <= reached && times[state] > 0 && <Time ms={times[state]} />}
        </li>
      ))}
    </ol>
  );
}

export const feeOf = (t) => (t.gasUsed === undefined ? undefined : (BigInt(t.gasUsed) * BigInt(t.effectiveGasPrice) + BigInt(t.l1Fee ?? 0)).toString());

export function Attempts({ tx }) {
  return (
    <details class="attempts">
      <summary>{tx.attempts.length} {tx.attempts.length === 1 ? "attempt" : "attempts"}</summary>
      <ol>
        {tx.attempts.map((a) => (
          <li key={a.hash}>
            <Transaction hash={a.hash} /> <span class="note">at most <Wei value={a.maxFeePerGas} unit={9} name="gwei" /> gwei a gas, tip <Wei value={a.maxPriorityFeePerGas} unit={9} name="gwei" />; signed <Time ms={a.createdAt} />{a.sentAt && <>, sent <Time ms={a.sentAt} /></>}</span>
            {a.answer && <span class="note">{a.answer}</span>}
          </li>
        ))}
      </ol>
    </details>
  );
}

const TX_COLUMNS = [
  { head: "Transaction", cell: (t) => (t.hash ? <Transaction hash={t.hash} /> : "–"), csv: (t) => t.hash },
  { head: "Kind", cell: (t) => t.kind, csv: (t) => t.kind },
  { head: "State", cell: (t) => <State value={t.state} />, csv: (t) => t.state },
  { head: "Nonce", number: true, cell: (t) => t.nonce, csv: (t) => t.nonce },
  { head: "Block", number: true, cell: (t) => <Count value={t.block} />, csv: (t) => t.block },
  { head: "Gas", number: true, cell: (t) => <Count value={t.gasUsed} />, csv: (t) => t.gasUsed },
  { head: "Fee", number: true, cell: (t) => <Wei value={feeOf(t)} />, csvHead: "Fee (wei)", csv: feeOf },
  { head: "Attempts", cell: (t) => <Attempts tx={t} />, csv: (t) => t.attempts.length },
];
export { TX_COLUMNS };

function Carry({ sequence, onDone }) {
  const [open, setOpen] = useState(false), [reason, setReason] = useState("");
  const action = useAction(async () => {
    await post(`/admin/v1/settlements/${sequence}/carry`, { reason });
    setOpen(false);
    onDone();
  });
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>Carry</button>
      {open && (
        <Dialog title={`Carry settlement ${sequence}`} onClose={() => setOpen(false)}>
          <form onSubmit={(e) => { e.preventDefault(); action.go(); }}>
            <p>Its receipts are settled again under a new sequence by the next run. Be sure why it was cancelled.</p>
            <Field label="Reason" value={reason} onInput={(e) => setReason(e.target.value)} maxLength={200} required hint="Kept in the audit log." />
            <Problem problem={action.problem} />
            <div class="actions"><button type="submit" class="main" disabled={action.busy || !reason.trim()}>Carry</button></div>
          </form>
        </Dialog>
      )}
    </>
  );
}

export function Settlement({ sequence }) {
  const { data: s, problem, reload } = useData(`/v1/settlements/${encodeURIComponent(sequence)}`);
  useEvents(({ name, data }) => (name === "reset" || (name === "settlement" && String(data.sequence) === sequence)) && reload());
  return (
    <Page title={`Settlement ${sequence}`} actions={s?.state === "cancelled" && may("operator") && <Carry sequence={sequence} onDone={reload} />}>
      <Problem problem={problem} />
      {!s ? !problem && <Waiting /> : (
        <>
          <Timeline settlement={s} />
          <div class="two">
            <Panel title="Totals">
              <Facts rows={[["Receipts", <Count value={s.receipts} />], ["Accounts", <Count value={s.accounts} />], ["Total since the start", <Amount value={s.total} symbol />],
                ["Paid by this run", <Amount value={s.paid} symbol />], ["Skipped", <Amount value={s.skipped} symbol />], ["Left to claim", <Amount value={s.left} symbol />], ["Batch", s.batch]]} />
            </Panel>
            <Panel title="Published">
              <Facts rows={[["Receipts root", <Hash value={s.receiptsRoot} label="receipts root" />], ["Rewards root", <Hash value={s.rewardsRoot} label="rewards root" />],
                ["Archive, SHA-256", <Hash value={s.archive} label="archive digest" />], s.header && ["Header", <Hash value={s.header} label="header" />], ["Parent", <Hash value={s.parent} label="parent header" />],
                ["Files", <><a href={`/v1/settlements/${sequence}/archive`} download={`${sequence}.archive.ndjson`}>archive</a> and <a href={`/v1/settlements/${sequence}/rewards.json`} download={`${sequence}.rewards.json`}>rewards.json</a></>]]} />
            </Panel>
          </div>
          <Panel title="Transactions" flush>
            <Table name={`settlement-${sequence}-transactions`} columns={TX_COLUMNS} list={{ items: s.transactions }} rowKey={(t) => t.id} empty={<Empty title="Nothing was sent yet">The commit is signed and stored before it is sent.</Empty>} />
          </Panel>
        </>
      )}
    </Page>
  );
}
