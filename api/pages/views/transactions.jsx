// Every transaction of the signer, newest first, with every attempt and what it cost.
import { Address, Empty, Page, Panel, Table, Time } from "../lib/components.jsx";
import { useEvents, useList } from "../lib/data.js";
import { TX_COLUMNS } from "./settlements.jsx";

const COLUMNS = [
  ...TX_COLUMNS.slice(0, 3),
  { head: "Settlement", cell: (t) => (t.sequence ? <a href={`/settlements/${t.sequence}`}>{t.sequence}</a> : "–"), csv: (t) => t.sequence },
  { head: "Made", cell: (t) => <Time ms={t.createdAt} />, csv: (t) => new Date(t.createdAt).toISOString() },
  ...TX_COLUMNS.slice(3),
  { head: "Signer", cell: (t) => <Address value={t.account} />, csv: (t) => t.account },
];

export function Transactions() {
  const list = useList("/admin/v1/transactions");
  useEvents(({ name }) => (name === "settlement" || name === "reset") && list.reload());
  return (
    <Page title="Transactions" intro="What the gateway signed. A stuck one is replaced by itself at a higher fee, under the same nonce.">
      <Panel flush>
        <Table name="transactions" columns={COLUMNS} list={list} rowKey={(t) => t.id} empty={<Empty title="Nothing was ever sent">The first settlement makes the first transaction: see <a href="/settlements">Settlements</a>.</Empty>} />
      </Panel>
    </Page>
  );
}
