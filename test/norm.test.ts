/** Layer norm against a float64 reference, PyTorch's numbers and finite differences. */
import { describe, expect, test } from "vitest";
import { ArgumentError, DTypeError, ShapeError } from "../src/errors.js";
import { noGrad } from "../src/grad-mode.js";
import { LayerNorm } from "../src/nn/normalization.js";
import { mul } from "../src/ops/binary.js";
import { tensor, zeros } from "../src/ops/create.js";
import { indexPut_ } from "../src/ops/indexing.js";
import { layerNorm } from "../src/ops/norm.js";
import { sum } from "../src/ops/reduce.js";
import { transpose } from "../src/ops/view.js";
import { scope } from "../src/scope.js";
import { memory } from "../src/storage.js";
import type { Tensor } from "../src/tensor.js";

const noise = (n: number, seed: number) => Float32Array.from({ length: n }, (_, i) => Math.sin((i + 1) * (seed + 1.3)));

/** In float64: the output, and with dOut the gradients. */
function reference(
  x: Float32Array,
  weight: ArrayLike<number>,
  bias: ArrayLike<number>,
  dOut: Float32Array,
  eps: number,
) {
  const cols = weight.length;
  const out = new Float64Array(x.length);
  const dX = new Float64Array(x.length);
  const dWeight = new Float64Array(cols);
  const dBias = new Float64Array(cols);
  for (let r = 0; r < x.length; r += cols) {
    let mean = 0;
    for (let c = 0; c < cols; c++) mean += x[r + c] / cols;
    let variance = 0;
    for (let c = 0; c < cols; c++) variance += (x[r + c] - mean) ** 2 / cols;
    const rstd = 1 / Math.sqrt(variance + eps);
    let g1 = 0;
    let g2 = 0;
    for (let c = 0; c < cols; c++) {
      const hat = (x[r + c] - mean) * rstd;
      out[r + c] = hat * weight[c] + bias[c];
      g1 += (dOut[r + c] * weight[c]) / cols;
      g2 += (dOut[r + c] * weight[c] * hat) / cols;
      dWeight[c] += dOut[r + c] * hat;
      dBias[c] += dOut[r + c];
    }
    for (let c = 0; c < cols; c++) {
      dX[r + c] = rstd * (dOut[r + c] * weight[c] - g1 - (x[r + c] - mean) * rstd * g2);
    }
  }
  return { out, dX, dWeight, dBias };
}

function expectClose(actual: Tensor | null, expected: ArrayLike<number>, tolerance = 1e-5): void {
  const values = (actual as Tensor).toTypedArray();
  expect(values.length).toBe(expected.length);
  let worst = 0;
  values.forEach((v: number, i: number) => {
    const error = Math.abs(v - expected[i]) / (1 + Math.abs(expected[i]));
    // Not Math.max: a NaN must stay.
    if (!(error <= worst)) worst = error;
  });
  expect(worst).toBeLessThanOrEqual(tolerance);
}

describe("layerNorm", () => {
  test.each([1, 2, 3, 4, 5, 15, 16, 17, 64, 257, 1000])("%i columns", (cols) => {
    for (const rows of [1, 3, 70]) {
      const [x, w, b, g] = [noise(rows * cols, 0), noise(cols, 1), noise(cols, 2), noise(rows * cols, 3)];
      const expected = reference(x, w, b, g, 1e-3);
      const input = tensor(x, { shape: [rows, cols], requiresGrad: true });
      const weight = tensor(w, { requiresGrad: true });
      const bias = tensor(b, { requiresGrad: true });
      const out = layerNorm(input, cols, { weight, bias, eps: 1e-3 });
      sum(mul(out, tensor(g, { shape: [rows, cols] }))).backward();
      expectClose(out, expected.out);
      expectClose(input.grad, expected.dX, 1e-4);
      expectClose(weight.grad, expected.dWeight, 2e-5);
      expectClose(bias.grad, expected.dBias, 2e-5);
    }
  });

  test("without weight, without bias, without either", () => {
    const [x, w, b, g] = [noise(60, 0), noise(12, 1), noise(12, 2), noise(60, 3)];
    const one = new Float32Array(12).fill(1);
    const none = new Float32Array(12);
    for (const [hasWeight, hasBias] of [
      [true, false],
      [false, true],
      [false, false],
    ]) {
      const expected = reference(x, hasWeight ? w : one, hasBias ? b : none, g, 1e-5);
      const input = tensor(x, { shape: [5, 3, 4], requiresGrad: true });
      const weight = hasWeight ? tensor(w, { shape: [3, 4] }) : null;
      const bias = hasBias ? tensor(b, { shape: [3, 4], requiresGrad: true }) : undefined;
      const out = layerNorm(input, [3, 4], { weight, bias });
      expect(out.shape).toEqual([5, 3, 4]);
      sum(mul(out, tensor(g, { shape: [5, 3, 4] }))).backward();
      expectClose(out, expected.out);
      expectClose(input.grad, expected.dX, 1e-4);
      if (bias) expectClose(bias.grad, expected.dBias);
    }
  });

  test("of a strided input", () => {
    const x = noise(12, 0);
    const turned = transpose(tensor(x, { shape: [3, 4] }), 0, 1);
    const flat = turned.toTypedArray() as Float32Array;
    const g = new Float32Array(12);
    expectClose(layerNorm(turned, 3), reference(flat, [1, 1, 1], [0, 0, 0], g, 1e-5).out);
  });

  test("a mean that is large against the deviation", () => {
    const x = Float32Array.from({ length: 512 }, (_, i) => 4096 + (i % 2));
    const out = layerNorm(tensor(x), 512).toTypedArray();
    for (let i = 0; i < 512; i++) expect(out[i]).toBeCloseTo(i % 2 === 0 ? -0.99998 : 0.99998, 4);
  });

  test("empty tensors", () => {
    const weight = tensor([1, 1, 1], { requiresGrad: true });
    sum(layerNorm(zeros(0, 3), 3, { weight })).backward();
    expect(weight.grad?.toArray()).toEqual([0, 0, 0]);
    expect(layerNorm(zeros(2, 0), 0).shape).toEqual([2, 0]);
  });

  test("errors", () => {
    const x = zeros(2, 3);
    const check = (fn: () => unknown, type: new (...args: any[]) => Error, text: string) => {
      expect(fn).toThrow(type);
      expect(fn).toThrow(text);
    };
    check(
      () => layerNorm(x, 5),
      ShapeError,
      "layerNorm: normalizedShape [5] needs an input of shape [*, 5], found [2, 3]",
    );
    check(() => layerNorm(x, [4, 2, 3]), ShapeError, "needs an input of shape [*, 4, 2, 3]");
    check(() => layerNorm(x, []), ShapeError, "normalizedShape is []");
    check(
      () => layerNorm(x, 3, { weight: zeros(2) }),
      ShapeError,
      "weight has shape [2], expected normalizedShape [3]",
    );
    check(() => layerNorm(x, 3, { bias: zeros(1, 3) }), ShapeError, "bias has shape [1, 3]");
    check(() => layerNorm(x.int(), 3), DTypeError, "the input must be float32, found int32");
  });

  test("leaves nothing behind", () => {
    const x = tensor(noise(60, 0), { shape: [4, 15], requiresGrad: true });
    const step = () => {
      sum(layerNorm(x, 15)).backward();
      noGrad(() => layerNorm(x, 15));
    };
    for (let i = 0; i < 20; i++) scope(step);
    const before = memory().liveTensors;
    for (let i = 0; i < 5; i++) scope(step);
    expect(memory().liveTensors).toBe(before);
  });
});

describe("nn.LayerNorm", () => {
  test("PyTorch's numbers", () => {
    const norm = new LayerNorm(3);
    expect(norm.weight?.toArray()).toEqual([1, 1, 1]);
    expect(norm.bias?.toArray()).toEqual([0, 0, 0]);
    noGrad(() => {
      indexPut_(norm.weight as Tensor, [":"], tensor([1, -2, 0.5]));
      indexPut_(norm.bias as Tensor, [":"], tensor([0, 1, 2]));
    });
    const x = tensor([1, 2, 4, -1, 0, 7], { shape: [2, 3], requiresGrad: true });
    const y = norm(x);
    expectClose(y, [-1.06904137, 1.53452063, 2.6681509, -0.84292692, 2.12390256, 2.70243907], 1e-6);
    sum(mul(y, tensor([1, 2, 3, 4, 5, 6], { shape: [2, 3] }))).backward();
    expectClose(x.grad, [1.77536845, -2.66305971, 0.88769078, 1.91507041, -2.18865252, 0.27358216], 1e-6);
    expectClose((norm.weight as Tensor).grad, [-4.44074917, -3.34427691, 12.43816757], 1e-6);
    expectClose((norm.bias as Tensor).grad, [5, 7, 9], 1e-6);
  });

  test("options, names and printing", () => {
    expect(Object.keys(new LayerNorm([3, 4]).stateDict())).toEqual(["weight", "bias"]);
    expect(Object.keys(new LayerNorm(3, { bias: false }).stateDict())).toEqual(["weight"]);
    const plain = new LayerNorm(7, { eps: 1e-12, elementwiseAffine: false });
    expect([plain.weight, plain.bias, plain.eps]).toEqual([null, null, 1e-12]);
    expect(plain(zeros(2, 7)).shape).toEqual([2, 7]);
    expect(String(plain)).toBe("LayerNorm((7,), eps=1e-12, elementwise_affine=False)");
    expect(String(new LayerNorm([3, 4]))).toBe("LayerNorm((3, 4), eps=1e-05, elementwise_affine=True)");
    expect(new LayerNorm(3, 0.1).eps).toBe(0.1);
    expect(() => new LayerNorm([])).toThrow(ArgumentError);
    expect(() => new LayerNorm(-1)).toThrow(ShapeError);
  });
});
