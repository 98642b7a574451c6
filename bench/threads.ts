/** What a second thread gives: the same work on one and on two threads in turn, as one's time over two's. */
import { availableParallelism } from "node:os";
import { matmul, randn, setNumThreads } from "lanegrad";
import { CNN, ResNet } from "../examples/models.js";
import { k as bench } from "../src/wasm/families/bench.generated.js";
import { share } from "../src/wasm/threads.js";
import type { Row } from "./row.js";
import { median } from "./statistics.js";
import { layersOf, stepOf } from "./steps.js";

const ROUNDS = 11;
/** Milliseconds before each timing: new workers run unoptimised code, and caches hold what the other number of threads left there. */
const WARM = 40;

/**
 * What two threads reach of one's speed at this moment when they touch nothing but registers: less than 2 where the machine gives the
 * second core to others for a while, and then nothing else can reach 2 either.
 */
function limit(): number {
  const n = 2_000_000;
  const start = performance.now();
  bench.peak(n);
  const between = performance.now();
  share("peak", 2, 1, 0, () => [n]);
  return (2 * (between - start)) / (performance.now() - between);
}

async function faster(name: string, calls: number, atLeast: number, run: () => void): Promise<Row> {
  const times: [number[], number[]] = [[], []];
  const limits: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    for (const threads of [1, 2]) {
      await setNumThreads(threads);
      const warm = performance.now() + WARM;
      while (performance.now() < warm) run();
      const start = performance.now();
      for (let i = 0; i < calls; i++) run();
      if (round > 0) times[threads - 1].push((performance.now() - start) / calls);
      if (round > 0 && threads === 2) limits.push(limit());
    }
  }
  await setNumThreads(1);
  const show = (milliseconds: number[]) => `${median(milliseconds).toPrecision(3)} ms`;
  const alone = availableParallelism() < 2;
  return {
    name: `${name}, two threads`,
    against: "× one thread",
    value: median(times[0].map((time, i) => time / times[1][i])),
    bar: alone ? undefined : { atLeast },
    detail: `${show(times[0])} on one, ${show(times[1])} on two; registers only: ${median(limits).toFixed(2)} ×${alone ? "; there is one core" : ""}`,
  };
}

export async function threadRows(): Promise<Row[]> {
  const product = (n: number) => {
    const [a, b] = [randn(n, n), randn(n, n)];
    return () => matmul(a, b).dispose();
  };
  return [
    await faster("matmul 512×512", 20, 1.85, product(512)),
    await faster("matmul 128×128", 600, 1.5, product(128)),
    await faster(
      "step of 10-100-100-10, batch 32",
      500,
      0.95,
      stepOf(() => layersOf([10, 100, 100, 10]), [32, 10]),
    ),
    await faster(
      "MLP step, 784-256-128-10, batch 64",
      60,
      1.3,
      stepOf(() => layersOf([784, 256, 128, 10]), [64, 784]),
    ),
    await faster(
      "CNN step, batch 64",
      5,
      1.7,
      stepOf(() => new CNN(), [64, 1, 28, 28]),
    ),
    await faster(
      "ResNet-20 step, batch 64",
      2,
      1.7,
      stepOf(() => new ResNet(), [64, 3, 32, 32]),
    ),
  ];
}
