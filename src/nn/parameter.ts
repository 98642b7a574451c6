import { AutogradError } from "../errors.js";
import { Kind, promote } from "../storage.js";
import { Tensor } from "../tensor.js";

/**
 * A tensor that is a module's to learn: a field of a Module that is a Parameter registers itself. Shares the memory of
 * the tensor it is made from.
 */
export class Parameter extends Tensor {
  /** Tells TypeScript that not every Tensor is one. */
  declare private readonly isParameter: true;

  constructor(data: Tensor, requiresGrad = true) {
    if (!(data instanceof Tensor)) throw new TypeError(`Parameter: expected a Tensor, found ${typeof data}`);
    if (requiresGrad && data.dtype !== "float32") {
      throw new AutogradError(`Parameter: only float32 tensors can require gradients, this one is ${data.dtype}`);
    }
    super(data.block, data.handle, data.shape, data.strides, data.offset, data.dtype);
    promote(data.block, Kind.State);
    this.requiresGrad = requiresGrad;
  }
}
