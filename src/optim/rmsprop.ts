import { optionsOf, type Trailing } from "../arguments.js";
import type { Tensor } from "../tensor.js";
import { k } from "../wasm/families/optim.generated.js";
import { Optimizer, type ParamGroup, type Params } from "./optimizer.js";
import { checkNonNegative } from "./range.js";
import { withTable } from "./table.js";

/** Options of `RMSprop`. */
export interface RMSpropOptions {
  /** Learning rate. Default 0.01. */
  lr: number;
  /** How much of the running mean of squares goes on. Default 0.99. */
  alpha: number;
  /** Added to the root of the mean square. Default 1e-8. */
  eps: number;
  /** L2 penalty: weightDecay·param is added to the gradient. Default 0. */
  weightDecay: number;
  /** How much of the last update goes on. Default 0. */
  momentum: number;
  /** Divide by the standard deviation of the gradients instead of their root mean square. Default false. */
  centered: boolean;
  /** Climb instead of descending. Default false. */
  maximize: boolean;
}

/** PyTorch's order of arguments after the parameters. */
const ORDER = ["lr", "alpha", "eps", "weightDecay", "momentum", "centered"] as const;

/** Where the kernel finds each state: by position, whatever is there of them. */
const STATES = ["squareAvg", "gradAvg", "momentumBuffer"] as const;

/**
 * RMSprop, as torch.optim.RMSprop (Hinton, "Neural Networks for Machine Learning", lecture 6e, 2012; centered: Graves,
 * "Generating Sequences With Recurrent Neural Networks", 2013). One kernel call updates a whole group. Where gradients
 * hardly vary, rounding can make the variance of the centered form negative: it counts as 0 here, and gives NaN in PyTorch.
 *
 * State of a parameter: `step`, `squareAvg`, `gradAvg` when centered, `momentumBuffer` with momentum.
 *
 * @throws ArgumentError for a negative or non-finite option
 */
export class RMSprop extends Optimizer<RMSpropOptions> {
  constructor(params: Params<RMSpropOptions>, ...rest: Trailing<Partial<RMSpropOptions>, typeof ORDER>) {
    super(params, {
      lr: 0.01,
      alpha: 0.99,
      eps: 1e-8,
      weightDecay: 0,
      momentum: 0,
      centered: false,
      maximize: false,
      ...optionsOf<Partial<RMSpropOptions>>("RMSprop", rest, ORDER, ["maximize"]),
    });
  }

  protected validate(options: RMSpropOptions): void {
    checkNonNegative("RMSprop", options, ["lr", "alpha", "eps", "weightDecay", "momentum"]);
  }

  protected update(group: ParamGroup<RMSpropOptions>, params: readonly Tensor[]): void {
    const { lr, alpha, eps, weightDecay, momentum, centered, maximize } = group;
    const used = { squareAvg: true, gradAvg: centered, momentumBuffer: momentum !== 0 };
    const entries = params.map((param) => {
      const states = STATES.map((name) => (used[name] ? this.stateTensors(param, [name])[0] : null));
      this.countStep(param);
      return { param, grad: param.gradTensor as Tensor, states };
    });
    withTable(entries, (table, count) =>
      k.rmsprop(table, count, lr, alpha, eps, weightDecay, momentum, centered ? 1 : 0, maximize ? 1 : 0),
    );
  }
}
