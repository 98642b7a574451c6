/** Batch and instance normalisation as modules. */
import { inPlaces, type Named, optionsOf, show, type Trailing } from "../arguments.js";
import { ArgumentError, ShapeError } from "../errors.js";
import { noGrad } from "../grad-mode.js";
import { batchNorm } from "../ops/batch-norm.js";
import { ones, zeros } from "../ops/create.js";
import { instanceNorm } from "../ops/group-norm.js";
import { squeeze, unsqueeze } from "../ops/view.js";
import { formatShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { guardParameters, Module } from "./module.js";
import { Parameter } from "./parameter.js";
import { showBool, showFloat } from "./show.js";

/** Options of the batch and instance norms. */
export interface RunningNormOptions {
  eps?: number;
  momentum?: number | null;
  affine?: boolean;
  trackRunningStats?: boolean;
}

type RunningNormArguments =
  | [numFeatures: number, ...rest: Trailing<RunningNormOptions, ["eps", "momentum", "affine", "trackRunningStats"]>]
  | Named<{ numFeatures: number }, ["numFeatures"], RunningNormOptions>;

/** Norms of channels that may keep running statistics, under PyTorch's keys. */
abstract class RunningNorm extends Module {
  readonly numFeatures: number;
  eps: number;
  momentum: number | null;
  readonly affine: boolean;
  readonly trackRunningStats: boolean;
  weight: Parameter | null;
  bias: Parameter | null;
  /** @internal The buffers, by the names they have in a state dict. */
  declare running_mean: Tensor | null;
  /** @internal */
  declare running_var: Tensor | null;
  /** @internal */
  declare num_batches_tracked: Tensor | null;

  constructor(name: string, args: RunningNormArguments, affineByDefault: boolean, trackByDefault: boolean) {
    super();
    const [numFeatures, ...rest]: any[] = inPlaces(args, ["numFeatures"]);
    const options = optionsOf<RunningNormOptions>(name, rest, ["eps", "momentum", "affine", "trackRunningStats"]);
    if (!Number.isInteger(numFeatures) || numFeatures < 1) {
      throw new ArgumentError(`${name}: numFeatures must be a whole number of channels, found ${show(numFeatures)}`);
    }
    this.numFeatures = numFeatures;
    this.eps = options.eps ?? 1e-5;
    this.momentum = options.momentum === undefined ? 0.1 : options.momentum;
    this.affine = options.affine ?? affineByDefault;
    this.trackRunningStats = options.trackRunningStats ?? trackByDefault;
    this.weight = this.affine ? new Parameter(ones(numFeatures)) : null;
    this.bias = this.affine ? new Parameter(zeros(numFeatures)) : null;
    guardParameters(this);
    const tracks = this.trackRunningStats;
    this.registerBuffer("running_mean", tracks ? zeros(numFeatures) : null);
    this.registerBuffer("running_var", tracks ? ones(numFeatures) : null);
    this.registerBuffer("num_batches_tracked", tracks ? zeros([], { dtype: "int32" }) : null);
  }

  /** The running mean of each channel, [numFeatures]; `running_mean` in a state dict. */
  get runningMean(): Tensor | null {
    return this.running_mean;
  }

  /** The running (unbiased) variance of each channel, [numFeatures]; `running_var` in a state dict. */
  get runningVar(): Tensor | null {
    return this.running_var;
  }

  /** How many batches have moved the running statistics, int32 []; `num_batches_tracked` in a state dict. */
  get numBatchesTracked(): Tensor | null {
    return this.num_batches_tracked;
  }

  /** Forgets the running statistics. */
  resetRunningStats(): void {
    noGrad(() => {
      this.running_mean?.zero_();
      this.running_var?.fill_(1);
      this.num_batches_tracked?.zero_();
    });
  }

  override extraRepr(): string {
    const momentum = this.momentum === null ? "None" : this.momentum;
    return (
      `${this.numFeatures}, eps=${showFloat(this.eps)}, momentum=${momentum}, affine=${showBool(this.affine)}, ` +
      `track_running_stats=${showBool(this.trackRunningStats)}`
    );
  }
}

/** Batch norm over inputs of the dims that a subclass takes. */
abstract class BatchNorm extends RunningNorm {
  constructor(
    private readonly dims: readonly number[],
    name: string,
    args: RunningNormArguments,
  ) {
    super(name, args, true, true);
  }

  override forward(x: Tensor): Tensor {
    const name = this.constructor.name;
    const { running_mean, running_var, num_batches_tracked: tracked, training } = this;
    if (!this.dims.includes(x.dim())) {
      throw new ShapeError(
        `${name}: expected an input of ${this.dims.join(" or ")} dims, found ${x.dim()} (shape ${formatShape(x.shape)})`,
      );
    }
    if (x.shape[1] !== this.numFeatures) {
      throw new ShapeError(
        `${name}: expected an input of ${this.numFeatures} channels (dim 1), found ${x.shape[1]} (shape ${formatShape(x.shape)})`,
      );
    }
    const moves = training && this.trackRunningStats && tracked !== null;
    const momentum = this.momentum ?? (moves ? 1 / (tracked.item() + 1) : 0);
    const uses = !training || this.trackRunningStats;
    // Counted first: whatever uses a tensor makes an op that waits for the relu behind it run at once (src/defer.ts).
    const count = (by: number) => noGrad(() => tracked?.add_(by));
    if (moves) count(1);
    const options = {
      weight: this.weight,
      bias: this.bias,
      training: training || (running_mean === null && running_var === null),
      momentum,
      eps: this.eps,
    };
    try {
      return batchNorm(x, uses ? running_mean : null, uses ? running_var : null, options);
    } catch (error) {
      if (moves) count(-1);
      throw error;
    }
  }
}

/**
 * Batch normalisation of [N, C] or [N, C, L]: each channel by mean and variance over the batch (and L) in training, by
 * running ones in evaluation, then scaled and shifted by what is learned (Ioffe & Szegedy, "Batch Normalization", 2015).
 *
 * @param numFeatures C
 * @param eps added to the variance, default 1e-5; or the options: eps and those below
 * @param options.momentum how far a batch moves the running statistics, default 0.1; null: the average of all batches
 * @param options.affine learn weight and bias, ones and zeros at first (default true); otherwise both are null
 * @param options.trackRunningStats keep running statistics (default true); otherwise evaluation uses the batch's, too
 */
export class BatchNorm1d extends BatchNorm {
  constructor(...args: RunningNormArguments) {
    super([2, 3], "BatchNorm1d", args);
  }
}

/** `BatchNorm1d` for [N, C, H, W]: mean and variance over N, H and W. */
export class BatchNorm2d extends BatchNorm {
  constructor(...args: RunningNormArguments) {
    super([4], "BatchNorm2d", args);
  }
}

/** Instance norm over inputs of `dims` dims, or one fewer for a single image. */
abstract class InstanceNorm extends RunningNorm {
  constructor(
    private readonly dims: number,
    name: string,
    args: RunningNormArguments,
  ) {
    super(name, args, false, false);
  }

  override forward(x: Tensor): Tensor {
    const name = this.constructor.name;
    const { dims, running_mean, running_var } = this;
    if (x.dim() !== dims && x.dim() !== dims - 1) {
      throw new ShapeError(
        `${name}: expected an input of ${dims - 1} or ${dims} dims, found ${x.dim()} (shape ${formatShape(x.shape)})`,
      );
    }
    const single = x.dim() === dims - 1;
    const batch = single ? unsqueeze(x, 0) : x;
    // Without anything that is kept a channel, PyTorch takes any number of them.
    if (batch.shape[1] !== this.numFeatures && (this.affine || this.trackRunningStats)) {
      throw new ShapeError(
        `${name}: expected an input of ${this.numFeatures} channels (dim ${single ? 0 : 1}), found ${batch.shape[1]} (shape ${formatShape(x.shape)})`,
      );
    }
    const out = instanceNorm(batch, {
      runningMean: running_mean,
      runningVar: running_var,
      weight: this.weight,
      bias: this.bias,
      useInputStats: this.training || !this.trackRunningStats,
      momentum: this.momentum ?? 0,
      eps: this.eps,
    });
    return single ? squeeze(out, 0) : out;
  }
}

/**
 * Instance normalisation of [N, C, L] or [C, L]: each channel of each image by its own mean and variance (Ulyanov, Vedaldi &
 * Lempitsky, "Instance Normalization", 2016).
 *
 * @param numFeatures C
 * @param eps added to the variance, default 1e-5; or the options: eps and those below
 * @param options.momentum how far a batch moves the running statistics, default 0.1
 * @param options.affine learn weight and bias (default false)
 * @param options.trackRunningStats keep running statistics and use them in evaluation (default false)
 */
export class InstanceNorm1d extends InstanceNorm {
  constructor(...args: RunningNormArguments) {
    super(3, "InstanceNorm1d", args);
  }
}

/** `InstanceNorm1d` for [N, C, H, W] or [C, H, W]: mean and variance over H and W. */
export class InstanceNorm2d extends InstanceNorm {
  constructor(...args: RunningNormArguments) {
    super(4, "InstanceNorm2d", args);
  }
}
