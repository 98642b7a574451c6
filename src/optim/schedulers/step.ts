/** Decay by a constant factor: every so many epochs, at given epochs, or at every epoch. */
import { optionsOf, type Trailing } from "../../arguments.js";
import { type AnyOptimizer, checkCount, checkMilestones, checkWithin, LRScheduler, reached } from "./scheduler.js";

/** Options of `StepLR`. */
export interface StepLROptions {
  /** Epochs between two decays. */
  stepSize: number;
  /** The factor. Default 0.1. */
  gamma: number;
  /** The epoch to resume after. Default −1, a new schedule. */
  lastEpoch: number;
}
const STEP = ["stepSize", "gamma", "lastEpoch"] as const;

/** Multiplies the learning rates by gamma every stepSize epochs. @throws ArgumentError for a missing or impossible option */
export class StepLR extends LRScheduler {
  stepSize: number;
  gamma: number;

  constructor(optimizer: AnyOptimizer, ...rest: Trailing<Partial<StepLROptions>, typeof STEP>) {
    const { stepSize, gamma = 0.1, lastEpoch } = optionsOf<Partial<StepLROptions>>("StepLR", rest, STEP);
    super(optimizer, lastEpoch);
    this.stepSize = checkCount(stepSize, "StepLR: stepSize");
    this.gamma = checkWithin(gamma, "StepLR: gamma", 0);
    this.start();
  }

  protected getLr(): number[] {
    return this.scaled(this.lastEpoch === 0 || this.lastEpoch % this.stepSize !== 0 ? 1 : this.gamma);
  }

  protected override closedForm(): number[] {
    return this.baseLrs.map((lr) => lr * this.gamma ** Math.floor(this.lastEpoch / this.stepSize));
  }
}

/** Options of `MultiStepLR`. */
export interface MultiStepLROptions {
  /** Epochs of decay, ascending. One that stands there twice decays twice. */
  milestones: readonly number[];
  /** The factor. Default 0.1. */
  gamma: number;
  /** The epoch to resume after. Default −1, a new schedule. */
  lastEpoch: number;
}
const MULTI_STEP = ["milestones", "gamma", "lastEpoch"] as const;

/** Multiplies the learning rates by gamma at each milestone. @throws ArgumentError for missing or descending milestones */
export class MultiStepLR extends LRScheduler {
  milestones: number[];
  gamma: number;

  constructor(optimizer: AnyOptimizer, ...rest: Trailing<Partial<MultiStepLROptions>, typeof MULTI_STEP>) {
    const options = optionsOf<Partial<MultiStepLROptions>>("MultiStepLR", rest, MULTI_STEP);
    super(optimizer, options.lastEpoch);
    this.milestones = checkMilestones(options.milestones, "MultiStepLR: milestones", false);
    this.gamma = checkWithin(options.gamma ?? 0.1, "MultiStepLR: gamma", 0);
    this.start();
  }

  protected getLr(): number[] {
    const times = this.milestones.filter((milestone) => milestone === this.lastEpoch).length;
    return this.scaled(this.gamma ** times);
  }

  protected override closedForm(): number[] {
    return this.baseLrs.map((lr) => lr * this.gamma ** reached(this.milestones, this.lastEpoch));
  }
}

/** Options of `ExponentialLR`. */
export interface ExponentialLROptions {
  /** The factor. */
  gamma: number;
  /** The epoch to resume after. Default −1, a new schedule. */
  lastEpoch: number;
}
const EXPONENTIAL = ["gamma", "lastEpoch"] as const;

/** Multiplies the learning rates by gamma at every epoch. @throws ArgumentError for a missing or negative gamma */
export class ExponentialLR extends LRScheduler {
  gamma: number;

  constructor(optimizer: AnyOptimizer, ...rest: Trailing<Partial<ExponentialLROptions>, typeof EXPONENTIAL>) {
    const { gamma, lastEpoch } = optionsOf<Partial<ExponentialLROptions>>("ExponentialLR", rest, EXPONENTIAL);
    super(optimizer, lastEpoch);
    this.gamma = checkWithin(gamma, "ExponentialLR: gamma", 0);
    this.start();
  }

  protected getLr(): number[] {
    return this.scaled(this.lastEpoch === 0 ? 1 : this.gamma);
  }

  protected override closedForm(): number[] {
    return this.baseLrs.map((lr) => lr * this.gamma ** this.lastEpoch);
  }
}
