/** Images of test data, and plain references of what moves pixels. */
import { type DType, type Tensor, tensor } from "../../src/index.js";

/** An image as nested lists [channels][height][width]. */
export type Planes = number[][][];

/** Pixels that differ from their neighbours in all directions; the same for the same shape and seed. */
export function pixels(shape: readonly number[], dtype: DType = "uint8", seed = 1): Tensor {
  let state = seed;
  const values = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    const byte = state >>> 24;
    return dtype === "float32" ? byte / 256 : dtype === "bool" ? byte & 1 : dtype === "int32" ? byte - 128 : byte;
  });
  return tensor(values, { shape, dtype });
}

/** Where position i of a line of n comes from; null: from nowhere. */
function position(i: number, n: number, mode: string): number | null {
  if (i >= 0 && i < n) return i;
  if (mode === "constant") return null;
  if (mode === "edge") return i < 0 ? 0 : n - 1;
  const line = Array.from({ length: n }, (_, j) => j);
  const mirrored = [...line].reverse();
  if (mode === "symmetric") return i < 0 ? (mirrored.at(i) as number) : mirrored[i - n];
  return i < 0 ? (mirrored.slice(0, -1).at(i) as number) : mirrored[i - n + 1];
}

/** torchvision's pad: [left, top, right, bottom]. */
export function padded(image: Planes, [l, t, r, b]: readonly number[], mode = "constant", fill = 0): Planes {
  const [h, w] = [image[0].length, image[0][0].length];
  return image.map((plane) =>
    Array.from({ length: h + t + b }, (_, y) =>
      Array.from({ length: w + l + r }, (_, x) => {
        const [sy, sx] = [position(y - t, h, mode), position(x - l, w, mode)];
        return sy === null || sx === null ? fill : plane[sy][sx];
      }),
    ),
  );
}

export const cropped = (image: Planes, top: number, left: number, h: number, w: number): Planes =>
  image.map((plane) => plane.slice(top, top + h).map((row) => row.slice(left, left + w)));
export const mirrored = (image: Planes): Planes => image.map((plane) => plane.map((row) => [...row].reverse()));
export const upsideDown = (image: Planes): Planes => image.map((plane) => [...plane].reverse());
