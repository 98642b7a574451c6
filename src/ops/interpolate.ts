/** Images made larger or smaller. */
import { optionsOf, show, type Trailing } from "../arguments.js";
import { ArgumentError, DTypeError, ShapeError } from "../errors.js";
import { asBefore, defineOp } from "../op.js";
import { formatShape, type Shape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { k } from "../wasm/families/interpolate.generated.js";
import { checkTensor } from "./factory.js";
import { pairOf, place, type Size2d } from "./windows.js";

/** The nearest pixel (as PyTorch has it, or as scikit-image and Pillow), or a blend of the four around. */
export type InterpolateMode = "nearest" | "nearest-exact" | "bilinear";
const MODES: readonly InterpolateMode[] = ["nearest", "nearest-exact", "bilinear"];

/** Where rows and columns of the result come from, as assembly/interpolate.ts reads it. */
interface Sampling {
  readonly shape: Shape;
  readonly planes: number;
  readonly h: number;
  readonly w: number;
  readonly rows: Int32Array;
  readonly cols: Int32Array;
}

const geometryOf = ({ shape, planes, h, w }: Sampling): readonly [number, number, number, number, number, number] => {
  const [oh, ow] = shape.slice(-2);
  return [0, planes, h, w, oh, ow];
};

const nearest = /* @__PURE__ */ defineOp<[Tensor], [Sampling]>({
  name: "interpolate",
  replay: asBefore,
  output: (_inputs, { shape }) => ({ shape, dtype: "float32" }),
  forward: (out, [x], s) => {
    const [rows, cols] = place([s.rows, s.cols]);
    k.gather_planes(out.ptr, x.ptr, rows, cols, 0, 0, ...geometryOf(s));
  },
  backward: (dOut, _saved, [dX], s) => {
    const [rows, cols, scratch] = place([s.rows, s.cols], 8 * s.h * s.w);
    k.gather_planes_backward((dX as Tensor).ptr, dOut.ptr, rows, cols, scratch, ...geometryOf(s));
  },
});

const bilinear = /* @__PURE__ */ defineOp<[Tensor], [Sampling]>({
  name: "interpolate",
  replay: asBefore,
  output: (_inputs, { shape }) => ({ shape, dtype: "float32" }),
  forward: (out, [x], s) => {
    const [rows, cols, scratch] = place([s.rows, s.cols], 4 * (s.w + 1));
    k.interpolate_bilinear(out.ptr, x.ptr, rows, cols, scratch, ...geometryOf(s));
  },
  backward: (dOut, _saved, [dX], s) => {
    const [rows, cols, scratch] = place([s.rows, s.cols], 8 * (s.h * s.w + s.w + 1));
    k.interpolate_bilinear_backward((dX as Tensor).ptr, dOut.ptr, rows, cols, scratch, ...geometryOf(s));
  },
});

/** PyTorch's scale from places in the result to places in the input: float32, from the factor where one was given. */
const scaleOf = (size: number, count: number, factor: number | null): number =>
  Math.fround(factor !== null && factor > 0 ? 1 / factor : Math.fround(size) / Math.fround(count));

/** The nearest source of each place along a dim. */
function nearestSources(size: number, count: number, factor: number | null, exact: boolean): Int32Array {
  const scale = scaleOf(size, count, factor);
  const half = exact ? 0.5 : 0;
  return Int32Array.from({ length: count }, (_, i) =>
    Math.min(Math.floor(Math.fround(Math.fround(i + half) * scale)), size - 1),
  );
}

/** The lower neighbour of each place along a dim, and the weight of the upper one (a float32, as its bits). */
function blends(size: number, count: number, factor: number | null, alignCorners: boolean): Int32Array {
  const list = new Int32Array(2 * count);
  const weights = new Float32Array(list.buffer);
  const corner = count > 1 ? Math.fround((size - 1) / (count - 1)) : 0;
  const scale = alignCorners ? corner : scaleOf(size, count, factor);
  for (let i = 0; i < count; i++) {
    const place = alignCorners
      ? Math.fround(scale * i)
      : Math.max(Math.fround(Math.fround(scale * (i + 0.5)) - 0.5), 0);
    const lower = Math.min(Math.floor(place), size - 1);
    list[2 * i] = lower;
    weights[2 * i + 1] = Math.min(place - lower, 1);
  }
  return list;
}

/** What `interpolate` takes; size or scaleFactor. */
export interface InterpolateOptions {
  /** Rows and columns of the result. */
  size?: Size2d | null;
  /** Or how many times as many as the input's, rounded down. */
  scaleFactor?: number | readonly number[] | null;
  /** Default "nearest". */
  mode?: InterpolateMode;
  /** Only for "bilinear": the corner pixels' centres fall on one another; otherwise their corners do. Default false. */
  alignCorners?: boolean | null;
  /** Take the scale from the two sizes rather than from scaleFactor, which differ where it was rounded. Default false. */
  recomputeScaleFactor?: boolean | null;
}

const NAMES = ["size", "scaleFactor", "mode", "alignCorners", "recomputeScaleFactor"] as const;

/**
 * Images of another size, as torch.nn.functional.interpolate. Shape: [N, C, H, W] float32 → [N, C, …size].
 *
 * @param options.size a number or [rows, columns]; or
 * @param options.scaleFactor the same as multiples of the input's, rounded down
 * @param options.mode "nearest" (default), "nearest-exact" or "bilinear"
 * @param options.alignCorners "bilinear" only: keep the corner pixels' values; default false
 * @param options.recomputeScaleFactor default false: places are computed from scaleFactor as it was given
 * @throws ShapeError for an input that is not [N, C, H, W] or a result without rows or columns; ArgumentError for other
 * modes, both or neither of size and scaleFactor, or options that go together with neither; DTypeError
 */
export function interpolate(x: Tensor, ...rest: Trailing<InterpolateOptions, typeof NAMES>): Tensor {
  const options = checkInterpolate(optionsOf<InterpolateOptions>("interpolate", rest, NAMES), "interpolate");
  const { size, scaleFactor, mode = "nearest", alignCorners, recomputeScaleFactor } = options;
  checkTensor(x, "interpolate");
  const { shape } = x;
  if (shape.length !== 4 || shape.slice(1).includes(0)) {
    throw new ShapeError(
      `interpolate: the input must be images [N, C, H, W] with no empty dim but N, found ${formatShape(shape)}` +
        (shape.length === 3 ? "; make a batch of one image with unsqueeze(0)" : ""),
    );
  }
  if (x.dtype !== "float32") {
    throw new DTypeError(`interpolate: the input must be float32, found ${x.dtype}; convert it with float()`);
  }
  const [n, c, h, w] = shape;
  const factors = scaleFactor === undefined || scaleFactor === null ? null : factorsOf(scaleFactor);
  const [oh, ow] =
    factors === null
      ? pairOf(size as Size2d, "size", 1, "interpolate")
      : [Math.floor(h * factors[0]), Math.floor(w * factors[1])];
  if (oh < 1 || ow < 1) {
    throw new ShapeError(
      `interpolate: scaleFactor ${formatShape(factors as Shape)} leaves nothing of an image of ${formatShape([h, w])}: ` +
        `the result would be ${formatShape([oh, ow])}`,
    );
  }
  const [fh, fw] = factors === null || recomputeScaleFactor ? [null, null] : factors;
  const sampling = { shape: [n, c, oh, ow], planes: n * c, h, w };
  if (mode === "bilinear") {
    const corners = alignCorners ?? false;
    return bilinear(x, { ...sampling, rows: blends(h, oh, fh, corners), cols: blends(w, ow, fw, corners) });
  }
  const exact = mode === "nearest-exact";
  return nearest(x, {
    ...sampling,
    rows: nearestSources(h, oh, fh, exact),
    cols: nearestSources(w, ow, fw, exact),
  });
}

/** @throws ArgumentError for options that contradict each other; the layer checks when it is made. */
export function checkInterpolate(options: InterpolateOptions, where: string): InterpolateOptions {
  const { size = null, scaleFactor = null, mode = "nearest", alignCorners = null, recomputeScaleFactor } = options;
  if (!MODES.includes(mode)) {
    throw new ArgumentError(`${where}: unknown mode ${show(mode)}; expected one of ${MODES.join(", ")}`);
  }
  if ((size === null) === (scaleFactor === null)) {
    throw new ArgumentError(
      `${where}: give either size or scaleFactor, found ${size === null ? "neither" : "both"} of them`,
    );
  }
  if (alignCorners !== null && mode !== "bilinear") {
    throw new ArgumentError(`${where}: alignCorners goes with mode "bilinear" only, found mode "${mode}"`);
  }
  if (recomputeScaleFactor && size !== null) {
    throw new ArgumentError(`${where}: recomputeScaleFactor goes with scaleFactor, not with size`);
  }
  return options;
}

function factorsOf(scaleFactor: number | readonly number[]): readonly [number, number] {
  const list = typeof scaleFactor === "number" ? [scaleFactor, scaleFactor] : scaleFactor;
  if (!Array.isArray(list) || list.length !== 2 || !list.every((f) => Number.isFinite(f) && f > 0)) {
    const found = Array.isArray(scaleFactor) ? formatShape(scaleFactor) : show(scaleFactor);
    throw new ArgumentError(
      `interpolate: scaleFactor must be a number > 0 or a pair [rows, columns] of them, found ${found}`,
    );
  }
  return [list[0], list[1]];
}
