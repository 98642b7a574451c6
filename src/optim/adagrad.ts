import { optionsOf, type Trailing } from "../arguments.js";
import type { Tensor } from "../tensor.js";
import { k } from "../wasm/families/optim.generated.js";
import { Optimizer, type ParamGroup, type Params } from "./optimizer.js";
import { checkNonNegative } from "./range.js";
import { withTable } from "./table.js";

/** Options of `Adagrad`. */
export interface AdagradOptions {
  /** Learning rate. Default 0.01. */
  lr: number;
  /** Step t uses lr / (1 + (t − 1)·lrDecay). Default 0. */
  lrDecay: number;
  /** L2 penalty: weightDecay·param is added to the gradient. Default 0. */
  weightDecay: number;
  /** What the sum of squares starts from. Default 0. */
  initialAccumulatorValue: number;
  /** Added to the root of the sum of squares. Default 1e-10. */
  eps: number;
  /** Climb instead of descending. Default false. */
  maximize: boolean;
}

/** PyTorch's order of arguments after the parameters. */
const ORDER = ["lr", "lrDecay", "weightDecay", "initialAccumulatorValue", "eps"] as const;

/**
 * Adagrad, as torch.optim.Adagrad (Duchi, Hazan & Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic
 * Optimization", JMLR 2011). One kernel call updates a whole group.
 *
 * State of a parameter, from its first step on: `step`, `sum`.
 *
 * @throws ArgumentError for a negative or non-finite option
 */
export class Adagrad extends Optimizer<AdagradOptions> {
  constructor(params: Params<AdagradOptions>, ...rest: Trailing<Partial<AdagradOptions>, typeof ORDER>) {
    super(params, {
      lr: 0.01,
      lrDecay: 0,
      weightDecay: 0,
      initialAccumulatorValue: 0,
      eps: 1e-10,
      maximize: false,
      ...optionsOf<Partial<AdagradOptions>>("Adagrad", rest, ORDER, ["maximize"]),
    });
  }

  protected validate(options: AdagradOptions): void {
    checkNonNegative("Adagrad", options, ["lr", "lrDecay", "weightDecay", "initialAccumulatorValue", "eps"]);
  }

  protected update(group: ParamGroup<AdagradOptions>, params: readonly Tensor[]): void {
    const { lr, lrDecay, weightDecay, initialAccumulatorValue, eps, maximize } = group;
    const entries = params.map((param) => {
      const states = this.stateTensors(param, ["sum"], initialAccumulatorValue);
      const step = this.countStep(param);
      return { param, grad: param.gradTensor as Tensor, states, scalars: [-lr / (1 + (step - 1) * lrDecay)] };
    });
    withTable(entries, (table, count) => k.adagrad(table, count, eps, weightDecay, maximize ? 1 : 0));
  }
}
