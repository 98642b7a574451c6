/** Layers that convolve: nn.Conv2d and nn.ConvTranspose2d. */
import { inPlaces, type Named, optionsOf, show, type Trailing } from "../arguments.js";
import { ArgumentError, ShapeError } from "../errors.js";
import { type ConvOptions, type ConvTransposeOptions, conv2d, convTranspose2d } from "../ops/conv.js";
import { type PadMode, pad } from "../ops/pad.js";
import { pairOf, type Size2d } from "../ops/windows.js";
import { formatShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { calculateFanInAndFanOut, kaimingUniform_, uniform_ } from "./init.js";
import { emptyParameter } from "./linear.js";
import { guardParameters, Module } from "./module.js";
import type { Parameter } from "./parameter.js";

type Pair = readonly [height: number, width: number];

/** How the border is made: with zeros, mirrored, repeated or wrapped around. */
export type ConvPaddingMode = "zeros" | Exclude<PadMode, "constant">;
const PADDING_MODES: readonly ConvPaddingMode[] = ["zeros", "reflect", "replicate", "circular"];

/** Options of `Conv2d`: those of `F.conv2d`, and what makes the layer. */
export interface Conv2dOptions extends Omit<ConvOptions, "bias"> {
  /** Learn a bias; default true. */
  bias?: boolean;
  /** Default "zeros". */
  paddingMode?: ConvPaddingMode;
}

/** Options of `ConvTranspose2d`: those of `F.convTranspose2d`, and whether to learn a bias. */
export interface ConvTranspose2dOptions extends Omit<ConvTransposeOptions, "bias"> {
  bias?: boolean;
}

/** The arguments that are no options, where some of them are named. */
type NamedSizes<Options> = Named<
  { inChannels: number; outChannels: number; kernelSize: Size2d },
  ["inChannels", "outChannels", "kernelSize"],
  Options
>;
const SIZES = ["inChannels", "outChannels", "kernelSize"] as const;

/** @throws ArgumentError unless it is a whole number ≥ 1 */
function checkCount(value: unknown, what: string): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 1) return value;
  throw new ArgumentError(`${what} must be a whole number ≥ 1, found ${show(value)}`);
}

/** As Python prints a pair. */
const tuple = (pair: readonly number[]): string => `(${pair.join(", ")})`;
const differs = (pair: Pair, value: number): boolean => pair[0] !== value || pair[1] !== value;

/** What both layers are: weight and bias of one shape rule, the same initialisation, the same way to be printed. */
abstract class ConvNd extends Module {
  readonly kernelSize: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  readonly groups: number;
  /** [outChannels, inChannels / groups, height, width]; of a transposed convolution [inChannels, outChannels / groups, …]. */
  weight: Parameter;
  bias: Parameter | null;

  constructor(
    where: string,
    readonly inChannels: number,
    readonly outChannels: number,
    kernelSize: Size2d,
    options: { stride?: Size2d; dilation?: Size2d; groups?: number; bias?: boolean },
    transposed: boolean,
  ) {
    super();
    checkCount(inChannels, `${where}: inChannels`);
    checkCount(outChannels, `${where}: outChannels`);
    this.kernelSize = pairOf(kernelSize, "kernelSize", 1, where);
    this.stride = pairOf(options.stride ?? 1, "stride", 1, where);
    this.dilation = pairOf(options.dilation ?? 1, "dilation", 1, where);
    const groups = checkCount(options.groups ?? 1, `${where}: groups`);
    this.groups = groups;
    for (const [name, channels] of Object.entries({ inChannels, outChannels })) {
      if (channels % groups !== 0) {
        throw new ArgumentError(`${where}: ${name} ${channels} does not divide into ${groups} groups`);
      }
    }
    const [from, to] = transposed ? [inChannels, outChannels] : [outChannels, inChannels];
    this.weight = emptyParameter([from, to / groups, ...this.kernelSize]);
    this.bias = (options.bias ?? true) ? emptyParameter([outChannels]) : null;
    this.resetParameters();
    guardParameters(this);
  }

  /** Draws weight and bias anew: uniform in ±1/√(fan in), as PyTorch does (He et al. 2015 with a = √5). */
  resetParameters(): void {
    kaimingUniform_(this.weight, { a: Math.sqrt(5) });
    if (this.bias === null) return;
    const bound = 1 / Math.sqrt(calculateFanInAndFanOut(this.weight)[0]);
    uniform_(this.bias, -bound, bound);
  }

  /** PyTorch's text, of all that is not the default. */
  protected describe(padding: string | null, outputPadding: Pair, paddingMode: string): string {
    const { inChannels, outChannels, kernelSize, stride, dilation, groups, bias } = this;
    const parts = [inChannels, outChannels, `kernel_size=${tuple(kernelSize)}`, `stride=${tuple(stride)}`];
    if (padding !== null) parts.push(`padding=${padding}`);
    if (differs(dilation, 1)) parts.push(`dilation=${tuple(dilation)}`);
    if (differs(outputPadding, 0)) parts.push(`output_padding=${tuple(outputPadding)}`);
    if (groups !== 1) parts.push(`groups=${groups}`);
    if (bias === null) parts.push("bias=False");
    if (paddingMode !== "zeros") parts.push(`padding_mode=${paddingMode}`);
    return parts.join(", ");
  }
}

/**
 * 2-D convolution (cross-correlation), as torch.nn.Conv2d. float32, [N, inChannels, H, W] → [N, outChannels, H', W'] with
 * H' = ⌊(H + 2·padding − dilation·(kernelSize − 1) − 1) / stride⌋ + 1; a single image [inChannels, H, W] as well.
 *
 * weight [outChannels, inChannels / groups, kernelHeight, kernelWidth] and bias [outChannels] start uniform in ±1/√(fan in).
 *
 * @param kernelSize a number, or [height, width]
 * @param options in PyTorch's order, by position up to any point: `stride` (1), `padding` (0; a number, a pair, "same" for
 * an output of the input's size, or "valid" for none), `dilation` (1), `groups` (1), `bias` (true), `paddingMode` ("zeros",
 * "reflect", "replicate" or "circular")
 * @throws ArgumentError for channels that do not divide into groups, and "same" with a stride; when called, ShapeError for
 * another number of channels or dims, or a kernel larger than the padded image
 */
export class Conv2d extends ConvNd {
  readonly padding: Pair | "same" | "valid";
  readonly paddingMode: ConvPaddingMode;
  /** What F.pad is given where the border is not made of zeros: [left, right, top, bottom]. */
  private readonly border: readonly number[] | null;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size2d,
    ...rest: Trailing<Conv2dOptions, typeof CONV_ORDER>
  );
  constructor(...named: NamedSizes<Conv2dOptions>);
  constructor(...args: any[]) {
    const [inChannels, outChannels, kernelSize, ...rest] = inPlaces(args, SIZES);
    const options = optionsOf<Conv2dOptions>("Conv2d", rest, CONV_ORDER);
    const { padding = 0, paddingMode = "zeros" } = options;
    if (typeof padding === "string" && padding !== "same" && padding !== "valid") {
      throw new ArgumentError(`Conv2d: padding must be a number, a pair, "same" or "valid", found ${show(padding)}`);
    }
    if (!PADDING_MODES.includes(paddingMode)) {
      throw new ArgumentError(
        `Conv2d: unknown paddingMode ${show(paddingMode)}; expected one of ${PADDING_MODES.join(", ")}`,
      );
    }
    const pair = typeof padding === "string" ? padding : pairOf(padding, "padding", 0, "Conv2d");
    const stride = pairOf(options.stride ?? 1, "stride", 1, "Conv2d");
    if (pair === "same" && differs(stride, 1)) {
      throw new ArgumentError(
        `Conv2d: padding "same" keeps the size only with stride 1, found stride ${formatShape(stride)}; give the padding in numbers`,
      );
    }
    super("Conv2d", inChannels, outChannels, kernelSize, options, false);
    this.padding = pair;
    this.paddingMode = paddingMode;
    this.border = paddingMode === "zeros" ? null : [...this.sides(1), ...this.sides(0)];
  }

  /** How much is padded before and after dim 0 (height) or 1 (width). An odd rest of "same" goes after. */
  private sides(dim: 0 | 1): [before: number, after: number] {
    if (this.padding === "valid") return [0, 0];
    if (this.padding !== "same") return [this.padding[dim], this.padding[dim]];
    const total = this.dilation[dim] * (this.kernelSize[dim] - 1);
    const before = Math.floor(total / 2);
    return [before, total - before];
  }

  forward(x: Tensor): Tensor {
    const { weight, bias, stride, padding, dilation, groups, border } = this;
    if (border === null) return conv2d(x, weight, bias, { stride, padding, dilation, groups });
    const padded = pad(x, border, { mode: this.paddingMode as PadMode });
    return conv2d(padded, weight, bias, { stride, padding: 0, dilation, groups });
  }

  override extraRepr(): string {
    const { padding } = this;
    const shown = typeof padding === "string" ? padding : differs(padding, 0) ? tuple(padding) : null;
    return this.describe(shown, [0, 0], this.paddingMode);
  }
}
const CONV_ORDER = ["stride", "padding", "dilation", "groups", "bias", "paddingMode"] as const;

/**
 * Transposed 2-D convolution, the adjoint of `Conv2d` with the same arguments, as torch.nn.ConvTranspose2d. float32,
 * [N, inChannels, H, W] → [N, outChannels, H', W'] with
 * H' = (H − 1)·stride − 2·padding + dilation·(kernelSize − 1) + outputPadding + 1; a single image [inChannels, H, W] as well.
 *
 * weight [inChannels, outChannels / groups, kernelHeight, kernelWidth] and bias [outChannels] start uniform in ±1/√(fan in).
 *
 * @param kernelSize a number, or [height, width]
 * @param options in PyTorch's order, by position up to any point: `stride` (1), `padding` (0), `outputPadding` (0: how much
 * is added to one side of the output), `groups` (1), `bias` (true), `dilation` (1)
 * @throws ArgumentError for channels that do not divide into groups; when called, ShapeError for another number of channels
 * or dims
 */
export class ConvTranspose2d extends ConvNd {
  readonly padding: Pair;
  readonly outputPadding: Pair;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size2d,
    ...rest: Trailing<ConvTranspose2dOptions, typeof TRANSPOSED_ORDER>
  );
  constructor(...named: NamedSizes<ConvTranspose2dOptions>);
  constructor(...args: any[]) {
    const [inChannels, outChannels, kernelSize, ...rest] = inPlaces(args, SIZES);
    const options = optionsOf<ConvTranspose2dOptions>("ConvTranspose2d", rest, TRANSPOSED_ORDER);
    const padding = pairOf(options.padding ?? 0, "padding", 0, "ConvTranspose2d");
    const outputPadding = pairOf(options.outputPadding ?? 0, "outputPadding", 0, "ConvTranspose2d");
    super("ConvTranspose2d", inChannels, outChannels, kernelSize, options, true);
    this.padding = padding;
    this.outputPadding = outputPadding;
  }

  /**
   * @param outputSize [height, width] of the output, or its whole shape, in place of outputPadding: with a stride, several
   * sizes come from one size of input
   * @throws ShapeError when that size cannot come out
   */
  forward(x: Tensor, outputSize?: readonly number[]): Tensor {
    const { weight, bias, stride, padding, dilation, groups } = this;
    const outputPadding = outputSize === undefined ? this.outputPadding : this.paddingFor(x, outputSize);
    return convTranspose2d(x, weight, bias, { stride, padding, outputPadding, groups, dilation });
  }

  /** The outputPadding with which an output of this size comes out. */
  private paddingFor(x: Tensor, outputSize: readonly number[]): Pair {
    const { stride, padding, dilation, kernelSize } = this;
    if (outputSize.length !== 2 && outputSize.length !== x.ndim) {
      throw new ShapeError(
        `ConvTranspose2d: outputSize ${formatShape(outputSize)} must be [height, width] or have the input's ${x.ndim} dims`,
      );
    }
    const least = stride.map(
      (step, d) => (x.size(x.ndim - 2 + d) - 1) * step - 2 * padding[d] + dilation[d] * (kernelSize[d] - 1) + 1,
    );
    const extra = least.map((size, d) => outputSize[outputSize.length - 2 + d] - size);
    if (extra.some((n, d) => !Number.isInteger(n) || n < 0 || n >= stride[d])) {
      const most = least.map((size, d) => size + stride[d] - 1);
      throw new ShapeError(
        `ConvTranspose2d: outputSize ${formatShape(outputSize)} cannot come of an input ${formatShape(x.shape)}: ` +
          `height and width can be from ${formatShape(least)} to ${formatShape(most)}`,
      );
    }
    return [extra[0], extra[1]];
  }

  override extraRepr(): string {
    return this.describe(differs(this.padding, 0) ? tuple(this.padding) : null, this.outputPadding, "zeros");
  }
}
const TRANSPOSED_ORDER = ["stride", "padding", "outputPadding", "groups", "bias", "dilation"] as const;
