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

/** Where a run's rows go. */
export interface Recorder {
  readonly file: string;
  /** Puts a row into the file, and prints it. */
  add(row: ResultRow, peers: Record<string, string>): void;
}

/**
 * Today's file for this commit and engine, or a given one.
 * @param engine its name and version, and what file names call it
 * @throws Error when the file has results of another commit or engine, which must neither be mixed with these nor lost
 */
export function recorder(engine: { name: string; tag: string }, given?: string): Recorder {
  const commit = commitOf();
  const day = new Date().toISOString().slice(0, 10);
  const file = given ?? join("bench", "results", `${day}-${commit}-${engine.tag}.json`);
  const before = () => (existsSync(file) ? load(file) : null);
  const there = before();
  if (there !== null && (there.commit !== commit || there.machine.engine !== engine.name)) {
    const [found, now] = [`${there.commit} on ${there.machine.engine}`, `${commit} on ${engine.name}`];
    throw new Error(`${file} has results of ${found}, these would be of ${now}; name another file with --results`);
  }
  const system = `${type()} ${release()}`;
  const machine = { cpu: cpus()[0].model.trim(), cores: cpus().length, system, engine: engine.name };
  return {
    file,
    add(row, peers) {
      const now: Results = { date: new Date().toISOString(), commit, machine, peers, rows: [row] };
      const earlier = before();
      const results = earlier === null ? now : merged(earlier, now);
      // In the order of the list, whatever order they were measured in.
      const rows = TASKS.flatMap(({ name }) => results.rows.filter((r) => r.name === name));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, `${JSON.stringify({ ...results, rows }, null, 1)}\n`);
      console.log(tableOf(now).split("\n").slice(2).join("\n"));
    },
  };
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
