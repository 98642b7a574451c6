/** Metrics for `fit`, and for loops of one's own: functions of outputs and targets that give a mean over the batch. */
import { show } from "../arguments.js";
import { ArgumentError, ShapeError } from "../errors.js";
import { noGrad } from "../grad-mode.js";
import { eq, ge, sub } from "../ops/binary.js";
import { argmax, mean, sum } from "../ops/reduce.js";
import { topk } from "../ops/sort.js";
import { abs } from "../ops/unary.js";
import { unsqueeze } from "../ops/view.js";
import { scope } from "../scope.js";
import { formatShape, sameShape } from "../shape.js";
import type { Tensor } from "../tensor.js";

/**
 * The part of samples whose class is right. Shapes: outputs [N, C, …] (scores, or probabilities), targets [N, …] of class
 * numbers → a number from 0 to 1; NaN for no samples.
 *
 * @throws ShapeError for other shapes
 */
export function accuracy(outputs: Tensor, targets: Tensor): number {
  checkClasses("accuracy", outputs, targets);
  return count(() => eq(argmax(outputs, 1), targets)) / targets.numel();
}

/**
 * A metric: the part of samples whose class is among the k with the highest scores. Shapes: outputs [N, C], targets [N].
 *
 * @throws ArgumentError unless k is a whole number ≥ 1; the metric throws ShapeError for other shapes, or k > C
 */
export function topKAccuracy(k: number): (outputs: Tensor, targets: Tensor) => number {
  if (!Number.isInteger(k) || k < 1) {
    throw new ArgumentError(`topKAccuracy: k must be a whole number ≥ 1, found ${show(k)}`);
  }
  return (outputs, targets) => {
    checkClasses("topKAccuracy", outputs, targets);
    return count(() => eq(topk(outputs, k, 1).indices, unsqueeze(targets, 1))) / targets.numel();
  };
}

/**
 * The part of yes-or-no answers that are right: outputs are logits, as BCEWithLogitsLoss takes them, and mean yes from 0 on.
 * For probabilities say threshold 0.5. Shapes: outputs and targets (*) of 0 and 1 → a number.
 *
 * @throws ShapeError for different shapes
 */
export function binaryAccuracy(outputs: Tensor, targets: Tensor, threshold = 0): number {
  checkAlike("binaryAccuracy", outputs, targets);
  return count(() => eq(ge(outputs, threshold).float(), targets.float())) / targets.numel();
}

/** The mean of |outputs − targets|. Shapes: (*), (*) → a number. @throws ShapeError for different shapes */
export function meanAbsoluteError(outputs: Tensor, targets: Tensor): number {
  checkAlike("meanAbsoluteError", outputs, targets);
  return scope(() => noGrad(() => mean(abs(sub(outputs, targets))).item()));
}

/** How many elements are true: a whole number, so that parts are exact. What it takes gives its memory back at once. */
const count = (right: () => Tensor): number => scope(() => noGrad(() => sum(right()).item()));

function checkClasses(where: string, outputs: Tensor, targets: Tensor): void {
  const expected = [outputs.shape[0], ...outputs.shape.slice(2)];
  if (outputs.ndim >= 2 && sameShape(expected, targets.shape)) return;
  throw new ShapeError(
    `${where}: outputs must be [N, C, …] and targets [N, …] of class numbers, found ${formatShape(outputs.shape)} and ${formatShape(targets.shape)}`,
  );
}

function checkAlike(where: string, outputs: Tensor, targets: Tensor): void {
  if (sameShape(outputs.shape, targets.shape)) return;
  throw new ShapeError(
    `${where}: outputs ${formatShape(outputs.shape)} and targets ${formatShape(targets.shape)} must have one shape`,
  );
}
