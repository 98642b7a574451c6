/** Timing: contestants take turns, so that whatever slows the machine slows all of them, and medians are compared. */
import { Bench } from "tinybench";

export interface Contestant {
  name: string;
  run: () => void;
}

/** Median seconds a call, of each contestant, over several rounds in which they took turns. */
export async function race(contestants: readonly Contestant[], options: Effort = {}): Promise<number[]> {
  const { rounds = 7, milliseconds = 40 } = options;
  const medians: number[][] = contestants.map(() => []);
  // Many short calls first: V8 replaces the baseline code of a wasm function between calls, never within one.
  for (const { run } of contestants) warmUp(run, milliseconds);
  for (let round = 0; round < rounds; round++) {
    const bench = new Bench({ time: milliseconds, iterations: 3, warmup: false });
    for (const { name, run } of contestants) bench.add(name, run);
    await bench.run();
    bench.tasks.forEach((task, i) => {
      const { result } = task;
      if (!("latency" in result)) throw new Error(`${task.name}: ${JSON.stringify(result)}`);
      medians[i].push(result.latency.p50 / 1000);
    });
  }
  return medians.map(median);
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
