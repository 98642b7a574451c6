/** Decay when a metric no longer improves. */
import { optionsOf, show, type Trailing } from "../../arguments.js";
import { ArgumentError } from "../../errors.js";
import { Tensor } from "../../tensor.js";
import {
  type AnyOptimizer,
  checkCount,
  checkOptimizer,
  checkWithin,
  eachGroup,
  type Group,
  loadState,
  type SchedulerStateDict,
  stateOf,
} from "./scheduler.js";

/** Options of `ReduceLROnPlateau`. */
export interface ReduceLROnPlateauOptions {
  /** Whether a metric improves by falling or by rising. Default "min". */
  mode: "min" | "max";
  /** The factor, less than 1. Default 0.1. */
  factor: number;
  /** Epochs without improvement that are borne. Default 10. */
  patience: number;
  /** By how much a metric has to be better than the best. Default 1e-4. */
  threshold: number;
  /** Whether threshold is a part of the best metric ("rel", default) or a difference ("abs"). */
  thresholdMode: "rel" | "abs";
  /** Epochs after a decay in which nothing is counted. Default 0. */
  cooldown: number;
  /** Below this no learning rate goes: a number, or one a group. Default 0. */
  minLr: number | readonly number[];
  /** Decays smaller than this are left out. Default 1e-8. */
  eps: number;
}
const ORDER = ["mode", "factor", "patience", "threshold", "thresholdMode", "cooldown", "minLr", "eps"] as const;

/**
 * Multiplies the learning rates by a factor when a metric, given to `step(metric)`, has not improved for more than
 * `patience` epochs. NaN is no improvement.
 *
 * @throws ArgumentError for an option outside its range
 */
export class ReduceLROnPlateau {
  lastEpoch = 0;
  /** The best metric so far. */
  best: number;
  numBadEpochs = 0;
  private cooldownCounter = 0;
  private lastLr: number[];
  private readonly mode: string;
  private readonly factor: number;
  private readonly patience: number;
  private readonly threshold: number;
  private readonly thresholdMode: string;
  private readonly cooldown: number;
  private readonly minLrs: number[];
  private readonly eps: number;

  constructor(
    readonly optimizer: AnyOptimizer,
    ...rest: Trailing<Partial<ReduceLROnPlateauOptions>, typeof ORDER>
  ) {
    const where = "ReduceLROnPlateau";
    const options = optionsOf<Partial<ReduceLROnPlateauOptions>>(where, rest, ORDER);
    const { mode = "min", thresholdMode = "rel", factor = 0.1 } = options;
    checkOptimizer(where, optimizer);
    if (mode !== "min" && mode !== "max") {
      throw new ArgumentError(`${where}: mode must be "min" or "max", found ${show(mode)}`);
    }
    if (thresholdMode !== "rel" && thresholdMode !== "abs") {
      throw new ArgumentError(`${where}: thresholdMode must be "rel" or "abs", found ${show(thresholdMode)}`);
    }
    this.factor = checkWithin(factor, `${where}: factor`, 0);
    if (factor >= 1) throw new ArgumentError(`${where}: factor must be less than 1, found ${factor}`);
    this.mode = mode;
    this.thresholdMode = thresholdMode;
    this.patience = checkCount(options.patience ?? 10, `${where}: patience`, 0);
    this.threshold = checkWithin(options.threshold ?? 1e-4, `${where}: threshold`, 0);
    this.cooldown = checkCount(options.cooldown ?? 0, `${where}: cooldown`, 0);
    const minLrs = eachGroup(options.minLr ?? 0, `${where}: minLr`, this.groups.length) as number[];
    this.minLrs = minLrs.map((lr) => checkWithin(lr, `${where}: minLr`, 0));
    this.eps = checkWithin(options.eps ?? 1e-8, `${where}: eps`, 0);
    this.best = this.worst();
    this.lastLr = this.groups.map((group) => group.lr);
  }

  private worst(): number {
    return this.mode === "min" ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  }

  private get groups(): Group[] {
    return this.optimizer.paramGroups as Group[];
  }

  /**
   * One epoch on, with the metric that is watched.
   *
   * @param metric a number, or a tensor of one element
   * @throws ArgumentError for anything else
   */
  step(metric: number | Tensor): void {
    const current = metric instanceof Tensor ? Number(metric.item()) : metric;
    if (typeof current !== "number") {
      throw new ArgumentError(
        `ReduceLROnPlateau: step takes the metric, a number or a tensor of one element, found ${show(metric)}`,
      );
    }
    this.lastEpoch++;
    if (this.isBetter(current)) {
      this.best = current;
      this.numBadEpochs = 0;
    } else {
      this.numBadEpochs++;
    }
    if (this.cooldownCounter > 0) {
      this.cooldownCounter--;
      this.numBadEpochs = 0;
    }
    if (this.numBadEpochs > this.patience) {
      this.reduce();
      this.cooldownCounter = this.cooldown;
      this.numBadEpochs = 0;
    }
    this.lastLr = this.groups.map((group) => group.lr);
  }

  private isBetter(metric: number): boolean {
    const { best, threshold, mode } = this;
    if (this.thresholdMode === "rel") {
      return mode === "min" ? metric < best * (1 - threshold) : metric > best * (threshold + 1);
    }
    return mode === "min" ? metric < best - threshold : metric > best + threshold;
  }

  private reduce(): void {
    this.groups.forEach((group, i) => {
      const lr = Math.max(group.lr * this.factor, this.minLrs[i] ?? 0);
      if (group.lr - lr > this.eps) group.lr = lr;
    });
  }

  /** The learning rates of the groups that the last step left. */
  getLastLr(): number[] {
    return [...this.lastLr];
  }

  /** Everything but the optimizer; save the optimizer's state dict with it, which has the current learning rates. */
  stateDict(): SchedulerStateDict {
    return stateOf(this);
  }

  /** Takes the state over. @throws StateDictError when it is not this kind of scheduler's; nothing has then changed. */
  loadStateDict(dict: SchedulerStateDict): void {
    loadState("ReduceLROnPlateau", this, dict);
    // JSON has no infinity: null is what it makes of the best metric before the first step.
    this.best ??= this.worst();
  }
}
