/** Erasing a part of images: RandomErasing (assembly/crop.ts). */
import { optionsOf, show, type Trailing } from "../arguments.js";
import { itemSize } from "../dtype.js";
import { ArgumentError, DTypeError, ShapeError } from "../errors.js";
import { checkFits } from "../ops/factory.js";
import { fillNormal } from "../random.js";
import type { Tensor } from "../tensor.js";
import { k } from "../wasm/families/images.generated.js";
import { F32, I32 } from "../wasm/heap.js";
import { workspace } from "../workspace.js";
import { checkProbability, checkRange, copyImages, type ImageShape, type Images } from "./image.js";
import { drawBelow, drawSides, happens, RandomTransform } from "./random.js";

/** Options of `RandomErasing`. */
export interface RandomErasingOptions {
  /** Probability that an image is erased. Default 0.5. */
  p?: number;
  /** The least and the largest share of the image's area. Default [0.02, 0.33]. */
  scale?: readonly [number, number];
  /** The least and the largest ratio of the rectangle's height to its width. Default [0.3, 3.3]. */
  ratio?: readonly [number, number];
  /** What it is overwritten with: a number, a list of one a channel, or "random": normal numbers. Default 0. */
  value?: number | readonly number[] | "random";
}

/** A rectangle, and the numbers it is overwritten with where they are random. */
interface Erased {
  top: number;
  left: number;
  height: number;
  width: number;
  noise: Float32Array | null;
}

const ORDER = ["p", "scale", "ratio", "value"] as const;

/**
 * Overwrites a random rectangle of images with probability p (Zhong et al., "Random erasing data augmentation", AAAI 2020), as
 * torchvision's RandomErasing; in a batch, with draws of its own for each image. What is not erased stays as it is.
 *
 * Shape: [C, H, W] or [N, C, H, W] → the same. dtype: uint8 or float32, which is kept. Draws area and ratio up to ten times,
 * until the rectangle is smaller than the image; where none is, nothing is erased.
 *
 * @throws ArgumentError unless 0 ≤ p ≤ 1, 0 ≤ scale[0] ≤ scale[1] ≤ 1, 0 < ratio[0] ≤ ratio[1], and for another value; when
 * called, ShapeError for a list of another number of channels, DTypeError for random values of uint8 images
 */
export class RandomErasing extends RandomTransform<Erased | null> {
  static override readonly takesBatches = true;
  readonly p: number;
  readonly scale: readonly [number, number];
  readonly ratio: readonly [number, number];
  readonly value: number | readonly number[] | "random";

  constructor(...rest: Trailing<RandomErasingOptions, typeof ORDER>) {
    super();
    const where = "RandomErasing";
    const {
      p = 0.5,
      scale = [0.02, 0.33],
      ratio = [0.3, 3.3],
      value = 0,
    } = optionsOf<RandomErasingOptions>(where, rest, ORDER);
    this.p = checkProbability(p, where);
    this.scale = checkRange(scale, "scale", where, { least: 0, most: 1 });
    this.ratio = checkRange(ratio, "ratio", where, { least: 0, open: true });
    const list = Array.isArray(value) ? value : [value];
    if (value !== "random" && !(list.length > 0 && list.every((v) => typeof v === "number"))) {
      throw new ArgumentError(
        `${where}: value must be a number, a list of one a channel, or "random", found ${show(value)}`,
      );
    }
    this.value = value;
  }

  draw([channels, height, width]: ImageShape): Erased | null {
    if (!happens(this.p)) return null;
    for (let attempt = 0; attempt < 10; attempt++) {
      const [h, w] = drawSides(height * width, this.scale, this.ratio);
      if (h >= height || w >= width) continue;
      let noise: Float32Array | null = null;
      if (this.value === "random") {
        noise = new Float32Array(channels * h * w);
        fillNormal(noise);
      }
      const top = drawBelow(height - h + 1);
      return { top, left: drawBelow(width - w + 1), height: h, width: w, noise };
    }
    return null;
  }

  transform(images: Images, draws: readonly (Erased | null)[], given: Tensor): Tensor {
    const [channels, height, width] = images.shape;
    const { dtype } = images.data;
    const values = this.valuesFor(images);
    if (draws.every((drawn) => drawn === null)) return given;
    const out = copyImages(images, "RandomErasing");
    const size = channels * height * width * itemSize(dtype);
    draws.forEach((drawn, i) => {
      if (drawn === null) return;
      const { top, left, noise } = drawn;
      const source = noise ?? values;
      const table = workspace(4 * source.length);
      if (dtype === "uint8") I32.set(source, table >>> 2);
      else F32.set(source, table >>> 2);
      const image = out.ptr + i * size;
      if (dtype === "uint8") k.erase_8(image, table, channels, height, width, top, left, drawn.height, drawn.width);
      else k.erase_32(image, table, noise ? 1 : 0, channels, height, width, top, left, drawn.height, drawn.width);
    });
    return out;
  }

  /** One value a channel; none where they are random. */
  private valuesFor({ data, shape }: Images): number[] {
    const { value } = this;
    const [channels] = shape;
    if (value === "random") {
      if (data.dtype === "float32") return [];
      throw new DTypeError(
        `RandomErasing: value "random" is of normal numbers, which ${data.dtype} does not hold: put ToTensor() first, or give a value`,
      );
    }
    const list = typeof value === "number" ? [value] : value;
    if (list.length !== 1 && list.length !== channels) {
      throw new ShapeError(
        `RandomErasing: the image has ${channels} channel${channels === 1 ? "" : "s"}, value has ${list.length} values; expected as ` +
          "many, or a single one for all channels",
      );
    }
    for (const v of list) checkFits(v, data.dtype, "RandomErasing: value");
    return Array.from({ length: channels }, (_, c) => list[list.length === 1 ? 0 : c]);
  }

  /** @internal */
  override outputShape(shape: ImageShape): ImageShape {
    return shape;
  }

  override extraRepr(): string {
    const value = typeof this.value === "object" ? `(${this.value.join(", ")})` : this.value;
    return `p=${this.p}, scale=(${this.scale.join(", ")}), ratio=(${this.ratio.join(", ")}), value=${value}, inplace=False`;
  }
}
