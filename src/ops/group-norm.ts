/** Group and instance normalisation: batch norm's kernels, with the groups of all images as the channels of one image. */
import { inPlaces, type Named, optionsOf, show, type Trailing } from "../arguments.js";
import { ArgumentError, ShapeError } from "../errors.js";
import { noGrad } from "../grad-mode.js";
import { formatShape, numelOf } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { batchNorm, checkChannels, scaleChannels, standardize } from "./batch-norm.js";
import { checkFloat } from "./fold.js";
import type { AffineOptions } from "./norm.js";

/**
 * (x − mean) / √(var + eps) · weight + bias, mean and (biased) variance taken over the channels of a group and all that
 * follows, for each image by itself (Wu & He, "Group Normalization", 2018). Shape: (N, C, *) → same.
 *
 * @param numGroups how many groups of neighbours the channels are split into; it divides C
 * @param options.weight,options.bias of shape [C]; left out: 1 and 0
 * @param options.eps default 1e-5
 * @throws ShapeError when numGroups does not divide C, when weight or bias is not one value a channel, and for a single
 *   value a group in a batch of one; DTypeError for an x that is not float32
 */
export function groupNorm(
  x: Tensor,
  numGroups: number,
  ...rest: Trailing<AffineOptions, ["weight", "bias", "eps"]>
): Tensor;
export function groupNorm(x: Tensor, ...named: Named<{ numGroups: number }, ["numGroups"], AffineOptions>): Tensor;
export function groupNorm(x: Tensor, ...args: any[]): Tensor {
  const [numGroups, ...rest] = inPlaces(args, ["numGroups"]);
  const {
    weight = null,
    bias = null,
    eps = 1e-5,
  } = optionsOf<AffineOptions>("groupNorm", rest, ["weight", "bias", "eps"]);
  checkFloat(x, "groupNorm");
  if (x.dim() < 2) {
    throw new ShapeError(`groupNorm: expected an input of shape [N, C, …], found ${formatShape(x.shape)}`);
  }
  const [n, c] = x.shape;
  checkGroups("groupNorm", numGroups, c);
  checkChannels("groupNorm", c, { weight, bias });
  const size = (c / numGroups) * numelOf(x.shape.slice(2));
  if (n * size === 1) {
    throw new ShapeError(
      `groupNorm: expected more than 1 value per group, found an input of shape ${formatShape(x.shape)} for ${numGroups} groups`,
    );
  }
  const normal = standardize(x.reshape(1, n * numGroups, size), eps).reshape(x.shape);
  return scaleChannels(normal, weight, bias);
}

/** @throws ArgumentError unless groups is a whole number; ShapeError unless it divides the channels. */
export function checkGroups(where: string, groups: number, channels: number): void {
  if (!Number.isInteger(groups) || groups < 1) {
    throw new ArgumentError(`${where}: numGroups must be a whole number of at least 1, found ${show(groups)}`);
  }
  if (!Number.isInteger(channels) || channels < 0) {
    throw new ArgumentError(`${where}: numChannels must be a whole number, found ${show(channels)}`);
  }
  if (channels % groups !== 0) {
    throw new ShapeError(`${where}: ${channels} channels cannot be split into ${groups} groups of one size`);
  }
}

/** What `instanceNorm` takes beside x; tensors of shape [C]. */
export interface InstanceNormOptions {
  runningMean?: Tensor | null;
  runningVar?: Tensor | null;
  weight?: Tensor | null;
  bias?: Tensor | null;
  /** Use each image's own statistics, and move the running ones towards their average; default true. */
  useInputStats?: boolean;
  /** How far they move; default 0.1. */
  momentum?: number;
  /** Added to the variance; default 1e-5. */
  eps?: number;
}

/**
 * Batch norm of each image by itself: mean and variance of each channel are taken over all that follows it (Ulyanov,
 * Vedaldi & Lempitsky, "Instance Normalization", 2016). Shape: (N, C, *) → same.
 *
 * @param options.runningMean,options.runningVar of shape [C]; used where useInputStats is false, moved otherwise
 * @param options.weight,options.bias of shape [C]; left out: 1 and 0
 * @throws ShapeError when weight, bias or a running statistic is not one value a channel, and for a single value a channel;
 *   ArgumentError when useInputStats is false and there are no running statistics; DTypeError for an x that is not float32
 */
export function instanceNorm(
  x: Tensor,
  ...rest: Trailing<
    InstanceNormOptions,
    ["runningMean", "runningVar", "weight", "bias", "useInputStats", "momentum", "eps"]
  >
): Tensor {
  const options = optionsOf<InstanceNormOptions>("instanceNorm", rest, [
    ...(["runningMean", "runningVar", "weight", "bias", "useInputStats", "momentum", "eps"] as const),
  ]);
  const { runningMean = null, runningVar = null, weight = null, bias = null } = options;
  const { useInputStats = true, momentum = 0.1, eps = 1e-5 } = options;
  checkFloat(x, "instanceNorm");
  if (x.dim() < 3) {
    throw new ShapeError(`instanceNorm: expected an input of shape [N, C, …, L], found ${formatShape(x.shape)}`);
  }
  const [n, c] = x.shape;
  checkChannels("instanceNorm", c, { weight, bias, runningMean, runningVar });
  if (!useInputStats) {
    if (!runningMean || !runningVar) {
      throw new ArgumentError(
        "instanceNorm: runningMean and runningVar are needed where useInputStats is false; give both, or leave it true",
      );
    }
    return batchNorm(x, runningMean, runningVar, { weight, bias, eps });
  }
  const plane = numelOf(x.shape.slice(2));
  if (plane === 1) {
    throw new ShapeError(
      `instanceNorm: expected more than 1 value per channel of an image, found an input of shape ${formatShape(x.shape)}`,
    );
  }
  // Every image moves a copy of the running statistics; their average is what stays.
  const means = runningMean && noGrad(() => runningMean.repeat(n));
  const variances = runningVar && noGrad(() => runningVar.repeat(n));
  const normal = standardize(x.reshape(1, n * c, plane), eps, means, variances, momentum).reshape(x.shape);
  if (x.numel() > 0) {
    noGrad(() => {
      if (means) runningMean.copy_(means.reshape(n, c).mean(0));
      if (variances) runningVar.copy_(variances.reshape(n, c).mean(0));
    });
  }
  return scaleChannels(normal, weight, bias);
}
