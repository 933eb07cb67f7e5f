// What models cost here and at the reference list, price by price.
import { useContext } from "preact/hooks";
import { Amount, Facts, Known, Model, Panel, Table } from "../lib/components.jsx";
import { Dollars, dollarsOf, listFacts, Percent, savedBps, worthOf } from "./dollars.jsx";

const METERS = [["input", "inputTokens", "inputPerMillion"], ["cached input", "cachedTokens", "cachedPerMillion"], ["output", "outputTokens", "outputPerMillion"]];

/** A row for each price that both have: of a million tokens, here and there. */
function rowsOf(models, list, decimals) {
  const prices = new Map(models.filter(({ price }) => price).map((m) => [m.model.toLowerCase(), m.price.perMillion]));
  return list.models.filter(({ model }) => prices.has(model.toLowerCase())).flatMap((m) => METERS.map(([tokens, ours, theirs]) => {
    const price = prices.get(m.model.toLowerCase())[ours], here = worthOf(price, list.tokenPrice, decimals), there = dollarsOf(m[theirs]);
    return { ...m, tokens, price, here, there, less: savedBps(here, there) };
  }));
}

const COLUMNS = [
  { head: "Model", cell: (r) => <Model digest={r.model} />, csv: (r) => r.model },
  { head: "Million tokens of", cell: (r) => r.tokens, csv: (r) => r.tokens },
  { head: "Here", number: true, cell: (r) => <Amount value={r.price} symbol />, csvHead: "Here (base units)", csv: (r) => r.price },
  { head: "In dollars", number: true, cell: (r) => <Dollars value={r.here} />, csvHead: "Here (10^-18 dollars)", csv: (r) => r.here },
  { head: "At the reference", number: true, cell: (r) => <Dollars value={r.there} />, csvHead: "At the reference (10^-18 dollars)", csv: (r) => r.there },
  { head: "Less by", number: true, cell: (r) => <Percent bps={r.less} />, csvHead: "Less by (basis points)", csv: (r) => r.less },
  { head: "Compared with", cell: (r) => <bdi class="note">{r.provider}/{r.modelId}</bdi>, csv: (r) => `${r.provider}/${r.modelId}` },
];

/** list: of /v1/reference-prices/{version}. */
export function ReferencePrices({ models, list }) {
  const { token } = useContext(Known), rows = token?.decimals === undefined ? [] : rowsOf(models, list, token.decimals);
  if (rows.length === 0) return null;
  return (
    <Panel title="Prices against the reference list" flush>
      <div data-inset><Facts rows={listFacts(list, token.symbol)} /></div>
      <Table name="reference" caption="Prices against the reference list" columns={COLUMNS} list={{ items: rows }} rowKey={(r) => r.model + r.tokens} />
      <p class="hint" data-inset>A comparison of list prices, not a statement: what somebody was charged, and saved, stands signed on the account’s page.</p>
    </Panel>
  );
}
