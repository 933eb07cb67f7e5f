// Lineage as a graph: bases at the left, what was made of them to the right; each line carries the share that flows back.
import { useEffect, useRef } from "preact/hooks";
import { percent, plural } from "./format.js";

const WIDTH = 176, HEIGHT = 46, GAP_X = 92, GAP_Y = 18;

/** {receipts, usage} of who earns them: of several claims to a digest the verified one; undefined of the others. */
export const usedOf = (m) => (m.state === "verified" ? m : undefined);

/** The model with all its ancestors and descendants, of [{model, parents}]; without a model: all. */
export function family(models, of) {
  const claims = new Map();
  for (const m of models) if (!claims.has(m.model) || m.state === "verified") claims.set(m.model, m);
  if (!of) return claims;
  const children = new Map();
  for (const m of claims.values()) for (const { parent } of m.parents) children.set(parent, [...(children.get(parent) ?? []), m.model]);
  const kept = new Set();
  const walk = (digest, next) => {
    if (kept.has(`${next.name}${digest}`) || !claims.has(digest)) return;
    kept.add(`${next.name}${digest}`);
    kept.add(digest);
    for (const other of next(digest)) walk(other, next);
  };
  walk(of, function up(digest) { return (claims.get(digest)?.parents ?? []).map(({ parent }) => parent); });
  walk(of, function down(digest) { return children.get(digest) ?? []; });
  return new Map([...claims].filter(([digest]) => kept.has(digest)));
}

function layout(claims) {
  const depths = new Map();
  const depth = (digest) => {
    if (depths.has(digest)) return depths.get(digest);
    depths.set(digest, 0); // a claim may name itself among its ancestors: it is never followed twice
    const parents = (claims.get(digest)?.parents ?? []).filter(({ parent }) => claims.has(parent));
    const own = parents.length === 0 ? 0 : 1 + Math.max(...parents.map(({ parent }) => depth(parent)));
    depths.set(digest, own);
    return own;
  };
  const columns = [], places = new Map();
  for (const digest of claims.keys()) (columns[depth(digest)] ??= []).push({ key: digest, from: claims.get(digest).parents.map(({ parent }) => parent) });
  // A line over several columns gets a place in each, so that it passes between the models and not under them.
  for (const m of claims.values())
    for (const { parent } of m.parents.filter(({ parent: p }) => claims.has(p)))
      for (let x = depth(parent) + 1, before = parent; x < depth(m.model); x++) {
        const key = `${parent}>${m.model}@${x}`;
        columns[x].push({ key, from: [before], thin: true });
        before = key;
      }
  const tall = ({ thin }) => (thin ? GAP_Y : HEIGHT) + GAP_Y, heights = columns.map((column) => column.reduce((sum, place) => sum + tall(place), -GAP_Y));
  const height = Math.max(HEIGHT, ...heights);
  columns.forEach((column, x) => {
    const wanted = ({ key, from }) => {
      const ys = [...from, ...[...places.keys()].filter((p) => p.endsWith(`@${x - 1}`) && p.includes(`>${key}@`))].map((p) => places.get(p)?.y).filter((y) => y !== undefined);
      return ys.length > 0 ? ys.reduce((sum, y) => sum + y, 0) / ys.length : 0;
    };
    const order = new Map(column.map((place) => [place, wanted(place)]));
    column.sort((p, q) => order.get(p) - order.get(q) || (p.key < q.key ? -1 : 1));
    let y = (height - heights[x]) / 2;
    for (const place of column) {
      places.set(place.key, { x: x * (WIDTH + GAP_X), y: y + (place.thin ? GAP_Y : HEIGHT) / 2, column: x });
      y += tall(place);
    }
  });
  return { places, width: columns.length * (WIDTH + GAP_X) - GAP_X, height };
}

const cut = (text, most) => ([...text].length > most ? `${[...text].slice(0, most - 1).join("")}…` : text);

/** place, of: the how manyth of so many lines into the same model. */
function Edge({ places, from, to, bps, place, of }) {
  const start = places.get(from), end = places.get(to), x2 = end.x, y2 = end.y + (place - (of - 1) / 2) * Math.min(16, HEIGHT / of);
  const stops = [[start.x + WIDTH, start.y]];
  for (let x = start.column + 1; x < end.column; x++) {
    const { x: left, y } = places.get(`${from}>${to}@${x}`);
    stops.push([left, y], [left + WIDTH, y]);
  }
  stops.push([x2, y2]);
  const curve = stops.slice(1).map(([x, y], i) => {
    const [px, py] = stops[i], bend = (x - px) / 2;
    return `C${px + bend} ${py} ${x - bend} ${y} ${x} ${y}`;
  }).join(" ");
  return (
    <g class="edge">
      <path d={`M${stops[0][0]} ${stops[0][1]} ${curve}`} />
      <text x={x2 - 6} y={y2 - 4} text-anchor="end">{percent(bps)}</text>
    </g>
  );
}

export function Lineage({ models, of }) {
  const box = useRef();
  useEffect(() => { // on a phone the model itself may be far to the right
    const here = box.current.querySelector('[data-here="true"] rect');
    if (here) box.current.scrollLeft = here.x.baseVal.value - (box.current.clientWidth - WIDTH) / 2;
  }, [of]);
  const claims = family(models, of), { places, width, height } = layout(claims);
  const lastY = (from, to) => (places.get(`${from}>${to}@${places.get(to).column - 1}`) ?? places.get(from)).y;
  return (
    <div class="lineage" ref={box} tabIndex={0} role="region" aria-label="Lineage, drawn; it may be scrolled">
      <svg viewBox={`-8 -8 ${width + 16} ${height + 16}`} width={width + 16} height={height + 16} role="group" aria-label="Models and what they were made of">
        {[...claims.values()].flatMap((m) => m.parents.filter(({ parent }) => places.has(parent)).sort((p, q) => lastY(p.parent, m.model) - lastY(q.parent, m.model))
          .map(({ parent, shareBps }, i, all) => <Edge key={m.model + parent} places={places} from={parent} to={m.model} bps={shareBps} place={i} of={all.length} />))}
        {[...claims.values()].map((m) => {
          const { x, y } = places.get(m.model);
          return (
            <a key={m.model} href={`/models/${m.model}`} class="node" data-state={m.state} data-here={m.model === of}>
              <title>{m.name}</title>
              <rect x={x} y={y - HEIGHT / 2} width={WIDTH} height={HEIGHT} rx="6" />
              <text x={x + 12} y={y - 4}>{cut(m.name, 20)}</text>
              <text class="sub" x={x + 12} y={y + 13}>{m.state}{usedOf(m)?.receipts === undefined ? "" : `, ${plural(m.receipts, "receipt")}`}</text>
            </a>
          );
        })}
      </svg>
    </div>
  );
}
