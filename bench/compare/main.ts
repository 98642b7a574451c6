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
 *   npm run bench:compare -- --readme                      measures nothing: writes README's table and chart from --results
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release, type } from "node:os";
import { dirname, join } from "node:path";
import { disagreement } from "./agree.js";
import { chartOf } from "./chart.js";
import { readOptions } from "./options.js";
import { type Command, commandOf, PEERS, type PeerInfo } from "./peers.js";
import { environment, PeerProcess, pinned } from "./process.js";
import { type Cell, cellOf, merged, type ResultRow, type Results } from "./results.js";
import { sizeOf } from "./sizes.js";
import { captionOf, notAhead, tableOf, withSection } from "./table.js";
import { TASKS, type Task } from "./work.js";

const ROUNDS = 11;
const LEAST_ROUNDS = 3;
/** A round's share of a peer, and what its rounds may take together before there are fewer of them. */
const ROUND_SECONDS = 0.03;
const PEER_SECONDS = 3;
const STARTS = 9;

const options = readOptions(process.argv.slice(2));
const peers = PEERS.filter(({ name }) => options.peers.includes(name));
const tasks = TASKS.filter(({ name }) => options.rows.includes(name));
const descriptions: Record<string, string> = {};

/** In the error's own words, without this machine's folders. */
const reason = (error: unknown) =>
  (error instanceof Error ? error.message : String(error)).replaceAll(process.cwd(), "…");
/** Who went first, and so found the caches as another left them, changes from round to round. */
const rotated = <T>(list: readonly T[], by: number): T[] => list.map((_, i) => list[(i + by) % list.length]);

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

/** A peer with the row's work open and warm. */
interface Contestant {
  name: string;
  process: PeerProcess;
  calls: number;
  rounds: number;
  times: number[];
}

async function enter(peer: PeerInfo, task: Task, ours: Float32Array | null): Promise<[Contestant, Float32Array]> {
  const process = await processOf(peer);
  const all = task.work.kind === "augmentation";
  const { values, seconds } = await process.ask({ open: task.work, all }, options.patience);
  const bytes = Buffer.from(values, "base64");
  const found = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const wrong = disagreement(task, found, ours ?? found);
  if (wrong !== null) throw new Error(`wrong result: ${wrong}`);
  const calls = Math.max(1, Math.min(10_000, Math.round(ROUND_SECONDS / seconds)));
  const rounds = Math.max(LEAST_ROUNDS, Math.min(ROUNDS, Math.floor(PEER_SECONDS / (calls * seconds))));
  return [{ name: peer.name, process, calls, rounds, times: [] }, found];
}

async function measure(task: Task): Promise<Record<string, Cell>> {
  const cells: Record<string, Cell> = {};
  const contestants: Contestant[] = [];
  let ours: Float32Array | null = null;
  for (const peer of peers) {
    try {
      const [contestant, values] = await enter(peer, task, ours);
      ours ??= values;
      contestants.push(contestant);
    } catch (error) {
      cells[peer.name] = { error: reason(error) };
      if (peer.name === "lanegrad") throw error;
    }
  }
  const most = Math.max(...contestants.map(({ rounds }) => rounds));
  for (let round = 0; round < most; round++) {
    for (const contestant of rotated(contestants, round)) {
      const { name, process, calls, rounds, times } = contestant;
      // Ours accompanies whoever is still in.
      if (cells[name] !== undefined || (round >= rounds && name !== "lanegrad")) continue;
      try {
        times.push((await process.ask({ time: calls }, options.patience)).seconds);
      } catch (error) {
        cells[name] = { error: reason(error) };
      }
    }
  }
  const own = contestants[0].times;
  for (const { name, process, times } of contestants) {
    cells[name] ??= cellOf(times, name === "lanegrad" ? null : own);
    if (process.alive) await process.ask({ close: true }, options.patience);
  }
  return cells;
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
  for (let round = 0; round < STARTS; round++) {
    for (const peer of rotated(peers, round)) {
      if (cells[peer.name] !== undefined) continue;
      try {
        const { file, args } = commandOf(peer, options);
        const empty = lifetime({ file, args: peer.name === "pytorch" ? ["-c", ""] : ["-e", ""] });
        times.get(peer.name)!.push(lifetime({ file, args: [...args, "--first"] }) - empty);
      } catch (error) {
        cells[peer.name] = { error: reason(error) };
      }
    }
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
  return { name, title, unit: "s", cells: await measure(task) };
}

function commitOf(): string {
  const git = (...args: string[]) => execFileSync("git", args, { encoding: "utf8" }).trim();
  try {
    const changed = git("status", "--porcelain", "--untracked-files=no", "--", "src", "assembly") !== "";
    return `${git("rev-parse", "--short", "HEAD")}${changed ? "+changes" : ""}`;
  } catch {
    return "unknown";
  }
}

const load = (file: string): Results => JSON.parse(readFileSync(file, "utf8"));
/** Rows in the order of the list, whatever order they were measured in. */
const ordered = (rows: readonly ResultRow[]) => TASKS.flatMap(({ name }) => rows.filter((row) => row.name === name));

async function compare(): Promise<void> {
  const [cpu] = cpus();
  const node = execFileSync(options.node, ["--version"], { encoding: "utf8" }).trim().slice(1);
  const date = new Date().toISOString();
  const commit = commitOf();
  const machine = { cpu: cpu.model.trim(), cores: cpus().length, system: `${type()} ${release()}`, node };
  const file =
    options.results ?? join("bench", "results", `${date.slice(0, 10)}-${commit}-node${node.split(".")[0]}.json`);
  for (const task of tasks) {
    const row = await rowOf(task);
    const before = existsSync(file) ? load(file) : null;
    const now: Results = { date, commit, machine, peers: descriptions, rows: [row] };
    const same = before !== null && before.commit === commit && before.machine.node === node;
    const results = same ? merged(before, now) : now;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify({ ...results, rows: ordered(results.rows) }, null, 1)}\n`);
    console.log(
      tableOf({ ...now })
        .split("\n")
        .slice(row === undefined ? 0 : 2)
        .join("\n"),
    );
  }
  for (const process of processes.values()) process.stop();
  const results = load(file);
  console.log(`\n${captionOf(results)}\n\n${tableOf(results)}\n`);
  const behind = notAhead(results);
  console.log(
    behind.length === 0 ? "Ahead of every JavaScript peer in every row." : `Not ahead:\n${behind.join("\n")}`,
  );
  console.log(`\n${file}`);
}

async function writeReadme(file: string | undefined): Promise<void> {
  if (file === undefined || !existsSync(file))
    throw new Error("--readme needs --results FILE, a file of bench/results");
  const results = load(file);
  writeFileSync("docs/benchmarks.svg", await chartOf(results));
  const text = `\n${captionOf(results)}\n\n${tableOf(results)}\n`;
  writeFileSync("README.md", withSection(readFileSync("README.md", "utf8"), text));
}

if (options.readme) await writeReadme(options.results);
else await compare();
