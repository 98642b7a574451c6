/** Pooling through its public calls, against a v128 loop that copies as many bytes as the pool must move. */
import { F, noGrad, rand, randn, type Tensor } from "../src/index.js";
import { k } from "../src/wasm/load.js";
import { race } from "./measure.js";
import type { Row } from "./row.js";

/** @param bytes that must be read and written */
async function moving(name: string, bytes: number, run: () => void, atLeast?: number): Promise<Row> {
  const n = (bytes >> 7) << 4;
  const [from, to] = [rand(n), rand(n)];
  const { own, other, ratio } = await race(
    { name, run },
    { name: "copy", run: () => k.copy_loop(to.ptr, from.ptr, n) },
  );
  from.dispose();
  to.dispose();
  return {
    name,
    against: "of copy",
    value: 1 / ratio,
    bar: atLeast === undefined ? undefined : { atLeast },
    detail: `${(own * 1e6).toFixed(0)} µs, ${(bytes / own / 1e9).toFixed(1)} of ${(bytes / other / 1e9).toFixed(1)} GB/s`,
  };
}

/** The pools that nets are made of: the result, and bytes of a winner that forward writes and backward reads. */
const POOLS: [string, (x: Tensor) => Tensor, code: number, bar: number | undefined][] = [
  ["max 2×2", (x) => F.maxPool2d(x, 2), 1, 0.6],
  ["max 3×3 s2 p1", (x) => F.maxPool2d(x, 3, 2, 1), 1, 0.6],
  ["avg 2×2", (x) => F.avgPool2d(x, 2), 0, 0.6],
  ["global avg", (x) => F.adaptiveAvgPool2d(x, 1), 0, 0.6],
  ["max 3×3 s1 p1", (x) => F.maxPool2d(x, 3, 1, 1), 1, undefined],
];

export async function poolRows(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const shape of [
    [64, 32, 28, 28],
    [64, 64, 14, 14],
  ]) {
    for (const [name, pool, code, bar] of POOLS) {
      const x = randn(shape, { requiresGrad: true });
      const out = pool(x);
      const gradOutputs = randn(out.shape);
      const bytes = 4 * x.numel() + (4 + code) * out.numel();
      const title = `${name} ${shape.slice(1).join("×")}`;
      rows.push(await moving(title, bytes, () => noGrad(() => pool(x).dispose()), bar));
      // The gradient of a leaf that has none yet is written once and not copied.
      const backward = () => {
        x.grad = null;
        out.backward(gradOutputs, { retainGraph: true });
      };
      rows.push(await moving(`${title}, backward`, bytes, backward, bar));
      for (const t of [x, out, gradOutputs]) t.dispose();
    }
  }
  return rows;
}
