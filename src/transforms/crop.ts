/** Cropping and padding: RandomCrop, CenterCrop, Pad. All of them copy windows of images (assembly/crop.ts). */
import { inPlaces, type Named, optionsOf, show, type Trailing } from "../arguments.js";
import { type DType, itemSize } from "../dtype.js";
import { ArgumentError, ShapeError } from "../errors.js";
import { checkFits } from "../ops/factory.js";
import type { Tensor } from "../tensor.js";
import { k } from "../wasm/families/images.generated.js";
import { I32 } from "../wasm/heap.js";
import { workspace } from "../workspace.js";
import { ANY, allocateImages, checkChoice, type ImageShape, type Images, imagesOf, sizeOf } from "./image.js";
import { drawBelow, RandomTransform, roundHalfEven } from "./random.js";
import { Transform } from "./transform.js";

/** What lies outside an image; the kernels know them by number. */
export const PADDING_MODES = ["constant", "edge", "reflect", "symmetric"] as const;
export type PaddingMode = (typeof PADDING_MODES)[number];

/** Pixels added on each side: of all sides; [left and right, top and bottom]; or [left, top, right, bottom]. */
export type Padding = number | readonly number[];

/** A rectangle of an image, or of what it is continued by; with flips, its content mirrored (bit 0: columns, bit 1: rows). */
export interface Window {
  top: number;
  left: number;
  flip: number;
}

/** How windows look, the same for all images of a batch. */
export interface Frame {
  height: number;
  width: number;
  mode: PaddingMode;
  fill: number;
}

/** A table of windows for the kernels, in scratch memory: good until the next allocation. */
function windowTable(windows: readonly Window[]): number {
  const table = workspace(12 * windows.length);
  const at = table >>> 2;
  for (let i = 0; i < windows.length; i++) {
    const { top, left, flip } = windows[i];
    I32[at + 3 * i] = top;
    I32[at + 3 * i + 1] = left;
    I32[at + 3 * i + 2] = flip;
  }
  return table;
}

const bitsOf = new Int32Array(1);
const floatOf = new Float32Array(bitsOf.buffer);

/** The windows of images, one of each. */
export function cropImages(images: Images, windows: readonly Window[], frame: Frame, where: string): Tensor {
  const [channels, height, width] = images.shape;
  const { dtype } = images.data;
  const fill = fillOf(frame, dtype, where);
  const out = allocateImages(images, [channels, frame.height, frame.width], where);
  const table = windowTable(windows);
  const mode = PADDING_MODES.indexOf(frame.mode);
  const kernel = itemSize(dtype) === 1 ? k.crop_8 : k.crop_32;
  kernel(
    out.ptr,
    images.data.ptr,
    0,
    table,
    0,
    windows.length,
    channels,
    height,
    width,
    frame.height,
    frame.width,
    mode,
    fill,
  );
  return out;
}

/** The bits of the fill in an image's dtype. @throws ArgumentError when it cannot hold it. */
export function fillOf({ fill }: Frame, dtype: DType, where: string): number {
  if (dtype === "float32") {
    floatOf[0] = fill;
    return bitsOf[0];
  }
  if (dtype === "bool") return Number(fill !== 0);
  checkFits(fill, dtype, `${where}: fill`);
  return Math.trunc(fill);
}

// Padding ------------------------------------------------------------------------------------------------------------

export type Sides = readonly [left: number, top: number, right: number, bottom: number];

/** torchvision's order of sides. @throws ArgumentError unless it is 1, 2 or 4 whole numbers. */
function sidesOf(padding: unknown, where: string): Sides {
  const list: readonly unknown[] = Array.isArray(padding) ? padding : [padding];
  if (![1, 2, 4].includes(list.length) || !list.every(Number.isInteger)) {
    const found = Array.isArray(padding) ? `[${padding.map(show).join(", ")}]` : show(padding);
    throw new ArgumentError(
      `${where}: padding must be a whole number, [left and right, top and bottom] or [left, top, right, bottom], found ${found}`,
    );
  }
  const [left, top = left, right = left, bottom = top] = list as number[];
  return [left, top, right, bottom];
}

function checkFill(fill: unknown, where: string): number {
  if (typeof fill === "number") return fill;
  throw new ArgumentError(`${where}: fill must be a number, the same for all channels, found ${show(fill)}`);
}

/** @throws ShapeError when an image is too small to be continued so far, or nothing of it would be left. */
function checkSides(shape: ImageShape, sides: Sides, mode: PaddingMode, where: string): void {
  const [, height, width] = shape;
  const [left, top, right, bottom] = sides;
  if (width + left + right < 1 || height + top + bottom < 1) {
    throw new ShapeError(
      `${where}: padding [${sides.join(", ")}] leaves ${height + top + bottom}×${width + left + right} pixels of an image of ` +
        `${height}×${width} (height × width)`,
    );
  }
  if (mode === "constant") return;
  for (const [name, size, most] of [
    ["width", width, Math.max(left, right)],
    ["height", height, Math.max(top, bottom)],
  ] as const) {
    const limit = size === 0 ? 0 : { edge: Number.POSITIVE_INFINITY, reflect: size - 1, symmetric: size }[mode];
    if (size > 0 && most <= limit) continue;
    throw new ShapeError(
      `${where}: padding [${sides.join(", ")}] with paddingMode ${show(mode)}: an image of ${name} ${size} can be continued by at ` +
        `most ${limit} pixels, found ${most}; pad less, or use "edge" or "constant"`,
    );
  }
}

/** Options of `Pad`. */
export interface PadOptions {
  /** The value of added pixels. Default 0. */
  fill?: number;
  /** "constant" (the default): fill; "edge": the last pixel; "reflect": mirrored without it; "symmetric": with it. */
  paddingMode?: PaddingMode;
}

const PAD_ORDER = ["fill", "paddingMode"] as const;

/**
 * Adds pixels around images, as torchvision's Pad; negative numbers take away.
 *
 * Shape: [C, H, W] → [C, H + top + bottom, W + left + right], or a batch of such. Any dtype, which is kept.
 *
 * @param padding a number for all sides, [left and right, top and bottom], or [left, top, right, bottom]
 * @throws ArgumentError for other paddings or an unknown mode; when called, ShapeError for an image too small to be
 * reflected so far
 */
export class Pad extends Transform {
  static override readonly takesBatches = true;
  readonly padding: Sides;
  readonly fill: number;
  readonly paddingMode: PaddingMode;

  constructor(padding: Padding, ...rest: Trailing<PadOptions, typeof PAD_ORDER>);
  constructor(...named: Named<{ padding: Padding }, ["padding"], PadOptions>);
  constructor(...args: any[]) {
    super();
    const [padding, ...rest] = inPlaces(args, ["padding"]);
    const { fill = 0, paddingMode = "constant" } = optionsOf<PadOptions>("Pad", rest, PAD_ORDER);
    this.padding = sidesOf(padding, "Pad");
    this.fill = checkFill(fill, "Pad");
    this.paddingMode = checkChoice(paddingMode, PADDING_MODES, "paddingMode", "Pad");
  }

  forward(image: Tensor): Tensor {
    const images = imagesOf(image, "Pad", ANY);
    const window = this.window();
    return cropImages(images, new Array(images.count).fill(window), this.frame(images.shape), "Pad");
  }

  /** @internal */
  frame(shape: ImageShape): Frame {
    checkSides(shape, this.padding, this.paddingMode, "Pad");
    const [left, top, right, bottom] = this.padding;
    const [height, width] = [shape[1] + top + bottom, shape[2] + left + right];
    return { height, width, mode: this.paddingMode, fill: this.fill };
  }

  /** @internal */
  window(): Window {
    return { top: -this.padding[1], left: -this.padding[0], flip: 0 };
  }

  /** @internal */
  override outputShape(shape: ImageShape): ImageShape {
    const { height, width } = this.frame(shape);
    return [shape[0], height, width];
  }

  override extraRepr(): string {
    return `padding=[${this.padding.join(", ")}], fill=${this.fill}, padding_mode=${this.paddingMode}`;
  }
}

// Cropping -----------------------------------------------------------------------------------------------------------

/**
 * The middle of images, as torchvision's CenterCrop; where they are smaller they are padded with 0.
 *
 * Shape: [C, H, W] → [C, size[0], size[1]], or a batch of such. Any dtype, which is kept.
 *
 * @param size a number, or [height, width]
 * @throws ArgumentError for sizes that are not whole numbers > 0
 */
export class CenterCrop extends Transform {
  static override readonly takesBatches = true;
  readonly size: readonly [height: number, width: number];

  constructor(size: number | readonly number[] | { size: number | readonly number[] }) {
    super();
    this.size = sizeOf(inPlaces([size as number], ["size"])[0], "CenterCrop");
  }

  forward(image: Tensor): Tensor {
    const images = imagesOf(image, "CenterCrop", ANY);
    const window = this.window(images.shape);
    return cropImages(images, new Array(images.count).fill(window), this.frame(), "CenterCrop");
  }

  /** @internal */
  frame(): Frame {
    return { height: this.size[0], width: this.size[1], mode: "constant", fill: 0 };
  }

  /** @internal */
  window([, height, width]: ImageShape): Window {
    // Of an odd difference torchvision rounds half of it to even when it crops, and down when it pads.
    const start = (have: number, want: number) =>
      want > have ? -Math.floor((want - have) / 2) : roundHalfEven((have - want) / 2);
    return { top: start(height, this.size[0]), left: start(width, this.size[1]), flip: 0 };
  }

  /** @internal */
  override outputShape([channels]: ImageShape): ImageShape {
    return [channels, ...this.size];
  }

  override extraRepr(): string {
    return `size=(${this.size.join(", ")})`;
  }
}

/** Options of `RandomCrop`. */
export interface RandomCropOptions extends PadOptions {
  /** Pixels added around the image first, as `Pad` adds them. Default none. */
  padding?: Padding | null;
  /** Pad an image that is smaller than the crop on both sides by what is missing, instead of refusing it. Default false. */
  padIfNeeded?: boolean;
}

const CROP_ORDER = ["padding", "padIfNeeded", "fill", "paddingMode"] as const;

/** An image padded for a RandomCrop. */
interface Padded {
  /** Its `padding`, and then what padIfNeeded adds. */
  sides: Sides;
  extra: Sides;
  height: number;
  width: number;
}

/**
 * A window of images at a random place, as torchvision's RandomCrop; in a batch, one place for each image.
 *
 * Shape: [C, H, W] → [C, size[0], size[1]], or a batch of such. Any dtype, which is kept. Draws the top and then the left
 * edge, nothing when the crop is the whole image.
 *
 * @param size a number, or [height, width]
 * @throws ArgumentError for sizes that are not whole numbers > 0, other paddings and unknown modes; when called, ShapeError
 * for an image that is smaller than the crop after padding, or too small to be reflected so far
 */
export class RandomCrop extends RandomTransform<Window> {
  static override readonly takesBatches = true;
  override readonly dtypes = ANY;
  readonly size: readonly [height: number, width: number];
  readonly padding: Sides | null;
  readonly padIfNeeded: boolean;
  readonly fill: number;
  readonly paddingMode: PaddingMode;

  constructor(size: number | readonly number[], ...rest: Trailing<RandomCropOptions, typeof CROP_ORDER>);
  constructor(...named: Named<{ size: number | readonly number[] }, ["size"], RandomCropOptions>);
  constructor(...args: any[]) {
    super();
    const [size, ...rest] = inPlaces(args, ["size"]);
    const options = optionsOf<RandomCropOptions>("RandomCrop", rest, CROP_ORDER);
    const { padding = null, padIfNeeded = false, fill = 0, paddingMode = "constant" } = options;
    this.size = sizeOf(size, "RandomCrop");
    this.padding = padding === null ? null : sidesOf(padding, "RandomCrop");
    if (typeof padIfNeeded !== "boolean") {
      throw new ArgumentError(`RandomCrop: padIfNeeded must be true or false, found ${show(padIfNeeded)}`);
    }
    this.padIfNeeded = padIfNeeded;
    this.fill = checkFill(fill, "RandomCrop");
    this.paddingMode = checkChoice(paddingMode, PADDING_MODES, "paddingMode", "RandomCrop");
  }

  /** @internal The window's place in the image before padding. */
  draw(shape: ImageShape): Window {
    const [oh, ow] = this.size;
    const { sides, extra, height, width } = this.padded(shape);
    const whole = height === oh && width === ow;
    const i = whole ? 0 : drawBelow(height - oh + 1);
    const j = whole ? 0 : drawBelow(width - ow + 1);
    return { top: i - sides[1] - extra[1], left: j - sides[0] - extra[0], flip: 0 };
  }

  transform(images: Images, draws: readonly Window[]): Tensor {
    if (this.isOneWindow(images.shape)) return cropImages(images, draws, this.frame(), "RandomCrop");
    const [left, top] = (this.padding ?? NO_SIDES) as Sides;
    const pad = new Pad(this.padding as Sides, { fill: this.fill, paddingMode: this.paddingMode });
    const padded: Images = { ...images, data: pad.forward(images.data), shape: pad.outputShape(images.shape) };
    const windows = draws.map((window) => ({ top: window.top + top, left: window.left + left, flip: 0 }));
    const out = cropImages(padded, windows, this.frame(), "RandomCrop");
    padded.data.dispose();
    return out;
  }

  /** @internal Whether the result is one window of an image: mirroring what is mirrored already is not. */
  isOneWindow(shape: ImageShape): boolean {
    if (this.padding === null || this.paddingMode === "constant" || this.paddingMode === "edge") return true;
    const { extra } = this.padded(shape);
    return extra.every((n) => n === 0);
  }

  /** @internal */
  frame(): Frame {
    return { height: this.size[0], width: this.size[1], mode: this.paddingMode, fill: this.fill };
  }

  /** @internal */
  override outputShape([channels]: ImageShape): ImageShape {
    return [channels, ...this.size];
  }

  private padded(shape: ImageShape): Padded {
    const [oh, ow] = this.size;
    const [channels] = shape;
    const sides = this.padding ?? NO_SIDES;
    if (this.padding !== null) checkSides(shape, sides, this.paddingMode, "RandomCrop");
    let height = shape[1] + sides[1] + sides[3];
    let width = shape[2] + sides[0] + sides[2];
    let extra = NO_SIDES;
    if (this.padIfNeeded && (height < oh || width < ow)) {
      // torchvision adds the whole difference on both sides.
      const [x, y] = [Math.max(ow - width, 0), Math.max(oh - height, 0)];
      extra = [x, y, x, y];
      checkSides([channels, height, width], extra, this.paddingMode, "RandomCrop");
      height += 2 * y;
      width += 2 * x;
    }
    if (height < oh || width < ow) {
      throw new ShapeError(
        `RandomCrop: the crop of ${oh}×${ow} is larger than the image of ${shape[1]}×${shape[2]}${
          this.padding === null ? "" : `, which padding [${sides.join(", ")}] makes ${height}×${width}`
        } (height × width); use a smaller size, more padding, or { padIfNeeded: true }`,
      );
    }
    return { sides, extra, height, width };
  }

  override extraRepr(): string {
    return `size=(${this.size.join(", ")}), padding=${this.padding === null ? "None" : `[${this.padding.join(", ")}]`}`;
  }
}

const NO_SIDES: Sides = [0, 0, 0, 0];
