// A picture of markets as SVG text: one panel of prices, one of utilisation, a colour a setting.  Pure.
const WIDTH = 960, PANEL = 250, LEFT = 64, RIGHT = 20, TOP = 64, GAP = 56, BOTTOM = 44;
const COLOURS = ["#1b6ca8", "#c2541a", "#3c7d3e"];
const HEIGHT = TOP + 2 * PANEL + GAP + BOTTOM;

const escaped = (text) => text.replace(/[&<>]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c]);
const rounded = (x) => x.toFixed(1);

/** About five round steps from 0 (or low) to high. */
function ticks(low, high) {
  const raw = (high - low) / 5, power = 10 ** Math.floor(Math.log10(raw)), step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= raw);
  const list = [];
  for (let v = Math.ceil(low / step) * step; v <= high + step / 1e6; v += step) list.push(Number(v.toPrecision(6)));
  return list;
}

function panel({ top, low, high, minutes, label, format }) {
  const x = (m) => LEFT + (m / minutes) * (WIDTH - LEFT - RIGHT), y = (v) => top + PANEL - ((Math.min(v, high) - low) / (high - low)) * PANEL;
  const lines = ticks(low, high).map((v) => `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${rounded(y(v))}" y2="${rounded(y(v))}" stroke="#ddd"/>`
    + `<text x="${LEFT - 8}" y="${rounded(y(v) + 4)}" text-anchor="end">${format(v)}</text>`);
  const below = ticks(0, minutes).map((m) => `<text x="${rounded(x(m))}" y="${top + PANEL + 16}" text-anchor="middle">${m}</text>`);
  const name = `<text x="${LEFT}" y="${top - 10}" font-weight="bold">${escaped(label)}</text>`;
  return { x, y, frame: [...lines, ...below, name].join("\n") };
}

/** A value holds for its window: stairs. */
function stairs({ x, y }, points, colour, width, opacity = 1) {
  const steps = points.map(([at, until, v], i) => `${i === 0 ? "M" : "L"}${rounded(x(at))} ${rounded(y(v))}L${rounded(x(until))} ${rounded(y(v))}`);
  return `<path d="${steps.join("")}" fill="none" stroke="${colour}" stroke-width="${width}" stroke-opacity="${opacity}"/>`;
}

export function drawMarkets({ title, series }) {
  const all = series.flatMap((s) => s.windows), minutes = Math.max(...all.map((w) => w.at + w.minutes));
  const prices = panel({ top: TOP, low: Math.min(0.5, ...all.map((w) => w.multiplier)), high: Math.max(1.1, ...all.map((w) => w.multiplier)), minutes, label: "price, as a multiple of the base price", format: (v) => v.toFixed(2) });
  const used = panel({ top: TOP + PANEL + GAP, low: 0, high: Math.min(2, Math.max(1, ...all.map((w) => w.utilisation))), minutes, label: "utilisation: accepted units over announced capacity (cut at 200 %)", format: (v) => `${Math.round(v * 100)} %` });
  const cut = (m) => Math.max(0, m);
  const curves = series.map((s, i) => stairs(prices, s.windows.map((w) => [cut(w.at + w.minutes), w.at + 2 * w.minutes, w.multiplier]).map(([a, b, v]) => [a, Math.min(b, minutes), v]), COLOURS[i], 2));
  // The longest windows last, on top: short ones are noise behind them.
  const bars = series.map((s, i) => stairs(used, s.windows.map((w) => [cut(w.at), w.at + w.minutes, w.utilisation]), COLOURS[i], i === 0 ? 2 : 1, i === 0 ? 1 : 0.45)).reverse();
  const target = used.y(series[0].target / 10000);
  const legend = series.map((s, i) => `<g transform="translate(${LEFT + 300 * i} 34)"><rect width="14" height="4" y="-5" fill="${COLOURS[i]}"/>`
    + `<text x="20">${s.name}: ${s.window} s, band ${s.deadBand / 100} %, step ${s.maxStep / 100} %</text></g>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12" fill="#222">
<rect width="100%" height="100%" fill="#fff"/>
<text x="${LEFT}" y="18" font-size="15" font-weight="bold">${escaped(title)}</text>
${legend.join("\n")}
${prices.frame}
${curves.join("\n")}
${used.frame}
<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${rounded(target)}" y2="${rounded(target)}" stroke="#222" stroke-dasharray="5 4"/>
<text x="${WIDTH - RIGHT}" y="${rounded(target - 5)}" text-anchor="end">target ${series[0].target / 100} %</text>
${bars.join("\n")}
<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">minutes</text>
</svg>
`;
}
