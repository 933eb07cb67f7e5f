// What components know of the service: data that stays on the screen while it is asked for anew, lists, live events.
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { all, get } from "./api.js";

/** {data, problem, reload}: data of the last good answer for this path. */
export function useData(path, every = 0) {
  const [state, setState] = useState({ path, data: undefined, problem: undefined });
  const wanted = useRef(path);
  wanted.current = path;
  const reload = useCallback(async () => {
    if (!path) return;
    try {
      const data = await get(path);
      if (wanted.current === path) setState({ path, data });
    } catch (problem) {
      if (wanted.current === path) setState((old) => ({ path, data: old.path === path ? old.data : undefined, problem }));
    }
  }, [path]);
  useLayoutEffect(() => { // asked before the first paint, not after it
    reload();
    if (!every) return undefined;
    const timer = setInterval(reload, every);
    return () => clearInterval(timer);
  }, [reload, every]);
  return { data: state.path === path ? state.data : undefined, problem: state.problem, reload };
}

const PAGE_MAX = 1000;

/** {items, problem, more, reload, everything}: more is a function while there is more; reload keeps as many rows as were there;
 *  everything() is all rows, for export. */
export function useList(path, limit = 100) {
  const [state, setState] = useState({ path, items: undefined });
  const wanted = useRef(path);
  wanted.current = path;
  const shown = useRef(0);
  shown.current = state.path === path ? (state.items?.length ?? 0) : 0;
  const page = useCallback(async (cursor, before, rows = limit) => {
    if (!path) return;
    const join = path.includes("?") ? "&" : "?";
    try {
      const answer = await get(`${path}${join}limit=${rows}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
      if (wanted.current === path) setState({ path, items: [...before, ...answer.items], next: answer.next });
    } catch (problem) {
      if (wanted.current === path) setState((old) => ({ ...old, path, problem }));
    }
  }, [path, limit]);
  const reload = useCallback(() => page(null, [], Math.min(PAGE_MAX, Math.max(limit, shown.current))), [page]);
  useLayoutEffect(() => void reload(), [reload]);
  const current = state.path === path ? state : { items: undefined };
  return {
    items: current.items, problem: current.problem, reload, everything: () => all(path),
    more: current.next ? () => page(current.next, current.items) : undefined,
  };
}

/** What fits of a list: of what is shown, and of what is exported. */
export const filtered = (list, fits) => ({
  ...list, items: list.items?.filter(fits),
  everything: async () => {
    const rows = await list.everything();
    return Object.assign(rows.filter(fits), { cut: rows.cut });
  },
});

// One stream for the whole page, while anybody listens.
let source = null;
const listeners = new Set();
const NAMES = ["receipt", "settlement", "payment", "reset"];

function open() {
  source = new EventSource("/admin/v1/events");
  const tell = (event) => listeners.forEach((listener) => listener(event));
  for (const name of NAMES) source.addEventListener(name, ({ data }) => tell({ name, data: JSON.parse(data) }));
  source.onopen = () => tell({ name: "live" });
  source.onerror = () => tell({ name: "away", ended: source?.readyState === EventSource.CLOSED });
}

export function useEvents(listener) {
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => {
    const mine = (event) => latest.current(event);
    listeners.add(mine);
    if (!source || source.readyState === EventSource.CLOSED) open();
    return () => {
      listeners.delete(mine);
      if (listeners.size === 0) {
        source?.close();
        source = null;
      }
    };
  }, []);
}

const REFUSED_MS = 60_000;

/** Whether a stream of changes is open: then nobody needs to ask every few seconds.  onChange at each opening, too, for what changed
 * before is not told.  Only while the page is seen: a browser has few connections to a host. */
export function useChanges(path, onChange) {
  const latest = useRef(onChange), [live, setLive] = useState(false);
  latest.current = onChange;
  useEffect(() => {
    let stream, timer;
    const change = () => latest.current();
    const close = () => {
      clearTimeout(timer);
      stream?.close();
      setLive(false);
    };
    const begin = () => {
      close();
      if (!path || document.hidden) return;
      stream = new EventSource(path);
      stream.addEventListener("account", change);
      stream.onopen = () => { setLive(true); change(); };
      stream.onerror = () => {
        setLive(false);
        if (stream.readyState === EventSource.CLOSED) timer = setTimeout(begin, REFUSED_MS); // else it comes back by itself
      };
    };
    begin();
    document.addEventListener("visibilitychange", begin);
    return () => {
      document.removeEventListener("visibilitychange", begin);
      close();
    };
  }, [path]);
  return live;
}

/** Now, anew every few seconds, for relative times. */
export function useNow(every = 5000) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}
