// US dollars as BigInt of 10^-18, as reference lists count (gateway/core/savings.h): exact, and rounded so that nothing looks cheaper than it is.
import { exact, parseUnits, short } from "../lib/format.js";

const DECIMALS = 18;
export const dollarsOf = (text) => BigInt(parseUnits(text, DECIMALS));

const up = (value, by) => (value + by - 1n) / by;
/** Base units of the token at the list's price of a whole one. */
export const worthOf = (baseUnits, tokenPrice, decimals) => up(BigInt(baseUnits) * dollarsOf(tokenPrice), 10n ** BigInt(decimals));

/** How much less `here` is than `there`, in basis points of it; below zero: it is more.  undefined: nothing to compare with. */
export function savedBps(here, there) {
  if (there === 0n) return undefined;
  return here <= there ? ((there - here) * 10_000n) / there : -up((here - there) * 10_000n, there);
}

export function Dollars({ value }) {
  if (value === undefined) return <span class="none">–</span>;
  return <data class="amount" value={value.toString()} title={`${exact(value, DECIMALS)} US dollars`}>${short(value, DECIMALS)}</data>;
}

export const Percent = ({ bps }) => (bps === undefined ? <span class="none">–</span> : <data class="amount" value={bps.toString()} title={`${bps} basis points`}>{exact(bps, 2)} %</data>);

/** Of which list: its date, digest and file, and what it counts a token as. */
export const listFacts = (reference, symbol) => [
  ["Reference list of", <>{reference.date}, version {reference.version}</>],
  ["Its digest (Keccak-256)", <a class="mono digest" href={`/v1/reference-prices/${reference.digest}`} download={`${reference.digest}.reference.csv`} title={reference.digest}>{reference.digest}</a>],
  [`A ${symbol || "token"} counted as`, <Dollars value={dollarsOf(reference.tokenPrice)} />],
];
