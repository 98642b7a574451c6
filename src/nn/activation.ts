/** Activations as modules. */
import { optionsOf, type Trailing } from "../arguments.js";
import { ArgumentError } from "../errors.js";
import {
  type EluOptions,
  elu,
  type GeluOptions,
  gelu,
  type HardtanhOptions,
  hardswish,
  hardtanh,
  type LeakyReluOptions,
  leakyRelu,
  relu,
  type SoftplusOptions,
  silu,
  softplus,
} from "../ops/activation.js";
import { logSoftmax, type SoftmaxDim, softmax, softmin } from "../ops/softmax.js";
import { sigmoid, tanh } from "../ops/unary.js";
import type { Tensor } from "../tensor.js";
import { Module } from "./module.js";
import { showFloat } from "./show.js";

/** PyTorch's `inplace` is taken and makes no difference: the result has memory of its own, as everywhere here. */
export interface InplaceOption {
  inplace?: boolean;
}

/** Activations that have no other option than `inplace`. */
abstract class InplaceActivation extends Module {
  readonly inplace: boolean;

  constructor(...args: Trailing<InplaceOption, ["inplace"]>) {
    super();
    this.inplace = optionsOf<InplaceOption>(new.target.name, args, ["inplace"]).inplace ?? false;
  }

  override extraRepr(): string {
    return this.inplace ? "inplace=True" : "";
  }
}

/** max(x, 0). */
export class ReLU extends InplaceActivation {
  forward(x: Tensor): Tensor {
    return relu(x);
  }
}

/** x where x > 0, else negativeSlope·x (0.01). */
export class LeakyReLU extends Module {
  readonly negativeSlope: number;
  readonly inplace: boolean;

  constructor(...args: Trailing<LeakyReluOptions & InplaceOption, ["negativeSlope", "inplace"]>) {
    super();
    const names = ["negativeSlope", "inplace"] as const;
    const options = optionsOf<LeakyReluOptions & InplaceOption>("LeakyReLU", args, names);
    this.negativeSlope = options.negativeSlope ?? 0.01;
    this.inplace = options.inplace ?? false;
  }

  forward(x: Tensor): Tensor {
    return leakyRelu(x, this.negativeSlope);
  }

  override extraRepr(): string {
    return `negative_slope=${this.negativeSlope}${this.inplace ? ", inplace=True" : ""}`;
  }
}

/** x where x > 0, else alpha·(eˣ − 1), alpha 1. */
export class ELU extends Module {
  readonly alpha: number;
  readonly inplace: boolean;

  constructor(...args: Trailing<EluOptions & InplaceOption, ["alpha", "inplace"]>) {
    super();
    const options = optionsOf<EluOptions & InplaceOption>("ELU", args, ["alpha", "inplace"]);
    this.alpha = options.alpha ?? 1;
    this.inplace = options.inplace ?? false;
  }

  forward(x: Tensor): Tensor {
    return elu(x, this.alpha);
  }

  override extraRepr(): string {
    return `alpha=${showFloat(this.alpha)}${this.inplace ? ", inplace=True" : ""}`;
  }
}

/** x·Φ(x), exactly or (`approximate: "tanh"`) approximately. */
export class GELU extends Module {
  readonly approximate: "none" | "tanh";

  constructor(...args: Trailing<GeluOptions, ["approximate"]>) {
    super();
    this.approximate = optionsOf<GeluOptions>("GELU", args, ["approximate"]).approximate ?? "none";
  }

  forward(x: Tensor): Tensor {
    return gelu(x, this.approximate);
  }

  override extraRepr(): string {
    return `approximate='${this.approximate}'`;
  }
}

/** x·sigmoid(x). */
export class SiLU extends InplaceActivation {
  forward(x: Tensor): Tensor {
    return silu(x);
  }
}

/** log(1 + e^(beta·x)) / beta, with beta 1; x itself where beta·x is beyond threshold, 20. */
export class Softplus extends Module {
  readonly beta: number;
  readonly threshold: number;

  constructor(...args: Trailing<SoftplusOptions, ["beta", "threshold"]>) {
    super();
    const { beta = 1, threshold = 20 } = optionsOf<SoftplusOptions>("Softplus", args, ["beta", "threshold"]);
    this.beta = beta;
    this.threshold = threshold;
  }

  forward(x: Tensor): Tensor {
    return softplus(x, this.beta, this.threshold);
  }

  override extraRepr(): string {
    return `beta=${this.beta}, threshold=${this.threshold}`;
  }
}

/** x bounded to [minVal, maxVal], by default [−1, 1]. @throws ArgumentError unless minVal < maxVal */
export class Hardtanh extends Module {
  readonly minVal: number;
  readonly maxVal: number;
  readonly inplace: boolean;

  constructor(...args: Trailing<HardtanhOptions & InplaceOption, ["minVal", "maxVal", "inplace"]>) {
    super();
    const {
      minVal = -1,
      maxVal = 1,
      inplace = false,
    } = optionsOf<HardtanhOptions & InplaceOption>("Hardtanh", args, ["minVal", "maxVal", "inplace"]);
    if (!(minVal < maxVal)) {
      throw new ArgumentError(`Hardtanh: minVal must be less than maxVal, found ${minVal} and ${maxVal}`);
    }
    this.minVal = minVal;
    this.maxVal = maxVal;
    this.inplace = inplace;
  }

  forward(x: Tensor): Tensor {
    return hardtanh(x, this.minVal, this.maxVal);
  }

  override extraRepr(): string {
    return `min_val=${showFloat(this.minVal)}, max_val=${showFloat(this.maxVal)}${this.inplace ? ", inplace=True" : ""}`;
  }
}

/** x·min(max(x + 3, 0), 6) / 6. */
export class Hardswish extends InplaceActivation {
  /** As in PyTorch, which does not print this one's. */
  override extraRepr(): string {
    return "";
  }

  forward(x: Tensor): Tensor {
    return hardswish(x);
  }
}

/** 1/(1 + e⁻ˣ). */
export class Sigmoid extends Module {
  forward(x: Tensor): Tensor {
    return sigmoid(x);
  }
}

/** Hyperbolic tangent. */
export class Tanh extends Module {
  forward(x: Tensor): Tensor {
    return tanh(x);
  }
}

/** The modules that normalise along a dim. */
abstract class AlongDim extends Module {
  readonly dim: number;

  constructor(dim: SoftmaxDim) {
    super();
    this.dim = typeof dim === "object" && dim !== null ? dim.dim : dim;
    if (typeof this.dim !== "number") {
      throw new ArgumentError(
        `${this.constructor.name}: give the dim to normalise over: 1 for classes of [N, C], -1 for the last dim`,
      );
    }
  }

  override extraRepr(): string {
    return `dim=${this.dim}`;
  }
}

/** e^x / Σ e^x along dim. */
export class Softmax extends AlongDim {
  forward(x: Tensor): Tensor {
    return softmax(x, this.dim);
  }
}

/** log(softmax(x)) along dim. */
export class LogSoftmax extends AlongDim {
  forward(x: Tensor): Tensor {
    return logSoftmax(x, this.dim);
  }
}

/** softmax(−x) along dim. */
export class Softmin extends AlongDim {
  forward(x: Tensor): Tensor {
    return softmin(x, this.dim);
  }
}
