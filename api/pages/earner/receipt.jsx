// One receipt with its whole proof: from its fields to the settlement's header, and to the contract that holds it.
import { useContext, useMemo } from "preact/hooks";
import { Checks, useChecks } from "../lib/checks.jsx";
import { Empty, Facts, Hash, Known, Page, Panel, Problem, Time, Waiting } from "../lib/components.jsx";
import { Chain, ChainSource } from "../lib/connect.jsx";
import { open } from "../lib/contract.js";
import { useData } from "../lib/data.js";
import { download } from "../lib/format.js";
import { checkReceipt, checkReceiptOnChain } from "../lib/proof.js";
import { Decided, Job, settlementRows, Shares } from "../lib/receipt.jsx";

function Proof({ answer, info }) {
  const { source } = useContext(Chain), { result: here } = useChecks(() => checkReceipt(answer, info), [answer, info]);
  const { result: there = [], problem } = useChecks(() => (source && answer.settlement ? open(source, info.contract, info.chainId).then((contract) => checkReceiptOnChain(answer, info, contract)) : undefined),
    [source?.key, answer, info.contract]);
  return (
    <Panel title="Proof, checked in this browser">
      {here ? <Checks checks={[...here, ...there]} right={there.length > 0 ? "Everything is right, from the fields to the contract on the chain." : "Everything is right, from the fields to the settlement’s header."} /> : <Waiting lines={9} />}
      <Problem problem={problem} />
      <ChainSource />
      <div class="actions" data-start><button type="button" onClick={() => download(`${answer.receipt.jobId}.json`, JSON.stringify(answer), "application/json")}>Keep this proof</button></div>
      <p class="hint"><code>quittance verify FILE</code> checks the kept file without the gateway.</p>
    </Panel>
  );
}

function Found({ answer, info, at }) {
  const { settlement: s } = answer;
  return (
    <>
      <Decided answer={answer} />
      <div class="two">
        <div>
          <Job answer={answer} />
          <Panel title="Settlement">
            {s ? <Facts rows={[["Sequence", s.sequence], ...settlementRows(s), ["Published", <><a href={at(`/v1/settlements/${s.sequence}/archive`)} download={`${s.sequence}.archive.ndjson`}>archive</a> and <a href={at(`/v1/settlements/${s.sequence}/rewards.json`)} download={`${s.sequence}.rewards.json`}>rewards.json</a></>]]} />
              : <Empty title="Not settled yet">{answer.promise ? <>The gateway promised, and signed, to settle it: <Time ms={answer.promise.settleBy} /> at the latest.</> : "It is held until a person at the gateway decides."}</Empty>}
          </Panel>
        </div>
        {info ? <Proof answer={answer} info={info} /> : <Waiting />}
      </div>
      <Shares answer={answer} />
    </>
  );
}

export function ReceiptPage({ jobId, query }) {
  const { info, at } = useContext(Known), provider = query.get("provider");
  const { data, problem } = useData(at(`/v1/receipts/${encodeURIComponent(jobId)}${provider ? `?provider=${encodeURIComponent(provider)}` : ""}`), 15_000);
  const answer = useMemo(() => data, [JSON.stringify(data)]); // asked for again, but checked again only when something is new
  return (
    <Page title="Receipt" intro={<Hash value={jobId} label="jobId" whole />}>
      <Problem problem={problem} />
      {[401, 403].includes(problem?.status) && <p class="hint">Open it from your account’s page, where you sign who you are.</p>}
      {!answer ? !problem && <Waiting /> : answer.providers ? (
        <Panel title="Several providers used this jobId"><ul>{answer.providers.map((p) => <li key={p}><a href={`/receipts/${jobId}?provider=${p}`}>{p}</a></li>)}</ul></Panel>
      ) : <Found answer={answer} info={info} at={at} />}
    </Page>
  );
}
