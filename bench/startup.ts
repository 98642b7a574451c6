/** What needs a process of its own: the time from import to a first result, and the most memory that a step holds. */
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Row } from "./row.js";
import { median } from "./statistics.js";

function milliseconds(code: string): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return performance.now() - start;
}

/** What importing lanegrad and making a first result adds to an empty Node process. */
export function startupRows(): Row[] {
  const own: number[] = [];
  const empty: number[] = [];
  const code =
    'import { tensor } from "lanegrad"; if (tensor([1, 2]).add(1).sum().item() !== 5) throw new Error("wrong");';
  for (let i = 0; i < 21; i++) {
    own.push(milliseconds(code));
    empty.push(milliseconds(""));
  }
  const added = median(own.map((t, i) => t - empty[i]));
  return [
    {
      name: "import to first result",
      against: "ms added",
      value: added,
      bar: { atMost: 30 },
      detail: `${median(own).toFixed(0)} ms, empty process ${median(empty).toFixed(0)} ms`,
    },
  ];
}

/** The row of peak-memory.ts, which scripts/bench.mjs has put beside this bundle. */
export function peakMemoryRows(): Row[] {
  const program = join(dirname(fileURLToPath(import.meta.url)), "peak-memory.mjs");
  const { status, stdout, stderr } = spawnSync(process.execPath, [program], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return [JSON.parse(stdout)];
}
