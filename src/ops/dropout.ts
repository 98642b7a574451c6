/** Dropout: a regulariser that switches units off at random (Srivastava et al., JMLR 15, 2014). */

import { optionsOf, type Trailing } from "../arguments.js";
import { ArgumentError, DTypeError, ShapeError } from "../errors.js";
import { flatLayout } from "../layout.js";
import { defineOp } from "../op.js";
import { fillBernoulli } from "../random.js";
import { formatShape } from "../shape.js";
import { Tensor } from "../tensor.js";
import { F32 } from "../wasm/heap.js";
import { k } from "../wasm/load.js";
import { mul } from "./binary.js";
import { checkTensor } from "./factory.js";
import { tensor } from "./tensor.js";

const drop = /* @__PURE__ */ defineOp<[Tensor], [p: number]>({
  name: "dropout",
  forward: (out, [x], p) => {
    const mask = Tensor.allocate(x.shape, "float32", "dropout");
    const n = x.numel();
    const start = mask.ptr >>> 2;
    fillBernoulli(F32.subarray(start, start + n), 1 - p);
    // What stays is scaled up, so that the expectation is that of evaluation. At p = 1 nothing stays.
    const maskPtr = mask.ptr;
    if (p < 1) k.scale(maskPtr, maskPtr, 1 / (1 - p), n);
    k.mul(out.ptr, x.ptr, maskPtr, flatLayout(n, 1, 1));
    return [mask];
  },
  backward: (dOut, [mask], [dX]) => k.mul((dX as Tensor).ptr, dOut.ptr, mask.ptr, flatLayout(dOut.numel(), 1, 1)),
});

/**
 * Sets each element to 0 with probability p and divides the others by 1 − p; returns x as it is unless `training`.
 * Shape: (*) → (*).
 *
 * @throws ArgumentError unless 0 ≤ p ≤ 1
 */
export function dropout(x: Tensor, ...args: Trailing<DropoutOptions, ["p", "training"]>): Tensor {
  const { p = 0.5, training = true } = optionsOf<DropoutOptions>("dropout", args, ["p", "training"]);
  const probability = checkProbability(p, "dropout");
  return training && probability > 0 ? drop(x, probability) : x;
}

/**
 * Sets whole channels to 0 with probability p and divides the others by 1 − p; returns x as it is unless `training`
 * (Tompson et al., "Efficient object localization using convolutional networks", CVPR 2015: neighbouring pixels say the
 * same, so dropping single ones teaches nothing). Shape: [N, C, H, W] or one image [C, H, W] → same.
 *
 * PyTorch so far takes three dims for [N, C, L], with a warning that this will change to what is done here.
 *
 * @throws ArgumentError unless 0 ≤ p ≤ 1; ShapeError for another number of dims; DTypeError
 */
export function dropout2d(x: Tensor, ...args: Trailing<DropoutOptions, ["p", "training"]>): Tensor {
  const { p = 0.5, training = true } = optionsOf<DropoutOptions>("dropout2d", args, ["p", "training"]);
  checkTensor(x, "dropout2d");
  const keep = 1 - checkProbability(p, "dropout2d");
  if (x.ndim !== 3 && x.ndim !== 4) {
    throw new ShapeError(
      `dropout2d: the input must be images [N, C, H, W] or one image [C, H, W], found ${formatShape(x.shape)}; dropout() takes any shape`,
    );
  }
  if (x.dtype !== "float32") {
    throw new DTypeError(`dropout2d: the input must be float32, found ${x.dtype}; convert it with float()`);
  }
  if (!training || p === 0 || x.numel() === 0) return x;
  const lead = x.shape.slice(0, -2);
  const noise = new Float32Array(lead.reduce((a, b) => a * b, 1));
  fillBernoulli(noise, keep);
  if (keep > 0) for (let i = 0; i < noise.length; i++) noise[i] *= 1 / keep;
  return mul(x, tensor(noise, { shape: [...lead, 1, 1] }));
}

export interface DropoutOptions {
  /** Default 0.5. */
  p?: number;
  /** Default true. */
  training?: boolean;
}

/** @throws ArgumentError unless p is a probability. */
export function checkProbability(p: number, where: string): number {
  if (!(p >= 0 && p <= 1)) throw new ArgumentError(`${where}: p must be a probability between 0 and 1, found ${p}`);
  return p;
}
