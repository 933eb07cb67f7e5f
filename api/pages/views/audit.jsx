// Who did what, when; newest first.
import { useState } from "preact/hooks";
import { Empty, Page, Panel, Table, Time } from "../lib/components.jsx";
import { useList } from "../lib/data.js";
import { middle, stamp } from "../lib/format.js";

const detail = (d) => (typeof d === "string" ? d : Object.entries(d ?? {}).map(([name, value]) => `${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", "));

const brief = (name, value) => {
  if (typeof value === "string" && /^0x[0-9a-f]{40,}$/i.test(value)) return <span class="mono" title={value}>{middle(value)}</span>;
  if (typeof value === "number" && /(From|At)$/.test(name)) return stamp(value);
  if (typeof value === "object" && value) return Object.entries(value).map(([k, v]) => `${k} ${v}`).join(", ");
  return <bdi>{String(value)}</bdi>;
};
const Detail = ({ value }) => (typeof value === "string" ? <bdi class="prose">{value}</bdi>
  : <dl class="detail">{Object.entries(value ?? {}).map(([name, part]) => <div key={name}><dt>{name}</dt><dd>{brief(name, part)}</dd></div>)}</dl>);

export function Audit() {
  const list = useList("/admin/v1/audit"), [text, setText] = useState("");
  const fits = (e) => !text || `${e.who} ${e.action} ${detail(e.detail)}`.toLowerCase().includes(text.toLowerCase());
  const columns = [
    { head: "When", cell: (e) => <Time ms={e.at} />, csv: (e) => new Date(e.at).toISOString() },
    { head: "Who", cell: (e) => <span class="mono" title={e.who}>{e.who.length > 24 ? middle(e.who) : e.who}</span>, csv: (e) => e.who },
    { head: "Did", cell: (e) => e.action, csv: (e) => e.action },
    { head: "What", cell: (e) => <Detail value={e.detail} />, csv: (e) => detail(e.detail) },
  ];
  return (
    <Page title="Audit log" intro="Written in the same commit as what it tells of.">
      <form class="search" role="search" onSubmit={(e) => e.preventDefault()}><input data-search aria-label="Search the log among what is shown" placeholder="Who, what or a word of the detail" value={text} onInput={(e) => setText(e.target.value)} spellcheck={false} /></form>
      <Panel flush><Table name="audit" columns={columns} list={{ ...list, items: list.items?.filter(fits) }} rowKey={(e) => e.id} empty={<Empty title={text ? "Nothing fits among what is shown" : "Nobody did anything yet"}>{text ? "“Show more” loads older entries." : "Every change by an operator shows here."}</Empty>} /></Panel>
    </Page>
  );
}
