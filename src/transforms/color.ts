/** Changing the colors of images: ColorJitter (assembly/color.ts). */
import { optionsOf, show, type Trailing } from "../arguments.js";
import { itemSize } from "../dtype.js";
import { ArgumentError, ShapeError } from "../errors.js";
import { randperm } from "../random.js";
import type { Tensor } from "../tensor.js";
import { k } from "../wasm/families/images.generated.js";
import { copyImages, type ImageShape, type Images } from "./image.js";
import { drawUniform, RandomTransform } from "./random.js";

type Range = readonly [low: number, high: number];

/** Options of `ColorJitter`: a number, or the range a factor is drawn from. */
export interface ColorJitterOptions {
  /** The factor of brightness: v means [max(0, 1 − v), 1 + v]. Default 0: none. */
  brightness?: number | Range;
  /** How far from the mean of its gray version; as brightness. */
  contrast?: number | Range;
  /** How far from its gray version; as brightness. */
  saturation?: number | Range;
  /** How far the hue turns, in parts of the circle: v means [−v, v]; at most 0.5. */
  hue?: number | Range;
}

/** torchvision's order, by which a draw numbers them too. */
const ORDER = ["brightness", "contrast", "saturation", "hue"] as const;
type Name = (typeof ORDER)[number];

/** The changes of one image, in their order. */
type Changes = readonly (readonly [Name, number])[];

/**
 * Changes brightness, contrast, saturation and hue by random factors in random order, as torchvision's ColorJitter of tensors; in
 * a batch, with draws of its own for each image. Gray images keep what has no meaning for them.
 *
 * Shape: [C, H, W] or [N, C, H, W], with 1 or 3 channels → the same. dtype: uint8 or float32 (of 0 to 1, to which results are
 * clamped), which is kept. Draws the order, then the factors that are asked for.
 *
 * @throws ArgumentError for negative factors, and hues outside [−0.5, 0.5]; when called, ShapeError for other channels
 */
export class ColorJitter extends RandomTransform<Changes> {
  static override readonly takesBatches = true;
  readonly brightness: Range | null;
  readonly contrast: Range | null;
  readonly saturation: Range | null;
  readonly hue: Range | null;

  constructor(...rest: Trailing<ColorJitterOptions, typeof ORDER>) {
    super();
    const options = optionsOf<ColorJitterOptions>("ColorJitter", rest, ORDER);
    this.brightness = rangeOf(options.brightness ?? 0, "brightness");
    this.contrast = rangeOf(options.contrast ?? 0, "contrast");
    this.saturation = rangeOf(options.saturation ?? 0, "saturation");
    this.hue = rangeOf(options.hue ?? 0, "hue");
  }

  draw([channels]: ImageShape): Changes {
    if (channels !== 1 && channels !== 3) {
      throw new ShapeError(
        `ColorJitter: the image has ${channels} channels, expected 1 (gray) or 3 (red, green, blue)`,
      );
    }
    const order = randperm(4);
    const factors = ORDER.map((name) => {
      const range = this[name];
      return range === null ? null : drawUniform(range[0], range[1]);
    });
    const changes: [Name, number][] = [];
    for (const i of order) {
      const factor = factors[i];
      if (factor !== null) changes.push([ORDER[i], factor]);
    }
    return changes;
  }

  transform(images: Images, draws: readonly Changes[], given: Tensor): Tensor {
    if (draws.every((changes) => changes.length === 0)) return given;
    const [channels, height, width] = images.shape;
    const { dtype } = images.data;
    const pixels = height * width;
    const out = copyImages(images, "ColorJitter");
    const kernels = dtype === "uint8" ? BYTES : FLOATS;
    draws.forEach((changes, i) => {
      const image = out.ptr + i * channels * pixels * itemSize(dtype);
      for (const [name, factor] of changes) {
        const rest = Math.fround(1 - factor);
        if (name === "brightness") {
          kernels.scale(image, channels * pixels, factor, 0);
        } else if (name === "contrast") {
          kernels.scale(image, channels * pixels, factor, Math.fround(rest * kernels.mean(image, channels, pixels)));
        } else if (channels === 3) {
          if (name === "saturation") kernels.saturate(image, pixels, factor, rest);
          else kernels.hue(image, pixels, factor);
        }
      }
    });
    return out;
  }

  /** @internal */
  override outputShape(shape: ImageShape): ImageShape {
    return shape;
  }

  override extraRepr(): string {
    return ORDER.map((name) => `${name}=${this[name] === null ? "None" : `[${this[name].join(", ")}]`}`).join(", ");
  }
}

/** The kernels of a dtype; k is filled when they are first called. */
const BYTES = {
  scale: (x: number, n: number, ratio: number, add: number) => k.color_scale_u8(x, n, ratio, add),
  mean: (x: number, channels: number, pixels: number) => k.color_mean_u8(x, channels, pixels),
  saturate: (x: number, pixels: number, ratio: number, rest: number) => k.color_saturate_u8(x, pixels, ratio, rest),
  hue: (x: number, pixels: number, shift: number) => k.color_hue_u8(x, pixels, shift),
};
const FLOATS: typeof BYTES = {
  scale: (x, n, ratio, add) => k.color_scale_f32(x, n, ratio, add),
  mean: (x, channels, pixels) => k.color_mean_f32(x, channels, pixels),
  saturate: (x, pixels, ratio, rest) => k.color_saturate_f32(x, pixels, ratio, rest),
  hue: (x, pixels, shift) => k.color_hue_f32(x, pixels, shift),
};

/** The range of a factor; null where it changes nothing. */
function rangeOf(value: unknown, name: Name): Range | null {
  const hue = name === "hue";
  const [least, most, middle] = hue ? [-0.5, 0.5, 0] : [0, Number.POSITIVE_INFINITY, 1];
  let range: unknown = value;
  if (typeof value === "number" && value >= 0) {
    range = [hue ? -value : Math.max(middle - value, 0), middle + value];
  }
  const [low, high] = Array.isArray(range) && range.length === 2 ? range : [];
  if (typeof low === "number" && typeof high === "number" && least <= low && low <= high && high <= most) {
    return low === middle && high === middle ? null : [low, high];
  }
  const found = Array.isArray(value) ? `[${value.map(show).join(", ")}]` : show(value);
  throw new ArgumentError(
    `ColorJitter: ${name} must be a number from 0${hue ? " to 0.5" : ""}, or [low, high] with ${least} ≤ low ≤ high${
      hue ? ` ≤ ${most}` : ""
    }, found ${found}`,
  );
}
