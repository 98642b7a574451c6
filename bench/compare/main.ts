/**
 * `npm run bench:compare`: the same work in lanegrad and its peers, each in its own process, in turn, on one core.
 *
 *   npm run bench:install                                  once: installs the peers into bench/node_modules
 *   npm run bench:compare                                  everything; writes bench/results/DATE-COMMIT-nodeN.json
 *   npm run bench:compare -- --rows matmul512,mlp-step     some rows; they join the results of the same day and commit
 *   npm run bench:compare -- --peers jax,pytorch           some peers
 *   npm run bench:compare -- --node PATH --python PATH     other interpreters
 *   npm run bench:compare -- --patience 45                 seconds until a peer's row counts as not finished
 *   npm run bench:compare -- --results FILE                another file
 *   npm run bench:compare -- --readme                      measures nothing: writes README's table and chart from --results (a browser's: the table of docs/benchmarks.md)
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { median } from "../statistics.js";
import { chartOf } from "./chart.js";
import { readOptions } from "./options.js";
import { type Command, commandOf, PEERS, type PeerInfo } from "./peers.js";
import { environment, PeerProcess, pinned } from "./process.js";
import { load, recorder, report } from "./record.js";
import { type Cell, cellOf, type ResultRow } from "./results.js";
import { measure, reason, rotated } from "./rounds.js";
import { sizeOf } from "./sizes.js";
import { captionOf, tableOf, withSection } from "./table.js";
import { TASKS, type Task } from "./work.js";

const STARTS = 9;

const options = readOptions(process.argv.slice(2));
const peers = PEERS.filter(({ name }) => options.peers.includes(name));
const tasks = TASKS.filter(({ name }) => options.rows.includes(name));
const descriptions: Record<string, string> = {};

const processes = new Map<string, PeerProcess>();
const failures = new Map<string, string>();

/** The peer's process, started where it does not run. */
async function processOf(peer: PeerInfo): Promise<PeerProcess> {
  const failed = failures.get(peer.name);
  if (failed !== undefined) throw new Error(failed);
  const running = processes.get(peer.name);
  if (running?.alive) return running;
  try {
    const started = new PeerProcess(commandOf(peer, options));
    processes.set(peer.name, started);
    descriptions[peer.name] = (await started.hear(options.patience)).description;
    return started;
  } catch (error) {
    failures.set(peer.name, reason(error));
    throw error;
  }
}

/** Seconds that a process takes from its start to its end. */
function lifetime({ file, args }: Command): number {
  const command = pinned({ file, args });
  const start = performance.now();
  const { status, stderr } = spawnSync(command.file, command.args, { encoding: "utf8", env: environment() });
  if (status !== 0) throw new Error(stderr.trim().split("\n").at(-1));
  return (performance.now() - start) / 1000;
}

/** What importing a library and making a first result adds to an empty process of the same interpreter. */
function startups(): Record<string, Cell> {
  const cells: Record<string, Cell> = {};
  const times = new Map<string, number[]>(peers.map(({ name }) => [name, []]));
  const empty = new Map<string, number[]>(peers.map(({ name }) => [name, []]));
  for (let round = 0; round < STARTS; round++) {
    for (const peer of rotated(peers, round)) {
      if (cells[peer.name] !== undefined) continue;
      try {
        const { file, args } = commandOf(peer, options);
        empty.get(peer.name)!.push(lifetime({ file, args: peer.name === "pytorch" ? ["-c", ""] : ["-e", ""] }));
        times.get(peer.name)!.push(lifetime({ file, args: [...args, "--first"] }));
      } catch (error) {
        cells[peer.name] = { error: reason(error) };
      }
    }
  }
  // The median of the empty processes: a single one that took long would make a first result free.
  for (const [name, list] of times) {
    const without = median(empty.get(name)!);
    times.set(
      name,
      list.map((seconds) => seconds - without),
    );
  }
  const own = times.get("lanegrad")!;
  for (const [name, list] of times) cells[name] ??= cellOf(list, name === "lanegrad" ? null : own);
  return cells;
}

async function sizes(): Promise<Record<string, Cell>> {
  const cells: Record<string, Cell> = {};
  const own = await sizeOf("lanegrad");
  for (const { name } of peers) {
    try {
      cells[name] = cellOf([await sizeOf(name)], name === "lanegrad" ? null : [own]);
    } catch (error) {
      cells[name] = { error: reason(error).split("\n").slice(0, 2).join(" ") };
    }
  }
  return cells;
}

async function rowOf(task: Task): Promise<ResultRow> {
  const { name, title, work } = task;
  if (work.kind === "startup") return { name, title, unit: "s", cells: startups() };
  if (work.kind === "size") return { name, title, unit: "bytes", cells: await sizes() };
  return { name, title, unit: "s", cells: await measure(task, peers, processOf, options.patience) };
}

async function compare(): Promise<void> {
  const node = execFileSync(options.node, ["--version"], { encoding: "utf8" }).trim().slice(1);
  const engine = { name: `Node ${node}`, tag: `node${node.split(".")[0]}` };
  const { file, add } = recorder(engine, options.results);
  try {
    for (const task of tasks) add(await rowOf(task), descriptions);
  } finally {
    for (const process of processes.values()) process.stop();
  }
  report(file);
}

async function writeReadme(file: string | undefined): Promise<void> {
  if (file === undefined || !existsSync(file))
    throw new Error("--readme needs --results FILE, a file of bench/results");
  const results = load(file);
  const node = results.machine.engine.startsWith("Node");
  if (node) writeFileSync("docs/benchmarks.svg", await chartOf(results));
  const page = node ? "README.md" : "docs/benchmarks.md";
  const text = `\n${captionOf(results)}\n\n${tableOf(results)}\n`;
  writeFileSync(page, withSection(readFileSync(page, "utf8"), text));
}

try {
  if (options.readme) await writeReadme(options.results);
  else await compare();
} catch (error) {
  console.error(`bench:compare: ${reason(error)}`);
  process.exitCode = 1;
}
