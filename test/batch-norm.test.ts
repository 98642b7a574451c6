/**
 * Batch normalisation beyond its rows in cases.ts: modules against PyTorch over several batches, running statistics, fused
 * against separate ops to the bit, accuracy far from 0, NaN and infinities, bad input.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  ArgumentError,
  DTypeError,
  F,
  manualSeed,
  nn,
  noGrad,
  ones,
  randn,
  ShapeError,
  scope,
  type Tensor,
  tensor,
  zeros,
} from "../src/index.js";
import { batchNormRelu } from "../src/ops/batch-norm.js";
import { randomSource } from "./support/case.js";
import { expectClose, expectTensor, type Tolerance } from "./support/compare.js";
import { elementsOf, loadFixture, type Recorded, tensorOf } from "./support/fixtures.js";

const MODULES: Tolerance = { atol: 2e-6, rtol: 1e-5 };

const expected = (r: Recorded) => ({ ...r, data: elementsOf(r) });

describe("modules, as PyTorch has them over several batches", () => {
  const { records } = loadFixture("norm-modules");
  test.each(records.map((r, i) => [`${i} ${r.text}`, r] as const))("%s", (_, r) => {
    const make = (nn as any)[r.op];
    const layer = new make(...r.args, r.options) as nn.Module;
    expect(String(layer)).toBe(r.text);
    const parameters = layer.parameters();
    expect(parameters.length).toBe(r.parameters.length);
    noGrad(() => {
      parameters.forEach((p, i) => {
        p.copy_(tensorOf(r.parameters[i]));
      });
    });
    r.steps.forEach((step: any, number: number) => {
      layer.train(step.training);
      layer.zeroGrad();
      const x = tensorOf(step.input, { requiresGrad: true });
      const out = layer(x);
      out.backward(tensorOf(step.gradOutput));
      expectTensor(out, expected(step.output), MODULES, `step ${number}: output`);
      expectTensor(x.grad as Tensor, expected(step.grad), MODULES, `step ${number}: gradient of the input`);
      parameters.forEach((p, i) => {
        const what = `step ${number}: gradient of parameter ${i}`;
        expectTensor(p.grad as Tensor, expected(step.parameterGrads[i]), MODULES, what);
      });
      const state = layer.stateDict();
      expect(Object.keys(state), "keys of the state dict").toEqual(Object.keys(step.stateDict));
      for (const [key, value] of Object.entries(state)) {
        expectTensor(value, expected(step.stateDict[key]), MODULES, `step ${number}: ${key}`);
      }
    });
  });
});

/** Values around 0 with exact zeros, so that the mask has its edge. */
function draw(shape: readonly number[], seed: number): Tensor {
  const random = randomSource(seed);
  const n = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Array.from({ length: n }, () => (random() < 0.1 ? 0 : random() * 4 - 2)),
    { shape: [...shape] },
  );
}

const bits = (t: Tensor | null): number[] => {
  if (t === null) return [];
  const values = t.toTypedArray() as Float32Array;
  return [...new Int32Array(values.buffer, values.byteOffset, values.length)];
};

describe("batchNormRelu", () => {
  const shapes = fc.oneof(
    fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 9 })),
    fc.tuple(fc.integer({ min: 2, max: 40 }), fc.integer({ min: 1, max: 13 })),
    fc.tuple(
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 20 }),
    ),
  );
  const options = fc.record({
    shape: shapes,
    withResidual: fc.boolean(),
    affine: fc.boolean(),
    training: fc.boolean(),
    needs: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
    seed: fc.integer(),
  });

  test("gives the bits of batchNorm, add and relu, forward and backward", () => {
    fc.assert(
      fc.property(options, ({ shape, withResidual, affine, training, needs, seed }) => {
        const c = shape[1];
        fc.pre(!training || shape[0] * shape.slice(2).reduce((a, b) => a * b, 1) > 1);
        const run = (fused: boolean) =>
          scope(() => {
            const leaf = (t: Tensor, i: number) => t.requiresGrad_(needs[i]);
            const x = leaf(draw(shape, seed), 0);
            const residual = withResidual ? leaf(draw(shape, seed + 1), 1) : null;
            const weight = affine ? leaf(draw([c], seed + 2), 2) : null;
            const bias = affine ? leaf(draw([c], seed + 3), 3) : null;
            const [mean, variance] = [draw([c], seed + 4), draw([c], seed + 5).square()];
            const rest = { weight, bias, training, momentum: 0.3, eps: 1e-5 };
            let out: Tensor;
            if (fused) out = batchNormRelu(x, residual, mean, variance, rest);
            else {
              const normal = F.batchNorm(x, mean, variance, rest);
              out = F.relu(residual ? normal.add(residual) : normal);
            }
            if (out.requiresGrad) out.backward(draw(shape, seed + 6));
            const leaves = [x, residual, weight, bias];
            return [out, mean, variance, ...leaves.map((t) => t?.grad ?? null)].map(bits);
          });
        expect(run(true)).toEqual(run(false));
      }),
      { numRuns: 300 },
    );
  });

  test("NaN and infinities pass, or not, as through the separate ops", () => {
    const x = tensor([[Number.NaN, 1, Number.POSITIVE_INFINITY, -2, Number.NEGATIVE_INFINITY, 3]]).reshape(1, 1, 6);
    const run = (op: (x: Tensor) => Tensor) => {
      const leaf = x.clone().requiresGrad_();
      const out = op(leaf);
      out.backward(ones(1, 1, 6));
      return [out.toTypedArray(), (leaf.grad as Tensor).toTypedArray()];
    };
    for (const training of [false, true]) {
      expect(run((t) => batchNormRelu(t, null, ones(1), ones(1), { training }))).toEqual(
        run((t) => F.relu(F.batchNorm(t, ones(1), ones(1), { training }))),
      );
    }
    const [out, grad] = run((t) => batchNormRelu(t, null, zeros(1), ones(1), { eps: 0 }));
    expect([...out]).toEqual([Number.NaN, 1, Number.POSITIVE_INFINITY, 0, 0, 3]);
    expect([...grad]).toEqual([1, 1, 1, 0, 0, 1]);
  });

  test("a residual of another shape is refused", () => {
    expect(() => batchNormRelu(ones(2, 3, 4), ones(2, 3), null, null, { training: true })).toThrow(
      new ShapeError("batchNormRelu: the residual has shape [2, 3], expected x's [2, 3, 4]"),
    );
  });
});

describe("accuracy", () => {
  /** Mean and variance in float64. */
  function momentsOf(values: Float32Array): [mean: number, variance: number] {
    const mean = values.reduce((s, v) => s + v, 0) / values.length;
    return [mean, values.reduce((s, v) => s + (v - mean) ** 2, 0) / values.length];
  }

  test.each([
    ["near 0", 0, 1],
    ["a mean of 1000 deviations", 1000, 1],
    ["a mean of 10⁶ deviations", 1e6, 1],
    ["small and far from 0", -3, 1e-4],
  ])("%s", (_what, mean, deviation) => {
    for (const shape of [
      [4, 1, 50, 50],
      [400, 1],
    ]) {
      manualSeed(0);
      const x = noGrad(() => randn(shape).mul(deviation).add(mean));
      const values = x.toTypedArray() as Float32Array;
      const [m, v] = momentsOf(values);
      const [runningMean, runningVar] = [zeros(1), zeros(1)];
      const out = F.batchNorm(x, runningMean, runningVar, { training: true, momentum: 1, eps: 1e-12 });
      const n = values.length;
      // Rounded to float32, after sums of float32 lanes that are off by some 2⁻²⁴ of their terms.
      expect(Math.abs(runningMean.item() - m)).toBeLessThanOrEqual(6.1e-8 * Math.abs(m) + 3e-8 * deviation);
      expect(Math.abs((runningVar.item() * (n - 1)) / n / v - 1)).toBeLessThan(1e-6);
      const reference = Array.from(values, (u) => (u - m) / Math.sqrt(v + 1e-12));
      expectClose(out.toTypedArray(), reference, { atol: 5e-7, rtol: 5e-7 }, `${shape}`);
    }
  });

  test("the first values of a channel may be unlike all others", () => {
    const data = new Float32Array(64 * 64).map((_, i) => (i < 64 ? 1e4 : Math.sin(i)));
    const [m, v] = momentsOf(data);
    const runningVar = zeros(1);
    F.batchNorm(tensor(data, { shape: [64, 1, 64] }), zeros(1), runningVar, { training: true, momentum: 1 });
    expect(Math.abs((runningVar.item() * 4095) / 4096 / v - 1)).toBeLessThan(1e-6);
    expect(Number.isFinite(m)).toBe(true);
  });

  test("a constant channel has variance 0 and gives the bias", () => {
    for (const value of [0, 0.1, -1e6]) {
      const [mean, variance] = [zeros(2), ones(2)];
      const x = tensor(new Float32Array(2 * 2 * 35).fill(value), { shape: [2, 2, 5, 7] });
      const out = F.batchNorm(x, mean, variance, { bias: tensor([3, -1]), training: true, momentum: 1 });
      expect(variance.toArray()).toEqual([0, 0]);
      expect(mean.toArray()).toEqual([Math.fround(value), Math.fround(value)]);
      expect([...new Set(out.toTypedArray())]).toEqual([3, -1]);
    }
  });
});

describe("running statistics", () => {
  test("a batch with an infinity gives an infinite mean and NaN in its own channel only", () => {
    const x = tensor([
      [1, 2],
      [Number.POSITIVE_INFINITY, 3],
      [4, 5],
    ]);
    const [mean, variance] = [zeros(2), ones(2)];
    const out = F.batchNorm(x, mean, variance, { training: true });
    expect(mean.toArray()).toEqual([Number.POSITIVE_INFINITY, Math.fround(1 / 3)]);
    expect(variance.at(0).item()).toBeNaN();
    expect(out.at(":", 0).toArray()).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect((out.at(":", 1).toArray() as number[]).every(Number.isFinite)).toBe(true);
  });

  test("either may be absent in training, and may be any view", () => {
    const both = zeros(3, 2);
    const mean = both.at(":", 0);
    F.batchNorm(randn(4, 3), mean, null, { training: true, momentum: 1 });
    expect(both.at(":", 1).toArray()).toEqual([0, 0, 0]);
    expect((mean.toArray() as number[]).every((v) => v !== 0)).toBe(true);
    const x = randn(4, 3);
    expect(F.batchNorm(x, mean, both.at(":", 1), { eps: 1 }).toArray()).toEqual(
      F.batchNorm(x, mean.clone(), zeros(3), { eps: 1 }).toArray(),
    );
  });

  test("an empty batch gives an empty result and changes nothing", () => {
    const layer = new nn.BatchNorm2d(3);
    const out = layer(zeros(0, 3, 4, 4).requiresGrad_());
    expect([...out.shape]).toEqual([0, 3, 4, 4]);
    out.sum().backward();
    expect((layer.weight as Tensor).grad?.toArray()).toEqual([0, 0, 0]);
    expect((layer.runningMean as Tensor).toArray()).toEqual([0, 0, 0]);
    expect((layer.runningVar as Tensor).toArray()).toEqual([1, 1, 1]);
  });

  test("reset, load and save under PyTorch's keys", () => {
    const layer = new nn.BatchNorm1d(2);
    layer(randn(8, 2));
    layer(randn(8, 2));
    const state = layer.stateDict();
    expect(Object.keys(state)).toEqual(["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]);
    expect(state.num_batches_tracked.item()).toBe(2);
    const other = new nn.BatchNorm1d(2);
    other.loadStateDict(state);
    expect(other.runningVar?.toArray()).toEqual(layer.runningVar?.toArray());
    layer.resetRunningStats();
    expect(layer.runningMean?.toArray()).toEqual([0, 0]);
    expect(layer.numBatchesTracked?.item()).toBe(0);
    expect(other.numBatchesTracked?.item()).toBe(2);
  });
});

describe("bad input is refused by name and numbers", () => {
  const x = ones(2, 3, 4, 4);
  const training = { training: true };
  const messages: [() => unknown, Error][] = [
    [
      () => new nn.BatchNorm2d(3)(ones(1, 3, 1, 1)),
      new ShapeError(
        "batchNorm: expected more than 1 value per channel when training, found an input of shape [1, 3, 1, 1]; use a larger batch (a DataLoader with dropLast: true leaves out a last batch of one), or eval()",
      ),
    ],
    [
      () => new nn.BatchNorm2d(5)(x),
      new ShapeError("BatchNorm2d: expected an input of 5 channels (dim 1), found 3 (shape [2, 3, 4, 4])"),
    ],
    [
      () => new nn.BatchNorm1d(3)(x),
      new ShapeError("BatchNorm1d: expected an input of 2 or 3 dims, found 4 (shape [2, 3, 4, 4])"),
    ],
    [
      () => new nn.BatchNorm2d(3)(ones(2, 3)),
      new ShapeError("BatchNorm2d: expected an input of 4 dims, found 2 (shape [2, 3])"),
    ],
    [
      () => F.batchNorm(x, null, null),
      new ArgumentError(
        "batchNorm: runningMean and runningVar are missing; evaluation needs them, or pass { training: true } to use the batch's own statistics",
      ),
    ],
    [
      () => F.batchNorm(x, zeros(3), null),
      new ArgumentError(
        "batchNorm: runningVar is missing; evaluation needs them, or pass { training: true } to use the batch's own statistics",
      ),
    ],
    [
      () => F.batchNorm(x, null, null, { weight: ones(4), ...training }),
      new ShapeError("batchNorm: weight has shape [4], expected [3], a value for each of x's 3 channels (dim 1)"),
    ],
    [
      () => F.batchNorm(x, zeros(2), ones(3)),
      new ShapeError("batchNorm: runningMean has shape [2], expected [3], a value for each of x's 3 channels (dim 1)"),
    ],
    [
      () => F.batchNorm(ones(3), null, null, training),
      new ShapeError("batchNorm: expected an input of shape [N, C, …], found [3]"),
    ],
    [
      () => F.batchNorm(x.int(), null, null, training),
      new DTypeError("batchNorm: expected float32, found int32; convert it with float()"),
    ],
    [
      () => F.batchNorm(x, zeros(3).int(), ones(3)),
      new DTypeError("batchNorm: expected float32, found int32; convert it with float()"),
    ],
    [
      () => new nn.BatchNorm2d(0),
      new ArgumentError("BatchNorm2d: numFeatures must be a whole number of channels, found 0"),
    ],
    [
      () => new nn.BatchNorm2d(3, { trackRunningStat: false } as any),
      new ArgumentError(
        "BatchNorm2d: unknown option trackRunningStat; expected one of: eps, momentum, affine, trackRunningStats",
      ),
    ],
  ];
  messages.push(
    [
      () => F.groupNorm(ones(2, 5, 3), 2),
      new ShapeError("groupNorm: 5 channels cannot be split into 2 groups of one size"),
    ],
    [
      () => new nn.GroupNorm(0, 4),
      new ArgumentError("GroupNorm: numGroups must be a whole number of at least 1, found 0"),
    ],
    [
      () => F.groupNorm(x, 3, { bias: ones(2) }),
      new ShapeError("groupNorm: bias has shape [2], expected [3], a value for each of x's 3 channels (dim 1)"),
    ],
    [() => F.groupNorm(ones(3), 3), new ShapeError("groupNorm: expected an input of shape [N, C, …], found [3]")],
    [
      () => F.groupNorm(ones(1, 3), 3),
      new ShapeError("groupNorm: expected more than 1 value per group, found an input of shape [1, 3] for 3 groups"),
    ],
    [
      () => F.instanceNorm(ones(2, 3, 1, 1)),
      new ShapeError(
        "instanceNorm: expected more than 1 value per channel of an image, found an input of shape [2, 3, 1, 1]",
      ),
    ],
    [
      () => F.instanceNorm(ones(2, 3)),
      new ShapeError("instanceNorm: expected an input of shape [N, C, …, L], found [2, 3]"),
    ],
    [
      () => F.instanceNorm(x, { useInputStats: false }),
      new ArgumentError(
        "instanceNorm: runningMean and runningVar are needed where useInputStats is false; give both, or leave it true",
      ),
    ],
    [
      () => new nn.InstanceNorm2d(5, { affine: true })(x),
      new ShapeError("InstanceNorm2d: expected an input of 5 channels (dim 1), found 3 (shape [2, 3, 4, 4])"),
    ],
    [
      () => new nn.InstanceNorm1d(3)(x),
      new ShapeError("InstanceNorm1d: expected an input of 2 or 3 dims, found 4 (shape [2, 3, 4, 4])"),
    ],
  );
  test.each(messages.map(([fn, error]) => [error.message, fn, error] as const))("%s", (_, fn, error) => {
    expect(fn).toThrow(error);
  });

  test("a refused batch leaves the running statistics as they were", () => {
    const layer = new nn.BatchNorm1d(3);
    expect(() => layer(ones(1, 3))).toThrow(ShapeError);
    expect(layer.numBatchesTracked?.item()).toBe(0);
    layer.eval();
    expect(layer(ones(1, 3)).shape).toEqual([1, 3]);
  });
});
