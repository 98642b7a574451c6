/** Activations. `sigmoid` and `tanh` are among the elementwise functions, `softmax` has a file of its own. */

import { optionsOf, type Trailing } from "../arguments.js";
import { defer, followers, shouldWait } from "../defer.js";
import { ArgumentError, DTypeError } from "../errors.js";
import { asBefore, defineOp } from "../op.js";
import { checkNumber } from "../shape.js";
import { Tensor } from "../tensor.js";
import { k } from "../wasm/families/activation.generated.js";
import { k as core } from "../wasm/load.js";
import { maximum } from "./binary.js";
import { checkFloat } from "./fold.js";

type Forward<A extends readonly number[]> = (out: number, x: number, ...rest: [...A, n: number]) => void;
type Backward<A extends readonly number[]> = (dX: number, dOut: number, x: number, ...rest: [...A, n: number]) => void;

/** Defines an activation with the parameters A, whose backward reads the input. */
function defineActivation<A extends readonly number[]>(
  name: string,
  forward: () => Forward<A>,
  backward: () => Backward<A>,
): (x: Tensor, ...parameters: A) => Tensor {
  const op = defineOp<[Tensor], A>({
    name,
    replay: asBefore,
    forward: (out, [x], ...parameters) => forward()(out.ptr, x.ptr, ...parameters, x.numel()),
    save: (_out, [x], ..._parameters) => [x],
    backward: (dOut, [x], [dX], ...parameters) =>
      backward()((dX as Tensor).ptr, dOut.ptr, x.ptr, ...parameters, dOut.numel()),
  });
  return (x, ...parameters) => {
    checkFloat(x, name);
    return op(x, ...parameters);
  };
}

const reluOf = /* @__PURE__ */ defineOp<[Tensor]>({
  name: "relu",
  replay: asBefore,
  forward: (out, [x]) => core.relu(out.ptr, x.ptr, x.numel()),
  save: (out) => [out],
  backward: (dOut, [out], [dX]) => core.relu_backward((dX as Tensor).ptr, dOut.ptr, out.ptr, out.numel()),
});

/**
 * max(x, 0). NaN stays NaN; the gradient at 0 is 0. Shape: (*) → (*); float32, or integers, which stay integers.
 *
 * @throws DTypeError for bool
 */
export function relu(x: Tensor): Tensor {
  const fused = followers(x)?.relu?.();
  if (fused) return fused;
  if (!(x instanceof Tensor)) return reluOf(x);
  if (shouldWait(x))
    return defer(
      "relu",
      x.shape,
      [x],
      (out) => reluOf.into(out, x),
      () => ({ reluOf: x }),
    );
  if (x.dtype === "float32") return reluOf(x);
  if (x.dtype === "bool") throw new DTypeError("relu: expected numbers, found bool; convert it with float() or int()");
  return maximum(x, 0);
}

const leakyReluOf = /* @__PURE__ */ defineActivation<[slope: number]>(
  "leakyRelu",
  () => k.leaky_relu,
  () => k.leaky_relu_backward,
);

/** `leakyRelu(x, { negativeSlope })` or `leakyRelu(x, negativeSlope)`. */
export interface LeakyReluOptions {
  /** Default 0.01. */
  negativeSlope?: number;
}

/** x where x > 0, else negativeSlope·x. Shape: (*) → (*); float32. */
export function leakyRelu(x: Tensor, ...args: Trailing<LeakyReluOptions, ["negativeSlope"]>): Tensor {
  const { negativeSlope = 0.01 } = optionsOf<LeakyReluOptions>("leakyRelu", args, ["negativeSlope"]);
  return leakyReluOf(x, checkNumber(negativeSlope, "leakyRelu: negativeSlope"));
}

const eluOf = /* @__PURE__ */ defineActivation<[alpha: number]>(
  "elu",
  () => k.elu,
  () => k.elu_backward,
);

/** `elu(x, { alpha })` or `elu(x, alpha)`. */
export interface EluOptions {
  /** Default 1. */
  alpha?: number;
}

/** x where x > 0, else alpha·(eˣ − 1). Shape: (*) → (*); float32. */
export function elu(x: Tensor, ...args: Trailing<EluOptions, ["alpha"]>): Tensor {
  const { alpha = 1 } = optionsOf<EluOptions>("elu", args, ["alpha"]);
  return eluOf(x, checkNumber(alpha, "elu: alpha"));
}

const geluOf = /* @__PURE__ */ defineActivation<[]>(
  "gelu",
  () => k.gelu,
  () => k.gelu_backward,
);
const geluTanhOf = /* @__PURE__ */ defineActivation<[]>(
  "gelu",
  () => k.gelu_tanh,
  () => k.gelu_tanh_backward,
);

/** `gelu(x, { approximate })` or `gelu(x, approximate)`. */
export interface GeluOptions {
  /** "none" (default): with the error function; "tanh": the cheaper approximation that GPT-2 was trained with. */
  approximate?: "none" | "tanh";
}

/**
 * x·Φ(x), Φ the distribution function of the normal distribution. Shape: (*) → (*); float32.
 *
 * @throws ArgumentError when approximate is neither "none" nor "tanh"
 */
export function gelu(x: Tensor, ...args: Trailing<GeluOptions, ["approximate"]>): Tensor {
  const { approximate = "none" } = optionsOf<GeluOptions>("gelu", args, ["approximate"]);
  if (approximate !== "none" && approximate !== "tanh") {
    throw new ArgumentError(`gelu: approximate must be "none" or "tanh", found ${JSON.stringify(approximate)}`);
  }
  return approximate === "tanh" ? geluTanhOf(x) : geluOf(x);
}

/** x·sigmoid(x), also called swish. Shape: (*) → (*); float32. */
export const silu: (x: Tensor) => Tensor = /* @__PURE__ */ defineActivation<[]>(
  "silu",
  () => k.silu,
  () => k.silu_backward,
);

const softplusOf = /* @__PURE__ */ defineActivation<[beta: number, threshold: number]>(
  "softplus",
  () => k.softplus,
  () => k.softplus_backward,
);

/** `softplus(x, { beta, threshold })` or `softplus(x, beta, threshold)`. */
export interface SoftplusOptions {
  /** Default 1. */
  beta?: number;
  /** Beyond beta·x = threshold (default 20) the result is x itself. */
  threshold?: number;
}

/** log(1 + e^(beta·x)) / beta, a smooth relu. Shape: (*) → (*); float32. */
export function softplus(x: Tensor, ...args: Trailing<SoftplusOptions, ["beta", "threshold"]>): Tensor {
  const { beta = 1, threshold = 20 } = optionsOf<SoftplusOptions>("softplus", args, ["beta", "threshold"]);
  return softplusOf(x, checkNumber(beta, "softplus: beta"), checkNumber(threshold, "softplus: threshold"));
}

const hardtanhOf = /* @__PURE__ */ defineActivation<[minVal: number, maxVal: number]>(
  "hardtanh",
  () => k.hardtanh,
  () => k.hardtanh_backward,
);

/** `hardtanh(x, { minVal, maxVal })` or `hardtanh(x, minVal, maxVal)`. */
export interface HardtanhOptions {
  /** Default −1. */
  minVal?: number;
  /** Default 1. */
  maxVal?: number;
}

/**
 * x bounded to [minVal, maxVal]; its gradient at the bounds is 0. Shape: (*) → (*); float32.
 *
 * @throws ArgumentError when minVal is greater than maxVal
 */
export function hardtanh(x: Tensor, ...args: Trailing<HardtanhOptions, ["minVal", "maxVal"]>): Tensor {
  const { minVal = -1, maxVal = 1 } = optionsOf<HardtanhOptions>("hardtanh", args, ["minVal", "maxVal"]);
  if (!(minVal <= maxVal)) {
    throw new ArgumentError(`hardtanh: minVal must not be greater than maxVal, found ${minVal} and ${maxVal}`);
  }
  return hardtanhOf(x, minVal, maxVal);
}

/** x·min(max(x + 3, 0), 6) / 6. Shape: (*) → (*); float32. */
export const hardswish: (x: Tensor) => Tensor = /* @__PURE__ */ defineActivation<[]>(
  "hardswish",
  () => k.hardswish,
  () => k.hardswish_backward,
);
