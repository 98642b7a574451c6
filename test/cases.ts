/** One row (or a few) for each op: with what it is called, what it must give, and how exactly. */
import type { Tensor } from "../src/index.js";
import { activationCases } from "./cases-activation.js";
import { convCases } from "./cases-conv.js";
import { elementwiseCases } from "./cases-elementwise.js";
import { indexingCases } from "./cases-indexing.js";
import { lossCases } from "./cases-loss.js";
import { normCases } from "./cases-norm.js";
import { poolCases } from "./cases-pool.js";
import { reduceCases } from "./cases-reduce.js";
import { shapeCases } from "./cases-shape.js";
import * as ref from "./reference.js";
import { inner, type OpCase, real, row, SUMMED, ULP } from "./support/case.js";
import { at, build, nd } from "./support/nd.js";
import { type OpName, ops } from "./support/ops.js";

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

export const cases: { [N in OpName]: OpCase[] } = {
  ...elementwiseCases,
  ...activationCases,
  ...reduceCases,
  ...shapeCases,
  ...indexingCases,
  ...convCases,
  ...poolCases,
  ...normCases,
  ...lossCases,

  // Products of matrices.
  matmul: [
    row([real([5, 7]), real([7, 9])], ops.matmul, ref.matmul),
    row([real([7]), real([7])], ops.matmul, ref.matmul),
    row([real([5, 7]), real([7])], ops.matmul, ref.matmul),
    row([real([7]), real([7, 4])], ops.matmul, ref.matmul),
    row([real([2, 1, 3, 4]), real([3, 4, 2])], ops.matmul, ref.matmul),
    row([real([2, 3, 4]), real([4, 5])], ops.matmul, ref.matmul),
    row([real([3, 4]), real([2, 4, 5])], ops.matmul, ref.matmul),
    row([real([3, 0]), real([0, 2])], ops.matmul, ref.matmul, { note: "no inner elements" }),
    row([real([0, 3]), real([3, 2])], ops.matmul, ref.matmul, { note: "no rows" }),
  ].map((c) => ({ ...c, tolerance: inner(7, 4), gradients: inner(40, 2), strided: true })),
  mm: [
    row([real([3, 4]), real([4, 2])], ops.mm, ref.matmul, {
      tolerance: inner(4, 4),
      gradients: inner(4, 4),
      strided: true,
    }),
  ],
  bmm: [
    row([real([2, 3, 4]), real([2, 4, 2])], ops.bmm, ref.matmul, {
      tolerance: inner(4, 4),
      gradients: inner(4, 4),
      strided: true,
    }),
  ],
  dot: [row([real([6]), real([6])], ops.dot, ref.matmul, { tolerance: inner(6, 4), strided: true })],
  outer: [row([real([3]), real([4])], ops.outer, (a, b) => build([3, 4], ([i, j]) => a.data[i] * b.data[j]))],
  trace: [
    row([real([3, 4])], ops.trace, (x) => nd([], [at(x, [0, 0]) + at(x, [1, 1]) + at(x, [2, 2])]), {
      tolerance: SUMMED,
    }),
  ],
  linear: [
    row([real([5, 7]), real([3, 7]), real([3])], ops.linear, ref.linear),
    row([real([7]), real([3, 7])], (x, w) => ops.linear(x, w), ref.linear),
    row([real([2, 2, 7]), real([3, 7]), real([3])], ops.linear, ref.linear),
  ].map((c) => ({ ...c, tolerance: inner(8, 4), gradients: inner(8, 4) })),

  // Normalising.
  layerNorm: [
    row(
      [real([4, 6]), real([6]), real([6])],
      (x, weight, bias) => ops.layerNorm(x, 6, { weight, bias }),
      (x, w, b) => ref.layerNorm(x, 1, 1e-5, w, b),
    ),
    row(
      [real([2, 3, 4])],
      (x) => ops.layerNorm(x, [3, 4], { eps: 0.1 }),
      (x) => ref.layerNorm(x, 2, 0.1),
      { lines: false },
    ),
    // Differences from the mean, their root mean square, a scale and a shift: a dozen roundings of numbers below 8.
  ].map((c) => ({
    ...c,
    tolerance: { atol: 16 * ULP, rtol: 12 * ULP },
    gradients: { atol: 64 * ULP, rtol: 40 * ULP },
  })),
};

/** Gradients where the slope jumps or is infinite, as PyTorch has them; the upstream gradient is 1. */
export const kinks: { op: OpName; call: (...inputs: Tensor[]) => Tensor; inputs: number[][]; grads: number[][] }[] = [
  { op: "relu", call: ops.relu, inputs: [[0, -0, -1, 1, nan]], grads: [[0, 0, 0, 1, 1]] },
  { op: "leakyRelu", call: (x) => ops.leakyRelu(x, 0.5), inputs: [[0, -0]], grads: [[0.5, 0.5]] },
  { op: "elu", call: (x) => ops.elu(x, 2), inputs: [[0]], grads: [[2]] },
  { op: "hardtanh", call: (x) => ops.hardtanh(x), inputs: [[-1, 1]], grads: [[0, 0]] },
  { op: "clamp", call: (x) => ops.clamp(x, -1, 1), inputs: [[-1, 1, -2, 2, nan]], grads: [[1, 1, 0, 0, 0]] },
  { op: "abs", call: ops.abs, inputs: [[0, -0]], grads: [[0, 0]] },
  { op: "sign", call: ops.sign, inputs: [[0]], grads: [[0]] },
  { op: "sqrt", call: ops.sqrt, inputs: [[0, 4]], grads: [[infinity, 0.25]] },
  { op: "round", call: ops.round, inputs: [[0.5]], grads: [[0]] },
  {
    op: "maximum",
    call: ops.maximum,
    inputs: [
      [1, 2, 3],
      [1, 3, 2],
    ],
    grads: [
      [0.5, 0, 1],
      [0.5, 1, 0],
    ],
  },
  {
    op: "minimum",
    call: ops.minimum,
    inputs: [
      [1, 2, 3],
      [1, 3, 2],
    ],
    grads: [
      [0.5, 1, 0],
      [0.5, 0, 1],
    ],
  },
  { op: "pow", call: (x) => ops.pow(x, 0), inputs: [[0, 2]], grads: [[0, 0]] },
  { op: "amax", call: (x) => ops.amax(x), inputs: [[3, 1, 3]], grads: [[0.5, 0, 0.5]] },
  { op: "max", call: (x) => ops.max(x, 0).values, inputs: [[3, 1, 3]], grads: [[1, 0, 0]] },
  { op: "min", call: (x) => ops.min(x, 0).values, inputs: [[1, 1, 3]], grads: [[1, 0, 0]] },
  { op: "prod", call: (x) => ops.prod(x), inputs: [[0, 2, 3]], grads: [[6, 0, 0]] },
  { op: "norm", call: (x) => ops.norm(x), inputs: [[0, 0]], grads: [[0, 0]] },
  { op: "std", call: (x) => ops.std(x), inputs: [[2, 2]], grads: [[0, 0]] },
  { op: "softplus", call: (x) => ops.softplus(x, 1, 20), inputs: [[21]], grads: [[1]] },
  { op: "topk", call: (x) => ops.topk(x, 1).values, inputs: [[3, 1, 3]], grads: [[1, 0, 0]] },
  {
    op: "l1Loss",
    call: (x, t) => ops.l1Loss(x, t, "sum"),
    inputs: [
      [1, 2],
      [1, 1],
    ],
    grads: [
      [0, 1],
      [0, -1],
    ],
  },
  {
    op: "smoothL1Loss",
    call: (x, t) => ops.smoothL1Loss(x, t, "sum"),
    inputs: [
      [1, 0],
      [0, 0],
    ],
    grads: [
      [1, 0],
      [-1, 0],
    ],
  },
  {
    op: "huberLoss",
    call: (x, t) => ops.huberLoss(x, t, "sum"),
    inputs: [
      [1, 0],
      [0, 0],
    ],
    grads: [
      [1, 0],
      [-1, 0],
    ],
  },
];
