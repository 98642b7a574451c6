/** Average pooling. */
import { inPlaces, type Named, optionsOf, type Trailing } from "../arguments.js";
import { ArgumentError } from "../errors.js";
import { asBefore, defineOp } from "../op.js";
import type { Shape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { k } from "../wasm/families/pool.generated.js";
import type { AdaptiveSize } from "./max-pool.js";
import {
  adaptiveSize,
  adaptiveWindows,
  type Geometry,
  geometryOf,
  meanWindows,
  type Planes,
  place,
  planesOf,
  pooledSize,
  type Size2d,
  type Windows,
} from "./windows.js";

/** One call's windows, and how its kernels go about them. */
interface AvgPool extends Planes {
  readonly shape: Shape;
  /** 2×2 with stride 2, no padding and divisor 4, which have a kernel of their own. */
  readonly quarters: boolean;
  readonly rows: Windows;
  readonly cols: Windows;
  /** 0: as many as the windows say. */
  readonly divisor: number;
}

/** avgPool2d or adaptiveAvgPool2d: the same windows mean the same thing, whoever made them. */
const definePool = (name: string) =>
  defineOp<[Tensor], [AvgPool]>({
    name,
    replay: asBefore,
    output: (_inputs, { shape }) => ({ shape, dtype: "float32" }),
    forward: (out, [x], a) => {
      if (a.quarters) {
        k.avg_pool2d_2x2(out.ptr, x.ptr, 0, a.planes, a.h, a.w);
        return;
      }
      const [rows, cols] = place([a.rows, a.cols]);
      const [oh, ow] = a.shape.slice(-2);
      k.avg_pool2d(out.ptr, x.ptr, rows, cols, 0, a.planes, a.h, a.w, oh, ow, a.divisor);
    },
    backward: (dOut, _saved, [dX], a) => {
      const dx = dX as Tensor;
      if (a.quarters) {
        k.avg_pool2d_2x2_backward(dx.ptr, dOut.ptr, 0, a.planes, a.h, a.w);
        return;
      }
      const [rows, cols] = place([a.rows, a.cols]);
      const [oh, ow] = a.shape.slice(-2);
      k.avg_pool2d_backward(dx.ptr, dOut.ptr, rows, cols, 0, a.planes, a.h, a.w, oh, ow, a.divisor);
    },
  });
const pool = /* @__PURE__ */ definePool("avgPool2d");
const adaptivePool = /* @__PURE__ */ definePool("adaptiveAvgPool2d");

const isPair = (pair: readonly number[], value: number): boolean => pair[0] === value && pair[1] === value;

/** What `avgPool2d` takes beside the size of the windows. */
export interface AvgPool2dOptions {
  /** From one window to the next; default: the windows' own size. */
  stride?: Size2d | null;
  /** Zeros on all sides, at most half of the kernel; default 0. */
  padding?: Size2d;
  /** Also take windows that begin within the input (or the padding before it) and end outside; default false. */
  ceilMode?: boolean;
  /** Count the padding (not what lies beyond it) among what the sum is divided by; default true. */
  countIncludePad?: boolean;
  /** Divide by this instead. */
  divisorOverride?: number | null;
}

/**
 * The mean of each window. Shape: [N, C, H, W] or [C, H, W] float32 → the same with H and W
 * ⌊(size + 2·padding − kernel) / stride⌋ + 1.
 *
 * @param kernelSize of the windows: a number, or [rows, columns], as in the options
 * @param options.stride default kernelSize
 * @param options.padding zeros, default 0, at most half of the kernel
 * @param options.ceilMode round up instead of down: windows may end outside; default false
 * @param options.countIncludePad divide by the size of the window, padding included; default true
 * @param options.divisorOverride divide by this instead
 * @throws ShapeError for an input that is no image or too small; ArgumentError for impossible numbers; DTypeError
 */
export function avgPool2d(
  x: Tensor,
  kernelSize: Size2d,
  ...rest: Trailing<AvgPool2dOptions, ["stride", "padding", "ceilMode", "countIncludePad", "divisorOverride"]>
): Tensor;
export function avgPool2d(x: Tensor, ...named: Named<{ kernelSize: Size2d }, ["kernelSize"], AvgPool2dOptions>): Tensor;
export function avgPool2d(x: Tensor, ...args: any[]): Tensor {
  const [kernelSize, ...rest] = inPlaces(args, ["kernelSize"]);
  const names = ["stride", "padding", "ceilMode", "countIncludePad", "divisorOverride"] as const;
  const options = optionsOf<AvgPool2dOptions>("avgPool2d", rest, names);
  const { stride, padding, ceilMode, countIncludePad = true, divisorOverride = null } = options;
  const geometry = geometryOf(kernelSize, { stride, padding, ceilMode }, "avgPool2d");
  if (divisorOverride !== null && (!Number.isInteger(divisorOverride) || divisorOverride === 0)) {
    throw new ArgumentError(`avgPool2d: divisorOverride must be a whole number other than 0, found ${divisorOverride}`);
  }
  const planes = planesOf(x, "avgPool2d");
  const [oh, ow] = pooledSize(planes, geometry, "avgPool2d");
  const quarters = divisorOverride === null && isQuarters(geometry, planes, oh, ow);
  return pool(x, {
    ...planes,
    shape: [...planes.lead, oh, ow],
    quarters,
    rows: quarters ? NONE : meanWindows(planes.h, oh, geometry, 0, countIncludePad),
    cols: quarters ? NONE : meanWindows(planes.w, ow, geometry, 1, countIncludePad),
    divisor: divisorOverride ?? 0,
  });
}
const NONE: Windows = new Int32Array(0);

const isQuarters = ({ kernel, stride, padding }: Geometry, { h, w }: Planes, oh: number, ow: number): boolean =>
  isPair(kernel, 2) && isPair(stride, 2) && isPair(padding, 0) && w >= 8 && oh === h >> 1 && ow === w >> 1;

/**
 * The mean of each of outputSize windows that share the image out evenly: window i reaches from ⌊i·H/oh⌋ to
 * ⌈(i + 1)·H/oh⌉; `adaptiveAvgPool2d(x, 1)` is the mean of each channel. Shape: [N, C, H, W] or [C, H, W] float32 → the
 * same with H and W as outputSize says.
 *
 * @param outputSize a number, or [rows, columns]; null keeps the input's
 * @throws ShapeError for an input that is no image; ArgumentError for an outputSize that is none; DTypeError
 */
export function adaptiveAvgPool2d(x: Tensor, given: AdaptiveSize | { outputSize: AdaptiveSize }): Tensor {
  const [outputSize] = inPlaces([given as AdaptiveSize], ["outputSize"]);
  const planes = planesOf(x, "adaptiveAvgPool2d");
  const [oh, ow] = adaptiveSize(outputSize, planes, "adaptiveAvgPool2d");
  const length = (n: number) => n;
  return adaptivePool(x, {
    ...planes,
    shape: [...planes.lead, oh, ow],
    quarters: 2 * oh === planes.h && 2 * ow === planes.w && planes.w >= 8,
    rows: adaptiveWindows(planes.h, oh, length),
    cols: adaptiveWindows(planes.w, ow, length),
    divisor: 0,
  });
}
