/** Padding. */

import { inPlaces, type Named, optionsOf, show, type Trailing } from "../arguments.js";
import { ArgumentError, ShapeError } from "../errors.js";
import { defineOp } from "../op.js";
import { formatShape, numelOf, type Shape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { k } from "../wasm/families/interpolate.generated.js";
import { copyInto } from "./convert.js";
import { indexSelect } from "./indexing.js";
import { fill_ } from "./inplace.js";
import { narrow } from "./view.js";
import { place } from "./windows.js";

/** How the border is made: of one value, mirrored without its edge, repeated from the edge, or wrapped around. */
export type PadMode = "constant" | "reflect" | "replicate" | "circular";

/** What `pad` takes beside the widths. */
export interface PadOptions {
  /** Default "constant". */
  mode?: PadMode;
  /** What "constant" pads with; default 0. */
  value?: number;
}

const MODES: readonly PadMode[] = ["constant", "reflect", "replicate", "circular"];

/** The part of x, and of its padded form, that both have, along each dim: [start in x, start in out, length]. */
function overlap(size: number, before: number, after: number): [number, number, number] {
  return [Math.max(0, -before), Math.max(0, before), size + Math.min(0, before) + Math.min(0, after)];
}

type Pads = readonly [number, number][];

const padConstant: (x: Tensor, pads: Pads, value: number) => Tensor = /* @__PURE__ */ defineOp<
  [Tensor],
  [pads: Pads, value: number]
>({
  name: "pad",
  raw: true,
  output: ([x], pads) => ({ shape: x.shape.map((size, d) => size + pads[d][0] + pads[d][1]), dtype: x.dtype }),
  forward: (out, [x], pads, value) => {
    fill_(out, value);
    let [from, into] = [x.detach(), out];
    pads.forEach(([before, after], d) => {
      const [startX, startOut, length] = overlap(x.shape[d], before, after);
      from = narrow(from, d, startX, length);
      into = narrow(into, d, startOut, length);
    });
    copyInto(into, from);
  },
  // Negative padding crops what padding added, and padding with 0 stands for what cropping took away.
  adjoint: (dOut, _saved, _needs, pads) => [
    padConstant(
      dOut,
      pads.map(([before, after]) => [-before, -after] as [number, number]),
      0,
    ),
  ],
});

/** Where each element of a padded dim comes from. */
function sources(size: number, before: number, after: number, mode: PadMode): Int32Array {
  return Int32Array.from({ length: size + before + after }, (_, i) => {
    const at = i - before;
    if (mode === "replicate") return Math.min(Math.max(at, 0), size - 1);
    if (mode === "circular") return ((at % size) + size) % size;
    return at < 0 ? -at : at >= size ? 2 * (size - 1) - at : at;
  });
}

/** Planes whose rows and columns come from those of x; columns first ≤ j < after are x's own, and copied as they lie. */
interface Border {
  readonly shape: Shape;
  readonly planes: number;
  readonly h: number;
  readonly w: number;
  readonly rows: Int32Array;
  readonly cols: Int32Array;
  readonly first: number;
  readonly after: number;
}

/** Mirrors, repeats or wraps the last two dims, in one pass for all four sides. */
const padPlanes: (x: Tensor, border: Border) => Tensor = /* @__PURE__ */ defineOp<[Tensor], [Border]>({
  name: "pad",
  output: (_inputs, { shape }) => ({ shape, dtype: "float32" }),
  forward: (out, [x], { planes, h, w, rows, cols, first, after }) => {
    const [from, to] = place([rows, cols]);
    k.gather_planes(out.ptr, x.ptr, from, to, first, after, 0, planes, h, w, rows.length, cols.length);
  },
  backward: (dOut, _saved, [dX], { planes, h, w, rows, cols }) => {
    const [from, to, scratch] = place([rows, cols], 8 * h * w);
    k.gather_planes_backward(
      ...[(dX as Tensor).ptr, dOut.ptr, from, to, scratch, 0, planes],
      ...[h, w, rows.length, cols.length],
    );
  },
});

/** The border of the last two dims; where rows stay as they are, each row is a plane, for backward wants one as scratch. */
function borderOf(x: Tensor, pads: Pads, mode: PadMode): Border {
  const [[top, bottom], [left, right]] = pads.slice(-2);
  const [h, w] = x.shape.slice(-2);
  const whole = top === 0 && bottom === 0;
  const lead = x.shape.slice(0, -2);
  const first = Math.max(left, 0);
  return {
    shape: [...lead, h + top + bottom, w + left + right],
    planes: numelOf(lead) * (whole ? h : 1),
    h: whole ? 1 : h,
    w,
    rows: whole ? Int32Array.of(0) : sources(h, top, bottom, mode),
    cols: sources(w, left, right, mode),
    first,
    after: first + w + Math.min(left, 0) + Math.min(right, 0),
  };
}

/**
 * Pads the last dims of x: [left, right] for the last, [left, right, top, bottom] for the last two, and so on; negative
 * numbers crop. As torch.nn.functional.pad.
 *
 * @param options.mode default "constant"
 * @param options.value what "constant" pads with; default 0
 * @throws ShapeError when x has too few dims, more is cropped than there is, or a mirrored or wrapped border is wider
 * than x allows
 */
export function pad(x: Tensor, padding: readonly number[], ...rest: Trailing<PadOptions, ["mode", "value"]>): Tensor;
export function pad(x: Tensor, ...named: Named<{ pad: readonly number[] }, ["pad"], PadOptions>): Tensor;
export function pad(x: Tensor, ...args: any[]): Tensor {
  const [padding, ...rest] = inPlaces<[readonly number[], ...any[]]>(args, ["pad"]);
  if (!Array.isArray(padding)) {
    throw new ArgumentError(`pad: expected a list of numbers, as in pad(x, [1, 1]), found ${show(padding)}`);
  }
  const { mode = "constant", value = 0 } = optionsOf<PadOptions>("pad", rest, ["mode", "value"]);
  if (!MODES.includes(mode)) {
    throw new ArgumentError(`pad: unknown mode ${JSON.stringify(mode)}; expected one of ${MODES.join(", ")}`);
  }
  const count = padding.length / 2;
  if (!Number.isInteger(count) || padding.some((n) => !Number.isInteger(n))) {
    throw new ArgumentError(`pad: ${formatShape(padding)}: expected a list of whole numbers, two for each dim`);
  }
  if (count > x.ndim) {
    throw new ShapeError(
      `pad: ${formatShape(padding)} pads ${count} dims, the tensor ${formatShape(x.shape)} has fewer`,
    );
  }
  const pads = x.shape.map((size, d): [number, number] => {
    const i = 2 * (x.ndim - 1 - d);
    const pair: [number, number] = [padding[i] ?? 0, padding[i + 1] ?? 0];
    if (size + pair[0] + pair[1] < 0 || Math.max(-pair[0], -pair[1]) > size) {
      throw new ShapeError(`pad: dim ${d} of ${formatShape(x.shape)} cannot be cropped by ${formatShape(pair)}`);
    }
    const widest = mode === "reflect" ? size - 1 : mode === "circular" ? size : Number.POSITIVE_INFINITY;
    if (Math.max(...pair) > widest || (mode === "replicate" && size === 0 && Math.max(...pair) > 0)) {
      throw new ShapeError(
        `pad: mode "${mode}" cannot pad dim ${d} of ${formatShape(x.shape)} by ${formatShape(pair)}: at most ${widest} on a side`,
      );
    }
    return pair;
  });
  if (mode === "constant") return padConstant(x, pads, value);
  const lead = pads.slice(0, -2);
  if (x.dtype === "float32" && x.ndim >= 2 && lead.every(([before, after]) => before === 0 && after === 0)) {
    return padPlanes(x, borderOf(x, pads, mode));
  }
  let out = x;
  pads.forEach(([before, after], d) => {
    if (before !== 0 || after !== 0) out = indexSelect(out, d, sources(x.shape[d], before, after, mode));
  });
  return out === x ? x.clone() : out;
}
