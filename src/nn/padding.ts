/** Layers that pad the last two dims. Shape: (*, H, W) → (*, H + top + bottom, W + left + right). */
import { inPlaces, show } from "../arguments.js";
import { ArgumentError } from "../errors.js";
import { type PadMode, pad } from "../ops/pad.js";
import { formatShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { Module } from "./module.js";
import { showTuple } from "./show.js";

/** What the padding layers have in common. */
abstract class Pad2d extends Module {
  /** [left, right, top, bottom] */
  readonly padding: readonly number[];
  protected readonly mode: PadMode = "constant";

  constructor(given: number | readonly number[] | { padding: number | readonly number[] }) {
    super();
    const [padding] = inPlaces([given as number | readonly number[]], ["padding"]);
    const list = typeof padding === "number" ? [padding, padding, padding, padding] : padding;
    if (!Array.isArray(list) || list.length !== 4 || !list.every(Number.isInteger)) {
      const found = Array.isArray(padding) ? formatShape(padding) : show(padding);
      throw new ArgumentError(
        `${new.target.name}: padding must be a whole number or four of them, [left, right, top, bottom], found ${found}`,
      );
    }
    this.padding = [...list];
  }

  forward(x: Tensor): Tensor {
    return pad(x, this.padding, { mode: this.mode });
  }

  override extraRepr(): string {
    return showTuple(this.padding);
  }
}

/** Pads the last two dims with zeros: all sides alike, or [left, right, top, bottom]; negative numbers crop. */
export class ZeroPad2d extends Pad2d {}

/** Pads the last two dims with a value: all sides alike, or [left, right, top, bottom]; negative numbers crop. */
export class ConstantPad2d extends Pad2d {
  constructor(
    padding: number | readonly number[],
    readonly value: number,
  ) {
    super(padding);
    if (typeof value !== "number") {
      throw new ArgumentError(`ConstantPad2d: value must be a number, found ${show(value)}; ZeroPad2d pads with zeros`);
    }
  }

  override forward(x: Tensor): Tensor {
    return pad(x, this.padding, { value: this.value });
  }

  override extraRepr(): string {
    return `padding=${showTuple(this.padding)}, value=${this.value}`;
  }
}

/** Mirrors the last two dims at their borders, without repeating the edge; each side narrower than the image. */
export class ReflectionPad2d extends Pad2d {
  protected override readonly mode = "reflect";
}

/** Repeats the edges of the last two dims: all sides alike, or [left, right, top, bottom]. */
export class ReplicationPad2d extends Pad2d {
  protected override readonly mode = "replicate";
}

/** Wraps the last two dims around: each side at most as wide as the image. */
export class CircularPad2d extends Pad2d {
  protected override readonly mode = "circular";
}
