// Figures and times as people read them; the exact ones stay at hand.

/** Base units as token units, every digit. */
export function exact(baseUnits, decimals) {
  const text = String(baseUnits), negative = text.startsWith("-"), digits = text.replace("-", "").padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals), fraction = decimals > 0 ? digits.slice(-decimals).replace(/0+$/, "") : "";
  return `${negative ? "−" : ""}${grouped(whole)}${fraction ? `.${fraction}` : ""}`;
}

const grouped = (digits) => digits.replace(/\B(?=(\d{3})+$)/g, "\u202f");
export const count = (n) => grouped(String(n));
export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

const raised = (n) => [...String(n)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("");

/** The same as it fits a column: of what is below one three digits that count, below 10^-8 with its power of ten; four after the point, of
 *  ten thousands two. */
export function short(baseUnits, decimals) {
  const [whole, fraction = ""] = exact(baseUnits, decimals).split("."), isBelowOne = /^−?0$/.test(whole);
  const zeros = isBelowOne ? /^0*/.exec(fraction)[0].length : 0;
  if (isBelowOne && fraction && zeros >= 8) {
    const [first, rest] = [fraction[zeros], fraction.slice(zeros + 1, zeros + 3).replace(/0+$/, "")];
    return `${whole.slice(0, -1)}${first}${rest ? `.${rest}` : ""}\u202f×\u202f10⁻${raised(zeros + 1)}`;
  }
  const kept = fraction.slice(0, isBelowOne ? Math.max(4, zeros + 3) : whole.length >= 6 ? 2 : 4).replace(/0+$/, "");
  return kept ? `${whole}.${kept}` : whole;
}

/** Token units that somebody typed, as base units; throws with the rule. */
export function parseUnits(text, decimals) {
  const [, whole, fraction = ""] = /^\s*(\d+)(?:\.(\d*))?\s*$/.exec(text) ?? [];
  if (whole === undefined) throw new Error("must be a number such as 0.25");
  if (fraction.length > decimals) throw new Error(`has more than the token's ${decimals} decimals`);
  return BigInt(whole + fraction.padEnd(decimals, "0")).toString();
}

const UNITS = [["y", 31_557_600], ["d", 86_400], ["h", 3600], ["min", 60], ["s", 1]];
/** "5 min ago", "in 3 d" */
export function ago(ms, now = Date.now()) {
  const seconds = Math.round(Math.abs(ms - now) / 1000), [name, size] = UNITS.find(([, s]) => seconds >= s) ?? UNITS.at(-1);
  if (seconds < 5) return "just now";
  const text = `${Math.floor(seconds / size)} ${name}`;
  return ms > now ? `in ${text}` : `${text} ago`;
}

/** "2 h 14 min", "1 d" */
export function duration(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000)), of = (size, name, n = Math.floor(seconds / size)) => (n > 0 ? `${n} ${name}` : "");
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return of(60, "min");
  const [size, name, smaller, part] = seconds < 86_400 ? [3600, "h", 60, "min"] : [86_400, "d", 3600, "h"];
  return `${of(size, name)} ${of(smaller, part, Math.floor((seconds % size) / smaller))}`.trim();
}

/** A sentence of the service as people say it: "finished 108002087 ms ago" becomes "finished 1 d 6 h ago", "1500 x 900 bps" "15 % × 9 %", and wei coin. */
export const readable = (sentence) => sentence.replace(/\b(\d{4,}) ms\b/g, (_, ms) => duration(Number(ms)).replaceAll(" ", "\u00a0"))
  .replace(/\b(\d+(?: x \d+)*) bps\b/g, (_, shares) => shares.split(" x ").map((bps) => percent(Number(bps))).join(" × "))
  .replace(/\b(\d+) wei\b/g, (_, wei) => `${short(wei, 18)} coin`);

/** Faults of a receipt, likewise; those of a limit name base units. */
export const readableFaults = (errors, token) => errors.map(({ code, detail }) => (code === "over-limit" && token
  ? detail.replace(/\b\d+\b/g, (amount) => `${short(amount, token.decimals)} ${token.symbol}`) : readable(detail))).join(" ");

export const stamp = (ms) => new Date(ms).toISOString().replace("T", " ").replace("Z", " UTC");
export const middle = (text, head = 6, tail = 4) => (text.length > head + tail + 1 ? `${text.slice(0, head)}…${text.slice(-tail)}` : text);
export const percent = (bps) => `${(bps / 100).toFixed(2).replace(/\.?0+$/, "")}\u00a0%`;

/** RFC 4180.  What a spreadsheet would run as a formula is marked as text. */
export function toCsv(heads, rows) {
  const field = (value) => {
    const text = String(value ?? ""), safe = /^[=+\-@\t\r]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return [heads, ...rows].map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";
}

export function download(name, text, type = "text/csv;charset=utf-8") {
  const url = URL.createObjectURL(new Blob([text], { type }));
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
