/** Losses as modules: `criterion(input, target)`. What they compute is said at the functions of ops/loss.ts. */
import type { Trailing } from "../arguments.js";
import {
  type BinaryCrossEntropyOptions,
  type BinaryCrossEntropyWithLogitsOptions,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  type ClassIndices,
  type CrossEntropyOptions,
  crossEntropy,
  type HuberLossOptions,
  huberLoss,
  type KLDivOptions,
  klDiv,
  l1Loss,
  mseLoss,
  type NLLLossOptions,
  nllLoss,
  type Reduction,
  type SmoothL1LossOptions,
  smoothL1Loss,
} from "../ops/loss.js";
import { checkReduction, lossOptions, type ReductionOption } from "../ops/loss-common.js";
import type { Tensor } from "../tensor.js";
import { Module } from "./module.js";

/** Mean squared error; see F.mseLoss. */
export class MSELoss extends Module {
  readonly reduction: Reduction;

  constructor(...args: Trailing<ReductionOption, ["reduction"]>) {
    super();
    this.reduction = checkReduction(lossOptions<ReductionOption>("MSELoss", args, ["reduction"]).reduction, "MSELoss");
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return mseLoss(input, target, this.reduction);
  }
}

/** Mean absolute error; see F.l1Loss. */
export class L1Loss extends Module {
  readonly reduction: Reduction;

  constructor(...args: Trailing<ReductionOption, ["reduction"]>) {
    super();
    this.reduction = checkReduction(lossOptions<ReductionOption>("L1Loss", args, ["reduction"]).reduction, "L1Loss");
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return l1Loss(input, target, this.reduction);
  }
}

/** Squared error near 0, absolute error beyond beta; see F.smoothL1Loss. */
export class SmoothL1Loss extends Module {
  readonly reduction: Reduction;
  readonly beta: number;

  constructor(...args: Trailing<SmoothL1LossOptions, ["reduction", "beta"]>) {
    super();
    const options = lossOptions<SmoothL1LossOptions>("SmoothL1Loss", args, ["reduction", "beta"]);
    this.reduction = checkReduction(options.reduction, "SmoothL1Loss");
    this.beta = options.beta ?? 1;
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return smoothL1Loss(input, target, this.reduction, this.beta);
  }
}

/** Squared error up to delta, absolute error beyond; see F.huberLoss. */
export class HuberLoss extends Module {
  readonly reduction: Reduction;
  readonly delta: number;

  constructor(...args: Trailing<HuberLossOptions, ["reduction", "delta"]>) {
    super();
    const options = lossOptions<HuberLossOptions>("HuberLoss", args, ["reduction", "delta"]);
    this.reduction = checkReduction(options.reduction, "HuberLoss");
    this.delta = options.delta ?? 1;
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return huberLoss(input, target, this.reduction, this.delta);
  }
}

/** Cross entropy of probabilities with targets between 0 and 1; see F.binaryCrossEntropy. */
export class BCELoss extends Module {
  readonly reduction: Reduction;
  declare weight: Tensor | null;

  constructor(...args: Trailing<BinaryCrossEntropyOptions, ["weight", "reduction"]>) {
    super();
    const options = lossOptions<BinaryCrossEntropyOptions>("BCELoss", args, ["weight", "reduction"]);
    this.reduction = checkReduction(options.reduction, "BCELoss");
    this.registerBuffer("weight", options.weight ?? null);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return binaryCrossEntropy(input, target, this.weight, this.reduction);
  }
}

/** Cross entropy of unnormalised scores with targets between 0 and 1; see F.binaryCrossEntropyWithLogits. */
export class BCEWithLogitsLoss extends Module {
  readonly reduction: Reduction;
  declare weight: Tensor | null;
  declare posWeight: Tensor | null;

  constructor(...args: Trailing<BinaryCrossEntropyWithLogitsOptions, ["weight", "reduction", "posWeight"]>) {
    super();
    const names = ["weight", "reduction", "posWeight"];
    const options = lossOptions<BinaryCrossEntropyWithLogitsOptions>("BCEWithLogitsLoss", args, names);
    this.reduction = checkReduction(options.reduction, "BCEWithLogitsLoss");
    this.registerBuffer("weight", options.weight ?? null);
    // Buffers have PyTorch's names, as they are the keys of the state dict.
    this.registerBuffer("pos_weight", options.posWeight ?? null);
    Object.defineProperty(this, "posWeight", {
      enumerable: false,
      get: () => (this as unknown as { pos_weight: Tensor | null }).pos_weight,
      set: (value: Tensor | null) => {
        (this as unknown as { pos_weight: Tensor | null }).pos_weight = value;
      },
    });
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return binaryCrossEntropyWithLogits(input, target, this.weight, this.reduction, this.posWeight);
  }
}

/** Kullback-Leibler divergence; see F.klDiv. */
export class KLDivLoss extends Module {
  readonly reduction: Reduction | "batchmean";
  readonly logTarget: boolean;

  constructor(...args: Trailing<KLDivOptions, ["reduction", "logTarget"]>) {
    super();
    const options = lossOptions<KLDivOptions>("KLDivLoss", args, ["reduction", "logTarget"]);
    this.reduction = checkReduction(options.reduction, "KLDivLoss", "batchmean");
    this.logTarget = options.logTarget ?? false;
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return klDiv(input, target, this.reduction, this.logTarget);
  }
}

/** Negative log likelihood of log-probabilities; see F.nllLoss. */
export class NLLLoss extends Module {
  readonly reduction: Reduction;
  readonly ignoreIndex: number;
  declare weight: Tensor | null;

  constructor(...args: Trailing<NLLLossOptions, ["weight", "ignoreIndex", "reduction"]>) {
    super();
    const options = lossOptions<NLLLossOptions>("NLLLoss", args, ["weight", "ignoreIndex", "reduction"]);
    this.reduction = checkReduction(options.reduction, "NLLLoss");
    this.ignoreIndex = options.ignoreIndex ?? -100;
    this.registerBuffer("weight", options.weight ?? null);
  }

  forward(input: Tensor, target: ClassIndices): Tensor {
    return nllLoss(input, target, this.weight, this.ignoreIndex, this.reduction);
  }
}

/** Cross entropy of unnormalised scores with class indices or class probabilities; see F.crossEntropy. */
export class CrossEntropyLoss extends Module {
  readonly reduction: Reduction;
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;
  declare weight: Tensor | null;

  constructor(...args: Trailing<CrossEntropyOptions, ["weight", "ignoreIndex", "reduction", "labelSmoothing"]>) {
    super();
    const names = ["weight", "ignoreIndex", "reduction", "labelSmoothing"];
    const options = lossOptions<CrossEntropyOptions>("CrossEntropyLoss", args, names);
    this.reduction = checkReduction(options.reduction, "CrossEntropyLoss");
    this.ignoreIndex = options.ignoreIndex ?? -100;
    this.labelSmoothing = options.labelSmoothing ?? 0;
    this.registerBuffer("weight", options.weight ?? null);
  }

  forward(input: Tensor, target: ClassIndices): Tensor {
    return crossEntropy(input, target, {
      weight: this.weight,
      ignoreIndex: this.ignoreIndex,
      reduction: this.reduction,
      labelSmoothing: this.labelSmoothing,
    });
  }
}
