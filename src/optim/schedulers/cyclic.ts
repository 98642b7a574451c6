/** Learning rates that go up and down between two bounds, and momentum against them. */
import { optionsOf, type Trailing } from "../../arguments.js";
import { ArgumentError } from "../../errors.js";
import { cyclesBeta, setMomentum } from "./momentum.js";
import { type AnyOptimizer, checkCount, checkWithin, eachGroup, LRScheduler } from "./scheduler.js";

/** Options of `CyclicLR`. */
export interface CyclicLROptions {
  /** The lower bound: a number, or one a group. */
  baseLr: number | readonly number[];
  /** The upper bound. */
  maxLr: number | readonly number[];
  /** Steps on the way up. Default 2000. */
  stepSizeUp: number;
  /** Steps on the way down. Default: as many as up. */
  stepSizeDown: number | null;
  /** "triangular" (default), "triangular2" (each cycle half as high) or "exp_range" (lower by gamma at each step). */
  mode: "triangular" | "triangular2" | "exp_range";
  /** Of exp_range. Default 1. */
  gamma: number;
  /** The height of a cycle instead of mode's: a function of the cycle (from 1) or of the step, as scaleMode says. */
  scaleFn: ((x: number) => number) | null;
  /** Default "cycle". */
  scaleMode: "cycle" | "iterations";
  /** Move momentum (betas[0]) against the learning rate. Default true. */
  cycleMomentum: boolean;
  /** Momentum where the learning rate is highest. Default 0.8. */
  baseMomentum: number | readonly number[];
  /** Momentum where the learning rate is lowest. Default 0.9. */
  maxMomentum: number | readonly number[];
  /** The step to resume after. Default −1, a new schedule. */
  lastEpoch: number;
}
const ORDER = [
  "baseLr",
  "maxLr",
  "stepSizeUp",
  "stepSizeDown",
  "mode",
  "gamma",
  "scaleFn",
  "scaleMode",
  "cycleMomentum",
  "baseMomentum",
  "maxMomentum",
  "lastEpoch",
] as const;

const MODES = {
  triangular: () => 1,
  triangular2: (cycle: number) => 1 / 2 ** (cycle - 1),
  exp_range: (step: number, gamma: number) => gamma ** step,
};

/**
 * Learning rates between baseLr and maxLr, in triangles (Smith, "Cyclical Learning Rates for Training Neural Networks", WACV
 * 2017). `step()` is called after every batch.
 *
 * @throws ArgumentError for missing bounds, an unknown mode, or cycleMomentum with an optimizer that has no momentum
 */
export class CyclicLR extends LRScheduler {
  private readonly maxLrs: number[];
  private readonly baseMomentums: number[];
  private readonly maxMomentums: number[];
  private readonly totalSize: number;
  private readonly stepRatio: number;
  private readonly gamma: number;
  private readonly scaleMode: string;
  private readonly cycleMomentum: boolean;
  private readonly scaleFn: (x: number, gamma: number) => number;

  constructor(optimizer: AnyOptimizer, ...rest: Trailing<Partial<CyclicLROptions>, typeof ORDER>) {
    const options = optionsOf<Partial<CyclicLROptions>>("CyclicLR", rest, ORDER);
    const { stepSizeUp = 2000, stepSizeDown, mode = "triangular", gamma = 1, scaleMode = "cycle" } = options;
    const { scaleFn, cycleMomentum = true, baseMomentum = 0.8, maxMomentum = 0.9 } = options;
    super(optimizer, options.lastEpoch);
    const each = (name: keyof CyclicLROptions, value: unknown, high?: number): number[] => {
      const values = eachGroup(value, `CyclicLR: ${name}`, this.groups.length);
      return values.map((v) => checkWithin(v, `CyclicLR: ${name}`, 0, high));
    };
    if (scaleFn == null && !Object.hasOwn(MODES, mode)) {
      const names = Object.keys(MODES).join(", ");
      throw new ArgumentError(`CyclicLR: mode must be one of ${names}, found ${String(mode)}; or give a scaleFn`);
    }
    const up = checkCount(stepSizeUp, "CyclicLR: stepSizeUp");
    const down = checkCount(stepSizeDown ?? up, "CyclicLR: stepSizeDown");
    this.totalSize = up + down;
    this.stepRatio = up / this.totalSize;
    this.gamma = checkWithin(gamma, "CyclicLR: gamma", 0);
    this.scaleFn = scaleFn ?? MODES[mode];
    this.scaleMode = scaleFn == null ? (mode === "exp_range" ? "iterations" : "cycle") : scaleMode;
    this.cycleMomentum = cycleMomentum;
    this.baseLrs = each("baseLr", options.baseLr);
    this.maxLrs = each("maxLr", options.maxLr);
    this.baseMomentums = each("baseMomentum", baseMomentum, 1);
    this.maxMomentums = each("maxMomentum", maxMomentum, 1);
    if (cycleMomentum) cyclesBeta("CyclicLR", optimizer);
    if (this.lastEpoch === -1) {
      this.groups.forEach((group, i) => {
        group.lr = this.baseLrs[i];
      });
    }
    this.start();
  }

  protected getLr(): number[] {
    const cycle = Math.floor(1 + this.lastEpoch / this.totalSize);
    const x = 1 + this.lastEpoch / this.totalSize - cycle;
    const height = x <= this.stepRatio ? x / this.stepRatio : (x - 1) / (this.stepRatio - 1);
    const scale = this.scaleFn(this.scaleMode === "cycle" ? cycle : this.lastEpoch, this.gamma);
    if (this.cycleMomentum) {
      this.known.forEach((group, i) => {
        const [low, high] = [this.baseMomentums[i], this.maxMomentums[i]];
        setMomentum(this.optimizer, group, high - (high - low) * height * scale);
      });
    }
    return this.baseLrs.map((lr, i) => lr + (this.maxLrs[i] - lr) * height * scale);
  }
}
