import { optionsOf, type Trailing } from "../arguments.js";
import type { Tensor } from "../tensor.js";
import { k } from "../wasm/families/optim.generated.js";
import { Optimizer, type ParamGroup, type Params } from "./optimizer.js";
import { checkBetas, checkNonNegative } from "./range.js";
import { withTable } from "./table.js";

/** Options of `Adam` and `AdamW`. */
export interface AdamOptions {
  /** Learning rate. Default 0.001. */
  lr: number;
  /** How much of the running means of gradients and of their squares goes on. Default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Added to the root of the mean square. Default 1e-8. */
  eps: number;
  /** Adam: L2 penalty, weightDecay·param is added to the gradient; default 0. AdamW: each step shrinks the parameters by lr·weightDecay; default 0.01. */
  weightDecay: number;
  /** AMSGrad: divide by the root of the largest mean square so far. Default false. */
  amsgrad: boolean;
  /** Climb instead of descending. Default false. */
  maximize: boolean;
}

/** PyTorch's order of arguments after the parameters. */
const ORDER = ["lr", "betas", "eps", "weightDecay", "amsgrad"] as const;

function withDefaults(where: string, rest: readonly unknown[], weightDecay: number): AdamOptions {
  const options = optionsOf<Partial<AdamOptions>>(where, rest, ORDER, ["maximize"]);
  return { lr: 0.001, betas: [0.9, 0.999], eps: 1e-8, weightDecay, amsgrad: false, maximize: false, ...options };
}

/**
 * Adam, as torch.optim.Adam (Kingma & Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015; AMSGrad: Reddi, Kale &
 * Kumar, "On the Convergence of Adam and Beyond", ICLR 2018). Every parameter counts its own steps. One kernel call updates a
 * whole group. Running means below float32's smallest normal number, 1.2e-38, count as 0: so does the square of a gradient
 * below some 1e-18, which matters only where eps is 0.
 *
 * State of a parameter: `step`, `expAvg`, `expAvgSq`, and `maxExpAvgSq` with amsgrad.
 *
 * @throws ArgumentError for a negative or non-finite option, or betas outside [0, 1)
 */
export class Adam extends Optimizer<AdamOptions> {
  constructor(params: Params<AdamOptions>, ...rest: Trailing<Partial<AdamOptions>, typeof ORDER>) {
    super(params, withDefaults("Adam", rest, 0));
  }

  protected validate(options: AdamOptions): void {
    checkNonNegative(this.name, options, ["lr", "eps", "weightDecay"]);
    checkBetas(this.name, options.betas);
  }

  /** How much of a parameter is added to its gradient, and how much of it a step keeps. */
  protected decay({ weightDecay }: AdamOptions): { added: number; kept: number } {
    return { added: weightDecay, kept: 1 };
  }

  protected update(group: ParamGroup<AdamOptions>, params: readonly Tensor[]): void {
    const { lr, eps, amsgrad, maximize } = group;
    const [beta1, beta2] = group.betas;
    const { added, kept } = this.decay(group);
    const names = amsgrad ? ["expAvg", "expAvgSq", "maxExpAvgSq"] : ["expAvg", "expAvgSq"];
    const entries = params.map((param) => {
      const states = this.stateTensors(param, names);
      const step = this.countStep(param);
      const scalars = [-lr / (1 - beta1 ** step), 1 / Math.sqrt(1 - beta2 ** step)];
      return { param, grad: param.gradTensor as Tensor, states, scalars };
    });
    withTable(entries, (table, count) =>
      k.adam(table, count, beta1, beta2, eps, added, kept, amsgrad ? 1 : 0, maximize ? 1 : 0),
    );
  }
}

/**
 * Adam with weight decay decoupled from the gradient, as torch.optim.AdamW (Loshchilov & Hutter, "Decoupled Weight Decay
 * Regularization", ICLR 2019): each step multiplies the parameters by 1 − lr·weightDecay. Everything else is `Adam`'s.
 *
 * @throws ArgumentError for a negative or non-finite option, or betas outside [0, 1)
 */
export class AdamW extends Adam {
  constructor(params: Params<AdamOptions>, ...rest: Trailing<Partial<AdamOptions>, typeof ORDER>) {
    super(params, withDefaults("AdamW", rest, 0.01));
  }

  protected override decay({ lr, weightDecay }: AdamOptions): { added: number; kept: number } {
    return { added: 0, kept: 1 - lr * weightDecay };
  }
}
