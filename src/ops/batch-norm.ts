/**
 * Batch normalisation, and the same with the residual addition and the relu that usually follow it in one pass
 * (`batchNormRelu`): one implementation, so that the bits are the same fused or apart.
 */
import { inPlaces, type Named, optionsOf, type Trailing } from "../arguments.js";
import { defer, shouldWait, take } from "../defer.js";
import { ArgumentError, ShapeError } from "../errors.js";
import { defineOp } from "../op.js";
import { formatShape, numelOf, sameShape } from "../shape.js";
import { Tensor } from "../tensor.js";
import { k } from "../wasm/families/batch-norm.generated.js";
import { F32, U8 } from "../wasm/heap.js";
import { workspace } from "../workspace.js";
import { ones, zeros } from "./create.js";
import { checkFloat } from "./fold.js";

/** Bytes of scratch a channel: an accumulator, two lines, and its moments (assembly/batch-norm.ts). */
const ACCUMULATOR = 64;
const LINES = 8;
const MOMENTS = 16;
/** Rows of the table that forward leaves for backward. */
const TABLE_ROWS = 5;

/** What `batchNorm` takes beside x and the running statistics; tensors of shape [C]. */
export interface BatchNormOptions {
  weight?: Tensor | null;
  bias?: Tensor | null;
  /** Use the batch's own statistics, and move the running ones towards them; default false. */
  training?: boolean;
  /** How far they move; default 0.1. */
  momentum?: number;
  /** Added to the variance; default 1e-5. */
  eps?: number;
}

/** How one call normalises. */
interface Plan {
  runningMean: Tensor | null;
  runningVar: Tensor | null;
  training: boolean;
  momentum: number;
  eps: number;
  relu: boolean;
}

type Inputs = [x: Tensor, weight: Tensor | null, bias: Tensor | null, residual: Tensor | null];

/** [N, C, …] as the kernels see it: n images of c planes. */
function dimsOf(shape: readonly number[]): { n: number; c: number; plane: number } {
  return { n: shape[0], c: shape[1], plane: numelOf(shape.slice(2)) };
}

const normalizeChannels = /* @__PURE__ */ defineOp<Inputs, [plan: Plan]>({
  name: "batchNorm",
  inputs: 4,
  // The running statistics have moved already; in evaluation they are what it would be computed from.
  replay: (plan) => (plan.training ? [{ ...plan, runningMean: null, runningVar: null }] : null),
  forward: (out, [x, weight, bias, residual], plan) => {
    const { n, c, plane } = dimsOf(x.shape);
    const { runningMean, runningVar, training, eps } = plan;
    const relu = Number(plan.relu);
    const table = Tensor.allocate([TABLE_ROWS, c], "float32", "batchNorm");
    if (x.numel() === 0) {
      // Nothing to normalise; the statistics stay, and backward gives zeros.
      table.zero_();
      return [table];
    }
    const moments = workspace(c * (MOMENTS + ACCUMULATOR));
    const scratch = moments + c * MOMENTS;
    const weightPtr = weight?.ptr ?? 0;
    const biasPtr = bias?.ptr ?? 0;
    const residualPtr = residual?.ptr ?? 0;
    const values = new Float64Array(U8.buffer, moments, 2 * c);
    if (training) {
      k.batch_norm_train(
        out.ptr,
        x.ptr,
        residualPtr,
        relu,
        table.ptr,
        moments,
        scratch,
        weightPtr,
        biasPtr,
        eps,
        n,
        c,
        plane,
        0,
        c,
      );
      const count = n * plane;
      if (runningMean) follow(runningMean, values, 0, 1, plan.momentum);
      // The biased variance normalises, the unbiased one is what evaluation should expect.
      if (runningVar) follow(runningVar, values, 1, count / (count - 1), plan.momentum);
    } else {
      eachElement(runningMean as Tensor, (at, i) => {
        values[2 * i] = F32[at];
      });
      eachElement(runningVar as Tensor, (at, i) => {
        values[2 * i + 1] = F32[at];
      });
      k.batch_norm_table(table.ptr, moments, weightPtr, biasPtr, c, eps, 0, c);
      k.batch_norm_apply(out.ptr, x.ptr, residualPtr, relu, table.ptr, n, c, plane, 0, c);
    }
    return [table];
  },
  save: (out, [x], { relu }) => (relu ? [x, out] : [x]),
  backward: (dOut, saved, [dX, dWeight, dBias, dResidual], { relu, training }) => {
    const x = saved[0];
    const table = saved[saved.length - 1];
    const { n, c, plane } = dimsOf(x.shape);
    const scratch = workspace(c * (ACCUMULATOR + LINES));
    k.batch_norm_backward(
      dX?.ptr ?? 0,
      dWeight?.ptr ?? 0,
      dBias?.ptr ?? 0,
      dResidual?.ptr ?? 0,
      dOut.ptr,
      x.ptr,
      relu ? saved[1].ptr : 0,
      table.ptr,
      scratch,
      Number(training),
      n,
      c,
      plane,
      0,
      c,
    );
  },
});

/** Calls fn(place in F32, i) for the elements of a vector, whatever its stride. */
function eachElement(t: Tensor, fn: (at: number, i: number) => void): void {
  const start = t.ptr >>> 2;
  const stride = t.strides[0];
  for (let i = 0; i < t.shape[0]; i++) fn(start + i * stride, i);
}

/** Moves running statistics towards a column of the moments, in float64 as PyTorch does. */
function follow(running: Tensor, moments: Float64Array, column: number, factor: number, momentum: number): void {
  eachElement(running, (at, i) => {
    F32[at] = momentum * (moments[2 * i + column] * factor) + (1 - momentum) * F32[at];
  });
  running.block.version++;
}

/**
 * (x − mean) / √(var + eps) · weight + bias, with mean and variance of each channel: in training those of the batch
 * (the biased variance), towards which the running ones are moved in place by `momentum` (the unbiased variance), in
 * evaluation the running ones (Ioffe & Szegedy, "Batch Normalization", 2015). Shape: (N, C, *) → same.
 *
 * @param runningMean,runningVar of shape [C], float32; null where there are none, in training only
 * @param options.weight,options.bias of shape [C]; left out: 1 and 0
 * @param options.training default false
 * @param options.momentum default 0.1
 * @param options.eps default 1e-5
 * @throws ShapeError when weight, bias or a running statistic is not one value a channel, and in training when a channel
 *   has a single value; ArgumentError when evaluation has no running statistics; DTypeError for an x that is not float32
 */
export function batchNorm(
  x: Tensor,
  runningMean: Tensor | null | undefined,
  runningVar: Tensor | null | undefined,
  ...rest: Trailing<BatchNormOptions, ["weight", "bias", "training", "momentum", "eps"]>
): Tensor;
export function batchNorm(
  x: Tensor,
  ...named: Named<
    { runningMean: Tensor | null; runningVar: Tensor | null },
    ["runningMean", "runningVar"],
    BatchNormOptions
  >
): Tensor;
export function batchNorm(x: Tensor, ...args: any[]): Tensor {
  const [runningMean, runningVar, ...rest] = inPlaces(args, ["runningMean", "runningVar"]);
  const options = optionsOf<BatchNormOptions>("batchNorm", rest, ["weight", "bias", "training", "momentum", "eps"]);
  return normalize("batchNorm", x, runningMean ?? null, runningVar ?? null, options, null, false);
}

/**
 * @internal relu(batchNorm(x, …)), or relu(batchNorm(x, …) + residual), in one pass forward and in batchNorm's two
 * backward; to the bit what the separate ops give.
 *
 * @param residual of x's shape, or null
 */
export function batchNormRelu(
  x: Tensor,
  residual: Tensor | null,
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  options: BatchNormOptions = {},
): Tensor {
  if (residual !== null) {
    checkFloat(residual, "batchNormRelu");
    if (!sameShape(residual.shape, x.shape)) {
      throw new ShapeError(
        `batchNormRelu: the residual has shape ${formatShape(residual.shape)}, expected x's ${formatShape(x.shape)}`,
      );
    }
  }
  return normalize("batchNormRelu", x, runningMean, runningVar, options, residual, true);
}

function normalize(
  where: string,
  x: Tensor,
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  options: BatchNormOptions,
  residual: Tensor | null,
  relu: boolean,
): Tensor {
  const { weight = null, bias = null, training = false, momentum = 0.1, eps = 1e-5 } = options;
  checkFloat(x, where);
  if (x.dim() < 2) {
    throw new ShapeError(`${where}: expected an input of shape [N, C, …], found ${formatShape(x.shape)}`);
  }
  const channels = x.shape[1];
  checkChannels(where, channels, { weight, bias, runningMean, runningVar });
  for (const t of [runningMean, runningVar]) if (t) checkFloat(t, where);
  if (!training && !(runningMean && runningVar)) {
    const missing = runningMean ? "runningVar is" : runningVar ? "runningMean is" : "runningMean and runningVar are";
    throw new ArgumentError(
      `${where}: ${missing} missing; evaluation needs them, or pass { training: true } to use the batch's own statistics`,
    );
  }
  if (training) checkSeveralValues(where, x);
  const plan: Plan = { runningMean, runningVar, training, momentum, eps, relu };
  if (relu || residual || !shouldWait(x)) return normalizeChannels(x, weight, bias, residual, plan);
  return waitForRelu(x, weight, bias, plan);
}

/** batchNorm that waits for the relu, or the addition of a residual and the relu, that usually follow. */
function waitForRelu(x: Tensor, weight: Tensor | null, bias: Tensor | null, plan: Plan): Tensor {
  // The running statistics move once, whoever runs first; what is computed again leaves them alone.
  let moved = false;
  const next = (): Plan => {
    const now = moved && plan.training ? { ...plan, runningMean: null, runningVar: null } : plan;
    moved = true;
    return now;
  };
  const withRelu = (residual: Tensor | null): Tensor => {
    take();
    return normalizeChannels(x, weight, bias, residual, { ...next(), relu: true });
  };
  const reads = [x, weight, bias, ...(plan.training ? [] : [plan.runningMean, plan.runningVar])];
  return defer(
    "batchNorm",
    x.shape,
    reads,
    (out) => normalizeChannels.into(out, x, weight, bias, null, next()),
    (normalized) => ({
      relu: () => withRelu(null),
      add: (other, run) => {
        if (other === normalized || other.dtype !== "float32" || !sameShape(other.shape, x.shape)) return null;
        take();
        return defer("add", x.shape, [...reads, other], run, () => ({ relu: () => withRelu(other) }));
      },
    }),
  );
}

/**
 * @internal Each channel of x by its own mean and variance, for norms that see their groups as the channels of one image.
 * A single value gives 0. Running statistics [C], if given, are moved.
 */
export const standardize = (
  x: Tensor,
  eps: number,
  runningMean: Tensor | null = null,
  runningVar: Tensor | null = null,
  momentum = 0,
): Tensor =>
  normalizeChannels(x, null, null, null, { runningMean, runningVar, training: true, momentum, eps, relu: false });

/** @internal x·weight + bias for each channel: evaluation with mean 0 and variance 1, in one pass. */
export function scaleChannels(x: Tensor, weight: Tensor | null, bias: Tensor | null): Tensor {
  if (!weight && !bias) return x;
  const [runningMean, runningVar] = [zeros(x.shape[1]), ones(x.shape[1])];
  return normalizeChannels(x, weight, bias, null, {
    runningMean,
    runningVar,
    training: false,
    momentum: 0,
    eps: 0,
    relu: false,
  });
}

/** @throws ShapeError unless each of the tensors that are there has one value a channel. */
export function checkChannels(where: string, channels: number, tensors: Record<string, Tensor | null>): void {
  for (const [name, t] of Object.entries(tensors)) {
    if (t && (t.dim() !== 1 || t.shape[0] !== channels)) {
      throw new ShapeError(
        `${where}: ${name} has shape ${formatShape(t.shape)}, expected [${channels}], a value for each of x's ${channels} channels (dim 1)`,
      );
    }
  }
}

/** @throws ShapeError when each channel has a single value: its variance is 0, and nothing can be learned from it. */
function checkSeveralValues(where: string, x: Tensor): void {
  const { n, plane } = dimsOf(x.shape);
  if (n * plane !== 1) return;
  throw new ShapeError(
    `${where}: expected more than 1 value per channel when training, found an input of shape ${formatShape(x.shape)}; ` +
      "use a larger batch (a DataLoader with dropLast: true leaves out a last batch of one), or eval()",
  );
}
