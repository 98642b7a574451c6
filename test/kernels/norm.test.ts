import { describe, expect, it } from "vitest";
import { k } from "../support/kernels.js";
import { expectClose, randomFloats, Slab } from "./slab.js";

const EPS = 1e-5;

/** Statistics and output of every row in float64. */
function reference(
  x: Float32Array,
  weight: Float32Array | null,
  bias: Float32Array | null,
  rows: number,
  cols: number,
) {
  const out = new Float64Array(rows * cols);
  const mean = new Float64Array(rows);
  const rstd = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    const row = x.subarray(i * cols, (i + 1) * cols);
    mean[i] = row.reduce((s, v) => s + v, 0) / cols;
    rstd[i] = 1 / Math.sqrt(row.reduce((s, v) => s + (v - mean[i]) ** 2, 0) / cols + EPS);
    for (let j = 0; j < cols; j++) {
      out[i * cols + j] = (row[j] - mean[i]) * rstd[i] * (weight ? weight[j] : 1) + (bias ? bias[j] : 0);
    }
  }
  return { out, mean, rstd };
}

function referenceBackward(
  dout: Float32Array,
  x: Float32Array,
  weight: Float32Array | null,
  rows: number,
  cols: number,
) {
  const { mean, rstd } = reference(x, null, null, rows, cols);
  const dx = new Float64Array(rows * cols);
  const dweight = new Float64Array(cols);
  const dbias = new Float64Array(cols);
  for (let i = 0; i < rows; i++) {
    let first = 0;
    let second = 0;
    const hat = (j: number) => (x[i * cols + j] - mean[i]) * rstd[i];
    const g = (j: number) => dout[i * cols + j] * (weight ? weight[j] : 1);
    for (let j = 0; j < cols; j++) {
      first += g(j) / cols;
      second += (g(j) * hat(j)) / cols;
      dweight[j] += dout[i * cols + j] * hat(j);
      dbias[j] += dout[i * cols + j];
    }
    for (let j = 0; j < cols; j++) dx[i * cols + j] = rstd[i] * (g(j) - first - hat(j) * second);
  }
  return { dx, dweight, dbias };
}

const COLUMNS = [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 20, 31, 33, 64, 255, 256, 257, 275, 530];

describe("layer_norm", () => {
  for (const [scales, shifts] of [
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ]) {
    it(`normalises rows of any length${scales ? ", weight" : ""}${shifts ? ", bias" : ""}`, () => {
      for (const cols of COLUMNS) {
        const rows = 3;
        const slab = new Slab();
        const x = randomFloats(rows * cols, 2, 0.5);
        const weight = scales ? randomFloats(cols) : null;
        const bias = shifts ? randomFloats(cols) : null;
        const out = slab.floats(rows * cols);
        const mean = slab.floats(rows);
        const rstd = slab.floats(rows);
        k.layer_norm(out, mean, rstd, slab.put(x), slab.put(weight), slab.put(bias), rows, cols, EPS);
        slab.check();
        const expected = reference(x, weight, bias, rows, cols);
        expectClose(slab.read(mean), expected.mean, 1e-6, 1e-7);
        // Where the rows hardly deviate (one or two columns), rounding the mean shows.
        if (cols > 1) expectClose(slab.read(rstd), expected.rstd, 2e-6);
        expectClose(slab.read(out), expected.out, 1e-5, cols > 2 ? 3e-6 : 1e-4);
      }
    });
  }

  it("keeps its accuracy under a large mean and in a long row", () => {
    const cols = 100_003;
    const slab = new Slab();
    const x = randomFloats(cols, 1, 1000);
    const [out, mean, rstd] = [slab.floats(cols), slab.floats(1), slab.floats(1)];
    k.layer_norm(out, mean, rstd, slab.put(x), 0, 0, 1, cols, EPS);
    const expected = reference(x, null, null, 1, cols);
    expectClose(slab.read(mean), expected.mean, 1.2e-7);
    expectClose(slab.read(rstd), expected.rstd, 1e-6);
    expectClose(slab.read(out), expected.out, 0, 2e-4); // half an ulp of the mean, over the deviation
  });

  it("gives zeros for a constant row and NaN for a row with NaN or Inf, and leaves the others alone", () => {
    const slab = new Slab();
    const x = Float32Array.of(3, 3, 3, 1, Number.NaN, 2, Number.POSITIVE_INFINITY, 1, 2, -1, 0, 1);
    const [out, mean, rstd] = [slab.floats(12), slab.floats(4), slab.floats(4)];
    k.layer_norm(out, mean, rstd, slab.put(x), 0, 0, 4, 3, EPS);
    const got = slab.read(out);
    expect([...got.subarray(0, 3)]).toEqual([0, 0, 0]);
    expect([...got.subarray(3, 9)]).toEqual(Array(6).fill(Number.NaN));
    expectClose(got.subarray(9), reference(x.subarray(9), null, null, 1, 3).out);
  });

  it("works in place", () => {
    const slab = new Slab();
    const x = randomFloats(2 * 19);
    const p = slab.put(x);
    k.layer_norm(p, slab.floats(2), slab.floats(2), p, 0, 0, 2, 19, EPS);
    slab.check();
    expectClose(slab.read(p), reference(x, null, null, 2, 19).out, 1e-5, 2e-6);
  });
});

describe("layer_norm_backward", () => {
  for (const scales of [true, false]) {
    it(`matches the float64 gradient${scales ? ", weight" : ""}`, () => {
      for (const cols of COLUMNS.filter((c) => c > 2)) {
        for (const rows of cols < 40 ? [1, 5, 32, 33, 70] : [3]) {
          const slab = new Slab();
          const x = randomFloats(rows * cols, 2, 0.5);
          const dout = randomFloats(rows * cols);
          const weight = scales ? randomFloats(cols) : null;
          const [px, pw, mean, rstd] = [slab.put(x), slab.put(weight), slab.floats(rows), slab.floats(rows)];
          k.layer_norm(slab.floats(rows * cols), mean, rstd, px, pw, 0, rows, cols, EPS);
          const [dx, dweight, dbias] = [slab.floats(rows * cols), slab.floats(cols), slab.floats(cols)];
          k.layer_norm_backward(dx, dweight, dbias, slab.put(dout), px, mean, rstd, pw, rows, cols);
          slab.check();
          const expected = referenceBackward(dout, x, weight, rows, cols);
          const spread = Math.max(...expected.dx.map(Math.abs));
          expectClose(slab.read(dx), expected.dx, 1e-5, 1e-5 * spread);
          expectClose(slab.read(dweight), expected.dweight, 1e-5, 2e-6 * rows);
          expectClose(slab.read(dbias), expected.dbias, 1e-6, 1e-7 * rows);
        }
      }
    });
  }

  it("leaves out what is not wanted, and dx may be dout", () => {
    const [rows, cols] = [6, 21];
    const slab = new Slab();
    const x = randomFloats(rows * cols);
    const dout = randomFloats(rows * cols);
    const [px, pd, mean, rstd] = [slab.put(x), slab.put(dout), slab.floats(rows), slab.floats(rows)];
    k.layer_norm(slab.floats(rows * cols), mean, rstd, px, 0, 0, rows, cols, EPS);
    const [dweight, dbias] = [slab.floats(cols), slab.floats(cols)];
    const expected = referenceBackward(dout, x, null, rows, cols);
    k.layer_norm_backward(0, dweight, 0, pd, px, mean, rstd, 0, rows, cols);
    k.layer_norm_backward(0, 0, dbias, pd, px, mean, rstd, 0, rows, cols);
    k.layer_norm_backward(pd, 0, 0, pd, px, mean, rstd, 0, rows, cols);
    slab.check();
    expectClose(slab.read(dweight), expected.dweight, 1e-5, 1e-5);
    expectClose(slab.read(dbias), expected.dbias, 1e-6, 1e-6);
    expectClose(slab.read(pd), expected.dx, 1e-5, 2e-5);
  });

  it("sums 100,000 rows to float32 accuracy, and Inf stays Inf", () => {
    const [rows, cols] = [100_000, 5];
    const slab = new Slab();
    const dout = randomFloats(rows * cols, 1, 1);
    for (let i = 4; i < dout.length; i += cols) dout[i] = i === 4 ? Number.POSITIVE_INFINITY : 1;
    const [mean, rstd] = [slab.put(new Float32Array(rows)), slab.put(new Float32Array(rows).fill(1))];
    const [dweight, dbias] = [slab.floats(cols), slab.floats(cols)];
    k.layer_norm_backward(0, dweight, dbias, slab.put(dout), slab.put(dout), mean, rstd, 0, rows, cols);
    const expected = new Float64Array(cols);
    for (let i = 0; i < dout.length; i++) expected[i % cols] += dout[i];
    expectClose(slab.read(dbias), expected, 2e-7);
  });

  it("with no rows zeroes the parameters' gradients", () => {
    const slab = new Slab();
    const [dweight, dbias] = [slab.floats(5), slab.floats(5)];
    k.layer_norm(0, 0, 0, 0, 0, 0, 0, 5, EPS);
    k.layer_norm_backward(1024, dweight, dbias, 1024, 1024, 1024, 1024, 0, 0, 5);
    expect([...slab.read(dweight), ...slab.read(dbias)]).toEqual(Array(10).fill(0));
  });
});
