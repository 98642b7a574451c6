/** Layers without parameters of their own. */
import { inPlaces, type Named, optionsOf, type Trailing } from "../arguments.js";
import { checkProbability, dropout, dropout2d } from "../ops/dropout.js";
import { type FlattenOptions, flatten, unflatten } from "../ops/view.js";
import type { Tensor } from "../tensor.js";
import { Module } from "./module.js";
import { showBool, showTuple } from "./show.js";

/** In training mode sets elements to 0 with probability p and divides the others by 1 − p; else gives x as it is. */
export class Dropout extends Module {
  /** May be changed between steps. */
  p: number;
  readonly inplace: boolean;

  /** `inplace` is taken, as in PyTorch, and makes no difference. */
  constructor(...args: Trailing<{ p?: number; inplace?: boolean }, ["p", "inplace"]>) {
    super();
    const where = new.target.name;
    const { p = 0.5, inplace = false } = optionsOf<{ p?: number; inplace?: boolean }>(where, args, ["p", "inplace"]);
    this.p = checkProbability(p, where);
    this.inplace = inplace;
  }

  forward(x: Tensor): Tensor {
    return dropout(x, this.p, this.training);
  }

  override extraRepr(): string {
    return `p=${this.p}, inplace=${showBool(this.inplace)}`;
  }
}

/**
 * In training mode sets whole channels to 0 with probability p and divides the others by 1 − p; else gives x as it is.
 * Shape: [N, C, H, W] or [C, H, W] → same.
 */
export class Dropout2d extends Dropout {
  override forward(x: Tensor): Tensor {
    return dropout2d(x, this.p, this.training);
  }
}

/** Makes the dims startDim to endDim one: [n, c, h, w] → [n, c·h·w]. */
export class Flatten extends Module {
  readonly startDim: number;
  readonly endDim: number;

  constructor(...args: Trailing<FlattenOptions, ["startDim", "endDim"]>) {
    super();
    const { startDim = 1, endDim = -1 } = optionsOf<FlattenOptions>("Flatten", args, ["startDim", "endDim"]);
    this.startDim = startDim;
    this.endDim = endDim;
  }

  forward(x: Tensor): Tensor {
    return flatten(x, this.startDim, this.endDim);
  }

  override extraRepr(): string {
    return `start_dim=${this.startDim}, end_dim=${this.endDim}`;
  }
}

/** Splits a dim into several. */
export class Unflatten extends Module {
  readonly dim: number;
  readonly unflattenedSize: readonly number[];

  constructor(dim: number, unflattenedSize: readonly number[]);
  constructor(...named: Named<{ dim: number; unflattenedSize: readonly number[] }, ["dim", "unflattenedSize"]>);
  constructor(...args: any[]) {
    super();
    [this.dim, this.unflattenedSize] = inPlaces(args, ["dim", "unflattenedSize"]);
  }

  forward(x: Tensor): Tensor {
    return unflatten(x, this.dim, this.unflattenedSize);
  }

  override extraRepr(): string {
    return `dim=${this.dim}, unflattened_size=${showTuple(this.unflattenedSize)}`;
  }
}

/** Gives its input as it is; takes any arguments. */
export class Identity extends Module {
  constructor(..._ignored: unknown[]) {
    super();
  }

  forward(x: any): any {
    return x;
  }
}
