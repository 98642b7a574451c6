/** What transforms take: one image or a batch of them, checked. */
import { show } from "../arguments.js";
import { type DType, itemSize } from "../dtype.js";
import { ArgumentError, AutogradError, DTypeError, ShapeError } from "../errors.js";
import { isGradEnabled } from "../grad-mode.js";
import { formatShape } from "../shape.js";
import { tick } from "../storage.js";
import { Tensor } from "../tensor.js";
import { U8 } from "../wasm/heap.js";

/** [channels, height, width]. */
export type ImageShape = readonly [channels: number, height: number, width: number];

/** An image or a batch, in row-major order and outside the graph. */
export interface Images {
  data: Tensor;
  /** How many; 1 for a single image. */
  count: number;
  shape: ImageShape;
  /** Whether there was a first dim of images. */
  batch: boolean;
}

/** @throws TypeError unless it is a tensor. */
export function requireTensor(image: unknown, where: string): asserts image is Tensor {
  if (image instanceof Tensor) return;
  const found = image === null ? "null" : typeof image === "object" ? image.constructor?.name : typeof image;
  throw new TypeError(`${where}: image must be a Tensor, found ${found}; wrap pixels in tensor(…, { dtype: "uint8" })`);
}

/** dtypes of images that are computed with. */
export const PIXELS: readonly DType[] = ["uint8", "float32"];
/** dtypes of images that are only moved about. */
export const ANY: readonly DType[] = ["uint8", "float32", "int32", "bool"];

/**
 * @throws ShapeError for other dims than [C, H, W] or [N, C, H, W]; DTypeError for other dtypes; AutogradError for an image
 * that requires a gradient, which would be lost
 */
export function imagesOf(image: unknown, where: string, dtypes: readonly DType[]): Images {
  requireTensor(image, where);
  const { shape } = image;
  if (shape.length !== 3 && shape.length !== 4) {
    throw new ShapeError(
      `${where}: image of shape ${formatShape(shape)}: expected [channels, height, width] or a batch ` +
        "[images, channels, height, width] (unsqueeze(0) adds the channel of a grey image)",
    );
  }
  if (!dtypes.includes(image.dtype)) {
    throw new DTypeError(
      `${where}: image is ${image.dtype}, expected ${dtypes.join(" or ")}; convert it with image.to("uint8") or image.float()`,
    );
  }
  if (image.requiresGrad && isGradEnabled()) {
    throw new AutogradError(`${where}: image requires a gradient, which would be lost here; pass image.detach()`);
  }
  const batch = shape.length === 4;
  const [channels, height, width] = batch ? shape.slice(1) : shape;
  return {
    data: image.contiguousData(),
    count: batch ? shape[0] : 1,
    shape: [channels, height, width],
    batch,
  };
}

/** Images to be filled, of the dtype and batching of others. */
export function allocateImages(like: Images, shape: ImageShape, where: string, dtype: DType = like.data.dtype): Tensor {
  tick();
  return Tensor.allocateDurable(like.batch ? [like.count, ...shape] : shape, dtype, where);
}

/** A copy of images, to be changed in place. */
export function copyImages(images: Images, where: string): Tensor {
  const { data } = images;
  const out = allocateImages(images, images.shape, where);
  const { ptr } = data;
  U8.copyWithin(out.ptr, ptr, ptr + data.numel() * itemSize(data.dtype));
  return out;
}

const isSize = (value: unknown): value is number => Number.isInteger(value) && (value as number) > 0;

/** Height and width, from both or from one number for both. @throws ArgumentError unless they are whole numbers > 0. */
export function sizeOf(size: unknown, where: string): [height: number, width: number] {
  const list = Array.isArray(size) ? (size.length === 1 ? [size[0], size[0]] : size) : [size, size];
  if (list.length !== 2 || !list.every(isSize)) {
    const found = Array.isArray(size) ? `[${size.map(show).join(", ")}]` : show(size);
    throw new ArgumentError(`${where}: size must be a whole number > 0, or [height, width] of such, found ${found}`);
  }
  return list as [number, number];
}

/** @throws ArgumentError unless p is a number from 0 to 1. */
export function checkProbability(p: unknown, where: string): number {
  if (typeof p === "number" && p >= 0 && p <= 1) return p;
  throw new ArgumentError(`${where}: p must be a probability from 0 to 1, found ${show(p)}`);
}

/**
 * A range of two numbers.
 *
 * @throws ArgumentError unless it is [low, high] with least ≤ low ≤ high ≤ most (low > least where `open`)
 */
export function checkRange(
  range: unknown,
  name: string,
  where: string,
  { least, most = Number.MAX_VALUE, open = false }: { least: number; most?: number; open?: boolean },
): [number, number] {
  if (Array.isArray(range) && range.length === 2) {
    const [low, high] = range;
    const inside = (open ? low > least : low >= least) && low <= high && high <= most;
    if (typeof low === "number" && typeof high === "number" && inside) return [low, high];
  }
  const bounds = `${least} ${open ? "<" : "≤"} low ≤ high${most === Number.MAX_VALUE ? "" : ` ≤ ${most}`}`;
  const found = Array.isArray(range) ? `[${range.map(show).join(", ")}]` : show(range);
  throw new ArgumentError(`${where}: ${name} must be [low, high] with ${bounds}, found ${found}`);
}

/** @throws ArgumentError unless value is among the names. */
export function checkChoice<T extends string>(value: unknown, names: readonly T[], name: string, where: string): T {
  if (names.includes(value as T)) return value as T;
  throw new ArgumentError(`${where}: ${name} must be one of ${names.map(show).join(", ")}, found ${show(value)}`);
}
