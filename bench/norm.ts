/** Batch norm + relu, forward and backward, in bytes moved against a v128 copy loop over memory of the same size. */
import { ones, randn, type Tensor, zeros } from "../src/index.js";
import { k as norm } from "../src/wasm/families/batch-norm.generated.js";
import { k } from "../src/wasm/load.js";
import { race } from "./measure.js";
import type { Row } from "./row.js";

const SHAPES = [
  [64, 16, 32, 32],
  [64, 32, 16, 16],
  [64, 64, 8, 8],
] as const;

/**
 * `streams` counts passes over a tensor: forward reads x twice and writes out; backward reads dout, out and x for
 * the sums, leaves the masked gradient in dx's place, reads that and x, and writes dx. `tensors`: how many different ones;
 * the copy loop gets as much memory, so that both have the same caches to work with.
 */
async function moving(name: string, n: number, streams: number, tensors: number, run: () => void): Promise<Row> {
  const size = (n * tensors) / 2;
  const [from, to] = [randn(size), randn(size)];
  const {
    own,
    other: copy,
    ratio,
  } = await race({ name, run }, { name: "copy", run: () => k.copy_loop(to.ptr, from.ptr, size) });
  const rate = (4 * streams * n) / own / 1e9;
  const limit = (8 * size) / copy / 1e9;
  return {
    name,
    against: "of copy",
    value: (streams * n) / (2 * size) / ratio,
    bar: { atLeast: 0.6 },
    detail: `${(own * 1e6).toFixed(0)} µs, ${rate.toFixed(1)} of ${limit.toFixed(1)} GB/s`,
  };
}

export async function normRows(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [n, c, h, w] of SHAPES) {
    const plane = h * w;
    const size = n * c * plane;
    const [x, dout, out, dx] = [randn(n, c, h, w), randn(n, c, h, w), zeros(n, c, h, w), zeros(n, c, h, w)];
    const [weight, bias, dWeight, dBias] = [ones(c), zeros(c), zeros(c), zeros(c)];
    const table = zeros(5, c);
    // Moments and accumulators.
    const scratch: Tensor = zeros(24 * c);
    const shape = `${n}×${c}×${h}×${w}`;
    const forward = () =>
      norm.batch_norm_train(
        ...([out.ptr, x.ptr, 0, 1, table.ptr, scratch.ptr, scratch.ptr + 16 * c, weight.ptr, bias.ptr] as const),
        ...([1e-5, n, c, plane, 0, c] as const),
      );
    const backward = () =>
      norm.batch_norm_backward(
        ...([dx.ptr, dWeight.ptr, dBias.ptr, 0, dout.ptr, x.ptr, out.ptr, table.ptr, scratch.ptr] as const),
        ...([1, n, c, plane, 0, c] as const),
      );
    rows.push(await moving(`BN + ReLU ${shape}`, size, 3, 2, forward));
    rows.push(await moving(`BN + ReLU backward ${shape}`, size, 7, 4, backward));
  }
  return rows;
}
