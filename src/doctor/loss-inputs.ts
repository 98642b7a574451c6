/** What a loss is given: scores that are probabilities already, classes and how often each comes, targets out of range or of another shape. */
import type { Block } from "../storage.js";
import { Tensor } from "../tensor.js";
import type { History } from "./history.js";
import { isReadable, statsOf, viewOf } from "./probe.js";

/** Targets of one step that are counted; the first of a larger batch stand for all. */
const MOST_TARGETS = 4096;
/** Numbers of targets after which their variance is known. */
const MOST_NUMBERS = 2 ** 20;
/** Rows in which scores are compared with probabilities. */
const ROWS = 16;

/** Reads the inputs of an op of the loss, which has just run. */
export function readLoss(
  op: string,
  out: Tensor,
  [scores, targets, ...weights]: readonly (Tensor | null | undefined)[],
  history: History,
  probabilities: WeakSet<Block>,
  due: boolean,
): void {
  if (!(scores instanceof Tensor) || !(targets instanceof Tensor)) return;
  if (due && out.ndim === 2 && out.shape[0] === out.shape[1]) lookForBroadcast(scores, targets, history);
  if (weights.some((weight) => weight instanceof Tensor)) history.weighted = true;
  if (op === "crossEntropy" || op === "nllLoss") {
    if (targets.dtype === "int32") countClasses(targets, scores, history);
    const known = probabilities.has(scores.block);
    if (known || (due && rowsAreProbabilities(scores))) {
      note(history, "softmax", { loss: op, found: known ? "the result of softmax or sigmoid" : "rows that sum to 1" });
    }
  } else if (op === "mseLoss") {
    if (due && isReadable(targets) && !targets.requiresGrad && history.targets.size < MOST_NUMBERS)
      countNumbers(targets, history);
  } else if (op === "binaryCrossEntropyWithLogits" || op === "binaryCrossEntropy") {
    if (isReadable(targets)) readBinary(targets, history);
    if (op === "binaryCrossEntropyWithLogits" && probabilities.has(scores.block)) {
      note(history, "softmax", { loss: op, found: "the result of softmax or sigmoid" });
    }
  }
}

/**
 * Outputs [n, 1] and targets [n] make [n, n]: each output is compared with every target. Of outputs among themselves, as in a loss of
 * ranks, it is meant.
 */
export function lookForBroadcast(a: Tensor, b: Tensor, history: History): void {
  if (a.ndim + b.ndim !== 3 || a.requiresGrad === b.requiresGrad) return;
  const [column, row] = a.ndim === 2 ? [a, b] : [b, a];
  const n = row.shape[0];
  if (row.ndim !== 1 || n < 2 || column.shape[0] !== n || column.shape[1] !== 1) return;
  const [outputs, targets] = a.requiresGrad ? [a, b] : [b, a];
  note(history, "broadcast", { outputs: `[${outputs.shape}]`, targets: `[${targets.shape}]`, together: `[${n},${n}]` });
}

function note(
  history: History,
  kind: "softmax" | "labels" | "broadcast",
  evidence: Record<string, number | string>,
): void {
  history.addIncident(kind, { step: history.step + 1, layer: null, evidence });
}

function countClasses(targets: Tensor, scores: Tensor, history: History): void {
  if (!targets.isContiguous()) return;
  const count = scores.ndim > 1 ? scores.shape[1] : scores.shape[0];
  const { classes } = history;
  while (classes.length < count) classes.push(0);
  const values = viewOf(targets);
  const n = Math.min(values.length, MOST_TARGETS);
  for (let i = 0; i < n; i++) if (values[i] >= 0 && values[i] < count) classes[values[i]]++;
}

function countNumbers(targets: Tensor, { targets: known }: History): void {
  const { size, mean, meanSquare } = statsOf(targets);
  known.size += size;
  known.sum += mean * size;
  known.squares += meanSquare * size;
}

/** Non-negative rows of [N, C] that sum to 1; C ≥ 2. */
function rowsAreProbabilities(scores: Tensor): boolean {
  if (!isReadable(scores) || scores.ndim !== 2 || scores.shape[1] < 2) return false;
  const [n, c] = scores.shape;
  const values = viewOf(scores);
  for (let row = 0; row < Math.min(n, ROWS); row++) {
    let sum = 0;
    for (let i = row * c; i < (row + 1) * c; i++) {
      if (!(values[i] >= 0)) return false;
      sum += values[i];
    }
    if (!(Math.abs(sum - 1) < 1e-3)) return false;
  }
  return true;
}

function readBinary(targets: Tensor, history: History): void {
  const values = viewOf(targets);
  const n = Math.min(values.length, MOST_TARGETS);
  const counts = [0, 0];
  let outside = 0;
  let soft = false;
  let example = 0;
  for (let i = 0; i < n; i++) {
    const value = values[i];
    if (value === 0 || value === 1) counts[value]++;
    else if (value > 0 && value < 1) soft = true;
    else {
      outside++;
      example = value;
    }
  }
  if (outside > 0) {
    note(history, "labels", { outside, of: n, example, allowed: "0 to 1" });
    return;
  }
  // Grey values and soft labels are no classes, those of them that are 0 or 1 neither.
  if (soft) return;
  const { classes } = history;
  while (classes.length < 2) classes.push(0);
  counts.forEach((count, i) => {
    classes[i] += count;
  });
}
