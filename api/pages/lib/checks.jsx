// Checks (lib/proof.js) as people read them, and making them anew when what is checked changes.
import { useEffect, useState } from "preact/hooks";

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

/** {result, problem} of the newest run; an older one that ends late says nothing any more.  run: returns a promise, or undefined to wait. */
export function useChecks(run, deps) {
  const [state, setState] = useState({});
  useEffect(() => {
    let isNewest = true;
    const tell = (next) => isNewest && setState(next);
    setState({});
    run()?.then((result) => tell({ result }), (problem) => tell({ problem }));
    return () => { isNewest = false; };
  }, deps);
  return state;
}
