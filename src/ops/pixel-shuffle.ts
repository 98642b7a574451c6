/**
 * Channels to pixels and back: sub-pixel convolution's second half (Shi et al., "Real-time single image and video
 * super-resolution using an efficient sub-pixel convolutional neural network", CVPR 2016).
 */
import { ArgumentError, ShapeError } from "../errors.js";
import { formatShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { checkTensor } from "./factory.js";
import { permute, reshape } from "./view.js";

/**
 * Makes squares of r × r pixels out of r² channels. Shape: (*, C·r², H, W) → (*, C, H·r, W·r). Any dtype.
 *
 * @throws ShapeError for fewer than three dims, or channels that are not a multiple of r²; ArgumentError unless r ≥ 1 is whole
 */
export function pixelShuffle(x: Tensor, upscaleFactor: number): Tensor {
  const [r, lead, c, h, w] = planes(x, upscaleFactor, "pixelShuffle", "upscaleFactor");
  if (c % (r * r) !== 0) {
    throw new ShapeError(
      `pixelShuffle: the input ${formatShape(x.shape)} has ${c} channels, not a multiple of upscaleFactor² = ${r * r}`,
    );
  }
  const split = reshape(x, [...lead, c / (r * r), r, r, h, w]);
  const n = lead.length;
  const order = [...lead.map((_, d) => d), n, n + 3, n + 1, n + 4, n + 2];
  return reshape(permute(split, order), [...lead, c / (r * r), h * r, w * r]);
}

/**
 * Makes r² channels out of squares of r × r pixels, the inverse of `pixelShuffle`. Shape: (*, C, H·r, W·r) → (*, C·r², H, W).
 * Any dtype.
 *
 * @throws ShapeError for fewer than three dims, or sizes that are not multiples of r; ArgumentError unless r ≥ 1 is whole
 */
export function pixelUnshuffle(x: Tensor, downscaleFactor: number): Tensor {
  const [r, lead, c, h, w] = planes(x, downscaleFactor, "pixelUnshuffle", "downscaleFactor");
  if (h % r !== 0 || w % r !== 0) {
    throw new ShapeError(
      `pixelUnshuffle: the rows and columns of ${formatShape(x.shape)} are not multiples of downscaleFactor = ${r}`,
    );
  }
  const split = reshape(x, [...lead, c, h / r, r, w / r, r]);
  const n = lead.length;
  const order = [...lead.map((_, d) => d), n, n + 2, n + 4, n + 1, n + 3];
  return reshape(permute(split, order), [...lead, c * r * r, h / r, w / r]);
}

function planes(
  x: Tensor,
  r: number,
  where: string,
  name: string,
): readonly [r: number, lead: readonly number[], c: number, h: number, w: number] {
  checkTensor(x, where);
  checkFactor(r, where, name);
  if (x.ndim < 3) {
    throw new ShapeError(`${where}: the input must have at least three dims [C, H, W], found ${formatShape(x.shape)}`);
  }
  const [c, h, w] = x.shape.slice(-3);
  return [r, x.shape.slice(0, -3), c, h, w];
}

/** @throws ArgumentError unless r is a whole number ≥ 1. */
export function checkFactor(r: number, where: string, name: string): number {
  if (!Number.isInteger(r) || r < 1)
    throw new ArgumentError(`${where}: ${name} must be a whole number ≥ 1, found ${r}`);
  return r;
}
