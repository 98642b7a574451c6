/** Layers that make images larger (or smaller again). */
import { inPlaces, optionsOf, type Trailing } from "../arguments.js";
import { checkInterpolate, type InterpolateMode, type InterpolateOptions, interpolate } from "../ops/interpolate.js";
import { checkFactor, pixelShuffle, pixelUnshuffle } from "../ops/pixel-shuffle.js";
import type { Size2d } from "../ops/windows.js";
import type { Tensor } from "../tensor.js";
import { Module } from "./module.js";
import { showFloat, showSize, showTuple } from "./show.js";

const NAMES = ["size", "scaleFactor", "mode", "alignCorners", "recomputeScaleFactor"] as const;

/**
 * Images of another size. Shape: [N, C, H, W] → [N, C, …size] (`F.interpolate` says what each option means).
 *
 * @throws ArgumentError unless size or scaleFactor is given, for other modes, and for options that do not go together
 */
export class Upsample extends Module {
  readonly size: Size2d | null;
  readonly scaleFactor: number | readonly number[] | null;
  readonly mode: InterpolateMode;
  readonly alignCorners: boolean | null;
  readonly recomputeScaleFactor: boolean | null;

  constructor(...args: Trailing<InterpolateOptions, typeof NAMES>) {
    super();
    const options = checkInterpolate(optionsOf<InterpolateOptions>("Upsample", args, NAMES), "Upsample");
    this.size = options.size ?? null;
    this.scaleFactor = options.scaleFactor ?? null;
    this.mode = options.mode ?? "nearest";
    this.alignCorners = options.alignCorners ?? null;
    this.recomputeScaleFactor = options.recomputeScaleFactor ?? null;
  }

  forward(x: Tensor): Tensor {
    const { size, scaleFactor, mode, alignCorners, recomputeScaleFactor } = this;
    return interpolate(x, { size, scaleFactor, mode, alignCorners, recomputeScaleFactor });
  }

  override extraRepr(): string {
    const { size, scaleFactor, mode } = this;
    if (size !== null) return `size=${showSize(size)}, mode=${mode}`;
    const factor =
      typeof scaleFactor === "number" ? showFloat(scaleFactor) : showTuple((scaleFactor ?? []).map(showFloat));
    return `scale_factor=${factor}, mode=${mode}`;
  }
}

/** Makes squares of r × r pixels out of r² channels. Shape: (*, C·r², H, W) → (*, C, H·r, W·r). */
export class PixelShuffle extends Module {
  readonly upscaleFactor: number;

  constructor(upscaleFactor: number | { upscaleFactor: number }) {
    super();
    this.upscaleFactor = inPlaces([upscaleFactor as number], ["upscaleFactor"])[0];
    checkFactor(this.upscaleFactor, "PixelShuffle", "upscaleFactor");
  }

  forward(x: Tensor): Tensor {
    return pixelShuffle(x, this.upscaleFactor);
  }

  override extraRepr(): string {
    return `upscale_factor=${this.upscaleFactor}`;
  }
}

/** Makes r² channels out of squares of r × r pixels. Shape: (*, C, H·r, W·r) → (*, C·r², H, W). */
export class PixelUnshuffle extends Module {
  readonly downscaleFactor: number;

  constructor(downscaleFactor: number | { downscaleFactor: number }) {
    super();
    this.downscaleFactor = inPlaces([downscaleFactor as number], ["downscaleFactor"])[0];
    checkFactor(this.downscaleFactor, "PixelUnshuffle", "downscaleFactor");
  }

  forward(x: Tensor): Tensor {
    return pixelUnshuffle(x, this.downscaleFactor);
  }

  override extraRepr(): string {
    return `downscale_factor=${this.downscaleFactor}`;
  }
}
