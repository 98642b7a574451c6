/** Layer and group normalisation as modules. */
import { optionsOf, type Trailing } from "../arguments.js";
import { ArgumentError } from "../errors.js";
import { ones, zeros } from "../ops/create.js";
import { checkGroups, groupNorm } from "../ops/group-norm.js";
import { layerNorm } from "../ops/norm.js";
import { checkShape, type Shape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { Module } from "./module.js";
import { Parameter } from "./parameter.js";

/** Options of `LayerNorm`. */
export interface LayerNormOptions {
  eps?: number;
  elementwiseAffine?: boolean;
  bias?: boolean;
}

/**
 * Layer normalisation over the last dims, with a learned scale and shift for each of their elements. Shape:
 * (*, …normalizedShape) → same. Weight starts as ones, bias as zeros.
 *
 * @param normalizedShape the sizes of the dims to normalise over, or one number for the last dim
 * @param eps added to the variance, default 1e-5; or the options: eps and those below
 * @param options.elementwiseAffine learn weight and bias (default true); otherwise both are null
 * @param options.bias learn a bias (default true)
 */
export class LayerNorm extends Module {
  normalizedShape: readonly number[];
  eps: number;
  elementwiseAffine: boolean;
  weight: Parameter | null;
  bias: Parameter | null;

  constructor(
    normalizedShape: number | Shape,
    ...rest: Trailing<LayerNormOptions, ["eps", "elementwiseAffine", "bias"]>
  ) {
    super();
    const options = optionsOf<LayerNormOptions>("LayerNorm", rest, ["eps", "elementwiseAffine", "bias"]);
    const shape = typeof normalizedShape === "number" ? [normalizedShape] : [...normalizedShape];
    checkShape(shape, "LayerNorm");
    if (shape.length === 0) throw new ArgumentError("LayerNorm: normalizedShape must name at least one dim, found []");
    this.normalizedShape = shape;
    this.eps = options.eps ?? 1e-5;
    this.elementwiseAffine = options.elementwiseAffine ?? true;
    this.weight = this.elementwiseAffine ? new Parameter(ones(shape)) : null;
    this.bias = this.elementwiseAffine && (options.bias ?? true) ? new Parameter(zeros(shape)) : null;
  }

  override forward(x: Tensor): Tensor {
    return layerNorm(x, this.normalizedShape, { weight: this.weight, bias: this.bias, eps: this.eps });
  }

  override extraRepr(): string {
    const shape = `(${this.normalizedShape.join(", ")}${this.normalizedShape.length === 1 ? "," : ""})`;
    return `${shape}, eps=${showEps(this.eps)}, elementwise_affine=${showBool(this.elementwiseAffine)}`;
  }
}

/** As Python prints them. */
/** @internal */
export const showEps = (eps: number): string =>
  eps < 1e-4 ? eps.toExponential().replace(/e-(\d)$/, "e-0$1") : String(eps);
export const showBool = (value: boolean): string => (value ? "True" : "False");

/**
 * Group normalisation of [N, C, *]: the channels of a group by their common mean and variance, each image by itself, then
 * scaled and shifted by what is learned (Wu & He, "Group Normalization", 2018).
 *
 * @param numGroups divides numChannels
 * @param numChannels C
 * @param eps added to the variance, default 1e-5; or the options: eps and affine
 * @param options.affine learn weight and bias, ones and zeros at first (default true); otherwise both are null
 */
export class GroupNorm extends Module {
  readonly numGroups: number;
  readonly numChannels: number;
  eps: number;
  readonly affine: boolean;
  weight: Parameter | null;
  bias: Parameter | null;

  constructor(
    numGroups: number,
    numChannels: number,
    ...args: Trailing<{ eps?: number; affine?: boolean }, ["eps", "affine"]>
  ) {
    super();
    const options = optionsOf<{ eps?: number; affine?: boolean }>("GroupNorm", args, ["eps", "affine"]);
    checkGroups("GroupNorm", numGroups, numChannels);
    this.numGroups = numGroups;
    this.numChannels = numChannels;
    this.eps = options.eps ?? 1e-5;
    this.affine = options.affine ?? true;
    this.weight = this.affine ? new Parameter(ones(numChannels)) : null;
    this.bias = this.affine ? new Parameter(zeros(numChannels)) : null;
  }

  override forward(x: Tensor): Tensor {
    return groupNorm(x, this.numGroups, { weight: this.weight, bias: this.bias, eps: this.eps });
  }

  override extraRepr(): string {
    return `${this.numGroups}, ${this.numChannels}, eps=${showEps(this.eps)}, affine=${showBool(this.affine)}`;
  }
}
