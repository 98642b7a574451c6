import { optionsOf, type Trailing } from "../arguments.js";
import { ArgumentError } from "../errors.js";
import type { Tensor } from "../tensor.js";
import { k } from "../wasm/families/optim.generated.js";
import { Optimizer, type ParamGroup, type Params } from "./optimizer.js";
import { checkNonNegative } from "./range.js";
import { withTable } from "./table.js";

/** Options of `Adadelta`. */
export interface AdadeltaOptions {
  /** What the update is multiplied by. Default 1. */
  lr: number;
  /** How much of the running means of squares goes on. Default 0.9. */
  rho: number;
  /** Added to both mean squares before their roots are taken. Default 1e-6. */
  eps: number;
  /** L2 penalty: weightDecay·param is added to the gradient. Default 0. */
  weightDecay: number;
  /** Climb instead of descending. Default false. */
  maximize: boolean;
}

/** PyTorch's order of arguments after the parameters. */
const ORDER = ["lr", "rho", "eps", "weightDecay"] as const;

/**
 * Adadelta, as torch.optim.Adadelta (Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012). One kernel call updates a
 * whole group.
 *
 * State of a parameter: `step`, `squareAvg`, `accDelta`.
 *
 * @throws ArgumentError for a negative or non-finite option, or rho outside [0, 1]
 */
export class Adadelta extends Optimizer<AdadeltaOptions> {
  constructor(params: Params<AdadeltaOptions>, ...rest: Trailing<Partial<AdadeltaOptions>, typeof ORDER>) {
    super(params, {
      lr: 1,
      rho: 0.9,
      eps: 1e-6,
      weightDecay: 0,
      maximize: false,
      ...optionsOf<Partial<AdadeltaOptions>>("Adadelta", rest, ORDER, ["maximize"]),
    });
  }

  protected validate(options: AdadeltaOptions): void {
    checkNonNegative("Adadelta", options, ["lr", "rho", "eps", "weightDecay"]);
    if (options.rho > 1) throw new ArgumentError(`Adadelta: rho must be at most 1, found ${options.rho}`);
  }

  protected update(group: ParamGroup<AdadeltaOptions>, params: readonly Tensor[]): void {
    const { lr, rho, eps, weightDecay, maximize } = group;
    const entries = params.map((param) => {
      const states = this.stateTensors(param, ["squareAvg", "accDelta"]);
      this.countStep(param);
      return { param, grad: param.gradTensor as Tensor, states };
    });
    withTable(entries, (table, count) => k.adadelta(table, count, lr, rho, eps, weightDecay, maximize ? 1 : 0));
  }
}
