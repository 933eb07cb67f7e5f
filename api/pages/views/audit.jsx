// Who did what, when; newest first.
import { useState } from "preact/hooks";
import { Empty, Page, Panel, Table, Time } from "../lib/components.jsx";
import { useList } from "../lib/data.js";
import { middle } from "../lib/format.js";

const detail = (d) => (typeof d === "string" ? d : Object.entries(d ?? {}).map(([name, value]) => `${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", "));

export function Audit() {
  const list = useList("/admin/v1/audit"), [text, setText] = useState("");
  const fits = (e) => !text || `${e.who} ${e.action} ${detail(e.detail)}`.toLowerCase().includes(text.toLowerCase());
  const columns = [
    { head: "When", cell: (e) => <Time ms={e.at} />, csv: (e) => new Date(e.at).toISOString() },
    { head: "Who", cell: (e) => <span class="mono" title={e.who}>{e.who.length > 24 ? middle(e.who) : e.who}</span>, csv: (e) => e.who },
    { head: "Did", cell: (e) => e.action, csv: (e) => e.action },
    { head: "What", cell: (e) => <bdi class="prose">{detail(e.detail)}</bdi>, csv: (e) => detail(e.detail) },
  ];
  return (
    <Page title="Audit log" intro="Written in the same commit as what it tells of.">
      <form class="search" role="search" onSubmit={(e) => e.preventDefault()}><input data-search aria-label="Search the log among what is shown" placeholder="Who, what or a word of the detail" value={text} onInput={(e) => setText(e.target.value)} spellcheck={false} /></form>
      <Panel flush><Table name="audit" columns={columns} list={{ ...list, items: list.items?.filter(fits) }} rowKey={(e) => e.id} empty={<Empty title={text ? "Nothing fits among what is shown" : "Nobody did anything yet"}>{text ? "“Show more” loads older entries." : "Every change by an operator shows here."}</Empty>} /></Panel>
    </Page>
  );
}
