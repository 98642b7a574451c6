/** Timing: contestants take turns, so that whatever slows the machine slows all of them, and medians are compared. */
import { Bench } from "tinybench";
import { median } from "./statistics.js";

export interface Contestant {
  name: string;
  run: () => void;
}

export interface Outcome {
  /** Median seconds a call of the first contestant, and of the second. */
  own: number;
  other: number;
  /** How many times as long the first took: the median of the rounds' ratios, each of two neighbours in time. */
  ratio: number;
}

export interface Effort {
  rounds?: number;
  milliseconds?: number;
}

/** Offers a row by name, with a function that times one round of it: seconds a call. */
export type Turns = (name: string, time: () => Promise<number>) => Promise<void>;
let turns: Turns | null = null;

/** From now on rows are timed by `to` instead, round by round and without what they are measured against. */
export function takeTurns(to: Turns): void {
  turns = to;
}

/** Whether rows are timed in turn with another build's, and not beside what they are measured against. */
export const takesTurns = (): boolean => turns !== null;

/** Hands a row to whoever times rows in turn; false where nobody does. */
export async function tookTurns(name: string, run: () => void, milliseconds = 25): Promise<boolean> {
  if (turns === null) return false;
  warmUp(run, 2 * milliseconds);
  await turns(name, async () => (await time([{ name, run }], milliseconds))[0]);
  return true;
}

/** Times two contestants that take turns, for several rounds. */
export async function race(own: Contestant, other: Contestant, options: Effort = {}): Promise<Outcome> {
  const { rounds = 11, milliseconds = 20 } = options;
  if (await tookTurns(own.name, own.run, milliseconds)) {
    return { own: Number.NaN, other: Number.NaN, ratio: Number.NaN };
  }
  const times: [number[], number[]] = [[], []];
  // Many short calls first: V8 replaces the baseline code of a wasm function between calls, never within one.
  for (const { run } of [own, other]) warmUp(run, 2 * milliseconds);
  for (let round = 0; round < rounds; round++) {
    const seconds = await time([own, other], milliseconds);
    seconds.forEach((s, i) => {
      times[i].push(s);
    });
  }
  const ratio = median(times[0].map((time, round) => time / times[1][round]));
  return { own: median(times[0]), other: median(times[1]), ratio };
}

/** Median seconds a call of each. */
async function time(contestants: readonly Contestant[], milliseconds: number): Promise<number[]> {
  const bench = new Bench({ time: milliseconds, iterations: 3, warmup: false });
  for (const { name, run } of contestants) bench.add(name, run);
  await bench.run();
  return bench.tasks.map((task) => {
    const { result } = task;
    if (!("latency" in result)) throw new Error(`${task.name}: ${JSON.stringify(result)}`);
    return result.latency.p50 / 1000;
  });
}

function warmUp(run: () => void, milliseconds: number): void {
  const end = performance.now() + milliseconds;
  for (let i = 0; i < 5 || performance.now() < end; i++) run();
}
