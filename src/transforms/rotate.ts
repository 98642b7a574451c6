/** Turning images: RandomRotation (assembly/resample.ts). */
import { inPlaces, type Named, optionsOf, show, type Trailing } from "../arguments.js";
import { itemSize } from "../dtype.js";
import { ArgumentError, ShapeError } from "../errors.js";
import { checkFits } from "../ops/factory.js";
import type { Tensor } from "../tensor.js";
import { k } from "../wasm/families/images.generated.js";
import { F32 } from "../wasm/heap.js";
import { workspace } from "../workspace.js";
import { allocateImages, checkChoice, checkRange, type ImageShape, type Images } from "./image.js";
import { drawUniform, RandomTransform } from "./random.js";
import { INTERPOLATIONS, type Interpolation } from "./resize.js";

/** Options of `RandomRotation`. */
export interface RandomRotationOptions {
  /** "nearest" (the default) or "bilinear". */
  interpolation?: Interpolation;
  /** Make the result large enough for the whole turned image. Default false: as large as the image. */
  expand?: boolean;
  /** What it turns around, [x, y] from the upper left corner. Default: the middle. */
  center?: readonly [number, number] | null;
  /** The value of pixels that lay outside, or one a channel. Default 0. */
  fill?: number | readonly number[];
}

const ORDER = ["interpolation", "expand", "center", "fill"] as const;

/**
 * Turns images by a random angle, counter-clockwise, as torchvision's RandomRotation of tensors; in a batch, one angle for each
 * image.
 *
 * Shape: [C, H, W] or [N, C, H, W] → the same; with `expand` as large as the turned image, and then for one image at a time.
 * dtype: uint8 or float32, which is kept.
 *
 * @param degrees angles are drawn from [−degrees, degrees], or from [low, high]
 * @throws ArgumentError for a negative number of degrees, a range that is none, an unknown interpolation, another center or
 * fill; when called, ShapeError for a fill of another number of channels, and for images of a batch that become of
 * different sizes
 */
export class RandomRotation extends RandomTransform<number> {
  static override readonly takesBatches = true;
  readonly degrees: readonly [number, number];
  readonly interpolation: Interpolation;
  readonly expand: boolean;
  readonly center: readonly [number, number] | null;
  readonly fill: number | readonly number[];

  constructor(degrees: number | readonly [number, number], ...rest: Trailing<RandomRotationOptions, typeof ORDER>);
  constructor(...named: Named<{ degrees: number | readonly [number, number] }, ["degrees"], RandomRotationOptions>);
  constructor(...args: any[]) {
    super();
    const [degrees, ...rest] = inPlaces(args, ["degrees"]);
    const where = "RandomRotation";
    const options = optionsOf<RandomRotationOptions>(where, rest, ORDER);
    const { interpolation = "nearest", expand = false, center = null, fill = 0 } = options;
    if (typeof degrees === "number" && !(degrees >= 0 && Number.isFinite(degrees))) {
      throw new ArgumentError(`${where}: degrees must be a number ≥ 0, or [low, high], found ${degrees}`);
    }
    const range = typeof degrees === "number" ? [-degrees, degrees] : degrees;
    this.degrees = checkRange(range, "degrees", where, { least: -Number.MAX_VALUE });
    this.interpolation = checkChoice(interpolation, INTERPOLATIONS, "interpolation", where);
    if (typeof expand !== "boolean") {
      throw new ArgumentError(`${where}: expand must be true or false, found ${show(expand)}`);
    }
    this.expand = expand;
    if (center !== null && !(Array.isArray(center) && center.length === 2 && center.every(Number.isFinite))) {
      throw new ArgumentError(`${where}: center must be [x, y], found ${show(center)}`);
    }
    this.center = center;
    const fills = Array.isArray(fill) ? fill : [fill];
    if (fills.length === 0 || !fills.every((v) => typeof v === "number")) {
      throw new ArgumentError(`${where}: fill must be a number or a list of one a channel, found ${show(fill)}`);
    }
    this.fill = fill;
  }

  draw(): number {
    return drawUniform(this.degrees[0], this.degrees[1]);
  }

  transform(images: Images, draws: readonly number[]): Tensor {
    const { shape, data } = images;
    const [channels, height, width] = shape;
    const fill = this.fillsFor(images);
    const matrices = draws.map((angle) => this.matrix(angle, shape));
    const sizes = matrices.map((matrix) => (this.expand ? expandedSize(matrix, shape) : [height, width]));
    const [[oh, ow] = [height, width]] = sizes;
    sizes.forEach(([h, w], i) => {
      if (h === oh && w === ow) return;
      throw new ShapeError(
        `RandomRotation: with expand images become of different sizes: image 0 is ${oh}×${ow} (height × width), image ${i} ` +
          `${h}×${w}; leave out expand, or turn one image at a time`,
      );
    });
    const item = itemSize(data.dtype);
    const out = allocateImages(images, [channels, oh, ow], "RandomRotation");
    const theta = workspace(24 + 4 * channels);
    const kernel = item === 1 ? k.rotate_u8 : k.rotate_f32;
    F32.set(fill, (theta >>> 2) + 6);
    matrices.forEach((matrix, i) => {
      // The grid's coordinates go from −1 to 1.
      const sides = [width / 2, width / 2, width / 2, height / 2, height / 2, height / 2];
      for (let j = 0; j < 6; j++) F32[(theta >>> 2) + j] = Math.fround(matrix[j]) / sides[j];
      kernel(
        out.ptr + i * channels * oh * ow * item,
        data.ptr + i * channels * height * width * item,
        channels,
        height,
        width,
        oh,
        ow,
        theta,
        this.interpolation === "bilinear" ? 1 : 0,
        theta + 24,
      );
    });
    return out;
  }

  /** From a pixel of the result to one of the image, both from the middle, in pixels: two rows of three. */
  private matrix(angle: number, [, height, width]: ImageShape): number[] {
    const [x, y] = this.center ?? [width / 2, height / 2];
    const [cx, cy] = [x - width / 2, y - height / 2];
    const radians = (-angle * Math.PI) / 180;
    const [cos, sin] = [Math.cos(radians), Math.sin(radians)];
    return [cos, sin, cos * -cx + sin * -cy + cx, -sin, cos, -sin * -cx + cos * -cy + cy];
  }

  private fillsFor({ data, shape }: Images): Float32Array {
    const { fill } = this;
    const [channels] = shape;
    const list = typeof fill === "number" ? [fill] : fill;
    if (list.length !== 1 && list.length !== channels) {
      throw new ShapeError(
        `RandomRotation: the image has ${channels} channel${channels === 1 ? "" : "s"}, fill has ${list.length} values; expected as ` +
          "many, or a single one for all channels",
      );
    }
    for (const value of list) checkFits(value, data.dtype, "RandomRotation: fill");
    return Float32Array.from({ length: channels }, (_, c) => list[list.length === 1 ? 0 : c]);
  }

  /** @internal */
  override outputShape(shape: ImageShape): ImageShape | null {
    return this.expand ? null : shape;
  }

  override extraRepr(): string {
    const degrees = this.degrees.map((v) => (Number.isInteger(v) ? v.toFixed(1) : String(v))).join(", ");
    const center = this.center === null ? "" : `, center=[${this.center.join(", ")}]`;
    const fill = typeof this.fill === "number" ? this.fill : `[${this.fill.join(", ")}]`;
    return `degrees=[${degrees}], interpolation=${this.interpolation}, expand=${this.expand ? "True" : "False"}${center}, fill=${fill}`;
  }
}

/** Height and width of what holds the whole turned image, as torchvision computes them in float32. */
function expandedSize(matrix: readonly number[], [, height, width]: ImageShape): [number, number] {
  const { fround } = Math;
  const m = matrix.map(fround);
  const extent = (a: number, b: number, c: number, side: number) => {
    const corners = [-0.5, 0.5].flatMap((u) =>
      [-0.5, 0.5].map((v) => fround(fround(fround(a * u * width) + fround(b * v * height)) + c)),
    );
    // Cut to 1e-4, so that ceil(x + 1e-15) is x.
    const cut = (v: number) => fround(Math.trunc(fround(v / fround(1e-4))) * fround(1e-4));
    const high = Math.ceil(cut(fround(Math.max(...corners) + side / 2)));
    return high - Math.floor(cut(fround(Math.min(...corners) + side / 2)));
  };
  return [extent(m[3], m[4], m[5], height), extent(m[0], m[1], m[2], width)];
}
