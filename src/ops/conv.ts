/** Convolution of images, and its transpose. */
import { inPlaces, type Named, optionsOf, show, type Trailing } from "../arguments.js";
import { ArgumentError, DTypeError, ShapeError } from "../errors.js";
import { asBefore, defineOp } from "../op.js";
import { formatShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { add } from "./binary.js";
import {
  type ConvSizes,
  convolve,
  convolveBackwardBias,
  convolveBackwardInput,
  convolveBackwardWeight,
} from "./conv-passes.js";
import { checkTensor } from "./factory.js";
import { reshape, squeeze, unsqueeze } from "./view.js";
import { pairOf, type Size2d } from "./windows.js";

/** What `conv2d` takes beside the tensors. */
export interface ConvOptions {
  /** [O]; left out or null: none. */
  bias?: Tensor | null;
  /** From one window to the next; default 1. */
  stride?: Size2d;
  /**
   * Zeros on all sides, default 0; "valid" is 0, and "same" gives an output of the input's size (stride 1 only; of an odd number of
   * zeros one more goes below and to the right).
   */
  padding?: Size2d | "same" | "valid";
  /** Between the taps of the kernel; default 1. */
  dilation?: Size2d;
  /** Parts into which channels are divided, each convolved by itself; default 1. */
  groups?: number;
}

/** What `convTranspose2d` takes beside the tensors. */
export interface ConvTransposeOptions {
  /** [O]; left out or null: none. */
  bias?: Tensor | null;
  /** Default 1. */
  stride?: Size2d;
  /** Rows and columns cut off on all sides; default 0. */
  padding?: Size2d;
  /** Rows and columns more at the bottom and to the right, less than the stride or the dilation; default 0. */
  outputPadding?: Size2d;
  groups?: number;
  dilation?: Size2d;
}

type Inputs = [x: Tensor, weight: Tensor, bias: Tensor | null | undefined];

const correlate = /* @__PURE__ */ defineOp<Inputs, [sizes: ConvSizes]>({
  name: "conv2d",
  inputs: 3,
  output: (_inputs, { n, oc, groups, oh, ow }) => ({ shape: [n, oc * groups, oh, ow], dtype: "float32" }),
  replay: asBefore,
  forward: (out, [x, weight, bias], sizes) => convolve(out, x, weight, bias ?? null, sizes),
  save: (_out, [x, weight]) => [weight.requiresGrad ? x : null, x.requiresGrad ? weight : null],
  backward: (dOut, [x, weight], [dX, dWeight, dBias], sizes) => {
    const { n, oc, groups, oh, ow } = sizes;
    if (dX) convolveBackwardInput(dX, dOut, weight, sizes);
    if (dWeight) convolveBackwardWeight(dWeight, dOut, x, sizes);
    if (dBias) convolveBackwardBias(dBias, dOut, n, oc * groups, oh * ow);
  },
});

/** The sizes are those of the convolution that this is the input gradient of: its output is our input. */
const correlateTransposed = /* @__PURE__ */ defineOp<[x: Tensor, weight: Tensor], [sizes: ConvSizes]>({
  name: "convTranspose2d",
  inputs: 2,
  output: (_inputs, { n, ic, groups, h, w }) => ({ shape: [n, ic * groups, h, w], dtype: "float32" }),
  replay: asBefore,
  forward: (out, [x, weight], sizes) => convolveBackwardInput(out, x, weight, sizes),
  save: (_out, [x, weight]) => [weight.requiresGrad ? x : null, x.requiresGrad ? weight : null],
  backward: (dOut, [x, weight], [dX, dWeight], sizes) => {
    if (dX) convolve(dX, dOut, weight, null, sizes);
    if (dWeight) convolveBackwardWeight(dWeight, x, dOut, sizes);
  },
});

/** @throws ArgumentError, DTypeError or ShapeError for what both ops need of their operands. */
function checkOperands(
  where: string,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null | undefined,
  layout: string,
  groups: number,
): void {
  checkTensor(x, where);
  checkTensor(weight, where);
  if (bias) checkTensor(bias, where);
  const floats = [["input", x] as const, ["weight", weight] as const, ["bias", bias] as const];
  for (const [name, t] of floats) {
    if (t && t.dtype !== "float32") {
      const way = name === "input" && t.dtype === "uint8" ? "transforms.ToTensor or float()" : "float()";
      throw new DTypeError(`${where}: the ${name} must be float32, found ${t.dtype}; convert it with ${way}`);
    }
  }
  if ((x.ndim !== 3 && x.ndim !== 4) || x.shape.slice(-2).includes(0)) {
    throw new ShapeError(
      `${where}: the input must be images [N, C, H, W], or one image [C, H, W], with no empty height or width; found ${formatShape(x.shape)}` +
        (x.ndim === 2 ? " (unsqueeze(0) adds the channel of a grey image)" : ""),
    );
  }
  if (weight.ndim !== 4 || weight.shape.slice(-2).includes(0)) {
    throw new ShapeError(`${where}: the weight must have shape ${layout}, found ${formatShape(weight.shape)}`);
  }
  if (!Number.isInteger(groups) || groups < 1) {
    throw new ArgumentError(`${where}: groups must be a whole number ≥ 1, found ${show(groups)}`);
  }
  if (weight.shape[0] % groups !== 0) {
    throw new ShapeError(
      `${where}: groups ${groups} does not divide the ${weight.shape[0]} channels of weight ${formatShape(weight.shape)}'s first dim`,
    );
  }
}

function checkBias(where: string, bias: Tensor | null | undefined, channels: number): void {
  if (bias && (bias.ndim !== 1 || bias.shape[0] !== channels)) {
    throw new ShapeError(
      `${where}: bias has shape ${formatShape(bias.shape)}, expected [${channels}], one value an output channel`,
    );
  }
}

/** Padding before each dim, and in all. */
function paddingOf(
  padding: Size2d | "same" | "valid",
  kernel: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
): { before: readonly number[]; total: readonly number[] } {
  if (padding === "valid") return { before: [0, 0], total: [0, 0] };
  if (padding === "same") {
    if (stride.some((s) => s !== 1)) {
      throw new ArgumentError(
        `conv2d: padding "same" needs stride 1, found stride ${formatShape(stride)}; give the padding as a number`,
      );
    }
    const total = kernel.map((size, d) => dilation[d] * (size - 1));
    return { before: total.map((t) => t >> 1), total };
  }
  if (typeof padding === "string") {
    throw new ArgumentError(
      `conv2d: padding must be a number, a pair [rows, columns], "same" or "valid", found ${show(padding)}`,
    );
  }
  const before = pairOf(padding, "padding", 0, "conv2d");
  return { before, total: before.map((p) => 2 * p) };
}

/**
 * The convolution of images with a bank of filters (a cross-correlation, as everywhere in deep learning):
 *
 *   out[n, o, y, x] = bias[o] + Σ_{c,i,j} weight[o, c, i, j] · x[n, c, y·stride + i·dilation − padding, …]
 *
 * Shape: x [N, C, H, W] or [C, H, W], weight [O, C/groups, kh, kw], bias [O] → [N, O, H', W'] or [O, H', W'] with
 * H' = ⌊(H + 2·padding − dilation·(kh − 1) − 1) / stride⌋ + 1; all float32. As torch.nn.functional.conv2d.
 *
 * 3×3 kernels of stride 1 with 12 or more channels in and out go through Winograd's minimal filtering (docs/decisions/0005 has its
 * accuracy); there a NaN or ±Inf in the input also reaches the other pixels of the 2×2 outputs it takes part in.
 *
 * @throws ShapeError when channels, groups or the bias do not fit, or the kernel is larger than the padded input;
 *   ArgumentError for a stride, padding or dilation that is none; DTypeError unless all are float32
 */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  ...rest: Trailing<ConvOptions, ["bias", "stride", "padding", "dilation", "groups"]>
): Tensor;
export function conv2d(x: Tensor, ...named: Named<{ weight: Tensor }, ["weight"], ConvOptions>): Tensor;
export function conv2d(x: Tensor, ...args: any[]): Tensor {
  const [weight, ...rest] = inPlaces<[Tensor, ...any[]]>(args, ["weight"]);
  const options = optionsOf<ConvOptions>("conv2d", rest, ["bias", "stride", "padding", "dilation", "groups"]);
  const { bias, groups = 1 } = options;
  checkOperands("conv2d", x, weight, bias, "[out, in / groups, kernel height, kernel width]", groups);
  const stride = pairOf(options.stride ?? 1, "stride", 1, "conv2d");
  const dilation = pairOf(options.dilation ?? 1, "dilation", 1, "conv2d");
  const [out, ic, kh, kw] = weight.shape;
  const channels = x.shape[x.ndim - 3];
  if (channels !== ic * groups) {
    throw new ShapeError(
      `conv2d: input ${formatShape(x.shape)} has ${channels} channel${channels === 1 ? "" : "s"}, weight ${formatShape(weight.shape)} ` +
        `with groups ${groups} expects ${ic * groups}`,
    );
  }
  checkBias("conv2d", bias, out);
  const { before, total } = paddingOf(options.padding ?? 0, [kh, kw], stride, dilation);
  const size = x.shape.slice(-2);
  const [oh, ow] = size.map((s, d) => {
    const reach = dilation[d] * ([kh, kw][d] - 1) + 1;
    return Math.floor((s + total[d] - reach) / stride[d]) + 1;
  });
  if (oh < 1 || ow < 1) {
    const reach = [kh, kw].map((size, d) => dilation[d] * (size - 1) + 1);
    const dilated = dilation.some((d) => d > 1) ? ` (of ${formatShape([kh, kw])} taps, dilated)` : "";
    const padded = total.some((t) => t > 0) ? `, padded to ${formatShape(size.map((s, d) => s + total[d]))}` : "";
    throw new ShapeError(
      `conv2d: a kernel of ${formatShape(reach)}${dilated} is larger than the input of ${formatShape(size)}${padded}`,
    );
  }
  const batch = x.ndim === 3 ? unsqueeze(x, 0) : x;
  const sizes: ConvSizes = {
    n: batch.shape[0],
    ic,
    h: size[0],
    w: size[1],
    oc: out / groups,
    kh,
    kw,
    sh: stride[0],
    sw: stride[1],
    ph: before[0],
    pw: before[1],
    dh: dilation[0],
    dw: dilation[1],
    oh,
    ow,
    groups,
  };
  const result = correlate(batch, weight, bias, sizes);
  return x.ndim === 3 ? squeeze(result, 0) : result;
}

/**
 * The transpose of conv2d, also called deconvolution: every pixel of x adds the filters, times its value, to the output (Zeiler et al.,
 * "Deconvolutional networks", CVPR 2010). As torch.nn.functional.conv_transpose2d.
 *
 * Shape: x [N, C, H, W] or [C, H, W], weight [C, O/groups, kh, kw], bias [O] → [N, O, H', W'] or [O, H', W'] with
 * H' = (H − 1)·stride − 2·padding + dilation·(kh − 1) + outputPadding + 1; all float32.
 *
 * @throws as conv2d; ArgumentError also when outputPadding is neither less than the stride nor less than the dilation
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  ...rest: Trailing<ConvTransposeOptions, ["bias", "stride", "padding", "outputPadding", "groups", "dilation"]>
): Tensor;
export function convTranspose2d(
  x: Tensor,
  ...named: Named<{ weight: Tensor }, ["weight"], ConvTransposeOptions>
): Tensor;
export function convTranspose2d(x: Tensor, ...args: any[]): Tensor {
  const [weight, ...rest] = inPlaces<[Tensor, ...any[]]>(args, ["weight"]);
  const where = "convTranspose2d";
  const names = ["bias", "stride", "padding", "outputPadding", "groups", "dilation"] as const;
  const options = optionsOf<ConvTransposeOptions>(where, rest, names);
  const { bias, groups = 1 } = options;
  checkOperands(where, x, weight, bias, "[in, out / groups, kernel height, kernel width]", groups);
  const stride = pairOf(options.stride ?? 1, "stride", 1, where);
  const padding = pairOf(options.padding ?? 0, "padding", 0, where);
  const outputPadding = pairOf(options.outputPadding ?? 0, "outputPadding", 0, where);
  const dilation = pairOf(options.dilation ?? 1, "dilation", 1, where);
  const [channels, out, kh, kw] = weight.shape;
  const found = x.shape[x.ndim - 3];
  if (found !== channels) {
    throw new ShapeError(
      `${where}: input ${formatShape(x.shape)} has ${found} channel${found === 1 ? "" : "s"}, weight ${formatShape(weight.shape)} expects ${channels}`,
    );
  }
  checkBias(where, bias, out * groups);
  outputPadding.forEach((more, d) => {
    if (more >= stride[d] && more >= dilation[d]) {
      throw new ArgumentError(
        `${where}: outputPadding ${formatShape(outputPadding)} must be less than the stride ${formatShape(stride)} or the dilation ${formatShape(dilation)}`,
      );
    }
  });
  const size = x.shape.slice(-2);
  const [h, w] = size.map(
    (s, d) => (s - 1) * stride[d] - 2 * padding[d] + dilation[d] * ([kh, kw][d] - 1) + outputPadding[d] + 1,
  );
  if (h < 1 || w < 1) {
    throw new ShapeError(
      `${where}: an input of ${formatShape(size)} with padding ${formatShape(padding)} leaves an output of ${formatShape([h, w])}`,
    );
  }
  const batch = x.ndim === 3 ? unsqueeze(x, 0) : x;
  const sizes: ConvSizes = {
    n: batch.shape[0],
    ic: out,
    h,
    w,
    oc: channels / groups,
    kh,
    kw,
    sh: stride[0],
    sw: stride[1],
    ph: padding[0],
    pw: padding[1],
    dh: dilation[0],
    dw: dilation[1],
    oh: size[0],
    ow: size[1],
    groups,
  };
  let result = correlateTransposed(batch, weight, sizes);
  if (bias) result = add(result, reshape(bias, [1, out * groups, 1, 1]));
  return x.ndim === 3 ? squeeze(result, 0) : result;
}
