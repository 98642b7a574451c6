import { optionsOf, type Trailing } from "../arguments.js";
import { ArgumentError } from "../errors.js";
import { checkNumber } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { k } from "../wasm/load.js";
import { Optimizer, type ParamGroup, type Params } from "./optimizer.js";
import { checkNonNegative } from "./range.js";
import { type Entry, withTable } from "./table.js";

/** Options of `SGD`. */
export interface SGDOptions {
  /** Learning rate. Default 0.001. */
  lr: number;
  /** How much of the last update goes on. Default 0. */
  momentum: number;
  /** How much of the gradient is kept out of the momentum. Default 0. */
  dampening: number;
  /** L2 penalty: weightDecay·param is added to the gradient. Default 0. */
  weightDecay: number;
  /** Nesterov's look-ahead; needs a momentum and no dampening. Default false. */
  nesterov: boolean;
  /** Climb instead of descending. Default false. */
  maximize: boolean;
}

/** PyTorch's order of arguments after the parameters. */
const ORDER = ["lr", "momentum", "dampening", "weightDecay", "nesterov"] as const;

/**
 * Stochastic gradient descent, as torch.optim.SGD: with momentum (Polyak 1964), or Nesterov's (Sutskever et al., "On the
 * importance of initialization and momentum in deep learning", ICML 2013). One kernel call updates a whole group.
 *
 * @throws ArgumentError for a negative or non-finite option, or nesterov without momentum or with dampening
 */
export class SGD extends Optimizer<SGDOptions> {
  constructor(params: Params<SGDOptions>, ...rest: Trailing<Partial<SGDOptions>, typeof ORDER>) {
    const options = optionsOf<Partial<SGDOptions>>("SGD", rest, ORDER, ["maximize"]);
    super(params, {
      lr: 0.001,
      momentum: 0,
      dampening: 0,
      weightDecay: 0,
      nesterov: false,
      maximize: false,
      ...options,
    });
  }

  protected validate(options: SGDOptions): void {
    checkNonNegative("SGD", options, ["lr", "momentum", "weightDecay"]);
    checkNumber(options.dampening, "SGD: dampening");
    if (options.nesterov && (options.momentum <= 0 || options.dampening !== 0)) {
      throw new ArgumentError(
        `SGD: nesterov needs a momentum and no dampening, found momentum ${options.momentum} and dampening ${options.dampening}`,
      );
    }
  }

  protected update(group: ParamGroup<SGDOptions>, params: readonly Tensor[]): void {
    const { lr, momentum, dampening, weightDecay, nesterov, maximize } = group;
    const entries: Entry[] = params.map((param) => {
      const grad = param.gradTensor as Tensor;
      if (momentum === 0) return { param, grad };
      const { tensor, fresh } = this.stateTensor(param, "momentumBuffer");
      return { param, grad, states: [tensor], fresh };
    });
    withTable(entries, (table, count) =>
      k.sgd(table, count, lr, momentum, dampening, weightDecay, nesterov ? 1 : 0, maximize ? 1 : 0, 1),
    );
  }
}
