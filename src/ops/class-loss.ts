/** Losses of classifiers: cross entropy and negative log likelihood, fused into one kernel each way. */

import type { Trailing } from "../arguments.js";
import { ArgumentError, DTypeError, IndexError, ShapeError } from "../errors.js";
import { isGradEnabled } from "../grad-mode.js";
import { observers } from "../observe.js";
import { defineOp } from "../op.js";
import { formatShape, type Shape, sameShape } from "../shape.js";
import { type NestedArray, Tensor } from "../tensor.js";
import { k } from "../wasm/families/loss.generated.js";
import { I32 } from "../wasm/heap.js";
import { k as core } from "../wasm/load.js";
import { workspace } from "../workspace.js";
import { to } from "./convert.js";
import { checkFloat } from "./fold.js";
import { discard, tensorFromArrays } from "./indices.js";
import { checkReduction, formatPosition, lossOptions, type Reduction, type ReductionOption } from "./loss-common.js";

/** Class indices: a tensor (int32 or uint8), a typed array, a number, or (nested) arrays. */
export type ClassIndices = Tensor | Int32Array | Uint8Array | NestedArray;

export interface NLLLossOptions extends ReductionOption {
  /** A weight for each class, [C]. "mean" divides by the sum of the samples' weights. */
  weight?: Tensor | null;
  /** Samples of this class count nothing. Default −100. */
  ignoreIndex?: number;
}

export interface CrossEntropyOptions extends NLLLossOptions {
  /** From 0 (default) to 1: how much of the target is spread evenly over all classes. */
  labelSmoothing?: number;
}

/** An input read as [n, c, inner], and what is to be computed of it. */
interface Plan {
  n: number;
  c: number;
  inner: number;
  /** Of the result. */
  shape: Shape;
  reduction: Reduction;
  ignoreIndex: number;
  labelSmoothing: number;
  /** What the sum of the losses is divided by; forward finds out. */
  divisor: number;
}

type ClassInputs = [input: Tensor, target: Tensor, weight: Tensor | null];

/** Where the loss of each sample goes: into out, or on its way to their sum. Allocates: call it before reading pointers. */
const scratchFor = ({ n, inner, reduction }: Plan): number => (reduction === "none" ? 0 : workspace(4 * n * inner));

/** out = Σ losses / divisor, unless they are themselves the result. */
function reduceLosses(out: Tensor, losses: number, { n, inner, reduction, divisor }: Plan): void {
  if (reduction !== "none") core.mean(out.ptr, losses, 1, n * inner, 1, divisor);
}

const strideOf = ({ reduction }: Plan): number => (reduction === "none" ? 1 : 0);

const crossEntropyOfIndices = /* @__PURE__ */ defineOp<ClassInputs, [Plan]>({
  name: "crossEntropy",
  inputs: 3,
  raw: true,
  output: (_inputs, { shape }) => ({ shape, dtype: "float32" }),
  forward: (out, [x, target, weight], plan) => {
    const { n, c, inner } = plan;
    // The softmax for backward: e^(x − max), and behind it 1 / its sum for each sample.
    const saved =
      isGradEnabled() && x.requiresGrad ? Tensor.allocate([n * inner * (c + 1)], "float32", "crossEntropy") : null;
    const losses = scratchFor(plan) || out.ptr;
    const e = saved === null ? 0 : saved.ptr;
    const gain = saved === null ? 0 : e + 4 * n * c * inner;
    const total = k.cross_entropy(
      losses,
      e,
      gain,
      x.ptr,
      target.ptr,
      weight === null ? 0 : weight.ptr,
      n,
      c,
      inner,
      plan.ignoreIndex,
      plan.labelSmoothing,
    );
    plan.divisor = plan.reduction === "mean" ? total : 1;
    reduceLosses(out, losses, plan);
    return saved === null ? [] : [saved];
  },
  save: (_out, [, target, weight]) => [target, weight],
  backward: (dOut, [target, weight, softmax], [dX], plan) => {
    const { n, c, inner } = plan;
    const e = softmax.ptr;
    k.cross_entropy_backward(
      (dX as Tensor).ptr,
      dOut.ptr,
      strideOf(plan),
      e,
      e + 4 * n * c * inner,
      target.ptr,
      weight?.ptr ?? 0,
      n,
      c,
      inner,
      plan.ignoreIndex,
      plan.labelSmoothing,
      1 / plan.divisor,
    );
  },
});

const crossEntropyOfProbabilities = /* @__PURE__ */ defineOp<ClassInputs, [Plan]>({
  name: "crossEntropy",
  inputs: 3,
  output: (_inputs, { shape }) => ({ shape, dtype: "float32" }),
  forward: (out, [x, target, weight], plan) => {
    const { n, c, inner, labelSmoothing } = plan;
    const logp = Tensor.allocate(x.shape, "float32", "crossEntropy");
    const losses = scratchFor(plan) || out.ptr;
    core.log_softmax(logp.ptr, x.ptr, n, c, inner);
    k.cross_entropy_probs(losses, logp.ptr, target.ptr, weight?.ptr ?? 0, n, c, inner, labelSmoothing);
    plan.divisor = plan.reduction === "mean" ? n * inner : 1;
    reduceLosses(out, losses, plan);
    return [logp];
  },
  save: (_out, [, target, weight]) => [target, weight],
  backward: (dOut, [target, weight, logp], [dX, dTarget], plan) =>
    k.cross_entropy_probs_backward(
      dX?.ptr ?? 0,
      dTarget?.ptr ?? 0,
      dOut.ptr,
      strideOf(plan),
      logp.ptr,
      target.ptr,
      weight?.ptr ?? 0,
      plan.n,
      plan.c,
      plan.inner,
      plan.labelSmoothing,
      1 / plan.divisor,
    ),
});

const nllLossOfIndices = /* @__PURE__ */ defineOp<ClassInputs, [Plan]>({
  name: "nllLoss",
  inputs: 3,
  raw: true,
  output: (_inputs, { shape }) => ({ shape, dtype: "float32" }),
  forward: (out, [x, target, weight], plan) => {
    const losses = scratchFor(plan) || out.ptr;
    const { n, c, inner, ignoreIndex } = plan;
    const total = k.nll_loss(losses, x.ptr, target.ptr, weight?.ptr ?? 0, n, c, inner, ignoreIndex);
    plan.divisor = plan.reduction === "mean" ? total : 1;
    reduceLosses(out, losses, plan);
  },
  save: (_out, [, target, weight]) => [target, weight],
  backward: (dOut, [target, weight], [dX], plan) =>
    k.nll_loss_backward(
      (dX as Tensor).ptr,
      dOut.ptr,
      strideOf(plan),
      target.ptr,
      weight?.ptr ?? 0,
      plan.n,
      plan.c,
      plan.inner,
      plan.ignoreIndex,
      1 / plan.divisor,
    ),
});

/** The input's shape without the classes: what the class indices have. */
const samplesOf = ({ shape }: Tensor): Shape =>
  shape.length < 2 ? [] : shape.length === 2 ? [shape[0]] : shape.toSpliced(1, 1);

/** Checks what the losses have in common. @throws as crossEntropy does */
function planOf(where: string, input: Tensor, options: CrossEntropyOptions): Plan {
  checkFloat(input, `${where}: input`);
  const { shape } = input;
  if (shape.length === 0) {
    throw new ShapeError(`${where}: input is 0-d; expected scores of shape [N, C], [C] or [N, C, d1, …]`);
  }
  const { ignoreIndex = -100, labelSmoothing = 0, weight } = options;
  const reduction = checkReduction(options.reduction, where);
  if (!Number.isInteger(ignoreIndex)) {
    throw new ArgumentError(`${where}: ignoreIndex must be a whole number, found ${String(ignoreIndex)}`);
  }
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new ArgumentError(`${where}: labelSmoothing must lie between 0 and 1, found ${String(labelSmoothing)}`);
  }
  const batched = shape.length > 1;
  const c = batched ? shape[1] : shape[0];
  if (weight !== null && weight !== undefined) {
    checkFloat(weight, `${where}: weight`);
    if (weight.ndim !== 1 || weight.shape[0] !== c) {
      throw new ShapeError(
        `${where}: weight has shape ${formatShape(weight.shape)}, expected [${c}]: one for each of the ${c} classes`,
      );
    }
  }
  let inner = 1;
  for (let dim = 2; dim < shape.length; dim++) inner *= shape[dim];
  return {
    n: batched ? shape[0] : 1,
    c,
    inner,
    shape: reduction === "none" ? samplesOf(input) : [],
    reduction,
    ignoreIndex,
    labelSmoothing,
    divisor: 1,
  };
}

/** The class indices as contiguous int32: the tensor itself, or a new one that the tape is to own. */
function classIndices(where: string, target: ClassIndices): Tensor {
  if (!(target instanceof Tensor)) {
    const indices = tensorFromArrays(
      target instanceof Uint8Array ? Int32Array.from(target) : target,
      `${where}: target`,
    );
    if (indices.dtype === "int32") return indices;
    discard(indices);
    throw new DTypeError(`${where}: target must hold class indices, found booleans`);
  }
  if (target.dtype === "int32") return target.contiguousData();
  if (target.dtype === "uint8") return to(target.contiguousData(), "int32");
  throw new DTypeError(
    `${where}: target must hold class indices, int32 or uint8, found ${target.dtype}; convert it with int()`,
  );
}

/** Checks class indices against the input and runs op. */
function withClassIndices(
  where: string,
  op: typeof crossEntropyOfIndices,
  input: Tensor,
  target: ClassIndices,
  weight: Tensor | null | undefined,
  plan: Plan,
): Tensor {
  const indices = classIndices(where, target);
  const made = indices !== target;
  // A tensor made here goes with the tape that saves it, or at once.
  if (made) indices.block.owned = true;
  try {
    checkIndices(where, input, indices, plan);
    return op(input.contiguous(), indices, weight ? weight.detach().contiguousData() : null, plan);
  } finally {
    if (made && indices.block.pins === 0) discard(indices);
  }
}

function checkIndices(where: string, { shape }: Tensor, indices: Tensor, { n, c, inner, ignoreIndex }: Plan): void {
  const found = indices.shape;
  let fits = found.length === Math.max(shape.length - 1, 0) && (shape.length === 1 || found[0] === shape[0]);
  for (let dim = 2; fits && dim < shape.length; dim++) fits = found[dim - 1] === shape[dim];
  if (!fits) throw wrongTargetShape(where, shape, found);
  const bad = k.check_targets(indices.ptr, n * inner, c, ignoreIndex);
  if (bad >= 0) {
    const value = I32[(indices.ptr >>> 2) + bad];
    const error = new IndexError(
      `${where}: target ${value} at ${found.length === 0 ? "its only element" : formatPosition(bad, found)} is out of range: ` +
        `the input has ${c} classes, 0 to ${c - 1} (ignoreIndex is ${ignoreIndex})`,
    );
    for (const observer of observers) observer.refused(error);
    throw error;
  }
}

function wrongTargetShape(where: string, input: Shape, found: Shape): ShapeError {
  const expected = input.length === 1 ? [] : input.toSpliced(1, 1);
  const hint = sameShape(found, input)
    ? "; one-hot targets: use argmax(1), or float() for class probabilities"
    : found.length === input.length && found[1] === 1
      ? "; did you mean squeeze(1)?"
      : "";
  return new ShapeError(
    `${where}: input of shape ${formatShape(input)} wants class indices of shape ${formatShape(expected)}, ` +
      `found target of shape ${formatShape(found)}${hint}`,
  );
}

const NLL_OPTIONS = ["weight", "ignoreIndex", "reduction"] as const;
const CROSS_ENTROPY_OPTIONS = ["weight", "ignoreIndex", "reduction", "labelSmoothing"] as const;

/**
 * Cross entropy of unnormalised scores: logSoftmax and nllLoss in one. Shape: input [N, C], [C] or [N, C, d1, …]; target
 * class indices of that shape without C (a tensor or plain arrays), or class probabilities of the input's shape
 * (float32) → [], or for reduction "none" the indices' shape. "mean" of no samples is NaN.
 *
 * @throws IndexError for a class that there is none of; ShapeError, DTypeError or ArgumentError for what does not fit
 */
export function crossEntropy(
  input: Tensor,
  target: ClassIndices,
  ...args: Trailing<CrossEntropyOptions, typeof CROSS_ENTROPY_OPTIONS>
): Tensor {
  const options = lossOptions<CrossEntropyOptions>("crossEntropy", args, CROSS_ENTROPY_OPTIONS);
  const plan = planOf("crossEntropy", input, options);
  if (!(target instanceof Tensor) || target.dtype !== "float32") {
    return withClassIndices("crossEntropy", crossEntropyOfIndices, input, target, options.weight, plan);
  }
  if (!sameShape(target.shape, input.shape)) {
    throw new ShapeError(
      `crossEntropy: a float32 target holds class probabilities and must have the input's shape ${formatShape(input.shape)}, ` +
        `found ${formatShape(target.shape)}; convert class indices with int()`,
    );
  }
  if (plan.ignoreIndex >= 0) {
    throw new ArgumentError(
      `crossEntropy: ignoreIndex (${plan.ignoreIndex}) is for class indices, but target holds probabilities (float32)`,
    );
  }
  return crossEntropyOfProbabilities(input, target, options.weight?.detach() ?? null, plan);
}

/**
 * Negative log likelihood of log-probabilities, as `logSoftmax` gives them. Shape: input [N, C], [C] or [N, C, d1, …];
 * target class indices of that shape without C (a tensor or plain arrays) → [], or for reduction "none" the target's shape.
 *
 * @throws IndexError for a class that there is none of; ShapeError, DTypeError or ArgumentError for what does not fit
 */
export function nllLoss(
  input: Tensor,
  target: ClassIndices,
  ...args: Trailing<NLLLossOptions, typeof NLL_OPTIONS>
): Tensor {
  const options = lossOptions<NLLLossOptions>("nllLoss", args, NLL_OPTIONS);
  const plan = planOf("nllLoss", input, options);
  return withClassIndices("nllLoss", nllLossOfIndices, input, target, options.weight, plan);
}
