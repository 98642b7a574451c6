/**
 * `npm run bench`: our kernels and steps, each beside the limit it is measured against.
 *
 *   npm run bench                         all rows, on the Node at hand
 *   npm run bench -- --rows matmul,steps  some of them
 *   npm run bench -- --json FILE          also as JSON
 *   npm run bench -- --node PATH          on another Node
 *   npm run bench -- --against REF        two builds in turn: the working tree's and another commit's
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { backend } from "../src/index.js";
import { formatRow, met, type Row } from "./row.js";

export type Rows = () => Promise<Row[]> | Row[];

/** Called with the rows asked for by what scripts/bench.mjs puts together. */
export async function main(groups: Record<string, Rows>, json?: string): Promise<void> {
  const [cpu] = cpus();
  let commit = "unknown";
  try {
    commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  } catch {
    // Not a checkout.
  }
  const machine = { cpu: cpu.model.trim(), cores: cpus().length, node: process.version, build: backend().simd, commit };
  console.log(
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, ${machine.build} build, commit ${commit}\n`,
  );
  const rows: Row[] = [];
  for (const group of Object.values(groups)) {
    for (const row of await group()) {
      rows.push(row);
      console.log(formatRow(row));
    }
  }
  const judged = rows.filter((row) => met(row) !== null);
  console.log(`\n${judged.filter(met).length} of ${judged.length} bars met`);
  if (json !== undefined) {
    writeFileSync(json, `${JSON.stringify({ date: new Date().toISOString(), machine, rows }, null, 2)}\n`);
  }
}
