/** Pooling layers; the functions in ops/ say what each option means. */
import { inPlaces, type Named, optionsOf, type Trailing } from "../arguments.js";
import { type AvgPool2dOptions, adaptiveAvgPool2d, avgPool2d } from "../ops/avg-pool.js";
import { type AdaptiveSize, adaptiveMaxPool2d, type MaxPool2dOptions, maxPool2d } from "../ops/max-pool.js";
import { geometryOf, type Size2d } from "../ops/windows.js";
import type { Tensor } from "../tensor.js";
import { Module } from "./module.js";
import { showBool, showSize } from "./show.js";

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
  constructor(kernelSize: Size2d, ...rest: Trailing<MaxPool2dOptions, typeof MAX_NAMES>);
  constructor(...named: Named<{ kernelSize: Size2d }, ["kernelSize"], MaxPool2dOptions>);
  constructor(...args: any[]) {
    super();
    const [kernelSize, ...rest] = inPlaces(args, ["kernelSize"]);
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
    return `kernel_size=${sizes[0]}, stride=${sizes[1]}, padding=${sizes[2]}, dilation=${sizes[3]}, ceil_mode=${showBool(this.ceilMode)}`;
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
  constructor(kernelSize: Size2d, ...rest: Trailing<AvgPool2dOptions, typeof AVG_NAMES>);
  constructor(...named: Named<{ kernelSize: Size2d }, ["kernelSize"], AvgPool2dOptions>);
  constructor(...args: any[]) {
    super();
    const [kernelSize, ...rest] = inPlaces(args, ["kernelSize"]);
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
    return `kernel_size=${sizes[0]}, stride=${sizes[1]}, padding=${sizes[2]}`;
  }
}

/**
 * Means of windows that share the image out evenly. Shape: [N, C, H, W] or [C, H, W] → the same with H and W as outputSize
 * says: a number, or [rows, columns]; null keeps the input's (`F.adaptiveAvgPool2d`).
 */
export class AdaptiveAvgPool2d extends Module {
  readonly outputSize: AdaptiveSize;

  constructor(outputSize: AdaptiveSize | { outputSize: AdaptiveSize }) {
    super();
    this.outputSize = inPlaces([outputSize as AdaptiveSize], ["outputSize"])[0];
  }

  forward(x: Tensor): Tensor {
    return adaptiveAvgPool2d(x, this.outputSize);
  }

  override extraRepr(): string {
    return `output_size=${showSize(this.outputSize)}`;
  }
}

/**
 * The largest of windows that share the image out evenly. Shape: as AdaptiveAvgPool2d (`F.adaptiveMaxPool2d`). With
 * returnIndices it gives `{ values, indices }`.
 */
export class AdaptiveMaxPool2d extends Module {
  readonly outputSize: AdaptiveSize;
  readonly returnIndices: boolean;

  constructor(outputSize: AdaptiveSize, ...rest: Trailing<{ returnIndices?: boolean }, ["returnIndices"]>);
  constructor(...named: Named<{ outputSize: AdaptiveSize }, ["outputSize"], { returnIndices?: boolean }>);
  constructor(...args: any[]) {
    super();
    const [outputSize, ...rest] = inPlaces(args, ["outputSize"]);
    this.outputSize = outputSize;
    const names = ["returnIndices"] as const;
    this.returnIndices =
      optionsOf<{ returnIndices?: boolean }>("AdaptiveMaxPool2d", rest, names).returnIndices ?? false;
  }

  /** `{ values, indices }` instead where returnIndices is set; the type is that of the usual case. */
  forward(x: Tensor): Tensor {
    return adaptiveMaxPool2d(x, this.outputSize, { returnIndices: this.returnIndices });
  }

  override extraRepr(): string {
    return `output_size=${showSize(this.outputSize)}`;
  }
}
