/** Images of another size: Resize, RandomResizedCrop (assembly/resample.ts). */
import { inPlaces, type Named, optionsOf, show, type Trailing } from "../arguments.js";
import { itemSize } from "../dtype.js";
import { ArgumentError, ShapeError } from "../errors.js";
import type { Tensor } from "../tensor.js";
import { k } from "../wasm/families/images.generated.js";
import { workspace } from "../workspace.js";
import {
  allocateImages,
  checkChoice,
  checkRange,
  type ImageShape,
  type Images,
  imagesOf,
  PIXELS,
  sizeOf,
} from "./image.js";
import { drawBelow, drawSides, RandomTransform, roundHalfEven } from "./random.js";
import { Transform } from "./transform.js";

export const INTERPOLATIONS = ["nearest", "bilinear"] as const;
export type Interpolation = (typeof INTERPOLATIONS)[number];

/** How pixels between pixels are made. */
export interface InterpolationOptions {
  /** "bilinear" (the default) or "nearest". */
  interpolation?: Interpolation;
  /**
   * Whether a bilinear reduction averages all pixels a new one covers, and not just the four around its middle. Default true,
   * torchvision's since 0.17 (before, tensors went without).
   */
  antialias?: boolean;
}

/** A rectangle of an image. */
interface Box {
  top: number;
  left: number;
  height: number;
  width: number;
}

/** How to sample: the kernel's modes by number. */
function samplingOf({ interpolation = "bilinear", antialias = true }: InterpolationOptions, where: string): number {
  checkChoice(interpolation, INTERPOLATIONS, "interpolation", where);
  if (typeof antialias !== "boolean") {
    throw new ArgumentError(`${where}: antialias must be true or false, found ${show(antialias)}`);
  }
  return interpolation === "nearest" ? 0 : antialias ? 2 : 1;
}

/** Words a row of the table of weights takes, for n elements resized to m. */
function strideOf(n: number, m: number, sampling: number): number {
  return 2 + (sampling < 2 ? sampling + 1 : 2 * Math.ceil(Math.max(n / m, 1)) + 1);
}

/** Boxes of the images, one of each or the same of all, resized to [height, width]. */
function resizeImages(images: Images, boxes: readonly Box[], size: readonly number[], sampling: number, where: string) {
  const [channels, height, width] = images.shape;
  const [oh, ow] = size;
  const { data } = images;
  const item = itemSize(data.dtype);
  const out = allocateImages(images, [channels, oh, ow], where);
  const kernel = item === 1 ? k.resize_u8 : k.resize_f32;
  const sameBox = boxes.length === 1;
  boxes.forEach((box, i) => {
    const rowStride = strideOf(box.height, oh, sampling);
    const columnStride = strideOf(box.width, ow, sampling);
    const columnsAt = 4 * oh * rowStride;
    const wideAt = columnsAt + 4 * ow * columnStride;
    const rows = workspace(wideAt + 4 * (box.height + 3) * ow + 16 * box.width + 16);
    k.resize_weights(rows, box.height, oh, sampling, rowStride);
    k.resize_weights(rows + columnsAt, box.width, ow, sampling, columnStride);
    const plane = height * width * item;
    kernel(
      out.ptr + i * channels * oh * ow * item,
      data.ptr + i * channels * plane + (box.top * width + box.left) * item,
      sameBox ? images.count * channels : channels,
      plane,
      width * item,
      box.height,
      box.width,
      oh,
      ow,
      rows,
      rowStride,
      rows + columnsAt,
      columnStride,
      sampling === 1 ? 1 : 0,
      rows + wideAt,
    );
  });
  return out;
}

const isWhole = (shape: ImageShape, box: Box, [oh, ow]: readonly number[]): boolean =>
  box.height === shape[1] && box.width === shape[2] && oh === shape[1] && ow === shape[2];

/** @throws ShapeError for an image without pixels, of which nothing can be made. */
function checkPixels(shape: ImageShape, where: string): void {
  if (shape[1] > 0 && shape[2] > 0) return;
  throw new ShapeError(`${where}: an image of ${shape[1]}×${shape[2]} (height × width) has no pixels to resize`);
}

/** Options of `Resize`. */
export interface ResizeOptions extends InterpolationOptions {
  /** The most the longer edge may have, where size is that of the smaller one. */
  maxSize?: number | null;
}

const RESIZE_ORDER = ["interpolation", "maxSize", "antialias"] as const;

/**
 * Resizes images, as torchvision's Resize of tensors: computed in float32, and uint8 results rounded half to even.
 *
 * Shape: [C, H, W] → [C, size[0], size[1]], or a batch of such; with a single number the smaller edge becomes that and the
 * other one keeps the ratio. dtype: uint8 or float32, which is kept.
 *
 * @param size a number, [number], or [height, width]
 * @throws ArgumentError for sizes that are not whole numbers > 0, an unknown interpolation, and a maxSize beside [height, width]
 * or not larger than size; when called, DTypeError for other dtypes
 */
export class Resize extends Transform {
  static override readonly takesBatches = true;
  readonly size: readonly number[];
  readonly interpolation: Interpolation;
  readonly maxSize: number | null;
  readonly antialias: boolean;
  private readonly sampling: number;

  constructor(size: number | readonly number[], ...rest: Trailing<ResizeOptions, typeof RESIZE_ORDER>);
  constructor(...named: Named<{ size: number | readonly number[] }, ["size"], ResizeOptions>);
  constructor(...args: any[]) {
    super();
    const [size, ...rest] = inPlaces(args, ["size"]);
    const options = optionsOf<ResizeOptions>("Resize", rest, RESIZE_ORDER);
    const both = sizeOf(size, "Resize");
    this.size = Array.isArray(size) && size.length === 2 ? both : [both[0]];
    this.sampling = samplingOf(options, "Resize");
    this.interpolation = options.interpolation ?? "bilinear";
    this.antialias = options.antialias ?? true;
    this.maxSize = options.maxSize ?? null;
    if (this.maxSize === null) return;
    if (this.size.length === 2) {
      throw new ArgumentError(
        `Resize: maxSize ${show(this.maxSize)} goes with a single size, that of the smaller edge; found size [${this.size.join(", ")}]`,
      );
    }
    if (!Number.isInteger(this.maxSize) || this.maxSize <= this.size[0]) {
      throw new ArgumentError(
        `Resize: maxSize must be a whole number larger than size ${this.size[0]}, found ${show(this.maxSize)}`,
      );
    }
  }

  forward(image: Tensor): Tensor {
    const images = imagesOf(image, "Resize", PIXELS);
    const [, height, width] = images.shape;
    const size = this.outputShape(images.shape).slice(1);
    const box = { top: 0, left: 0, height, width };
    if (isWhole(images.shape, box, size)) return image;
    return resizeImages(images, [box], size, this.sampling, "Resize");
  }

  /** @internal */
  override outputShape(shape: ImageShape): ImageShape {
    const [channels, height, width] = shape;
    checkPixels(shape, "Resize");
    if (this.size.length === 2) return [channels, this.size[0], this.size[1]];
    let [small] = this.size;
    let large = Math.trunc((small * Math.max(height, width)) / Math.min(height, width));
    if (this.maxSize !== null && large > this.maxSize) {
      small = Math.trunc((this.maxSize * small) / large);
      large = this.maxSize;
    }
    if (small < 1) {
      throw new ShapeError(
        `Resize: an image of ${height}×${width} (height × width) would become ${small} pixels wide with size ${this.size[0]} and ` +
          `maxSize ${this.maxSize}`,
      );
    }
    return width <= height ? [channels, large, small] : [channels, small, large];
  }

  override extraRepr(): string {
    const size = this.size.length === 1 ? this.size[0] : `[${this.size.join(", ")}]`;
    return `size=${size}, interpolation=${this.interpolation}, max_size=${this.maxSize ?? "None"}, antialias=${this.antialias ? "True" : "False"}`;
  }
}

/** Options of `RandomResizedCrop`. */
export interface RandomResizedCropOptions extends InterpolationOptions {
  /** The least and the largest share of the image's area. Default [0.08, 1]. */
  scale?: readonly [number, number];
  /** The least and the largest ratio of width to height. Default [3/4, 4/3]. */
  ratio?: readonly [number, number];
}

const CROP_ORDER = ["scale", "ratio", "interpolation", "antialias"] as const;

/**
 * A random rectangle of images, resized (Szegedy et al., "Going deeper with convolutions", CVPR 2015), as torchvision's
 * RandomResizedCrop; in a batch, one rectangle for each image.
 *
 * Shape: [C, H, W] → [C, size[0], size[1]], or a batch of such. dtype: uint8 or float32, which is kept. Draws area and ratio up to
 * ten times, until the rectangle fits, then its place; where none fits it is the middle.
 *
 * @param size a number, or [height, width]
 * @throws ArgumentError unless 0 < scale[0] ≤ scale[1], 0 < ratio[0] ≤ ratio[1], and for other sizes and interpolations
 */
export class RandomResizedCrop extends RandomTransform<Box> {
  static override readonly takesBatches = true;
  readonly size: readonly [height: number, width: number];
  readonly scale: readonly [number, number];
  readonly ratio: readonly [number, number];
  readonly interpolation: Interpolation;
  readonly antialias: boolean;
  private readonly sampling: number;

  constructor(size: number | readonly number[], ...rest: Trailing<RandomResizedCropOptions, typeof CROP_ORDER>);
  constructor(...named: Named<{ size: number | readonly number[] }, ["size"], RandomResizedCropOptions>);
  constructor(...args: any[]) {
    super();
    const [size, ...rest] = inPlaces(args, ["size"]);
    const where = "RandomResizedCrop";
    const options = optionsOf<RandomResizedCropOptions>(where, rest, CROP_ORDER);
    this.size = sizeOf(size, where);
    this.scale = checkRange(options.scale ?? [0.08, 1], "scale", where, { least: 0, open: true });
    this.ratio = checkRange(options.ratio ?? [3 / 4, 4 / 3], "ratio", where, { least: 0, open: true });
    this.sampling = samplingOf(options, where);
    this.interpolation = options.interpolation ?? "bilinear";
    this.antialias = options.antialias ?? true;
  }

  draw(shape: ImageShape): Box {
    const [, height, width] = shape;
    checkPixels(shape, "RandomResizedCrop");
    for (let attempt = 0; attempt < 10; attempt++) {
      const [w, h] = drawSides(height * width, this.scale, this.ratio);
      if (w < 1 || w > width || h < 1 || h > height) continue;
      const top = drawBelow(height - h + 1);
      return { top, left: drawBelow(width - w + 1), height: h, width: w };
    }
    const [least, most] = this.ratio;
    const ratio = width / height;
    const w = ratio > most ? Math.max(roundHalfEven(height * most), 1) : width;
    const h = ratio < least ? Math.max(roundHalfEven(width / least), 1) : height;
    return { top: Math.floor((height - h) / 2), left: Math.floor((width - w) / 2), height: h, width: w };
  }

  transform(images: Images, draws: readonly Box[], given: Tensor): Tensor {
    if (draws.length > 0 && draws.every((box) => isWhole(images.shape, box, this.size))) return given;
    // One box would be that of all images.
    const single = { ...images, count: 1 };
    return resizeImages(draws.length === 1 ? single : images, draws, this.size, this.sampling, "RandomResizedCrop");
  }

  /** @internal */
  override outputShape([channels]: ImageShape): ImageShape {
    return [channels, ...this.size];
  }

  override extraRepr(): string {
    const range = (values: readonly number[]) => `(${values.map((v) => Number(v.toFixed(4))).join(", ")})`;
    return `size=(${this.size.join(", ")}), scale=${range(this.scale)}, ratio=${range(this.ratio)}, interpolation=${this.interpolation}, antialias=${this.antialias ? "True" : "False"}`;
  }
}
