// Checks (lib/proof.js) as people read them.
const MARKS = { right: "✓", wrong: "✗", open: "·" };

/** right: what it means when all of them are. */
export function Checks({ checks, right }) {
  const wrong = checks.filter((c) => c.state === "wrong").length, open = checks.filter((c) => c.state === "open").length;
  return (
    <>
      <p role="status" class="verdict" data-state={wrong ? "wrong" : open ? "open" : "right"}>
        {wrong ? `${wrong} of ${checks.length} checks failed. Keep this page and tell whoever runs the gateway.`
          : open ? `${checks.length - open} checks are right; ${open} cannot be made yet.` : right}
      </p>
      <ul class="checks">{checks.map((c) => <li key={c.name} data-state={c.state}><span class="mark" role="img" aria-label={c.state}>{MARKS[c.state]}</span><strong>{c.name}</strong><span>{c.text}</span></li>)}</ul>
    </>
  );
}
