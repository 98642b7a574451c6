/**
 * The three passes of a convolution, which conv2d and convTranspose2d are made of: one op's forward is the other's gradient.
 * Each chooses between the kernels of assembly/conv.ts and, for 3×3 of stride 1, those of assembly/winograd.ts.
 */
import type { Tensor } from "../tensor.js";
import { k } from "../wasm/families/conv.generated.js";
import { I32, SHAPE_PTR } from "../wasm/heap.js";
import { k as core } from "../wasm/load.js";
import { workspace } from "../workspace.js";

/** Sizes of a convolution; the names are those of `ConvShape` in assembly/conv-image.ts. */
export interface ConvSizes {
  readonly n: number;
  /** Channels in and out, of one group. */
  readonly ic: number;
  readonly h: number;
  readonly w: number;
  readonly oc: number;
  readonly kh: number;
  readonly kw: number;
  readonly sh: number;
  readonly sw: number;
  /** Padding above and to the left; the rest follows from oh and ow. */
  readonly ph: number;
  readonly pw: number;
  readonly dh: number;
  readonly dw: number;
  readonly oh: number;
  readonly ow: number;
  readonly groups: number;
}

const WORDS = [
  "n",
  "ic",
  "h",
  "w",
  "oc",
  "kh",
  "kw",
  "sh",
  "sw",
  "ph",
  "pw",
  "dh",
  "dw",
  "oh",
  "ow",
  "groups",
] as const;

/** From so many channels on, both in and out, Winograd's transforms cost less than they save. */
const WINOGRAD_CHANNELS = 12;
/** Weight gradients are summed in so many parts of the batch, whatever the number of threads. */
const PARTS = 4;

/** How a convolution is computed. */
export type ConvMethod = "auto" | "direct" | "winograd";
let method: ConvMethod = "auto";

/** @internal For tests and comparisons: "direct" and "winograd" (where it is possible at all) override the choice. */
export function setConvMethod(to: ConvMethod): void {
  method = to;
}

/** Whether a convolution goes through Winograd's minimal filtering. */
export function usesWinograd(s: ConvSizes): boolean {
  const possible =
    s.kh === 3 &&
    s.kw === 3 &&
    s.sh === 1 &&
    s.sw === 1 &&
    s.dh === 1 &&
    s.dw === 1 &&
    s.groups === 1 &&
    s.ph === s.pw &&
    s.ph <= 2 &&
    s.oh === s.h + 2 * s.ph - 2 &&
    s.ow === s.w + 2 * s.pw - 2;
  if (!possible || method === "direct") return false;
  return method === "winograd" || Math.min(s.ic, s.oc) >= WINOGRAD_CHANNELS;
}

const isEmpty = (s: ConvSizes): boolean => s.n === 0 || s.ic === 0 || s.oc === 0;

function writeShape(s: ConvSizes): number {
  const word = SHAPE_PTR >>> 2;
  for (let i = 0; i < WORDS.length; i++) I32[word + i] = s[WORDS[i]];
  return SHAPE_PTR;
}

const aligned = (bytes: number): number => (bytes + 63) & ~63;
const tiles = (pixels: number): number => (pixels + 1) >> 1;

/** out [n, groups·oc, oh, ow] = x [n, groups·ic, h, w] ∗ weight [groups·oc, ic, kh, kw] + bias [groups·oc]. */
export function convolve(out: Tensor, x: Tensor, weight: Tensor, bias: Tensor | null, s: ConvSizes): void {
  if (isEmpty(s)) {
    if (out.numel() > 0) out.zero_();
    return;
  }
  if (usesWinograd(s)) {
    winograd(out, x, weight, bias, false, s.n, s.ic, s.h, s.w, s.oc, s.oh, s.ow, s.ph);
    return;
  }
  const shape = writeShape(s);
  const packed = aligned(k.conv2d_packed(shape));
  const scratch = workspace(packed + k.conv2d_scratch(shape));
  k.conv2d_pack(scratch, weight.ptr, bias?.ptr ?? 0, shape);
  k.conv2d(out.ptr, x.ptr, scratch, bias ? 1 : 0, shape, scratch + packed, 0, k.conv2d_units(shape));
}

/** dX [n, groups·ic, h, w], the gradient of convolve's x. */
export function convolveBackwardInput(dX: Tensor, dOut: Tensor, weight: Tensor, s: ConvSizes): void {
  if (isEmpty(s)) {
    if (dX.numel() > 0) dX.zero_();
    return;
  }
  if (usesWinograd(s)) {
    winograd(dX, dOut, weight, null, true, s.n, s.oc, s.oh, s.ow, s.ic, s.h, s.w, 2 - s.ph);
    return;
  }
  const shape = writeShape(s);
  const packed = aligned(k.conv2d_packed(shape));
  const scratch = workspace(packed + k.conv2d_scratch(shape));
  k.conv2d_pack_transposed(scratch, weight.ptr, shape);
  k.conv2d_backward_input(dX.ptr, dOut.ptr, scratch, shape, scratch + packed, 0, s.n);
}

/** dWeight [groups·oc, ic, kh, kw], the gradient of convolve's weight. */
export function convolveBackwardWeight(dWeight: Tensor, dOut: Tensor, x: Tensor, s: ConvSizes): void {
  if (isEmpty(s)) {
    if (dWeight.numel() > 0) dWeight.zero_();
    return;
  }
  const parts = Math.min(PARTS, s.n);
  const images = Math.ceil(s.n / parts);
  if (usesWinograd(s)) {
    const { n, ic, h, w, oc, oh, ow, ph } = s;
    const partials = parts * k.winograd_transformed(ic * oc);
    const scratch = workspace(partials + k.winograd_scratch(ic, oc, tiles(ow)));
    k.conv2d_winograd_backward_weight(
      scratch,
      dOut.ptr,
      x.ptr,
      n,
      ic,
      h,
      w,
      oc,
      oh,
      ow,
      ph,
      images,
      scratch + partials,
      0,
      parts,
    );
    k.winograd_weights_backward(dWeight.ptr, scratch, parts, ic * oc, 0, ic * oc);
    return;
  }
  const shape = writeShape(s);
  const count = dWeight.numel();
  const partials = aligned(parts * count * 4);
  const scratch = workspace(partials + k.conv2d_scratch(shape));
  k.conv2d_backward_weight(scratch, dOut.ptr, x.ptr, shape, images, scratch + partials, 0, parts);
  k.conv2d_sum(dWeight.ptr, scratch, parts, count, 0, count);
}

/** dBias [c]: the sum over images and pixels of dOut [n, c, plane]. */
export function convolveBackwardBias(dBias: Tensor, dOut: Tensor, n: number, c: number, plane: number): void {
  const sums = workspace(n * c * 4);
  core.sum(sums, dOut.ptr, n * c, plane, 1);
  core.sum(dBias.ptr, sums, 1, n, c);
}

function winograd(
  out: Tensor,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  transposed: boolean,
  n: number,
  ic: number,
  h: number,
  w: number,
  oc: number,
  oh: number,
  ow: number,
  pad: number,
): void {
  const transformed = k.winograd_transformed(ic * oc);
  const scratch = workspace(transformed + k.winograd_scratch(ic, oc, tiles(ow)));
  // The weights' own order is [out, in] of the forward pass.
  const [rows, columns] = transposed ? [ic, oc] : [oc, ic];
  k.winograd_weights(scratch, weight.ptr, rows, columns, Number(transposed), 0, ic);
  const units = k.winograd_units(n, ic, oc, oh, ow);
  k.conv2d_winograd(
    out.ptr,
    x.ptr,
    scratch,
    bias?.ptr ?? 0,
    n,
    ic,
    h,
    w,
    oc,
    oh,
    ow,
    pad,
    scratch + transformed,
    0,
    units,
  );
}
