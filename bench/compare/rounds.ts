/** A row's rounds: every peer opens the work and is checked, then all of them take turns. */
import { disagreement } from "./agree.js";
import type { PeerInfo } from "./peers.js";
import { type Cell, cellOf } from "./results.js";
import type { Task } from "./work.js";

/** A peer where it runs, a process or a page; it answers the commands of worker.ts. */
export interface Session {
  readonly alive: boolean;
  /** @throws Error in the peer's own words, or when it takes longer than so many seconds */
  ask(command: object, seconds: number): Promise<any>;
  stop(): void;
}

const ROUNDS = 11;
const LEAST_ROUNDS = 3;
/** A round's share of a peer, and what its rounds may take together before there are fewer of them. */
const ROUND_SECONDS = 0.03;
const PEER_SECONDS = 3;

/** In the error's own words, without this machine's folders. */
export const reason = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replaceAll(process.cwd(), "…");

/** Who went first, and so found the caches as another left them, changes from round to round. */
export const rotated = <T>(list: readonly T[], by: number): T[] => list.map((_, i) => list[(i + by) % list.length]);

interface Contestant {
  name: string;
  session: Session;
  calls: number;
  rounds: number;
  times: number[];
}

async function enter(
  name: string,
  session: Session,
  task: Task,
  ours: Float32Array | null,
  patience: number,
): Promise<[Contestant, Float32Array]> {
  const all = task.work.kind === "augmentation";
  const { values, seconds } = await session.ask({ open: task.work, all }, patience);
  const bytes = Buffer.from(values, "base64");
  const found = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const wrong = disagreement(task, found, ours ?? found);
  if (wrong !== null) throw new Error(`wrong result: ${wrong}`);
  const calls = Math.max(1, Math.min(10_000, Math.round(ROUND_SECONDS / seconds)));
  const rounds = Math.max(LEAST_ROUNDS, Math.min(ROUNDS, Math.floor(PEER_SECONDS / (calls * seconds))));
  return [{ name, session, calls, rounds, times: [] }, found];
}

/**
 * Measures a row.
 * @param peers lanegrad first: it is what the others are compared with
 * @param sessionOf the peer's process or page, started where it does not run
 * @throws what lanegrad itself throws; of others it becomes their cell
 */
export async function measure(
  task: Task,
  peers: readonly PeerInfo[],
  sessionOf: (peer: PeerInfo) => Promise<Session>,
  patience: number,
): Promise<Record<string, Cell>> {
  const cells: Record<string, Cell> = {};
  const contestants: Contestant[] = [];
  let ours: Float32Array | null = null;
  for (const peer of peers) {
    try {
      const [contestant, values] = await enter(peer.name, await sessionOf(peer), task, ours, patience);
      ours ??= values;
      contestants.push(contestant);
    } catch (error) {
      if (peer.name === "lanegrad") throw error;
      cells[peer.name] = { error: reason(error) };
    }
  }
  const most = Math.max(...contestants.map(({ rounds }) => rounds));
  for (let round = 0; round < most; round++) {
    for (const { name, session, calls, rounds, times } of rotated(contestants, round)) {
      // Ours accompanies whoever is still in.
      if (cells[name] !== undefined || (round >= rounds && name !== "lanegrad")) continue;
      try {
        times.push((await session.ask({ time: calls }, patience)).seconds);
      } catch (error) {
        if (name === "lanegrad") throw error;
        cells[name] = { error: reason(error) };
      }
    }
  }
  const own = contestants[0].times;
  for (const { name, session, times } of contestants) {
    cells[name] ??= cellOf(times, name === "lanegrad" ? null : own);
    if (session.alive) await session.ask({ close: true }, patience);
  }
  return cells;
}
