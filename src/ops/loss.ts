/**
 * Losses that compare a prediction with a target element by element; each is one kernel forward, which sums as well, and
 * one backward. Those of classifiers are in class-loss.ts.
 */

import type { Trailing } from "../arguments.js";
import { ArgumentError, ShapeError } from "../errors.js";
import { observers } from "../observe.js";
import { defineOp } from "../op.js";
import { broadcastShapes, formatShape, sameShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { k } from "../wasm/families/loss.generated.js";
import { F32 } from "../wasm/heap.js";
import { k as core } from "../wasm/load.js";
import { checkTensor } from "./factory.js";
import { checkReduction, formatPosition, lossOptions, type Reduction, type ReductionOption } from "./loss-common.js";
import { expand } from "./view.js";

export {
  type ClassIndices,
  type CrossEntropyOptions,
  crossEntropy,
  type NLLLossOptions,
  nllLoss,
} from "./class-loss.js";
export type { Reduction } from "./loss-common.js";

/** Addresses of an op's inputs (0: absent), how many elements they have, and its parameter (beta, delta, log target). */
interface Operands {
  x: number;
  t: number;
  weight: number;
  posWeight: number;
  parameter: number;
  n: number;
}

/** The kernels of a loss. The gradient goes through `dOut`, one float (stride 0) or one an element (1), times scale. */
interface LossKernels {
  /** A loss for each element. */
  each(out: number, operands: Operands): void;
  /** Their sum over divisor. */
  sum(out: number, operands: Operands, divisor: number): void;
  toInput(dX: number, dOut: number, stride: number, operands: Operands, scale: number): void;
  toTarget(dT: number, dOut: number, stride: number, operands: Operands, scale: number): void;
  /** Refuses values of input or target. */
  check?(x: Tensor, t: Tensor): void;
}

type LossInputs = [input: Tensor, target: Tensor, weight: Tensor | null, posWeight: Tensor | null];
/** `divisor` is that of the sum; 0 asks for a loss for each element. */
type LossOp = (...args: [...LossInputs, each: boolean, divisor: number, parameter: number]) => Tensor;

function defineLoss(name: string, kernels: LossKernels): LossOp {
  const operandsOf = ([x, t, weight, posWeight]: readonly (Tensor | null)[], parameter: number): Operands => ({
    x: (x as Tensor).ptr,
    t: (t as Tensor).ptr,
    weight: weight?.ptr ?? 0,
    posWeight: posWeight?.ptr ?? 0,
    parameter,
    n: (x as Tensor).numel(),
  });
  return defineOp<LossInputs, [each: boolean, divisor: number, parameter: number]>({
    name,
    inputs: 4,
    output: ([x, t], each) => {
      kernels.check?.(x, t);
      return { shape: each ? x.shape : [], dtype: "float32" };
    },
    forward: (out, inputs, each, divisor, parameter) => {
      const operands = operandsOf(inputs, parameter);
      if (each) kernels.each(out.ptr, operands);
      else kernels.sum(out.ptr, operands, divisor);
    },
    save: (_out, inputs) => inputs,
    backward: (dOut, saved, [dX, dT], each, divisor, parameter) => {
      const operands = operandsOf(saved, parameter);
      const stride = each ? 1 : 0;
      if (dX) kernels.toInput(dX.ptr, dOut.ptr, stride, operands, 1 / divisor);
      if (dT) kernels.toTarget(dT.ptr, dOut.ptr, stride, operands, 1 / divisor);
    },
  });
}

/** A loss of the difference input − target: the target's gradient is the input's, negated. */
const ofDifference = (kernels: Omit<LossKernels, "toTarget">): LossKernels => ({
  ...kernels,
  toTarget: (dT, dOut, stride, operands, scale) => kernels.toInput(dT, dOut, stride, operands, -scale),
});

/** Runs a loss with its reduction. */
function reduceWith(
  op: LossOp,
  input: Tensor,
  target: Tensor,
  reduction: Reduction | "batchmean",
  parameter = 0,
  weight: Tensor | null = null,
  posWeight: Tensor | null = null,
): Tensor {
  const divisor = reduction === "mean" ? input.numel() : reduction === "batchmean" ? (input.shape[0] ?? 1) : 1;
  return op(input, target, weight, posWeight, reduction === "none", divisor, parameter);
}

/** Shapes that have been warned about. */
const warned = new Set<string>();

/**
 * Input and target in their common shape.
 *
 * @throws ShapeError when there is none
 */
function broadcastPair(where: string, input: Tensor, target: Tensor, warn = true): [Tensor, Tensor] {
  checkTensor(input, `${where}: input`);
  checkTensor(target, `${where}: target`);
  if (sameShape(input.shape, target.shape)) return [input, target];
  const shape = broadcastShapes(input.shape, target.shape, where);
  for (const observer of observers) observer.unequal(input, target);
  const shapes = `${formatShape(target.shape)} and the input's ${formatShape(input.shape)}`;
  if (warn && !warned.has(`${where} ${shapes}`)) {
    warned.add(`${where} ${shapes}`);
    console.warn(
      `${where}: the target's shape ${shapes} differ and are broadcast to ${formatShape(shape)}, which is rarely meant; ` +
        "give both the same shape, with squeeze(), unsqueeze() or reshape()",
    );
  }
  return [expand(input, shape), expand(target, shape)];
}

const mseLossOf = /* @__PURE__ */ defineLoss(
  "mseLoss",
  /* @__PURE__ */ ofDifference({
    each: (out, { x, t, n }) => core.mse_loss(out, x, t, n),
    sum: (out, { x, t, n }, divisor) => core.mse_loss_sum(out, x, t, n, divisor),
    toInput: (dX, dOut, stride, { x, t, n }, scale) => core.mse_loss_backward(dX, dOut, stride, x, t, scale, n),
  }),
);

/**
 * Mean squared error, (input − target)². Shape: input and target alike → [], or for reduction "none" their shape. Shapes
 * that differ but can be broadcast are, with a warning.
 *
 * @throws ShapeError when the shapes cannot be broadcast together; ArgumentError for an unknown reduction
 */
export function mseLoss(input: Tensor, target: Tensor, ...args: Trailing<ReductionOption, ["reduction"]>): Tensor {
  const options = lossOptions<ReductionOption>("mseLoss", args, ["reduction"]);
  const reduction = checkReduction(options.reduction, "mseLoss");
  return reduceWith(mseLossOf, ...broadcastPair("mseLoss", input, target), reduction);
}

const l1LossOf = /* @__PURE__ */ defineLoss(
  "l1Loss",
  /* @__PURE__ */ ofDifference({
    each: (out, { x, t, n }) => k.l1_loss(out, x, t, n),
    sum: (out, { x, t, n }, divisor) => k.l1_loss_sum(out, x, t, n, divisor),
    toInput: (dX, dOut, stride, { x, t, n }, scale) => k.l1_loss_backward(dX, dOut, stride, x, t, scale, n),
  }),
);

/**
 * Mean absolute error, |input − target|, with gradient 0 where they agree. Shapes as `mseLoss`.
 *
 * @throws ShapeError when the shapes cannot be broadcast together; ArgumentError for an unknown reduction
 */
export function l1Loss(input: Tensor, target: Tensor, ...args: Trailing<ReductionOption, ["reduction"]>): Tensor {
  const options = lossOptions<ReductionOption>("l1Loss", args, ["reduction"]);
  const reduction = checkReduction(options.reduction, "l1Loss");
  return reduceWith(l1LossOf, ...broadcastPair("l1Loss", input, target), reduction);
}

const smoothL1LossOf = /* @__PURE__ */ defineLoss(
  "smoothL1Loss",
  /* @__PURE__ */ ofDifference({
    each: (out, { x, t, parameter, n }) => k.smooth_l1_loss(out, x, t, parameter, n),
    sum: (out, { x, t, parameter, n }, divisor) => k.smooth_l1_loss_sum(out, x, t, parameter, n, divisor),
    toInput: (dX, dOut, stride, { x, t, parameter, n }, scale) =>
      k.smooth_l1_loss_backward(dX, dOut, stride, x, t, parameter, scale, n),
  }),
);

export interface SmoothL1LossOptions extends ReductionOption {
  /** Where the parabola ends (default 1); 0 makes it l1Loss. */
  beta?: number;
}

/**
 * ½d²/beta where |d| < beta, else |d| − ½beta, of d = input − target. Shapes as `mseLoss`.
 *
 * @throws ShapeError when the shapes cannot be broadcast together; ArgumentError when beta is negative
 */
export function smoothL1Loss(
  input: Tensor,
  target: Tensor,
  ...args: Trailing<SmoothL1LossOptions, ["reduction", "beta"]>
): Tensor {
  const options = lossOptions<SmoothL1LossOptions>("smoothL1Loss", args, ["reduction", "beta"]);
  const { beta = 1 } = options;
  if (!(beta >= 0)) throw new ArgumentError(`smoothL1Loss: beta must not be negative, found ${String(beta)}`);
  const reduction = checkReduction(options.reduction, "smoothL1Loss");
  const pair = broadcastPair("smoothL1Loss", input, target);
  return beta === 0 ? reduceWith(l1LossOf, ...pair, reduction) : reduceWith(smoothL1LossOf, ...pair, reduction, beta);
}

const huberLossOf = /* @__PURE__ */ defineLoss(
  "huberLoss",
  /* @__PURE__ */ ofDifference({
    each: (out, { x, t, parameter, n }) => k.huber_loss(out, x, t, parameter, n),
    sum: (out, { x, t, parameter, n }, divisor) => k.huber_loss_sum(out, x, t, parameter, n, divisor),
    toInput: (dX, dOut, stride, { x, t, parameter, n }, scale) =>
      k.huber_loss_backward(dX, dOut, stride, x, t, parameter, scale, n),
  }),
);

export interface HuberLossOptions extends ReductionOption {
  /** Where the parabola ends (default 1). */
  delta?: number;
}

/**
 * ½d² where |d| ≤ delta, else delta·(|d| − ½delta), of d = input − target. Shapes as `mseLoss`.
 *
 * @throws ShapeError when the shapes cannot be broadcast together; ArgumentError unless delta > 0
 */
export function huberLoss(
  input: Tensor,
  target: Tensor,
  ...args: Trailing<HuberLossOptions, ["reduction", "delta"]>
): Tensor {
  const options = lossOptions<HuberLossOptions>("huberLoss", args, ["reduction", "delta"]);
  const { delta = 1 } = options;
  if (!(delta > 0)) throw new ArgumentError(`huberLoss: delta must be greater than 0, found ${String(delta)}`);
  const reduction = checkReduction(options.reduction, "huberLoss");
  return reduceWith(huberLossOf, ...broadcastPair("huberLoss", input, target), reduction, delta);
}

/** @throws ArgumentError unless all elements lie in [0, 1]. */
function checkProbabilities(which: "input" | "target", t: Tensor): void {
  const bad = k.check_unit_interval(t.ptr, t.numel());
  if (bad < 0) return;
  throw new ArgumentError(
    `binaryCrossEntropy: ${which} must hold probabilities between 0 and 1, found ${F32[(t.ptr >>> 2) + bad]} at ` +
      formatPosition(bad, t.shape) +
      (which === "input" ? "; for unnormalised scores use binaryCrossEntropyWithLogits" : ""),
  );
}

const binaryCrossEntropyOf = /* @__PURE__ */ defineLoss("binaryCrossEntropy", {
  each: (out, { x, t, weight, n }) => k.binary_cross_entropy(out, x, t, weight, n),
  sum: (out, { x, t, weight, n }, divisor) => k.binary_cross_entropy_sum(out, x, t, weight, n, divisor),
  toInput: (dX, dOut, stride, { x, t, weight, n }, scale) =>
    k.binary_cross_entropy_backward(dX, dOut, stride, x, t, weight, scale, n),
  toTarget: (dT, dOut, stride, { x, weight, n }, scale) =>
    k.binary_cross_entropy_target_backward(dT, dOut, stride, x, weight, scale, n),
  check: (x, t) => {
    checkProbabilities("input", x);
    checkProbabilities("target", t);
  },
});

/** @throws ShapeError unless input and target have one shape: a broadcast would count elements twice. */
function checkSameShape(where: string, input: Tensor, target: Tensor): void {
  checkTensor(input, `${where}: input`);
  checkTensor(target, `${where}: target`);
  if (sameShape(input.shape, target.shape)) return;
  throw new ShapeError(
    `${where}: target has shape ${formatShape(target.shape)}, the input ${formatShape(input.shape)}: they must be equal ` +
      "(use squeeze(), unsqueeze() or reshape())",
  );
}

/** A weight in the input's shape. @throws ShapeError when it cannot be broadcast to it. */
function expandWeight(where: string, name: string, weight: Tensor | null | undefined, input: Tensor): Tensor | null {
  if (weight === null || weight === undefined) return null;
  checkTensor(weight, `${where}: ${name}`);
  if (sameShape(weight.shape, input.shape)) return weight.detach();
  if (!sameShape(broadcastShapes(weight.shape, input.shape, `${where}: ${name}`), input.shape)) {
    throw new ShapeError(
      `${where}: ${name} of shape ${formatShape(weight.shape)} cannot be expanded to the input's ${formatShape(input.shape)}`,
    );
  }
  return expand(weight.detach(), input.shape);
}

export interface BinaryCrossEntropyOptions extends ReductionOption {
  /** Of each element, in a shape that broadcasts to the input's. */
  weight?: Tensor | null;
}

/**
 * −w·(t·log x + (1 − t)·log(1 − x)) of probabilities x; the logarithms are cut at −100. Shape: input and target alike →
 * [], or for reduction "none" their shape.
 *
 * @throws ArgumentError unless input and target lie in [0, 1]; ShapeError when the shapes differ
 */
export function binaryCrossEntropy(
  input: Tensor,
  target: Tensor,
  ...args: Trailing<BinaryCrossEntropyOptions, ["weight", "reduction"]>
): Tensor {
  const where = "binaryCrossEntropy";
  const options = lossOptions<BinaryCrossEntropyOptions>(where, args, ["weight", "reduction"]);
  const reduction = checkReduction(options.reduction, where);
  checkSameShape(where, input, target);
  const weight = expandWeight(where, "weight", options.weight, input);
  return reduceWith(binaryCrossEntropyOf, input, target, reduction, 0, weight);
}

const binaryCrossEntropyWithLogitsOf = /* @__PURE__ */ defineLoss("binaryCrossEntropyWithLogits", {
  each: (out, { x, t, weight, posWeight, n }) => k.binary_cross_entropy_with_logits(out, x, t, weight, posWeight, n),
  sum: (out, { x, t, weight, posWeight, n }, divisor) =>
    k.binary_cross_entropy_with_logits_sum(out, x, t, weight, posWeight, n, divisor),
  toInput: (dX, dOut, stride, { x, t, weight, posWeight, n }, scale) =>
    k.binary_cross_entropy_with_logits_backward(dX, dOut, stride, x, t, weight, posWeight, scale, n),
  toTarget: (dT, dOut, stride, { x, weight, posWeight, n }, scale) =>
    k.binary_cross_entropy_with_logits_target_backward(dT, dOut, stride, x, weight, posWeight, scale, n),
});

export interface BinaryCrossEntropyWithLogitsOptions extends BinaryCrossEntropyOptions {
  /** Of the positive examples, in a shape that broadcasts to the input's: [C] for C independent classes. */
  posWeight?: Tensor | null;
}

/**
 * binaryCrossEntropy(sigmoid(input), target), without overflow. Shape: input and target alike → [], or for reduction
 * "none" their shape.
 *
 * @throws ShapeError when the shapes differ, or a weight cannot be broadcast to them
 */
export function binaryCrossEntropyWithLogits(
  input: Tensor,
  target: Tensor,
  ...args: Trailing<BinaryCrossEntropyWithLogitsOptions, ["weight", "reduction", "posWeight"]>
): Tensor {
  const where = "binaryCrossEntropyWithLogits";
  const options = lossOptions<BinaryCrossEntropyWithLogitsOptions>(where, args, ["weight", "reduction", "posWeight"]);
  const reduction = checkReduction(options.reduction, where);
  checkSameShape(where, input, target);
  const weight = expandWeight(where, "weight", options.weight, input);
  const posWeight = expandWeight(where, "posWeight", options.posWeight, input);
  return reduceWith(binaryCrossEntropyWithLogitsOf, input, target, reduction, 0, weight, posWeight);
}

const klDivOf = /* @__PURE__ */ defineLoss("klDiv", {
  each: (out, { x, t, parameter, n }) => k.kl_div(out, x, t, parameter, n),
  sum: (out, { x, t, parameter, n }, divisor) => k.kl_div_sum(out, x, t, parameter, n, divisor),
  toInput: (dX, dOut, stride, { t, parameter, n }, scale) =>
    k.kl_div_backward(dX, dOut, stride, t, parameter, scale, n),
  toTarget: (dT, dOut, stride, { x, t, parameter, n }, scale) =>
    k.kl_div_target_backward(dT, dOut, stride, x, t, parameter, scale, n),
});

export interface KLDivOptions {
  /** As of the other losses (default "mean"), or "batchmean": the sum over the batch's size, which is the divergence. */
  reduction?: Reduction | "batchmean";
  /** Whether the target holds log-probabilities too. */
  logTarget?: boolean;
}

/**
 * Kullback-Leibler divergence: target·(log target − input), of log-probabilities in input and probabilities (or, with
 * logTarget, their logarithms) in target. Shape: input and target broadcast together → [], or that shape for "none".
 *
 * @throws ShapeError when the shapes cannot be broadcast together; ArgumentError for an unknown reduction
 */
export function klDiv(
  input: Tensor,
  target: Tensor,
  ...args: Trailing<KLDivOptions, ["reduction", "logTarget"]>
): Tensor {
  const options = lossOptions<KLDivOptions>("klDiv", args, ["reduction", "logTarget"]);
  const reduction = checkReduction(options.reduction, "klDiv", "batchmean");
  const pair = broadcastPair("klDiv", input, target, false);
  return reduceWith(klDivOf, ...pair, reduction, options.logTarget ? 1 : 0);
}
