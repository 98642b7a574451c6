/** Timing: contestants take turns, so that whatever slows the machine slows all of them, and medians are compared. */
import { Bench } from "tinybench";

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

/** Times two contestants that take turns, for several rounds. */
export async function race(own: Contestant, other: Contestant, options: Effort = {}): Promise<Outcome> {
  const { rounds = 15, milliseconds = 25 } = options;
  const times: [number[], number[]] = [[], []];
  // Many short calls first: V8 replaces the baseline code of a wasm function between calls, never within one.
  for (const { run } of [own, other]) warmUp(run, 2 * milliseconds);
  for (let round = 0; round < rounds; round++) {
    const bench = new Bench({ time: milliseconds, iterations: 3, warmup: false });
    for (const { name, run } of [own, other]) bench.add(name, run);
    await bench.run();
    bench.tasks.forEach((task, i) => {
      const { result } = task;
      if (!("latency" in result)) throw new Error(`${task.name}: ${JSON.stringify(result)}`);
      times[i].push(result.latency.p50 / 1000);
    });
  }
  const ratio = median(times[0].map((time, round) => time / times[1][round]));
  return { own: median(times[0]), other: median(times[1]), ratio };
}

export interface Effort {
  rounds?: number;
  milliseconds?: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function warmUp(run: () => void, milliseconds: number): void {
  const end = performance.now() + milliseconds;
  for (let i = 0; i < 20 || performance.now() < end; i++) run();
}
