/** Max pooling. */
import { inPlaces, type Named, optionsOf, type Trailing } from "../arguments.js";
import { followers, take } from "../defer.js";
import { defineOp } from "../op.js";
import type { Shape } from "../shape.js";
import { Tensor } from "../tensor.js";
import { k } from "../wasm/families/pool.generated.js";
import { type ValuesIndices, valuesAndIndices } from "./pair.js";
import {
  adaptiveSize,
  adaptiveWindows,
  type Geometry,
  geometryOf,
  type Planes,
  place,
  planesOf,
  pooledSize,
  type Size2d,
  tapWindows,
  type WindowOptions,
  type Windows,
} from "./windows.js";

/** One call's windows, and how its kernels go about them. */
interface MaxPool extends Planes {
  readonly shape: Shape;
  /** Windows that have a kernel of their own; null: what rows and cols say. */
  readonly usual: "2x2" | "3x3" | null;
  readonly rows: Windows;
  readonly cols: Windows;
  readonly kw: number;
  readonly dilation: readonly [number, number];
  /** The winners are noted as int32 indices of their plane; otherwise as one byte each, their place in the window. */
  readonly indices: boolean;
  /** Pools relu(x), at no further cost. */
  readonly relu: boolean;
}

const pool = /* @__PURE__ */ defineOp<[Tensor], [MaxPool, found: { indices?: Tensor }]>({
  name: "maxPool2d",
  // Winners as indices are a result of their own.
  replay: (m) => (m.indices ? null : [m, {}]),
  output: (_inputs, { shape }) => ({ shape, dtype: "float32" }),
  forward: (out, [x], m, found) => {
    const winners = Tensor.allocate(m.shape, m.indices ? "int32" : "uint8", "maxPool2d");
    const relu = Number(m.relu);
    if (m.usual === "2x2") k.max_pool2d_2x2(out.ptr, winners.ptr, x.ptr, 0, m.planes, m.h, m.w, relu);
    else if (m.usual === "3x3") k.max_pool2d_3x3(out.ptr, winners.ptr, x.ptr, 0, m.planes, m.h, m.w, relu);
    else {
      const [rows, cols] = place([m.rows, m.cols]);
      const [codes, indices] = m.indices ? [0, winners.ptr] : [winners.ptr, 0];
      const [oh, ow] = m.shape.slice(-2);
      const [dh, dw] = m.dilation;
      k.max_pool2d(
        ...[out.ptr, codes, indices, x.ptr, rows, cols, 0, m.planes],
        ...[m.h, m.w, oh, ow, m.kw, dh, dw, relu],
      );
    }
    if (!m.indices) return [winners];
    found.indices = winners;
  },
  save: (_out, _inputs, m, { indices }) => (m.indices ? [indices] : []),
  backward: (dOut, [winners], [dX], m) => {
    const dx = dX as Tensor;
    if (m.usual === "2x2") k.max_pool2d_2x2_backward(dx.ptr, dOut.ptr, winners.ptr, 0, m.planes, m.h, m.w);
    else if (m.usual === "3x3") k.max_pool2d_3x3_backward(dx.ptr, dOut.ptr, winners.ptr, 0, m.planes, m.h, m.w);
    else {
      const [rows, cols] = place([m.rows, m.cols]);
      const [codes, indices] = m.indices ? [0, winners.ptr] : [winners.ptr, 0];
      const [oh, ow] = m.shape.slice(-2);
      const [dh, dw] = m.dilation;
      k.max_pool2d_backward(
        ...[dx.ptr, dOut.ptr, codes, indices, rows, cols, 0, m.planes],
        ...[m.h, m.w, oh, ow, m.kw, dh, dw],
      );
    }
  },
});

const NONE: Windows = new Int32Array(0);
const isPair = (pair: readonly number[], value: number): boolean => pair[0] === value && pair[1] === value;

/** Which kernel of its own a pool has: the SIMD ones take four windows at a time, all of them whole (but for padding). */
function usualOf({ kernel, stride, padding, dilation }: Geometry, { h, w }: Planes, oh: number, ow: number) {
  if (!isPair(stride, 2) || !isPair(dilation, 1)) return null;
  if (isPair(kernel, 2) && isPair(padding, 0)) return w >= 8 && oh === h >> 1 && ow === w >> 1 ? "2x2" : null;
  if (isPair(kernel, 3) && isPair(padding, 1)) return oh === (h + 1) >> 1 && ow === (w + 1) >> 1 ? "3x3" : null;
  return null;
}

/** What `maxPool2d` takes beside the size of the windows. */
export interface MaxPool2dOptions extends WindowOptions {
  /** Give `{ values, indices }`; default false. */
  returnIndices?: boolean;
}

/**
 * The largest of each window; NaN where there is one. Padding never wins, the first of equal values takes the gradient.
 * Shape: [N, C, H, W] or [C, H, W] float32 → the same with H and W ⌊(size + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1.
 *
 * @param kernelSize of the windows: a number, or [rows, columns], as in all options
 * @param options.stride default kernelSize
 * @param options.padding default 0, at most half of the kernel
 * @param options.dilation default 1
 * @param options.ceilMode round up instead of down: windows may end outside; default false
 * @param options.returnIndices give `{ values, indices }`, indices int32, row·W + column within the plane
 * @throws ShapeError for an input that is no image or too small; ArgumentError for impossible numbers; DTypeError
 */
export function maxPool2d(
  x: Tensor,
  kernelSize: Size2d,
  options: MaxPool2dOptions & { returnIndices: true },
): ValuesIndices;
export function maxPool2d(
  x: Tensor,
  kernelSize: Size2d,
  ...rest: Trailing<MaxPool2dOptions, ["stride", "padding", "dilation", "ceilMode", "returnIndices"]>
): Tensor;
export function maxPool2d(x: Tensor, ...named: Named<{ kernelSize: Size2d }, ["kernelSize"], MaxPool2dOptions>): Tensor;
export function maxPool2d(x: Tensor, ...args: any[]): Tensor | ValuesIndices {
  const [kernelSize, ...rest] = inPlaces(args, ["kernelSize"]);
  const names = ["stride", "padding", "dilation", "ceilMode", "returnIndices"] as const;
  const options = optionsOf<MaxPool2dOptions>("maxPool2d", rest, names);
  const geometry = geometryOf(kernelSize, options, "maxPool2d");
  const planes = planesOf(x, "maxPool2d");
  const [oh, ow] = pooledSize(planes, geometry, "maxPool2d");
  const { kernel, dilation } = geometry;
  const asked = options.returnIndices ?? false;
  // 255 codes name taps, one nobody.
  const indices = asked || kernel[0] * kernel[1] > 255;
  const usual = indices ? null : usualOf(geometry, planes, oh, ow);
  const found: { indices?: Tensor } = {};
  // A relu that waits is done on the way: the largest of what it would leave is what it leaves of the largest.
  const before = followers(x)?.reluOf;
  if (before) take();
  const values = pool(
    before ?? x,
    {
      ...planes,
      shape: [...planes.lead, oh, ow],
      usual,
      rows: usual ? NONE : tapWindows(planes.h, oh, geometry, 0),
      cols: usual ? NONE : tapWindows(planes.w, ow, geometry, 1),
      kw: kernel[1],
      dilation,
      indices,
      relu: before !== undefined,
    },
    found,
  );
  return asked ? valuesAndIndices(values, found.indices as Tensor) : values;
}

/**
 * The largest of each of outputSize windows that share the image out evenly: window i reaches from ⌊i·H/oh⌋ to
 * ⌈(i + 1)·H/oh⌉. Shape: [N, C, H, W] or [C, H, W] float32 → the same with H and W as outputSize says.
 *
 * @param outputSize a number, or [rows, columns]; null keeps the input's
 * @param options.returnIndices give `{ values, indices }`, indices int32, row·W + column within the plane; default false
 * @throws ShapeError for an input that is no image; ArgumentError for an outputSize that is none; DTypeError
 */
export function adaptiveMaxPool2d(
  x: Tensor,
  outputSize: AdaptiveSize,
  options: { returnIndices: true } | true,
): ValuesIndices;
export function adaptiveMaxPool2d(
  x: Tensor,
  outputSize: AdaptiveSize,
  ...rest: Trailing<{ returnIndices?: boolean }, ["returnIndices"]>
): Tensor;
export function adaptiveMaxPool2d(
  x: Tensor,
  ...named: Named<{ outputSize: AdaptiveSize }, ["outputSize"], { returnIndices?: boolean }>
): Tensor;
export function adaptiveMaxPool2d(x: Tensor, ...args: any[]): Tensor | ValuesIndices {
  const [outputSize, ...rest] = inPlaces(args, ["outputSize"]);
  const { returnIndices = false } = optionsOf<{ returnIndices?: boolean }>("adaptiveMaxPool2d", rest, [
    "returnIndices",
  ]);
  const planes = planesOf(x, "adaptiveMaxPool2d");
  const [oh, ow] = adaptiveSize(outputSize, planes, "adaptiveMaxPool2d");
  const found: { indices?: Tensor } = {};
  const values = pool(
    x,
    {
      ...planes,
      shape: [...planes.lead, oh, ow],
      usual: null,
      rows: adaptiveWindows(planes.h, oh, () => 0),
      cols: adaptiveWindows(planes.w, ow, () => 0),
      kw: 0,
      dilation: [1, 1],
      indices: true,
      relu: false,
    },
    found,
  );
  return returnIndices ? valuesAndIndices(values, found.indices as Tensor) : values;
}

/** A number, or [rows, columns]; null is the input's own. */
export type AdaptiveSize = number | null | readonly (number | null)[];
