/**
 * `npm run bench`: our kernels and steps, each beside the limit it is measured against.
 *
 *   npm run bench                        all rows, on the Node at hand
 *   npm run bench -- --rows matmul,steps some of them
 *   npm run bench -- --json FILE         also as JSON
 *   npm run bench -- --node PATH         on another Node (scripts/bench.mjs starts it)
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { backend } from "../src/index.js";
import { augmentationRows, functionRows, matmulRows, memoryRows } from "./kernels.js";
import { normRows } from "./norm.js";
import { poolRows } from "./pool.js";
import { formatRow, met, type Row } from "./row.js";
import { startupRow } from "./startup.js";
import { soakRow, stepRows } from "./steps.js";

const build = backend().simd;
const GROUPS: Record<string, () => Promise<Row[]> | Row[]> = {
  matmul: () => matmulRows(build),
  memory: memoryRows,
  pool: poolRows,
  norm: normRows,
  functions: functionRows,
  augmentation: augmentationRows,
  steps: () => stepRows(build),
  startup: () => [startupRow()],
  soak: () => [soakRow()],
};

const { values } = parseArgs({ options: { rows: { type: "string" }, json: { type: "string" } } });
const groups = values.rows?.split(",") ?? Object.keys(GROUPS);
const unknown = groups.find((group) => !(group in GROUPS));
if (unknown !== undefined) {
  console.error(`bench: no rows are called "${unknown}"; there are: ${Object.keys(GROUPS).join(", ")}`);
  process.exit(2);
}

const [cpu] = cpus();
let commit = "unknown";
try {
  commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
} catch {
  // Not a checkout.
}
console.log(`${cpu.model.trim()}, ${cpus().length} cores, Node ${process.version}, ${build} build, commit ${commit}\n`);

const rows: Row[] = [];
for (const group of groups) {
  for (const row of await GROUPS[group]()) {
    rows.push(row);
    console.log(formatRow(row));
  }
}
const judged = rows.filter((row) => met(row) !== null);
console.log(`\n${judged.filter(met).length} of ${judged.length} bars met`);
if (values.json !== undefined) {
  const machine = { cpu: cpu.model.trim(), cores: cpus().length, node: process.version, build, commit };
  writeFileSync(values.json, `${JSON.stringify({ date: new Date().toISOString(), machine, rows }, null, 2)}\n`);
}
