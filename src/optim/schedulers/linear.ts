/** Schedules that reach their end after totalIters epochs: constant, linear (warm-up) and polynomial. */
import { optionsOf, type Trailing } from "../../arguments.js";
import { ArgumentError } from "../../errors.js";
import { type AnyOptimizer, checkCount, checkWithin, LRScheduler } from "./scheduler.js";

/** A factor that can be undone: each learning rate is computed from the last, and from 0 nothing leads back. */
function checkFactor(value: unknown, what: string): number {
  const factor = checkWithin(value, what, 0, 1);
  if (factor === 0) throw new ArgumentError(`${what} must be more than 0, found 0; start from 1e-8, say`);
  return factor;
}

/** Options of `ConstantLR`. */
export interface ConstantLROptions {
  /** The factor until totalIters, more than 0 and at most 1. Default 1/3. */
  factor: number;
  /** Epochs with the factor. Default 5. */
  totalIters: number;
  /** The epoch to resume after. Default −1, a new schedule. */
  lastEpoch: number;
}
const CONSTANT = ["factor", "totalIters", "lastEpoch"] as const;

/** Multiplies the learning rates by a factor until totalIters epochs are over. @throws ArgumentError for a factor outside (0, 1] */
export class ConstantLR extends LRScheduler {
  factor: number;
  totalIters: number;

  constructor(optimizer: AnyOptimizer, ...rest: Trailing<Partial<ConstantLROptions>, typeof CONSTANT>) {
    const options = optionsOf<Partial<ConstantLROptions>>("ConstantLR", rest, CONSTANT);
    super(optimizer, options.lastEpoch);
    this.factor = checkFactor(options.factor ?? 1 / 3, "ConstantLR: factor");
    this.totalIters = checkCount(options.totalIters ?? 5, "ConstantLR: totalIters", 0);
    this.start();
  }

  protected getLr(): number[] {
    if (this.lastEpoch === 0) return this.scaled(this.factor);
    return this.scaled(this.lastEpoch === this.totalIters ? 1 / this.factor : 1);
  }

  protected override closedForm(): number[] {
    const over = this.lastEpoch >= this.totalIters ? 1 : 0;
    return this.baseLrs.map((lr) => lr * (this.factor + over * (1 - this.factor)));
  }
}

/** Options of `LinearLR`. */
export interface LinearLROptions {
  /** The factor at first, more than 0 and at most 1. Default 1/3. */
  startFactor: number;
  /** The factor at the end, from 0 to 1. Default 1. */
  endFactor: number;
  /** Epochs from one to the other. Default 5. */
  totalIters: number;
  /** The epoch to resume after. Default −1, a new schedule. */
  lastEpoch: number;
}
const LINEAR = ["startFactor", "endFactor", "totalIters", "lastEpoch"] as const;

/**
 * Changes the factor of the learning rates linearly over totalIters epochs: a warm-up (Goyal et al., "Accurate, Large
 * Minibatch SGD", 2017).
 *
 * @throws ArgumentError for factors outside their range
 */
export class LinearLR extends LRScheduler {
  startFactor: number;
  endFactor: number;
  totalIters: number;

  constructor(optimizer: AnyOptimizer, ...rest: Trailing<Partial<LinearLROptions>, typeof LINEAR>) {
    const options = optionsOf<Partial<LinearLROptions>>("LinearLR", rest, LINEAR);
    super(optimizer, options.lastEpoch);
    this.startFactor = checkFactor(options.startFactor ?? 1 / 3, "LinearLR: startFactor");
    this.endFactor = checkWithin(options.endFactor ?? 1, "LinearLR: endFactor", 0, 1);
    this.totalIters = checkCount(options.totalIters ?? 5, "LinearLR: totalIters", 0);
    this.start();
  }

  protected getLr(): number[] {
    const { lastEpoch, totalIters, startFactor, endFactor } = this;
    if (lastEpoch === 0) return this.scaled(startFactor);
    if (lastEpoch > totalIters) return this.scaled(1);
    const rise = endFactor - startFactor;
    return this.scaled(1 + rise / (totalIters * startFactor + (lastEpoch - 1) * rise));
  }

  protected override closedForm(): number[] {
    const { lastEpoch, totalIters, startFactor, endFactor } = this;
    if (totalIters === 0) return this.baseLrs.map((lr) => lr * endFactor);
    const epochs = Math.min(totalIters, lastEpoch);
    return this.baseLrs.map((lr) => lr * (startFactor + ((endFactor - startFactor) * epochs) / totalIters));
  }
}

/** Options of `PolynomialLR`. */
export interface PolynomialLROptions {
  /** Epochs until the learning rate is 0. Default 5. */
  totalIters: number;
  /** The polynomial's power. Default 1. */
  power: number;
  /** The epoch to resume after. Default −1, a new schedule. */
  lastEpoch: number;
}
const POLYNOMIAL = ["totalIters", "power", "lastEpoch"] as const;

/** Multiplies the learning rates by (1 − epoch/totalIters)^power. @throws ArgumentError for a negative option */
export class PolynomialLR extends LRScheduler {
  totalIters: number;
  power: number;

  constructor(optimizer: AnyOptimizer, ...rest: Trailing<Partial<PolynomialLROptions>, typeof POLYNOMIAL>) {
    const options = optionsOf<Partial<PolynomialLROptions>>("PolynomialLR", rest, POLYNOMIAL);
    super(optimizer, options.lastEpoch);
    this.totalIters = checkCount(options.totalIters ?? 5, "PolynomialLR: totalIters", 0);
    this.power = checkWithin(options.power ?? 1, "PolynomialLR: power", 0);
    this.start();
  }

  protected getLr(): number[] {
    const { lastEpoch, totalIters, power } = this;
    if (lastEpoch === 0 || lastEpoch > totalIters) return this.scaled(1);
    return this.scaled(((1 - lastEpoch / totalIters) / (1 - (lastEpoch - 1) / totalIters)) ** power);
  }

  protected override closedForm(): number[] {
    const { lastEpoch, totalIters, power } = this;
    if (totalIters === 0) return [...this.baseLrs];
    return this.baseLrs.map((lr) => lr * (1 - Math.min(totalIters, lastEpoch) / totalIters) ** power);
  }
}
