// Who earned what: all accounts, and one with its parts by role and model.
import { useContext, useState } from "preact/hooks";
import { Address, Amount, Empty, explorerLink, Facts, Hash, Known, Model, Page, Panel, Problem, Table, Waiting } from "../lib/components.jsx";
import { filtered, useData, useEvents, useList } from "../lib/data.js";
import { exact } from "../lib/format.js";

const go = (href) => window.dispatchEvent(new CustomEvent("desk:go", { detail: href }));

export function Accounts() {
  const list = useList("/admin/v1/accounts"), { token } = useContext(Known), [text, setText] = useState("");
  useEvents(({ name }) => name === "reset" && list.reload());
  const sum = (key, head) => ({ head, number: true, cell: (a) => <Amount value={a[key] ?? "0"} />, csvHead: `${head} (${token?.symbol ?? "base units"})`, csv: (a) => exact(a[key] ?? "0", token?.decimals ?? 0).replaceAll("\u202f", "") });
  const columns = [{ head: "Account", cell: (a) => <Address value={a.account} />, csv: (a) => a.account }, sum("earned", "Earned"), sum("settled", "Settled"), sum("paid", "Paid"), sum("pending", "Waiting"), sum("charged", "Charged")];
  const open = (event) => {
    event.preventDefault();
    if (/^0x[0-9a-f]{40}$/i.test(text.trim())) go(`/accounts/${text.trim()}`);
  };
  const shown = filtered(list, (a) => a.account.toLowerCase().startsWith(text.trim().toLowerCase()));
  return (
    <Page title="Accounts" intro="Everybody who was ever credited or charged.">
      <form class="search" role="search" onSubmit={open}><input data-search aria-label="Find an account by address" placeholder="0x…" value={text} onInput={(e) => setText(e.target.value)} spellcheck={false} /><button type="submit">Open</button></form>
      <Panel flush>
        <Table name="accounts" columns={columns} list={shown} rowKey={(a) => a.account} empty={<Empty title={text ? "No such account among those shown" : "Nobody has earned yet"}>{text ? "Enter opens a whole address." : "Accounts appear with the first accepted receipt."}</Empty>} />
      </Panel>
    </Page>
  );
}

const ROLES = ["provider", "creator", "lineage", "protocol"];

function Claim({ address }) {
  const { data, problem } = useData(`/v1/accounts/${encodeURIComponent(address)}/claim`);
  if (problem) return problem.status === 404 ? <Empty title="Nothing to claim">{problem.message}</Empty> : <Problem problem={problem} />;
  if (!data) return <Waiting lines={3} />;
  return <Facts rows={[["Due now", <Amount value={data.due} symbol />], ["Under settlement", <a href={`/settlements/${data.sequence}`}>{data.sequence}</a>], ["Leaf, since the start", <Amount value={data.claimable} symbol />], ["Calldata", <Hash value={data.calldata} label="calldata" />]]} />;
}

export function Account({ address }) {
  const { explorer } = useContext(Known), elsewhere = explorerLink(explorer, "address", address);
  const { data: a, problem } = useData(`/v1/accounts/${encodeURIComponent(address)}`), models = a ? Object.entries(a.byModel) : [];
  const columns = [{ head: "Model", cell: ([digest]) => <Model digest={digest} />, csv: ([digest]) => digest }, { head: "Amount", number: true, cell: ([, value]) => <Amount value={value} />, csvHead: "Amount (base units)", csv: ([, value]) => value }];
  return (
    <Page title="Account" intro={/^0x[0-9a-f]{40}$/i.test(address) ? <Address value={address} link={false} whole /> : undefined} actions={elsewhere && <a href={elsewhere} rel="noreferrer" target="_blank">On the explorer</a>}>
      <Problem problem={problem} />
      {!a ? !problem && <Waiting /> : (
        <>
          <div class="two">
            <Panel title="Sums"><Facts rows={[["Earned", <Amount value={a.earned} symbol />], ["Settled", <Amount value={a.settled} symbol />], ["Paid", <Amount value={a.paid} symbol />], ["Waiting", <Amount value={a.pending} symbol />], ["Held in quarantine", <Amount value={a.held} symbol />],
              a.adjusted && ["Corrected", <><Amount value={a.adjusted.up} symbol /> upwards, <Amount value={a.adjusted.down} symbol /> downwards</>], a.debt && a.debt !== "0" && ["Owes, against what it earns later", <Amount value={a.debt} symbol />], a.charged && ["Charged", <Amount value={a.charged} symbol />]]} /></Panel>
            <Panel title="By role"><Facts rows={ROLES.map((role) => [role, <Amount value={a.byRole[role]} />])} /><p><a href={`/receipts?provider=${address}`}>Receipts it signed</a></p></Panel>
          </div>
          <Panel title="By model" flush><Table name={`account-${address}`} columns={columns} list={{ items: models }} rowKey={([digest]) => digest} empty={<Empty title="No model yet">It has earned nothing.</Empty>} /></Panel>
          <Panel title="Claim">{BigInt(a.settled) > BigInt(a.paid) ? <Claim address={address} /> : <Empty title="Nothing to claim">{a.settled === "0" ? "Nothing of it is settled yet." : "Everything that is settled was paid."}</Empty>}</Panel>
        </>
      )}
    </Page>
  );
}
