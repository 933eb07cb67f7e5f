// One receipt (GET /v1/receipts/{jobId}): what was done, what was decided, who earns what of it.
import { useContext } from "preact/hooks";
import { Address, Amount, Count, Empty, Facts, Hash, Known, Model, Panel, State, Table, Time, Transaction } from "./components.jsx";
import { readableFaults } from "./format.js";

const METERS = [["Input tokens", "inputTokens"], ["of it cached", "cachedTokens"], ["Output tokens", "outputTokens"], ["Units", "units"], ["Compute", "computeMs"]];
const zero = (hash) => !hash || /^0x0+$/.test(hash);

export function Decided({ answer }) {
  const { token } = useContext(Known);
  return <>
    {answer.errors?.length > 0 && <div class="problem" data-soft={answer.state === "quarantined"}><strong>{answer.code}</strong><ul>{answer.errors.map((e, i) => <li key={i} title={e.detail}>{readableFaults([e], token)}</li>)}</ul></div>}
    {answer.reason && <p class="intro">Decided with the reason: <bdi>{answer.reason}</bdi></p>}
  </>;
}

export const Job = ({ answer: { receipt: r, ...answer } }) => (
  <Panel title="Job">
    <Facts rows={[["State", <State value={answer.state} />], ["Price", <Amount value={answer.amount} symbol />], ["Provider", <Address value={r.provider} />], ["Model", <Model digest={r.model} />],
      !zero(r.consumer) && ["Consumer", <Address value={r.consumer} />], ...METERS.map(([name, key]) => [name, <><Count value={r[key]} />{key === "computeMs" ? " ms" : ""}</>]),
      ["Started", <Time ms={r.startedAt} />], ["Finished", <Time ms={r.finishedAt} />], answer.acceptedAt && ["Accepted", <Time ms={answer.acceptedAt} />], ["Receipt hash", <Hash value={answer.hash} />],
      !zero(r.evidence) && ["Evidence", <Hash value={r.evidence} label="evidence" />]]} />
  </Panel>
);

export const settlementRows = (s) => [["State", <State value={s.state} />], s.transaction && ["Commit", <Transaction hash={s.transaction} />], s.header && ["Header", <Hash value={s.header} label="header" />]];

const SHARES = [
  { head: "Account", cell: (x) => <Address value={x.account} />, csv: (x) => x.account },
  { head: "Role", cell: (x) => x.role, csv: (x) => x.role },
  { head: "Model", cell: (x) => <Model digest={x.model} />, csv: (x) => x.model },
  { head: "Amount", number: true, cell: (x) => <Amount value={x.amount} />, csvHead: "Amount (base units)", csv: (x) => x.amount },
];
export const Shares = ({ answer }) => answer.shares && (
  <Panel title="Who earns what" flush>
    <Table name={`receipt-${answer.receipt.jobId}-shares`} columns={SHARES} list={{ items: answer.shares }} rowKey={(x) => x.account + x.role + x.model} empty={<Empty title="Nobody">Its price was 0.</Empty>} />
  </Panel>
);
