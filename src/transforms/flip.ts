/** Mirroring: RandomHorizontalFlip, RandomVerticalFlip. */
import { optionsOf, type Trailing } from "../arguments.js";
import type { Tensor } from "../tensor.js";
import { cropImages } from "./crop.js";
import { ANY, checkProbability, type ImageShape, type Images } from "./image.js";
import { happens, RandomTransform } from "./random.js";

/** Options of the flips. */
export interface FlipOptions {
  /** Probability that an image is mirrored. Default 0.5. */
  p?: number;
}

const ORDER = ["p"] as const;

/** Mirrors images with probability p; those in a batch each with a draw of its own. */
abstract class RandomFlip extends RandomTransform<boolean> {
  override readonly dtypes = ANY;
  readonly p: number;
  /** @internal Which bit of a window's flip it is. */
  abstract readonly bit: number;

  constructor(where: string, rest: Trailing<FlipOptions, typeof ORDER>) {
    super();
    this.p = checkProbability(optionsOf<FlipOptions>(where, rest, ORDER).p ?? 0.5, where);
  }

  draw(_shape: ImageShape): boolean {
    return happens(this.p);
  }

  transform(images: Images, draws: readonly boolean[], given: Tensor): Tensor {
    if (!draws.includes(true)) return given;
    const [, height, width] = images.shape;
    const windows = draws.map((flipped) => ({ top: 0, left: 0, flip: flipped ? this.bit : 0 }));
    return cropImages(images, windows, { height, width, mode: "constant", fill: 0 }, this.constructor.name);
  }

  /** @internal */
  override outputShape(shape: ImageShape): ImageShape {
    return shape;
  }

  override extraRepr(): string {
    return `p=${this.p}`;
  }
}

/**
 * Mirrors images left to right with probability p, as torchvision's; in a batch, one draw for each image. What is not
 * mirrored is returned as it is.
 *
 * Shape: [C, H, W] or [N, C, H, W] → the same. Any dtype, which is kept.
 *
 * @throws ArgumentError unless p is from 0 to 1
 */
export class RandomHorizontalFlip extends RandomFlip {
  static override readonly takesBatches = true;
  readonly bit = 1;

  constructor(...rest: Trailing<FlipOptions, typeof ORDER>) {
    super("RandomHorizontalFlip", rest);
  }
}

/**
 * Mirrors images top to bottom with probability p, as torchvision's; in a batch, one draw for each image. What is not
 * mirrored is returned as it is.
 *
 * Shape: [C, H, W] or [N, C, H, W] → the same. Any dtype, which is kept.
 *
 * @throws ArgumentError unless p is from 0 to 1
 */
export class RandomVerticalFlip extends RandomFlip {
  static override readonly takesBatches = true;
  readonly bit = 2;

  constructor(...rest: Trailing<FlipOptions, typeof ORDER>) {
    super("RandomVerticalFlip", rest);
  }
}
