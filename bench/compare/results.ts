/** What a run leaves behind. */
import { judge, type Spread, spreadOf, type Verdict } from "../statistics.js";

export interface Measured extends Spread {
  /** How many times as long the peer takes as lanegrad, round by round; missing for lanegrad itself. */
  readonly ratio?: Spread;
  /** What that says of lanegrad. */
  readonly verdict?: Verdict;
  readonly rounds: number;
}

export type Cell = Measured | { readonly error: string };
export const isMeasured = (cell: Cell | undefined): cell is Measured => cell !== undefined && !("error" in cell);

export interface ResultRow {
  readonly name: string;
  readonly title: string;
  readonly unit: "s" | "bytes";
  /** By the peer's name. */
  readonly cells: Record<string, Cell>;
}

export interface Results {
  readonly date: string;
  readonly commit: string;
  readonly machine: { readonly cpu: string; readonly cores: number; readonly system: string; readonly engine: string };
  /** Versions and builds by the peer's name. */
  readonly peers: Record<string, string>;
  readonly rows: readonly ResultRow[];
}

/** A peer's cell from its times and ours, of rounds in which both took their turn. */
export function cellOf(times: readonly number[], ours: readonly number[] | null): Measured {
  const cell = { ...spreadOf(times), rounds: times.length };
  if (ours === null) return cell;
  const ratios = times.map((time, round) => time / ours[round]);
  return { ...cell, ratio: spreadOf(ratios), verdict: judge(ratios) };
}

/** A later part of a run on the same machine and commit, put into an earlier one. */
export function merged(before: Results, after: Results): Results {
  const rows = before.rows.map((row) => {
    const newer = after.rows.find(({ name }) => name === row.name);
    return newer === undefined ? row : { ...row, cells: { ...row.cells, ...newer.cells } };
  });
  const known = new Set(rows.map(({ name }) => name));
  return {
    ...after,
    peers: { ...before.peers, ...after.peers },
    rows: [...rows, ...after.rows.filter(({ name }) => !known.has(name))],
  };
}
