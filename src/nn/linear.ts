import { inPlaces, type Named, optionsOf, show, type Trailing } from "../arguments.js";
import { ArgumentError } from "../errors.js";
import { linear } from "../ops/matmul.js";
import { Tensor } from "../tensor.js";
import { kaimingUniform_, uniform_ } from "./init.js";
import { guardParameters, Module } from "./module.js";
import { Parameter } from "./parameter.js";
import { showBool } from "./show.js";

/** A size that must be a whole number ≥ 0. */
export function checkSize(value: unknown, what: string): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0) {
    throw new ArgumentError(`${what} must be a whole number ≥ 0, found ${show(value)}`);
  }
  return value;
}

/** A parameter with memory of its own, uninitialised. */
export const emptyParameter = (shape: readonly number[]): Parameter =>
  new Parameter(Tensor.allocateDurable(shape, "float32", "Parameter"));

/**
 * y = x·weightᵀ + bias, as torch.nn.Linear. Shape: [… , inFeatures] → [… , outFeatures].
 *
 * weight [outFeatures, inFeatures] and bias [outFeatures] start uniform in ±1/√inFeatures (He et al. 2015 with a = √5).
 */
export class Linear extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  weight: Parameter;
  bias: Parameter | null;

  /** @param options.bias whether to learn a bias (default true) */
  constructor(inFeatures: number, outFeatures: number, ...rest: Trailing<{ bias?: boolean }, ["bias"]>);
  constructor(
    ...named: Named<{ inFeatures: number; outFeatures: number }, ["inFeatures", "outFeatures"], { bias?: boolean }>
  );
  constructor(...args: any[]) {
    super();
    const [inFeatures, outFeatures, ...rest] = inPlaces(args, ["inFeatures", "outFeatures"]);
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    checkSize(inFeatures, "Linear: inFeatures");
    checkSize(outFeatures, "Linear: outFeatures");
    const { bias = true } = optionsOf<{ bias?: boolean }>("Linear", rest, ["bias"]);
    this.weight = emptyParameter([outFeatures, inFeatures]);
    this.bias = bias ? emptyParameter([outFeatures]) : null;
    this.resetParameters();
    guardParameters(this);
  }

  /** Draws weight and bias anew. */
  resetParameters(): void {
    kaimingUniform_(this.weight, { a: Math.sqrt(5) });
    if (this.bias !== null) {
      const bound = this.inFeatures > 0 ? 1 / Math.sqrt(this.inFeatures) : 0;
      uniform_(this.bias, -bound, bound);
    }
  }

  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }

  override extraRepr(): string {
    return `in_features=${this.inFeatures}, out_features=${this.outFeatures}, bias=${showBool(this.bias !== null)}`;
  }
}
