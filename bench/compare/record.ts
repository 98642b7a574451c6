/** Keeps what was measured, row by row, so that a run that is stopped has lost nothing. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release, type } from "node:os";
import { dirname, join } from "node:path";
import { merged, type ResultRow, type Results } from "./results.js";
import { captionOf, notAhead, tableOf } from "./table.js";
import { TASKS } from "./work.js";

export const load = (file: string): Results => JSON.parse(readFileSync(file, "utf8"));

/** The commit, marked when what is measured is not quite it. */
function commitOf(): string {
  const git = (...args: string[]) => execFileSync("git", args, { encoding: "utf8" }).trim();
  try {
    const changed = git("status", "--porcelain", "--untracked-files=no", "--", "src", "assembly") !== "";
    return `${git("rev-parse", "--short", "HEAD")}${changed ? "+changes" : ""}`;
  } catch {
    return "unknown";
  }
}

/**
 * Puts a row into today's file for this commit and engine, and prints it.
 * @param engine its name and version, and what file names call it
 * @returns the file
 */
export function record(
  row: ResultRow,
  peers: Record<string, string>,
  engine: { name: string; tag: string },
  given?: string,
): string {
  const date = new Date().toISOString();
  const commit = commitOf();
  const machine = {
    cpu: cpus()[0].model.trim(),
    cores: cpus().length,
    system: `${type()} ${release()}`,
    engine: engine.name,
  };
  const file = given ?? join("bench", "results", `${date.slice(0, 10)}-${commit}-${engine.tag}.json`);
  const now: Results = { date, commit, machine, peers, rows: [row] };
  const before = existsSync(file) ? load(file) : null;
  const same = before !== null && before.commit === commit && before.machine.engine === engine.name;
  const results = same ? merged(before, now) : now;
  // In the order of the list, whatever order they were measured in.
  const rows = TASKS.flatMap(({ name }) => results.rows.filter((r) => r.name === name));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ ...results, rows }, null, 1)}\n`);
  console.log(tableOf(now).split("\n").slice(2).join("\n"));
  return file;
}

/** Prints the whole of a file. */
export function report(file: string): void {
  const results = load(file);
  console.log(`\n${captionOf(results)}\n\n${tableOf(results)}\n`);
  const behind = notAhead(results);
  console.log(
    behind.length === 0 ? "Ahead of every JavaScript peer in every row." : `Not ahead:\n${behind.join("\n")}`,
  );
  console.log(`\n${file}`);
}
