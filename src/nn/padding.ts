/** Layers that pad. */
import { pad } from "../ops/pad.js";
import type { Tensor } from "../tensor.js";
import { Module } from "./module.js";

/** Pads the last two dims with zeros: all sides alike, or [left, right, top, bottom]. */
export class ZeroPad2d extends Module {
  readonly padding: readonly number[];

  constructor(padding: number | readonly number[]) {
    super();
    this.padding = typeof padding === "number" ? [padding, padding, padding, padding] : padding;
  }

  forward(x: Tensor): Tensor {
    return pad(x, this.padding);
  }

  override extraRepr(): string {
    return `[${this.padding.join(", ")}]`;
  }
}
