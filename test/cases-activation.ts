/** Rows of cases.ts: activations, dropout and softmax. */
import * as ref from "./reference.js";
import {
  edges,
  FUNCTION,
  given,
  INTEGERS,
  type OpCase,
  real,
  row,
  SOFTMAX,
  SPECIAL,
  ULP,
  ulps,
  unary,
  whole,
} from "./support/case.js";
import { map } from "./support/nd.js";
import { ops } from "./support/ops.js";

export const activationCases = {
  // Activations: one or two functions of 4 ulp; where a factor like 1 + erf cancels, 4 ulp of 1 times x.
  relu: [unary(ops.relu, ref.relu), row([whole([7])], ops.relu, (x) => map(x, ref.relu), INTEGERS)],
  leakyRelu: [
    unary((x) => ops.leakyRelu(x), ref.leakyRelu(0.01), { tolerance: ulps(1) }),
    unary((x) => ops.leakyRelu(x, { negativeSlope: 0.25 }), ref.leakyRelu(0.25)),
  ],
  elu: [
    unary((x) => ops.elu(x), ref.elu(1), { tolerance: FUNCTION }),
    unary((x) => ops.elu(x, { alpha: 0.5 }), ref.elu(0.5), { tolerance: FUNCTION }),
  ],
  gelu: [
    unary((x) => ops.gelu(x), ref.gelu, { tolerance: { atol: 8 * ULP, rtol: 8 * ULP } }),
    unary((x) => ops.gelu(x, { approximate: "tanh" }), ref.geluTanh, { tolerance: { atol: 8 * ULP, rtol: 8 * ULP } }),
  ],
  silu: [unary(ops.silu, ref.silu, { tolerance: ulps(8) })],
  softplus: [
    unary((x) => ops.softplus(x), ref.softplus(1, 20), { tolerance: ulps(8) }),
    unary((x) => ops.softplus(x, { beta: 2, threshold: 3 }), ref.softplus(2, 3), { tolerance: ulps(8) }),
  ],
  hardtanh: [
    unary(
      (x) => ops.hardtanh(x),
      (v) => ref.clamp(v, -1, 1),
    ),
    unary(
      (x) => ops.hardtanh(x, { minVal: -0.5, maxVal: 2 }),
      (v) => ref.clamp(v, -0.5, 2),
    ),
  ],
  // As in PyTorch x·6 overflows for the largest x.
  hardswish: [
    unary(ops.hardswish, ref.hardswish, {
      tolerance: ulps(4),
      low: -5,
      high: 5,
      special: SPECIAL.filter((v) => Math.abs(v) !== 3.4e38),
    }),
  ],
  dropout: [
    row(
      [real([4, 5])],
      (x) => ops.dropout(x, 0.5, { training: false }),
      (x) => x,
      { note: "evaluating" },
    ),
    row(
      [real([4, 5])],
      (x) => ops.dropout(x, 1),
      (x) => map(x, () => 0),
      { note: "p = 1" },
    ),
    row(
      [real([4, 5])],
      (x) => ops.dropout(x, 0),
      (x) => x,
      { note: "p = 0" },
    ),
  ],
  softmax: [
    row(
      [real([3, 5], -4, 4)],
      (x) => ops.softmax(x, 1),
      (x) => ref.softmax(x, 1),
      SOFTMAX,
    ),
    row(
      [real([3, 4, 2], -4, 4)],
      (x) => ops.softmax(x, 1),
      (x) => ref.softmax(x, 1),
      { ...SOFTMAX, lines: false },
    ),
    edges(
      (x) => ops.softmax(x, -1),
      (x) => ref.softmax(x, 1),
      SOFTMAX,
    ),
  ],
  logSoftmax: [
    row(
      [real([3, 5], -4, 4)],
      (x) => ops.logSoftmax(x, 1),
      (x) => ref.logSoftmax(x, 1),
      SOFTMAX,
    ),
    row(
      [real([3, 4, 2], -4, 4)],
      (x) => ops.logSoftmax(x, 0),
      (x) => ref.logSoftmax(x, 0),
      { ...SOFTMAX, lines: false },
    ),
    row(
      [given([2], [1000, -1000])],
      (x) => ops.logSoftmax(x, 0),
      (x) => ref.logSoftmax(x, 0),
      { gradients: false },
    ),
  ],
  softmin: [
    row(
      [real([3, 5], -4, 4)],
      (x) => ops.softmin(x, 1),
      (x) =>
        ref.softmax(
          map(x, (v) => -v),
          1,
        ),
      SOFTMAX,
    ),
  ],
} satisfies Record<string, OpCase[]>;
