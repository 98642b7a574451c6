/** Schedules that a function of the epoch says. */
import { optionsOf, show, type Trailing } from "../../arguments.js";
import { ArgumentError } from "../../errors.js";
import { type AnyOptimizer, eachGroup, LRScheduler } from "./scheduler.js";

/** A factor for each epoch. */
export type LRLambda = (epoch: number) => number;

/** Options of `LambdaLR` and `MultiplicativeLR`. */
export interface LambdaLROptions {
  /** A function for all groups, or a list of them, one a group. */
  lrLambda: LRLambda | readonly LRLambda[];
  /** The epoch to resume after. Default −1, a new schedule. */
  lastEpoch: number;
}
const ORDER = ["lrLambda", "lastEpoch"] as const;

abstract class FactorLR extends LRScheduler {
  private readonly lrLambdas: LRLambda[];

  constructor(where: string, optimizer: AnyOptimizer, rest: readonly unknown[]) {
    const { lrLambda, lastEpoch } = optionsOf<Partial<LambdaLROptions>>(where, rest, ORDER);
    super(optimizer, lastEpoch);
    this.lrLambdas = eachGroup(lrLambda as LRLambda, `${where}: lrLambda`, this.groups.length);
    for (const fn of this.lrLambdas) {
      if (typeof fn !== "function") throw new ArgumentError(`${where}: lrLambda must be a function, found ${show(fn)}`);
    }
    this.start();
  }

  /** What the function of group i says for this epoch. */
  protected factor(i: number): number {
    const factor = this.lrLambdas[i](this.lastEpoch);
    if (typeof factor === "number") return factor;
    throw new ArgumentError(
      `${this.name}: lrLambda must give a number, found ${show(factor)} for epoch ${this.lastEpoch}`,
    );
  }
}

/**
 * Multiplies the initial learning rate of each group by what lrLambda says for the epoch. The functions are not in the
 * state dict.
 *
 * @throws ArgumentError for what are no functions, or not as many as groups
 */
export class LambdaLR extends FactorLR {
  constructor(optimizer: AnyOptimizer, ...rest: Trailing<Partial<LambdaLROptions>, typeof ORDER>) {
    super("LambdaLR", optimizer, rest);
  }

  protected getLr(): number[] {
    return this.baseLrs.map((lr, i) => lr * this.factor(i));
  }
}

/**
 * Multiplies the learning rate of each group by what lrLambda says for the epoch, from epoch 1 on. The functions are not in
 * the state dict.
 *
 * @throws ArgumentError for what are no functions, or not as many as groups
 */
export class MultiplicativeLR extends FactorLR {
  constructor(optimizer: AnyOptimizer, ...rest: Trailing<Partial<LambdaLROptions>, typeof ORDER>) {
    super("MultiplicativeLR", optimizer, rest);
  }

  protected getLr(): number[] {
    return this.known.map((group, i) => (this.lastEpoch > 0 ? group.lr * this.factor(i) : group.lr));
  }
}
