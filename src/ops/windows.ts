/** What pooling ops share: pairs of numbers, planes of images, and the windows as lists that the kernels read. */
import { show } from "../arguments.js";
import { ArgumentError, DTypeError, ShapeError } from "../errors.js";
import { formatShape, numelOf, type Shape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { I32 } from "../wasm/heap.js";
import { workspace } from "../workspace.js";
import { checkTensor } from "./factory.js";

/** One number for rows and columns alike, or [rows, columns]. */
export type Size2d = number | readonly number[];

/** @throws ArgumentError unless value is a whole number ≥ least, or a list of one or two of them. */
export function pairOf(value: Size2d, name: string, least: number, where: string): readonly [number, number] {
  const list = typeof value === "number" ? [value] : value;
  const whole = Array.isArray(list) && list.every((n) => Number.isInteger(n) && n >= least);
  if (!whole || list.length < 1 || list.length > 2) {
    const found = Array.isArray(value) ? formatShape(value) : show(value);
    throw new ArgumentError(
      `${where}: ${name} must be a whole number ≥ ${least} or a pair [rows, columns] of them, found ${found}`,
    );
  }
  return [list[0], list[list.length - 1]];
}

/** Images as the kernels see them. */
export interface Planes {
  /** [C] or [N, C]: what comes before rows and columns. */
  readonly lead: Shape;
  readonly planes: number;
  readonly h: number;
  readonly w: number;
}

/** @throws DTypeError unless x is float32; ShapeError unless it is [N, C, H, W] or [C, H, W] with nothing empty but N. */
export function planesOf(x: Tensor, where: string): Planes {
  checkTensor(x, where);
  const { shape } = x;
  if (x.dtype !== "float32") {
    throw new DTypeError(`${where}: the input must be float32, found ${x.dtype}; convert it with float()`);
  }
  if ((shape.length !== 3 && shape.length !== 4) || shape.slice(-3).includes(0)) {
    throw new ShapeError(
      `${where}: the input must be images [N, C, H, W], or one image [C, H, W], with no empty dim but N; found ${formatShape(shape)}`,
    );
  }
  const lead = shape.slice(0, -2);
  const [h, w] = shape.slice(-2);
  return { lead, planes: numelOf(lead), h, w };
}

/** A window's geometry along rows and columns. */
export interface Geometry {
  kernel: readonly [number, number];
  stride: readonly [number, number];
  padding: readonly [number, number];
  dilation: readonly [number, number];
  ceilMode: boolean;
}

/** What pooling ops take beside the size of the windows. */
export interface WindowOptions {
  /** From one window to the next; default: the windows' own size. */
  stride?: Size2d | null;
  /** On all sides, at most half of the kernel; default 0. */
  padding?: Size2d;
  /** Between the taps of a window; default 1. */
  dilation?: Size2d;
  /** Also take windows that begin within the input (or the padding before it) and end outside; default false. */
  ceilMode?: boolean;
}

/** @throws ArgumentError for sizes that are no positive whole numbers, or a padding of more than half of the kernel. */
export function geometryOf(kernelSize: Size2d, options: WindowOptions, where: string): Geometry {
  const kernel = pairOf(kernelSize, "kernelSize", 1, where);
  const stride = options.stride === undefined || options.stride === null ? kernel : options.stride;
  const padding = pairOf(options.padding ?? 0, "padding", 0, where);
  if (padding.some((p, d) => 2 * p > kernel[d])) {
    throw new ArgumentError(
      `${where}: padding ${formatShape(padding)} may be at most half of the kernel ${formatShape(kernel)}; pad the input with F.pad to have more`,
    );
  }
  return {
    kernel,
    stride: pairOf(stride, "stride", 1, where),
    padding,
    dilation: pairOf(options.dilation ?? 1, "dilation", 1, where),
    ceilMode: options.ceilMode ?? false,
  };
}

/** Rows and columns of the result. @throws ShapeError when the kernel is larger than the padded input. */
export function pooledSize({ h, w }: Planes, geometry: Geometry, where: string): readonly [number, number] {
  const { kernel, stride, padding, dilation, ceilMode } = geometry;
  const [oh, ow] = [h, w].map((size, d) => {
    const room = size + 2 * padding[d] - dilation[d] * (kernel[d] - 1) - 1;
    const count = (ceilMode ? Math.ceil : Math.floor)(room / stride[d]) + 1;
    // A window may not begin behind the input and the padding before it.
    return ceilMode && (count - 1) * stride[d] >= size + padding[d] ? count - 1 : count;
  });
  if (oh < 1 || ow < 1) {
    const parts = [
      padding.some((p) => p > 0) ? ` padded by ${formatShape(padding)}` : "",
      dilation.some((d) => d > 1) ? ` dilated by ${formatShape(dilation)}` : "",
    ];
    throw new ShapeError(
      `${where}: an input of ${formatShape([h, w])}${parts[0]} has no room for a kernel of ${formatShape(kernel)}${parts[1]}: ` +
        `the result would be ${formatShape([oh, ow])}`,
    );
  }
  return [oh, ow];
}

/** For each window along a dim three numbers: the first tap that is not padding, the one after the last, and one more. */
export type Windows = Int32Array;

function windows(count: number, window: (i: number) => readonly [number, number, number]): Windows {
  const list = new Int32Array(3 * count);
  for (let i = 0; i < count; i++) list.set(window(i), 3 * i);
  return list;
}

/** Windows along dim d (0: rows); the third number is how many taps fell into the padding before the first. */
export function tapWindows(size: number, count: number, geometry: Geometry, d: 0 | 1): Windows {
  const [kernel, stride, padding, dilation] = [
    geometry.kernel[d],
    geometry.stride[d],
    geometry.padding[d],
    geometry.dilation[d],
  ];
  return windows(count, (i) => {
    const start = i * stride - padding;
    const skipped = start < 0 ? Math.ceil(-start / dilation) : 0;
    return [start + skipped * dilation, Math.min(start + (kernel - 1) * dilation + 1, size), skipped];
  });
}

/** Windows along dim d; the third number is how many count for a mean. */
export function meanWindows(size: number, count: number, geometry: Geometry, d: 0 | 1, withPad: boolean): Windows {
  const [kernel, stride, padding] = [geometry.kernel[d], geometry.stride[d], geometry.padding[d]];
  return windows(count, (i) => {
    const start = i * stride - padding;
    const end = Math.min(start + kernel, size + padding);
    const [first, after] = [Math.max(start, 0), Math.min(end, size)];
    return [first, after, withPad ? end - start : after - first];
  });
}

/** Windows that share a dim out evenly, overlapping where they must: from ⌊i·size/count⌋ to ⌈(i + 1)·size/count⌉. */
export function adaptiveWindows(size: number, count: number, third: (length: number) => number): Windows {
  return windows(count, (i) => {
    const start = Math.floor((i * size) / count);
    const end = Math.ceil(((i + 1) * size) / count);
    return [start, end, third(end - start)];
  });
}

/** An adaptive op's rows and columns; null means as many as the input has. @throws ArgumentError unless whole and ≥ 0. */
export function adaptiveSize(
  outputSize: number | null | readonly (number | null)[],
  { h, w }: Planes,
  where: string,
): readonly [number, number] {
  const list = Array.isArray(outputSize) ? outputSize : [outputSize];
  const known = [list[0] ?? h, list[list.length - 1] ?? w];
  return pairOf(list.length === 1 || list.length === 2 ? known : (list as number[]), "outputSize", 0, where);
}

/**
 * Writes lists of 32-bit numbers into the workspace, one after the other, followed by `scratch` bytes aligned to 16. Returns
 * the address of each and of the scratch; they are good until the next op.
 */
export function place(lists: readonly Int32Array[], scratch = 0): number[] {
  const bytes = lists.map((list) => (list.byteLength + 15) & ~15);
  let at = workspace(bytes.reduce((a, b) => a + b, scratch));
  const addresses = lists.map((list, i) => {
    const start = at;
    I32.set(list, start >>> 2);
    at += bytes[i];
    return start;
  });
  return [...addresses, at];
}
