/** Losses: gradients against differences of float64 formulas, PyTorch's numbers at the edges, errors, modules. */
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  ArgumentError,
  DTypeError,
  F,
  IndexError,
  memory,
  nn,
  noGrad,
  ShapeError,
  scope,
  type Tensor,
  tensor,
  zeros,
} from "../src/index.js";
import { expectClose } from "./support/compare.js";

type Values = ArrayLike<number>;
const CLOSE = { atol: 1e-6, rtol: 1e-5 };
const SLOPE = { atol: 2e-4, rtol: 2e-4 };
const noise = (n: number, seed = 1) => Float32Array.from({ length: n }, (_, i) => Math.sin(i * 12.9898 + seed) * 2);
const unit = (n: number, seed = 1) => noise(n, seed).map((v) => 0.5 + 0.24 * v);
const total = (v: Values) => Array.from(v).reduce((a, b) => a + b, 0);

/** Central differences of the Σ of f's outputs times weights, with respect to every element of x. */
function slopes(f: (x: Float64Array) => number[], x: Values, weights: Values): number[] {
  const h = 1e-6;
  const at = (i: number, step: number) => {
    const moved = Float64Array.from(x as number[]);
    moved[i] += step;
    return total(f(moved).map((v, j) => v * weights[j]));
  };
  return Array.from({ length: x.length }, (_, i) => (at(i, h) - at(i, -h)) / (2 * h));
}

const reduced = (losses: number[], reduction: string, divisor = losses.length): number[] =>
  reduction === "none" ? losses : [total(losses) / (reduction === "sum" ? 1 : divisor)];

const REDUCTIONS = ["none", "mean", "sum"] as const;

describe("elementwise losses", () => {
  const clampLog = (v: number) => Math.max(Math.log(v), -100);
  const weight = [0.5, 1, 2, 3];
  const posWeight = [3, 1, 0.5, 2];
  const softplus = (z: number) => Math.log1p(Math.exp(z));
  type Loss = (x: Tensor, t: Tensor, options: { reduction: "none" | "mean" | "sum" }) => Tensor;
  const LOSSES: Record<string, [Loss, (x: number, t: number, i: number) => number, inputs?: "unit"]> = {
    mseLoss: [F.mseLoss, (x, t) => (x - t) ** 2],
    l1Loss: [F.l1Loss, (x, t) => Math.abs(x - t)],
    smoothL1Loss: [
      (x, t, o) => F.smoothL1Loss(x, t, { ...o, beta: 0.7 }),
      (x, t) => (Math.abs(x - t) < 0.7 ? (x - t) ** 2 / 1.4 : Math.abs(x - t) - 0.35),
    ],
    "smoothL1Loss, beta 0": [(x, t, o) => F.smoothL1Loss(x, t, { ...o, beta: 0 }), (x, t) => Math.abs(x - t)],
    huberLoss: [
      (x, t, o) => F.huberLoss(x, t, { ...o, delta: 0.7 }),
      (x, t) => (Math.abs(x - t) < 0.7 ? (x - t) ** 2 / 2 : 0.7 * (Math.abs(x - t) - 0.35)),
    ],
    binaryCrossEntropy: [
      (x, t, o) => F.binaryCrossEntropy(x, t, { ...o, weight: tensor(weight) }),
      (x, t, i) => -weight[i % 4] * (t * clampLog(x) + (1 - t) * clampLog(1 - x)),
      "unit",
    ],
    binaryCrossEntropyWithLogits: [
      (x, t, o) =>
        F.binaryCrossEntropyWithLogits(x, t, { ...o, weight: tensor(weight), posWeight: tensor([posWeight]) }),
      (x, t, i) => weight[i % 4] * ((1 - t) * x + (1 + (posWeight[i % 4] - 1) * t) * softplus(-x)),
    ],
    klDiv: [F.klDiv, (x, t) => t * (Math.log(t) - x), "unit"],
    "klDiv, logTarget": [(x, t, o) => F.klDiv(x, t, { ...o, logTarget: true }), (x, t) => Math.exp(t) * (t - x)],
  };

  describe.each(Object.entries(LOSSES))("%s", (_name, [loss, formula, inputs]) => {
    test.each(REDUCTIONS)("reduction %s, with both gradients", (reduction) => {
      const draw = inputs === "unit" ? unit : noise;
      const [xs, ts] = [draw(12, 1), draw(12, 2)];
      const x = tensor(xs, { shape: [3, 4], requiresGrad: true });
      const t = tensor(ts, { shape: [3, 4], requiresGrad: true });
      const reference = (a: Values, b: Values) =>
        reduced(
          Array.from(a, (v, i) => formula(v, b[i], i)),
          reduction,
        );
      const out = loss(x, t, { reduction });
      expect(out.shape).toEqual(reduction === "none" ? [3, 4] : []);
      expectClose(out.toTypedArray(), reference(xs, ts), CLOSE, "loss");
      const weights = noise(out.numel(), 3).map((v) => v + 2.5);
      out.backward(tensor(weights, { shape: [...out.shape] }));
      const toX = slopes((v) => reference(v, ts), xs, weights);
      const toT = slopes((v) => reference(xs, v), ts, weights);
      expectClose((x.grad as Tensor).toTypedArray(), toX, SLOPE, "gradient of the input");
      expectClose((t.grad as Tensor).toTypedArray(), toT, SLOPE, "gradient of the target");
    });
  });

  test("of strided inputs, of integers as targets, of nothing", () => {
    const x = tensor(noise(6), { shape: [2, 3] });
    const t = tensor(noise(6, 2), { shape: [3, 2] }).transpose(0, 1);
    expectClose([F.mseLoss(x, t).item()], [F.mseLoss(x, t.clone()).item()], CLOSE, "strided");
    expect(F.mseLoss(tensor([1, 2]), tensor(new Int32Array([3, 2]))).item()).toBe(2);
    expect(F.mseLoss(tensor([]), tensor([])).item()).toBeNaN();
    expect(F.mseLoss(tensor([]), tensor([]), { reduction: "sum" }).item()).toBe(0);
  });

  test("klDiv: batchmean divides by the batch's size, 0·log 0 is 0", () => {
    const x = tensor([
      [-1, -2],
      [-3, -0.5],
    ]);
    const t = tensor([
      [0.25, 0.75],
      [0, 1],
    ]);
    const sum = F.klDiv(x, t, { reduction: "sum" }).item();
    expect(F.klDiv(x, t, { reduction: "batchmean" }).item()).toBeCloseTo(sum / 2, 6);
    expect(F.klDiv(tensor(1), tensor(0.5), { reduction: "batchmean" }).item()).toBeCloseTo(-0.8465736, 6);
  });

  test("binaryCrossEntropy cuts logarithms at −100, and refuses what is no probability", () => {
    expect(F.binaryCrossEntropy(tensor([0, 1]), tensor([1, 0]), { reduction: "none" }).toArray()).toEqual([100, 100]);
    expect(() =>
      F.binaryCrossEntropy(
        tensor([
          [0.5, 0.1],
          [0.2, 1.5],
        ]),
        tensor([
          [1, 0],
          [0, 1],
        ]),
      ),
    ).toThrow(
      new ArgumentError(
        "binaryCrossEntropy: input must hold probabilities between 0 and 1, found 1.5 at [1, 1]; " +
          "for unnormalised scores use binaryCrossEntropyWithLogits",
      ),
    );
    expect(() => F.binaryCrossEntropy(tensor([0.5]), tensor([-1]))).toThrow("target must hold probabilities");
    expect(() => F.binaryCrossEntropy(tensor([Number.NaN]), tensor([1]))).toThrow(ArgumentError);
  });

  test("binaryCrossEntropyWithLogits does not overflow", () => {
    const x = tensor([1000, -1000, 1000], { requiresGrad: true });
    const loss = F.binaryCrossEntropyWithLogits(x, tensor([1, 0, 0]), { reduction: "none" });
    expect(loss.toArray()).toEqual([0, 0, 1000]);
    loss.sum().backward();
    expect(x.grad?.toArray()).toEqual([0, 0, 1]);
  });
});

describe("shapes that differ", () => {
  afterEach(() => vi.restoreAllMocks());

  test("mse broadcasts, and warns once with both shapes", () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const x = tensor([[1], [2], [3]], { requiresGrad: true });
    const t = tensor([1, 2, 3], { requiresGrad: true });
    const loss = F.mseLoss(x, t);
    expect(loss.item()).toBeCloseTo(12 / 9, 6);
    F.mseLoss(x, t);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0][0]).toContain("mseLoss: the target's shape [3] and the input's [3, 1] differ");
    loss.backward();
    expectClose((x.grad as Tensor).toTypedArray(), [-6 / 9, 0, 6 / 9], CLOSE, "gradient of the input");
    expectClose((t.grad as Tensor).toTypedArray(), [-6 / 9, 0, 6 / 9], CLOSE, "gradient of the target");
  });

  test("what cannot be broadcast, and what must not be", () => {
    expect(() => F.mseLoss(zeros(2, 3), zeros(2, 4))).toThrow(ShapeError);
    expect(() => F.binaryCrossEntropyWithLogits(zeros(3, 1), zeros(3))).toThrow(
      "binaryCrossEntropyWithLogits: target has shape [3], the input [3, 1]: they must be equal",
    );
    expect(() => F.binaryCrossEntropy(zeros(3), zeros(3), { weight: zeros(2, 3) })).toThrow(ShapeError);
    expect(() => F.binaryCrossEntropyWithLogits(zeros(3), zeros(3), { posWeight: zeros(4) })).toThrow(ShapeError);
  });
});

describe("losses of classifiers", () => {
  const LAYOUTS: [shape: number[], n: number, c: number, inner: number][] = [
    [[5], 1, 5, 1],
    [[3, 4], 3, 4, 1],
    [[2, 5, 3], 2, 5, 3],
    [[2, 3, 2, 3], 2, 3, 6],
    [[6, 13], 6, 13, 1],
  ];
  const WEIGHTS = Float32Array.from({ length: 13 }, (_, i) => 0.5 + (i % 4));
  const sampleShape = (shape: number[]) => shape.filter((_, d) => d !== (shape.length === 1 ? 0 : 1));
  const classesOf = (x: Values, [n, c, inner]: number[]) =>
    Array.from({ length: n * inner }, (_, s) => {
      const first = Math.floor(s / inner) * c * inner + (s % inner);
      return Array.from({ length: c }, (_, j) => x[first + j * inner]);
    });
  const logSoftmax = (v: number[]) => {
    const m = Math.max(...v);
    const l = m + Math.log(total(v.map((a) => Math.exp(a - m))));
    return v.map((a) => a - l);
  };

  interface Options {
    weight: boolean;
    ignoreIndex?: number;
    labelSmoothing: number;
  }
  const OPTIONS: Options[] = [
    { weight: false, labelSmoothing: 0 },
    { weight: true, labelSmoothing: 0, ignoreIndex: 1 },
    { weight: false, labelSmoothing: 0.2 },
    { weight: true, labelSmoothing: 0.2, ignoreIndex: 0 },
  ];

  /** −Σ_k w_k·q_k·logp_k a sample, and what "mean" divides by. */
  function indexLoss(rows: number[][], targets: number[], { weight, labelSmoothing: s, ignoreIndex }: Options) {
    const w = (k: number) => (weight ? WEIGHTS[k] : 1);
    const losses = rows.map((logp, i) => {
      if (targets[i] === ignoreIndex) return 0;
      const spread = total(logp.map((v, k) => -w(k) * v)) / logp.length;
      return -(1 - s) * w(targets[i]) * logp[targets[i]] + s * spread;
    });
    return { losses, divisor: total(targets.map((t) => (t === ignoreIndex ? 0 : w(t)))) };
  }

  describe.each(LAYOUTS)("scores of shape %j", (shape, n, c, inner) => {
    const xs = noise(n * c * inner);
    const targets = Array.from({ length: n * inner }, (_, i) => (i * 7 + 2) % c);
    const split = (x: Values) => classesOf(x, [n, c, inner]);

    test.each(OPTIONS)("class indices, %j", ({ weight, ...rest }) => {
      for (const reduction of REDUCTIONS) {
        const x = tensor(xs, { shape, requiresGrad: true });
        const t = tensor(Int32Array.from(targets), { shape: sampleShape(shape) });
        const w = weight ? tensor(WEIGHTS.slice(0, c)) : null;
        const out = F.crossEntropy(x, t, { weight: w, reduction, ...rest });
        const reference = (v: Values) => {
          const { losses, divisor } = indexLoss(split(v).map(logSoftmax), targets, { weight, ...rest });
          return reduced(losses, reduction, divisor);
        };
        expect(out.shape).toEqual(reduction === "none" ? sampleShape(shape) : []);
        expectClose(out.toTypedArray(), reference(xs), CLOSE, reduction);
        const weights = noise(out.numel(), 5).map((v) => v + 2.5);
        out.backward(tensor(weights, { shape: [...out.shape] }));
        expectClose((x.grad as Tensor).toTypedArray(), slopes(reference, xs, weights), SLOPE, `gradient, ${reduction}`);
      }
    });

    test("nllLoss of log-probabilities is the same", () => {
      for (const reduction of REDUCTIONS) {
        const x = tensor(xs, { shape, requiresGrad: true });
        const t = tensor(Int32Array.from(targets), { shape: sampleShape(shape) });
        const options = { weight: tensor(WEIGHTS.slice(0, c)), ignoreIndex: 2, reduction };
        const logp = F.logSoftmax(x, shape.length === 1 ? 0 : 1);
        const out = F.nllLoss(logp, t, options);
        out.sum().backward();
        const y = tensor(xs, { shape, requiresGrad: true });
        const fused = F.crossEntropy(y, t, options);
        fused.sum().backward();
        expectClose(out.toTypedArray(), fused.toTypedArray(), CLOSE, reduction);
        expectClose((x.grad as Tensor).toTypedArray(), (y.grad as Tensor).toTypedArray(), CLOSE, "gradient");
      }
    });

    test("class probabilities, with gradients of both", () => {
      const ps = unit(xs.length, 4);
      const s = 0.1;
      for (const reduction of REDUCTIONS) {
        const x = tensor(xs, { shape, requiresGrad: true });
        const p = tensor(ps, { shape, requiresGrad: true });
        const weight = tensor(WEIGHTS.slice(0, c));
        const out = F.crossEntropy(x, p, { weight, reduction, labelSmoothing: s });
        const reference = (v: Values, q: Values) => {
          const probabilities = split(q);
          const losses = split(v)
            .map(logSoftmax)
            .map((logp, i) => -total(logp.map((l, k) => WEIGHTS[k] * ((1 - s) * probabilities[i][k] + s / c) * l)));
          return reduced(losses, reduction);
        };
        expectClose(out.toTypedArray(), reference(xs, ps), CLOSE, reduction);
        const weights = noise(out.numel(), 5).map((v) => v + 2.5);
        out.backward(tensor(weights, { shape: [...out.shape] }));
        const toX = slopes((v) => reference(v, ps), xs, weights);
        const toP = slopes((v) => reference(xs, v), ps, weights);
        expectClose((x.grad as Tensor).toTypedArray(), toX, SLOPE, "gradient of the scores");
        expectClose((p.grad as Tensor).toTypedArray(), toP, SLOPE, "gradient of the probabilities");
      }
    });
  });

  const scores = () =>
    tensor(
      [
        [1, 2, 0.5],
        [0.1, -1, 3],
      ],
      { requiresGrad: true },
    );

  test("targets as tensors, typed arrays and plain arrays", () => {
    const expected = F.crossEntropy(scores(), tensor(new Int32Array([1, 2]))).item();
    const strided = tensor(new Int32Array([1, 0, 2, 0]), { shape: [2, 2] }).select(1, 0);
    const forms = [[1, 2], new Int32Array([1, 2]), new Uint8Array([1, 2]), tensor(new Uint8Array([1, 2])), strided];
    for (const target of forms) {
      const x = scores();
      const loss = F.crossEntropy(x, target);
      expect(loss.item()).toBe(expected);
      loss.backward();
      expect(x.grad?.toArray()[0][1]).toBeCloseTo(-0.1857, 3);
    }
    expect(F.crossEntropy(tensor([1, 2, 0.5]), 1).shape).toEqual([]);
    expect(F.nllLoss(zeros(1, 3, 2), [[0, 2]], { reduction: "none" }).shape).toEqual([1, 2]);
  });

  test("as PyTorch: ignored samples, no samples, confident scores", () => {
    const x = scores();
    F.crossEntropy(x, [1, -100]).backward();
    expectClose(
      (x.grad as Tensor).toTypedArray(),
      [0.2312, -0.3715, 0.1402, 0, 0, 0],
      { atol: 1e-4, rtol: 0 },
      "torch",
    );
    x.grad = null as Tensor | null;
    const nothing = F.crossEntropy(x, [-100, -100]);
    expect(nothing.item()).toBeNaN();
    nothing.backward();
    expect(x.grad?.toArray()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    const none = new Int32Array(0);
    expect(F.crossEntropy(zeros(0, 3), none).item()).toBeNaN();
    expect(F.crossEntropy(zeros(0, 3), none, { reduction: "sum" }).item()).toBe(0);
    expect(F.crossEntropy(tensor([[1000, -1000]]), [1]).item()).toBe(2000);
    expect(F.crossEntropy(tensor([[20, 0]]), [0]).item()).toBeCloseTo(2.0611537e-9, 15);
  });

  test("class weights get no gradient", () => {
    const weight = tensor([1, 2, 3], { requiresGrad: true });
    F.crossEntropy(scores(), [1, 2], { weight }).backward();
    F.crossEntropy(
      scores(),
      tensor([
        [0, 1, 0],
        [0.5, 0, 0.5],
      ]),
      { weight },
    ).backward();
    expect(weight.grad).toBeNull();
    expect(F.crossEntropy(tensor([[1, 2, 3]]), [1], { weight }).requiresGrad).toBe(false);
  });

  test("a class there is none of: named before anything is computed", () => {
    const x = scores();
    expect(() => F.crossEntropy(x, [1, 3])).toThrow(
      new IndexError(
        "crossEntropy: target 3 at [1] is out of range: the input has 3 classes, 0 to 2 (ignoreIndex is -100)",
      ),
    );
    expect(() => F.nllLoss(zeros(1, 3, 2), [[0, -1]])).toThrow("nllLoss: target -1 at [0, 1] is out of range");
    expect(() => F.crossEntropy(tensor([1, 2]), 2)).toThrow(IndexError);
    expect(x.grad).toBeNull();
  });

  test("targets that do not fit", () => {
    const x = zeros(2, 3);
    expect(() => F.crossEntropy(x, [[1], [2]])).toThrow("found target of shape [2, 1]; did you mean squeeze(1)?");
    expect(() =>
      F.crossEntropy(x, [
        [0, 1, 0],
        [1, 0, 0],
      ]),
    ).toThrow("one-hot targets: use argmax(1), or float()");
    expect(() => F.crossEntropy(x, [0, 1, 2])).toThrow(ShapeError);
    expect(() => F.crossEntropy(x, tensor([0, 1]))).toThrow("convert class indices with int()");
    expect(() => F.nllLoss(x, zeros(2, 3))).toThrow(DTypeError);
    expect(() => F.crossEntropy(x, [0.5, 1])).toThrow(DTypeError);
    expect(() => F.crossEntropy(x, [true, false])).toThrow(DTypeError);
    expect(() => F.crossEntropy(x.int(), [0, 1])).toThrow(DTypeError);
    expect(() => F.crossEntropy(tensor(1), 0)).toThrow(ShapeError);
    expect(() => F.crossEntropy(x, x, { ignoreIndex: 1 })).toThrow(ArgumentError);
    expect(() => F.crossEntropy(x, [0, 1], { weight: zeros(2) })).toThrow(ShapeError);
    expect(() => F.crossEntropy(x, [0, 1], { labelSmoothing: 1.5 })).toThrow(ArgumentError);
  });
});

describe("arguments", () => {
  test("reductions and options have names", () => {
    const [x, t] = [zeros(3), zeros(3)];
    expect(() => F.mseLoss(x, t, { reduction: "avg" as never })).toThrow(
      new ArgumentError('mseLoss: reduction must be one of "none", "mean", "sum", found "avg"'),
    );
    expect(() => F.mseLoss(x, t, { reduction: "batchmean" as never })).toThrow(ArgumentError);
    expect(() => F.l1Loss(x, t, { reductoin: "sum" } as never)).toThrow("l1Loss: unknown option reductoin");
    expect(() => F.huberLoss(x, t, { delta: 0 })).toThrow(ArgumentError);
    expect(() => F.smoothL1Loss(x, t, { beta: -1 })).toThrow(ArgumentError);
    expect(() => F.mseLoss(x, [0, 0, 0] as never)).toThrow(TypeError);
  });

  test("by position, in PyTorch's order", () => {
    const x = tensor([[1, 2, 0.5]]);
    const w = tensor([1, 2, 3]);
    const named = F.crossEntropy(x, [1], { weight: w, reduction: "sum" }).item();
    expect(F.crossEntropy(x, [1], w, -100, "sum").item()).toBe(named);
    expect(F.crossEntropy(x, [1], w, { reduction: "sum" }).item()).toBe(named);
    expect(F.mseLoss(tensor([1, 3]), zeros(2), "sum").item()).toBe(10);
    expect(F.huberLoss(tensor([3]), zeros(1), "mean", 2).item()).toBe(4);
  });
});

describe("modules", () => {
  test("compute what the functions do", () => {
    const [x, t] = [tensor([0.2, 0.7]), tensor([1, 0])];
    expect(new nn.MSELoss()(x, t).item()).toBe(F.mseLoss(x, t).item());
    expect(new nn.L1Loss({ reduction: "sum" })(x, t).item()).toBe(F.l1Loss(x, t, { reduction: "sum" }).item());
    expect(new nn.SmoothL1Loss({ beta: 2 })(x, t).item()).toBe(F.smoothL1Loss(x, t, { beta: 2 }).item());
    expect(new nn.HuberLoss("sum", 0.3)(x, t).item()).toBe(F.huberLoss(x, t, "sum", 0.3).item());
    expect(new nn.BCELoss()(x, t).item()).toBe(F.binaryCrossEntropy(x, t).item());
    expect(new nn.KLDivLoss({ reduction: "batchmean", logTarget: true })(x, t).item()).toBe(
      F.klDiv(x, t, { reduction: "batchmean", logTarget: true }).item(),
    );
    const posWeight = tensor([2, 3]);
    expect(new nn.BCEWithLogitsLoss({ posWeight })(x, t).item()).toBe(
      F.binaryCrossEntropyWithLogits(x, t, { posWeight }).item(),
    );
    const scores = tensor([[1, 2, 0.5]]);
    const weight = tensor([1, 2, 3]);
    const options = { labelSmoothing: 0.1, ignoreIndex: 2, reduction: "sum" as const };
    expect(new nn.CrossEntropyLoss(weight, options)(scores, [1]).item()).toBe(
      F.crossEntropy(scores, [1], weight, options).item(),
    );
    expect(new nn.NLLLoss({ weight })(scores, [1]).item()).toBe(F.nllLoss(scores, [1], { weight }).item());
  });

  test("weights are buffers under PyTorch's keys; wrong reductions are refused at once", () => {
    const loss = new nn.BCEWithLogitsLoss({ weight: tensor([1]), posWeight: tensor([2]) });
    expect(Object.keys(loss.stateDict())).toEqual(["weight", "pos_weight"]);
    expect(loss.posWeight?.toArray()).toEqual([2]);
    expect(new nn.CrossEntropyLoss().buffers()).toEqual([]);
    expect(String(new nn.CrossEntropyLoss())).toBe("CrossEntropyLoss()");
    expect(() => new nn.MSELoss({ reduction: "average" as never })).toThrow(ArgumentError);
  });
});

test("losses leave nothing behind but their results", () => {
  const x = tensor(noise(12), { shape: [3, 4], requiresGrad: true });
  const t = tensor(unit(12), { shape: [3, 4] });
  const run = () =>
    scope(() => {
      F.crossEntropy(x, [0, 1, 2]).backward();
      F.crossEntropy(x, new Uint8Array([0, 1, 2]), { reduction: "none" })
        .sum()
        .backward();
      F.crossEntropy(x, t).backward();
      F.nllLoss(F.logSoftmax(x, 1), [0, 1, 2]).backward();
      F.binaryCrossEntropyWithLogits(x, t, { posWeight: tensor([1, 2, 3, 4]) }).backward();
      F.mseLoss(x, t).backward();
      noGrad(() => F.crossEntropy(x, [0, 1, 2]));
      expect(() => F.crossEntropy(x, [0, 1, 9])).toThrow(IndexError);
    });
  // What earlier tests left is released in the course of some passes.
  for (let i = 0; i < 20; i++) run();
  const before = memory().liveTensors;
  run();
  expect(memory().liveTensors).toBe(before);
  // Without a tape to own them, class indices made of a plain array are gone at once.
  noGrad(() => F.crossEntropy(x, [0, 1, 2]).dispose());
  expect(memory().liveTensors).toBe(before);
});
