// Starting a settlement: what it would do is shown first, then it is followed to its end.
import { useContext, useEffect, useState } from "preact/hooks";
import { get, post } from "../lib/api.js";
import { plural } from "../lib/format.js";
import { Amount, Count, Dialog, Facts, Known, Problem, State, useAction, Waiting, Wei } from "../lib/components.jsx";

export const Waits = ({ run }) => (run?.error || run?.waits ? (
  <div class="problem" data-soft={!run.error}>
    <strong>{run.error ? "The last run did not end well." : `A settlement waits for ${run.waits}.`}</strong> <span>{run.error ?? run.waitsDetail}</span>
    {run.errorCode && <code class="code">{run.errorCode}</code>}
  </div>
) : null);

const Plan = ({ plan }) => (
  <>
    <Facts rows={[
      ["Receipts", <Count value={plan.receipts} />],
      ["Committed anew", <Amount value={plan.growth} symbol />],
      ["Paid out", <><Amount value={plan.due} symbol /> to {plural(plan.dueAccounts, "account")}</>],
      ["Calls", `${plan.calls.length} (${plan.calls.filter((c) => c.kind === "commit").length} commit, ${plan.calls.filter((c) => c.kind === "distribute").length} distribute)`],
      ["Gas", <Count value={plan.gas} />],
      ["Costs at most", <><Wei value={plan.maxCostWei} /> of <Wei value={plan.balanceWei} /> coin</>],
    ]} />
    {plan.stops.map((stop) => <div class="problem" key={stop.reason}><strong>{stop.reason}</strong> <span>{stop.detail}</span></div>)}
    {plan.leftOut.map((left) => <p class="hint" key={left.reason}>Left out: {plural(left.accounts, "account")} with <Amount value={left.amount} symbol /> ({left.reason}). What is left out may be claimed all the same.</p>)}
  </>
);

const isOver = (run) => !run.running && (run.nothing || run.error || ["final", "pending", "cancelled"].includes(run.state));

function Progress({ sequence, first, onOver }) {
  const [run, setRun] = useState(first), [problem, setProblem] = useState();
  useEffect(() => {
    if (isOver(run) || !sequence) {
      onOver();
      return undefined;
    }
    const timer = setTimeout(() => get(`/admin/v1/settlements/${sequence}`).then(setRun, setProblem), 700);
    return () => clearTimeout(timer);
  }, [run]);
  if (run.nothing && !run.error) return <p role="status">There is nothing to settle: every accepted receipt is in a settlement already.</p>;
  return (
    <>
      <p role="status">Settlement {sequence ? <a href={`/settlements/${sequence}`}>{sequence}</a> : ""} is <State value={run.state ?? "starting"} />{run.waits ? `, waits for ${run.waits}` : ""}</p>
      <Facts rows={[["Receipts", <Count value={run.receipts} />], ["Paid", <Amount value={run.paid} symbol />], ["Failed payments", <Count value={run.failed} />], ["Transactions", <Count value={run.transactions} />]]} />
      {run.error && <Problem problem={{ message: run.error.detail, code: run.error.code, kept: "What was done stays; the service goes on from there." }} />}
      <Problem problem={problem} />
    </>
  );
}

function SettleDialog({ onClose }) {
  const { info } = useContext(Known), [plan, setPlan] = useState(), [run, setRun] = useState();
  const look = useAction(async () => setPlan(await post("/admin/v1/settlements", { dryRun: true })));
  const start = useAction(async () => setRun(await post("/admin/v1/settlements", { wait: 10 })));
  useEffect(() => void look.go(), []);
  return (
    <Dialog title="Settle now" onClose={onClose}>
      {run ? <Progress sequence={run.sequence} first={run} onOver={() => {}} /> : (
        <>
          <p>This is what a run would do now. Nothing is sent before you start it{info ? ` on chain ${info.chainId}` : ""}.</p>
          {plan ? <Plan plan={plan} /> : !look.problem && <Waiting lines={4} />}
        </>
      )}
      <Problem problem={look.problem ?? start.problem} />
      <div class="actions">
        <button type="button" onClick={onClose}>{run ? "Close" : "Not now"}</button>
        {!run && <button type="button" class="main" disabled={!plan || start.busy || plan.calls.length === 0} onClick={start.go}>{plan && plan.calls.length === 0 ? "Nothing to settle" : "Start the run"}</button>}
      </div>
    </Dialog>
  );
}

export function SettleNow({ onEnd }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="main" onClick={() => setOpen(true)}>Settle now</button>
      {open && <SettleDialog onClose={() => { setOpen(false); onEnd?.(); }} />}
    </>
  );
}
