/** What a section of the article consists of; its texts are made of the numbers of the run. */
import type { Finding } from "lanegrad/doctor";
import type { Claim } from "../claims.js";
import type { Chart } from "./charts.js";
import type { Text } from "./language.js";

export interface Figure {
  title: Text;
  caption: Text;
  chart: Chart;
}

export interface Table {
  caption: Text;
  head: readonly Text[];
  /** The first cell of a row is its name. */
  rows: readonly (readonly Text[])[];
}

/** A claim in words: what is expected, and what came of it. */
export interface Said {
  expected: Text;
  measured: Text;
}

export interface Section {
  id: string;
  title: Text;
  /** Why it happens, and what is known to help. */
  problem: readonly Text[];
  /** What is trained on what. */
  setup: Text;
  /** Parts of the programs that are shown: what stands between `// #region NAME` and `// #endregion` in a file of examples/. */
  code: readonly { file: string; region: string; caption: Text }[];
  figures: readonly Figure[];
  table: Table;
  claims: readonly { claim: Claim; said: Said }[];
  /** The doctor's findings, run by run; of each the first few. */
  diagnoses: readonly { run: Text; findings: readonly Finding[] }[];
  /** What to do about it in one's own training. */
  advice: readonly Text[];
}

/** Puts words to claims. That none is without them is the compiler's to check. */
export const say = <C extends Claim>(claims: readonly C[], words: { [Id in C["id"]]: (claim: C) => Said }) =>
  claims.map((claim) => ({ claim, said: words[claim.id as C["id"]](claim) }));
