/** nn.LayerNorm. */
import { optionsOf, type Trailing } from "../arguments.js";
import { ArgumentError } from "../errors.js";
import { ones, zeros } from "../ops/create.js";
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
    const eps = this.eps < 1e-4 ? this.eps.toExponential().replace(/e-(\d)$/, "e-0$1") : String(this.eps);
    const affine = this.elementwiseAffine ? "True" : "False";
    return `${shape}, eps=${eps}, elementwise_affine=${affine}`;
  }
}
