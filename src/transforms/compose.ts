/** Transforms made of others: Compose and Lambda. */
import { ArgumentError } from "../errors.js";
import type { Tensor } from "../tensor.js";
import { runChain } from "./fuse.js";
import { Transform, type TransformFn, takesBatches } from "./transform.js";

/**
 * One transform after the other, as torchvision's Compose. Plain functions may stand among them.
 *
 * Crops, pads and flips of uint8 images, ToTensor and Normalize that follow each other are done in one pass over the images;
 * the result is the same to the bit, and so are the draws.
 *
 * @throws ArgumentError for what cannot be called
 */
export class Compose extends Transform {
  static override readonly takesBatches = true;
  readonly transforms: readonly TransformFn[];

  constructor(transforms: readonly TransformFn[]) {
    super();
    if (!Array.isArray(transforms)) {
      throw new ArgumentError(`Compose: expected a list of transforms, found ${typeof transforms}; write Compose([…])`);
    }
    transforms.forEach((transform, i) => {
      if (typeof transform !== "function" || isClass(transform)) {
        const found = typeof transform === "function" ? `the class ${transform.name}` : String(transform);
        const way = typeof transform === "function" ? ` (write new ${transform.name}(…))` : "";
        throw new ArgumentError(`Compose: transforms[${i}] must be a transform or a function, found ${found}${way}`);
      }
    });
    this.transforms = [...transforms];
  }

  forward(image: Tensor): Tensor {
    return runChain(
      this.transforms.flatMap((transform) => stepsOf(transform)),
      image,
    );
  }

  /** @internal */
  override steps(): readonly TransformFn[] {
    return this.transforms.flatMap((transform) => stepsOf(transform));
  }

  override toString(): string {
    const lines = this.transforms.map((t) => `    ${String(t instanceof Transform ? t : "[function]")}\n`);
    return `Compose(\n${lines.join("")})`;
  }
}

const isClass = (fn: TransformFn): boolean => fn.prototype instanceof Transform;

/** The transforms that a transform is a chain of; itself when it is one, or a subclass that may do something else. */
export function stepsOf(transform: TransformFn): readonly TransformFn[] {
  return transform instanceof Transform && takesBatches(transform) ? transform.steps() : [transform];
}

/**
 * A function as a transform, as torchvision's Lambda. Loaders call it with one sample at a time.
 *
 * @throws ArgumentError unless fn can be called
 */
export class Lambda extends Transform {
  constructor(readonly fn: TransformFn) {
    super();
    if (typeof fn !== "function") {
      throw new ArgumentError(`Lambda: fn must be a function, found ${fn === null ? "null" : typeof fn}`);
    }
  }

  forward(image: Tensor): Tensor {
    return this.fn(image);
  }
}
