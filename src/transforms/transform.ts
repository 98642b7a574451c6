/** Transform: what one image, or a batch of them, goes through on its way from the data set to the network. */
import { Callable } from "../callable.js";
import { ShapeError } from "../errors.js";
import { formatShape, type Shape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import type { ImageShape } from "./image.js";

/** What takes an image: a `Transform`, or any function of one. */
export type TransformFn = (image: any) => any;

export interface Transform {
  /** `transform(image)` is `transform.forward(image)`. */
  (image: Tensor): Tensor;
}

/**
 * Base of the transforms. Images are planar: [channels, height, width], or a batch [images, channels, height, width].
 *
 * A class that does to a batch what it does to each of its images, in one call, says so with
 * `static readonly takesBatches = true`; a random one then makes one draw a sample. Loaders hand such transforms whole
 * batches. The flag is not inherited: a subclass that overrides `forward` may know single images only.
 */
export abstract class Transform extends Callable {
  static readonly takesBatches: boolean = false;

  abstract forward(image: Tensor): Tensor;

  /** @internal */
  override invoke(image: Tensor): Tensor {
    return this.forward(image);
  }

  /** @internal The shape of the result for an image [C, H, W]; null when only running it tells. */
  outputShape(_shape: ImageShape): ImageShape | null {
    return null;
  }

  /** @internal The transforms this one is a chain of. */
  steps(): readonly TransformFn[] {
    return [this];
  }

  /** What stands between the parentheses when the transform is printed. */
  extraRepr(): string {
    return "";
  }

  /** As torchvision prints it. */
  override toString(): string {
    return `${this.constructor.name}(${this.extraRepr()})`;
  }

  /** @internal What Node's console.log shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** Whether the transform may be given a batch in place of one image after the other. */
export function takesBatches(transform: TransformFn): boolean {
  const own = (transform as object).constructor;
  return transform instanceof Transform && Object.hasOwn(own, "takesBatches") && (own as typeof Transform).takesBatches;
}

/** An image or images seen as [images, channels, pixels]. */
export interface Planes {
  images: number;
  channels: number;
  pixels: number;
}

/** @throws ShapeError unless the shape is […, channels, height, width]. */
export function planesOf(shape: Shape, where: string): Planes {
  if (shape.length < 3) {
    throw new ShapeError(
      `${where}: image of shape ${formatShape(shape)}: expected [channels, height, width] or a batch ` +
        "[images, channels, height, width] (unsqueeze(0) adds the channel of a grey image)",
    );
  }
  const [channels, height, width] = shape.slice(-3);
  let images = 1;
  for (const size of shape.slice(0, -3)) images *= size;
  return { images, channels, pixels: height * width };
}
