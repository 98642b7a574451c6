/** One line of the table: what was measured, against what, and the bar it has to reach. */
import { backend } from "../src/index.js";

export interface Row {
  name: string;
  /** What the figure is a fraction or multiple of. */
  against: string;
  value: number;
  /** At least this, or at most it. */
  bar?: { atLeast: number } | { atMost: number };
  /** The measurement behind it, as a person wants to read it. */
  detail: string;
}

/** The two columns of figures the project has set itself: the relaxed build on a current Node, the simd build on Node 20. */
export const pick = (relaxed: number, simd: number): number => (backend().simd === "relaxed" ? relaxed : simd);

export function met(row: Row): boolean | null {
  if (row.bar === undefined) return null;
  return "atLeast" in row.bar ? row.value >= row.bar.atLeast : row.value <= row.bar.atMost;
}

const significant = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

export function formatRow(row: Row): string {
  const bar = row.bar === undefined ? "" : "atLeast" in row.bar ? `≥ ${row.bar.atLeast}` : `≤ ${row.bar.atMost}`;
  const verdict = met(row);
  const word = verdict === null ? "" : verdict ? "met" : "MISSED";
  return [
    row.name.padEnd(46),
    significant(row.value).padStart(7),
    row.against.padEnd(16),
    bar.padEnd(8),
    word.padEnd(7),
    row.detail,
  ].join("  ");
}
