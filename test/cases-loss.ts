/** Rows of cases.ts: losses. */
import * as ref from "./reference.js";
import { constant, given, type OpCase, real, row, ULP } from "./support/case.js";
import { at, atBroadcast, build } from "./support/nd.js";
import { ops } from "./support/ops.js";

/** Losses are float32 functions (4 ulp) summed; terms of log-probabilities of size 8 cancel. */
const LOSS = { tolerance: { atol: 8 * ULP, rtol: 8 * ULP } } as const;
const PROBABILITIES = real([4, 3], 0.05, 0.95);
const TARGETS = constant(real([4, 3], 0.05, 0.95));
const LOGITS = real([4, 3], -4, 4);
const CLASSES = given([4], [2, 0, 1, 2], "int32");
const WEIGHT = constant(real([3], 0.5, 2));

export const lossCases = {
  mseLoss: [
    row([real([4, 3]), real([4, 3])], (x, t) => ops.mseLoss(x, t), ref.pairLoss(ref.squared)),
    row(
      [real([4, 3]), real([4, 3])],
      (x, t) => ops.mseLoss(x, t, { reduction: "sum" }),
      ref.pairLoss(ref.squared, "sum"),
    ),
    row(
      [real([4, 3]), real([4, 3])],
      (x, t) => ops.mseLoss(x, t, { reduction: "none" }),
      ref.pairLoss(ref.squared, "none"),
    ),
  ].map((c) => ({ ...c, ...LOSS })),
  l1Loss: [row([real([4, 3]), real([4, 3])], (x, t) => ops.l1Loss(x, t), ref.pairLoss(ref.absolute), LOSS)],
  smoothL1Loss: [
    row(
      [real([4, 3]), real([4, 3])],
      (x, t) => ops.smoothL1Loss(x, t, { beta: 0.5 }),
      ref.pairLoss(ref.smoothL1(0.5)),
      LOSS,
    ),
  ],
  huberLoss: [
    row(
      [real([4, 3]), real([4, 3])],
      (x, t) => ops.huberLoss(x, t, { delta: 1.5 }),
      ref.pairLoss(ref.huber(1.5)),
      LOSS,
    ),
  ],
  binaryCrossEntropy: [
    row([PROBABILITIES, TARGETS], (x, t) => ops.binaryCrossEntropy(x, t), ref.pairLoss(ref.binaryCrossEntropy), LOSS),
    row(
      [given([4], [0, 1, 0, 1]), constant(given([4], [1, 0, 0, 1]))],
      (x, t) => ops.binaryCrossEntropy(x, t, { reduction: "none" }),
      ref.pairLoss(ref.binaryCrossEntropy, "none"),
      { ...LOSS, gradients: false, note: "logarithms of 0" },
    ),
  ],
  binaryCrossEntropyWithLogits: [
    row(
      [LOGITS, real([4, 3], 0, 1)],
      (x, t) => ops.binaryCrossEntropyWithLogits(x, t),
      ref.pairLoss(ref.withLogits()),
      LOSS,
    ),
    row(
      [LOGITS, TARGETS, WEIGHT],
      (x, t, posWeight) => ops.binaryCrossEntropyWithLogits(x, t, { posWeight, reduction: "sum" }),
      (x, t, w) =>
        ref.reduceLoss(
          build(x.shape, (c) => ref.withLogits(atBroadcast(w, c))(at(x, c), at(t, c))),
          "sum",
        ),
      LOSS,
    ),
    row(
      [given([2], [200, -200]), constant(given([2], [0, 1]))],
      (x, t) => ops.binaryCrossEntropyWithLogits(x, t),
      ref.pairLoss(ref.withLogits()),
      LOSS,
    ),
  ],
  klDiv: [
    row(
      [LOGITS, real([4, 3], 0.05, 0.95)],
      (x, t) => ops.klDiv(x, t, { reduction: "sum" }),
      ref.pairLoss(ref.divergence, "sum"),
      LOSS,
    ),
    row([LOGITS, LOGITS], (x, t) => ops.klDiv(x, t, { logTarget: true }), ref.pairLoss(ref.divergenceOfLogs), LOSS),
  ],
  crossEntropy: [
    row([LOGITS, CLASSES], (x, t) => ops.crossEntropy(x, t), ref.crossEntropy, LOSS),
    row(
      [LOGITS, CLASSES, WEIGHT],
      (x, t, weight) => ops.crossEntropy(x, t, { weight, labelSmoothing: 0.1, ignoreIndex: 1 }),
      (x, t, weight) => ref.crossEntropy(x, t, { weight, labelSmoothing: 0.1, ignoreIndex: 1 }),
      LOSS,
    ),
    row(
      [LOGITS, real([4, 3], 0, 1), WEIGHT],
      (x, t, weight) => ops.crossEntropy(x, t, { weight, reduction: "sum" }),
      (x, t, weight) => ref.crossEntropy(x, t, { weight, reduction: "sum" }),
      LOSS,
    ),
    row(
      [real([2, 3, 2], -4, 4), given([2, 2], [0, 2, 1, 1], "int32")],
      (x, t) => ops.crossEntropy(x, t, { reduction: "none" }),
      (x, t) => ref.crossEntropy(x, t, { reduction: "none" }),
      LOSS,
    ),
    row([real([3], -4, 4), given([], [1], "int32")], (x, t) => ops.crossEntropy(x, t), ref.crossEntropy, LOSS),
  ],
  nllLoss: [
    row([LOGITS, CLASSES], (x, t) => ops.nllLoss(x, t), ref.nllLoss, LOSS),
    row(
      [LOGITS, CLASSES, WEIGHT],
      (x, t, weight) => ops.nllLoss(x, t, { weight, ignoreIndex: 0 }),
      (x, t, weight) => ref.nllLoss(x, t, { weight, ignoreIndex: 0 }),
      LOSS,
    ),
  ],
} satisfies Record<string, OpCase[]>;
