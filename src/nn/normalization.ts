/** Layer and group normalisation as modules. */
import { inPlaces, type Named, optionsOf, show, type Trailing } from "../arguments.js";
import { ArgumentError } from "../errors.js";
import { ones, zeros } from "../ops/create.js";
import { checkGroups, groupNorm } from "../ops/group-norm.js";
import { layerNorm } from "../ops/norm.js";
import { checkShape, type Shape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { guardParameters, Module } from "./module.js";
import { Parameter } from "./parameter.js";
import { showBool, showFloat, showTuple } from "./show.js";

/** Options of `LayerNorm`. */
export interface LayerNormOptions {
  eps?: number;
  elementwiseAffine?: boolean;
  bias?: boolean;
}

/** Options of `GroupNorm`. */
export interface GroupNormOptions {
  eps?: number;
  affine?: boolean;
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
  );
  constructor(...named: Named<{ normalizedShape: number | Shape }, ["normalizedShape"], LayerNormOptions>);
  constructor(...args: any[]) {
    super();
    const [normalizedShape, ...rest] = inPlaces(args, ["normalizedShape"]);
    if (typeof normalizedShape !== "number" && !Array.isArray(normalizedShape)) {
      throw new ArgumentError(
        `LayerNorm: normalizedShape must be a number or a list of sizes, found ${show(normalizedShape)}`,
      );
    }
    const options = optionsOf<LayerNormOptions>("LayerNorm", rest, ["eps", "elementwiseAffine", "bias"]);
    const shape = typeof normalizedShape === "number" ? [normalizedShape] : [...normalizedShape];
    checkShape(shape, "LayerNorm");
    if (shape.length === 0) throw new ArgumentError("LayerNorm: normalizedShape must name at least one dim, found []");
    this.normalizedShape = shape;
    this.eps = options.eps ?? 1e-5;
    this.elementwiseAffine = options.elementwiseAffine ?? true;
    this.weight = this.elementwiseAffine ? new Parameter(ones(shape)) : null;
    this.bias = this.elementwiseAffine && (options.bias ?? true) ? new Parameter(zeros(shape)) : null;
    guardParameters(this);
  }

  override forward(x: Tensor): Tensor {
    return layerNorm(x, this.normalizedShape, { weight: this.weight, bias: this.bias, eps: this.eps });
  }

  override extraRepr(): string {
    return `${showTuple(this.normalizedShape)}, eps=${showFloat(this.eps)}, elementwise_affine=${showBool(this.elementwiseAffine)}`;
  }
}

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

  constructor(numGroups: number, numChannels: number, ...rest: Trailing<GroupNormOptions, ["eps", "affine"]>);
  constructor(
    ...named: Named<{ numGroups: number; numChannels: number }, ["numGroups", "numChannels"], GroupNormOptions>
  );
  constructor(...args: any[]) {
    super();
    const [numGroups, numChannels, ...rest] = inPlaces(args, ["numGroups", "numChannels"]);
    const options = optionsOf<GroupNormOptions>("GroupNorm", rest, ["eps", "affine"]);
    checkGroups("GroupNorm", numGroups, numChannels);
    this.numGroups = numGroups;
    this.numChannels = numChannels;
    this.eps = options.eps ?? 1e-5;
    this.affine = options.affine ?? true;
    this.weight = this.affine ? new Parameter(ones(numChannels)) : null;
    this.bias = this.affine ? new Parameter(zeros(numChannels)) : null;
    guardParameters(this);
  }

  override forward(x: Tensor): Tensor {
    return groupNorm(x, this.numGroups, { weight: this.weight, bias: this.bias, eps: this.eps });
  }

  override extraRepr(): string {
    return `${this.numGroups}, ${this.numChannels}, eps=${showFloat(this.eps)}, affine=${showBool(this.affine)}`;
  }
}
