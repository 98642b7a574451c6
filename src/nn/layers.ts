/** Layers without parameters of their own. */
import { checkProbability, dropout } from "../ops/dropout.js";
import { flatten, unflatten } from "../ops/view.js";
import type { Tensor } from "../tensor.js";
import { Module } from "./module.js";

/** In training mode sets elements to 0 with probability p and divides the others by 1 − p; else gives x as it is. */
export class Dropout extends Module {
  readonly p: number;

  constructor(p: number | { p?: number } = 0.5) {
    super();
    this.p = checkProbability(typeof p === "number" ? p : (p.p ?? 0.5), "Dropout");
  }

  forward(x: Tensor): Tensor {
    return dropout(x, this.p, this.training);
  }

  override extraRepr(): string {
    return `p=${this.p}`;
  }
}

/** Makes the dims startDim to endDim one: [n, c, h, w] → [n, c·h·w]. */
export class Flatten extends Module {
  constructor(
    readonly startDim = 1,
    readonly endDim = -1,
  ) {
    super();
  }

  forward(x: Tensor): Tensor {
    return flatten(x, this.startDim, this.endDim);
  }

  override extraRepr(): string {
    return `startDim=${this.startDim}, endDim=${this.endDim}`;
  }
}

/** Splits a dim into several. */
export class Unflatten extends Module {
  constructor(
    readonly dim: number,
    readonly unflattenedSize: readonly number[],
  ) {
    super();
  }

  forward(x: Tensor): Tensor {
    return unflatten(x, this.dim, this.unflattenedSize);
  }

  override extraRepr(): string {
    return `dim=${this.dim}, unflattenedSize=[${this.unflattenedSize.join(", ")}]`;
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
