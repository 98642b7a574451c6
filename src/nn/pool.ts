/** Pooling layers; the functions in ops/ say what each option means. */
import { optionsOf, type Trailing } from "../arguments.js";
import { type AvgPool2dOptions, adaptiveAvgPool2d, avgPool2d } from "../ops/avg-pool.js";
import { type AdaptiveSize, adaptiveMaxPool2d, type MaxPool2dOptions, maxPool2d } from "../ops/max-pool.js";
import { geometryOf, type Size2d } from "../ops/windows.js";
import type { Tensor } from "../tensor.js";
import { Module } from "./module.js";

const showSize = (size: Size2d | AdaptiveSize): string =>
  Array.isArray(size) ? `[${size.map(String).join(", ")}]` : String(size);

const MAX_NAMES = ["stride", "padding", "dilation", "returnIndices", "ceilMode"] as const;

/**
 * The largest of each window. Shape: [N, C, H, W] or [C, H, W] → the same with smaller H and W (`F.maxPool2d`). With
 * returnIndices it gives `{ values, indices }`.
 */
export class MaxPool2d extends Module {
  readonly kernelSize: Size2d;
  readonly stride: Size2d;
  readonly padding: Size2d;
  readonly dilation: Size2d;
  readonly returnIndices: boolean;
  readonly ceilMode: boolean;

  /** @throws ArgumentError for numbers that are no windows */
  constructor(kernelSize: Size2d, ...rest: Trailing<MaxPool2dOptions, typeof MAX_NAMES>) {
    super();
    const options = optionsOf<MaxPool2dOptions>("MaxPool2d", rest, MAX_NAMES);
    geometryOf(kernelSize, options, "MaxPool2d");
    this.kernelSize = kernelSize;
    this.stride = options.stride ?? kernelSize;
    this.padding = options.padding ?? 0;
    this.dilation = options.dilation ?? 1;
    this.returnIndices = options.returnIndices ?? false;
    this.ceilMode = options.ceilMode ?? false;
  }

  /** `{ values, indices }` instead where returnIndices is set; the type is that of the usual case. */
  forward(x: Tensor): Tensor {
    const { stride, padding, dilation, ceilMode, returnIndices } = this;
    return maxPool2d(x, this.kernelSize, { stride, padding, dilation, ceilMode, returnIndices });
  }

  override extraRepr(): string {
    const sizes = [this.kernelSize, this.stride, this.padding, this.dilation].map(showSize);
    return `kernelSize=${sizes[0]}, stride=${sizes[1]}, padding=${sizes[2]}, dilation=${sizes[3]}, ceilMode=${this.ceilMode}`;
  }
}

const AVG_NAMES = ["stride", "padding", "ceilMode", "countIncludePad", "divisorOverride"] as const;

/** The mean of each window. Shape: [N, C, H, W] or [C, H, W] → the same with smaller H and W (`F.avgPool2d`). */
export class AvgPool2d extends Module {
  readonly kernelSize: Size2d;
  readonly stride: Size2d;
  readonly padding: Size2d;
  readonly ceilMode: boolean;
  readonly countIncludePad: boolean;
  readonly divisorOverride: number | null;

  /** @throws ArgumentError for numbers that are no windows */
  constructor(kernelSize: Size2d, ...rest: Trailing<AvgPool2dOptions, typeof AVG_NAMES>) {
    super();
    const options = optionsOf<AvgPool2dOptions>("AvgPool2d", rest, AVG_NAMES);
    geometryOf(kernelSize, options, "AvgPool2d");
    this.kernelSize = kernelSize;
    this.stride = options.stride ?? kernelSize;
    this.padding = options.padding ?? 0;
    this.ceilMode = options.ceilMode ?? false;
    this.countIncludePad = options.countIncludePad ?? true;
    this.divisorOverride = options.divisorOverride ?? null;
  }

  forward(x: Tensor): Tensor {
    const { stride, padding, ceilMode, countIncludePad, divisorOverride } = this;
    return avgPool2d(x, this.kernelSize, { stride, padding, ceilMode, countIncludePad, divisorOverride });
  }

  override extraRepr(): string {
    const sizes = [this.kernelSize, this.stride, this.padding].map(showSize);
    return `kernelSize=${sizes[0]}, stride=${sizes[1]}, padding=${sizes[2]}`;
  }
}

/**
 * Means of windows that share the image out evenly. Shape: [N, C, H, W] or [C, H, W] → the same with H and W as outputSize
 * says: a number, or [rows, columns]; null keeps the input's (`F.adaptiveAvgPool2d`).
 */
export class AdaptiveAvgPool2d extends Module {
  constructor(readonly outputSize: AdaptiveSize) {
    super();
  }

  forward(x: Tensor): Tensor {
    return adaptiveAvgPool2d(x, this.outputSize);
  }

  override extraRepr(): string {
    return `outputSize=${showSize(this.outputSize)}`;
  }
}

/**
 * The largest of windows that share the image out evenly. Shape: as AdaptiveAvgPool2d (`F.adaptiveMaxPool2d`). With
 * returnIndices it gives `{ values, indices }`.
 */
export class AdaptiveMaxPool2d extends Module {
  readonly returnIndices: boolean;

  constructor(
    readonly outputSize: AdaptiveSize,
    ...rest: Trailing<{ returnIndices?: boolean }, ["returnIndices"]>
  ) {
    super();
    const names = ["returnIndices"] as const;
    this.returnIndices =
      optionsOf<{ returnIndices?: boolean }>("AdaptiveMaxPool2d", rest, names).returnIndices ?? false;
  }

  /** `{ values, indices }` instead where returnIndices is set; the type is that of the usual case. */
  forward(x: Tensor): Tensor {
    return adaptiveMaxPool2d(x, this.outputSize, { returnIndices: this.returnIndices });
  }

  override extraRepr(): string {
    return `outputSize=${showSize(this.outputSize)}`;
  }
}
