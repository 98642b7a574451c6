/** Cosine annealing (Loshchilov & Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017). */
import { optionsOf, type Trailing } from "../../arguments.js";
import { type AnyOptimizer, checkCount, checkWithin, LRScheduler } from "./scheduler.js";

const { cos, PI } = Math;

/** Options of `CosineAnnealingLR`. */
export interface CosineAnnealingLROptions {
  /** Epochs from the largest learning rate to the smallest. */
  tMax: number;
  /** The smallest learning rate. Default 0. */
  etaMin: number;
  /** The epoch to resume after. Default −1, a new schedule. */
  lastEpoch: number;
}
const ANNEALING = ["tMax", "etaMin", "lastEpoch"] as const;

/**
 * Half a cosine wave from the initial learning rates down to etaMin in tMax epochs, and up again in the next (there are no
 * restarts). Loshchilov & Hutter, "SGDR", ICLR 2017.
 *
 * @throws ArgumentError for a missing or impossible option
 */
export class CosineAnnealingLR extends LRScheduler {
  tMax: number;
  etaMin: number;

  constructor(optimizer: AnyOptimizer, ...rest: Trailing<Partial<CosineAnnealingLROptions>, typeof ANNEALING>) {
    const options = optionsOf<Partial<CosineAnnealingLROptions>>("CosineAnnealingLR", rest, ANNEALING);
    super(optimizer, options.lastEpoch);
    this.tMax = checkCount(options.tMax, "CosineAnnealingLR: tMax");
    this.etaMin = checkWithin(options.etaMin ?? 0, "CosineAnnealingLR: etaMin", 0);
    this.start();
  }

  protected getLr(): number[] {
    const { lastEpoch, tMax, etaMin } = this;
    if (lastEpoch === 0) return this.scaled(1);
    if (this.stepCount === 1) return this.closedForm();
    if ((lastEpoch - 1 - tMax) % (2 * tMax) === 0) {
      // The wave's bottom lies behind, where a quotient of heights would be 0/0.
      const rise = 1 - cos(PI / tMax);
      return this.known.map((group, i) => group.lr + ((this.baseLrs[i] - etaMin) * rise) / 2);
    }
    const ratio = (1 + cos((PI * lastEpoch) / tMax)) / (1 + cos((PI * (lastEpoch - 1)) / tMax));
    return this.groups.map((group) => ratio * (group.lr - etaMin) + etaMin);
  }

  protected override closedForm(): number[] {
    const { lastEpoch, tMax, etaMin } = this;
    return this.baseLrs.map((lr) => etaMin + ((lr - etaMin) * (1 + cos((PI * lastEpoch) / tMax))) / 2);
  }
}

/** Options of `CosineAnnealingWarmRestarts`. */
export interface CosineAnnealingWarmRestartsOptions {
  /** Epochs until the first restart. */
  t0: number;
  /** How many times as long each cycle is as the last. Default 1. */
  tMult: number;
  /** The smallest learning rate. Default 0. */
  etaMin: number;
  /** The epoch to resume after. Default −1, a new schedule. */
  lastEpoch: number;
}
const RESTARTS = ["t0", "tMult", "etaMin", "lastEpoch"] as const;

/**
 * Half a cosine wave from the initial learning rates to etaMin, again and again: after t0 epochs, then tMult times as many.
 * `step(epoch)` takes fractions, `step(epoch + batch / batches)`, to anneal within an epoch. Loshchilov & Hutter, "SGDR",
 * ICLR 2017.
 *
 * @throws ArgumentError for a missing or impossible option
 */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  t0: number;
  tMult: number;
  etaMin: number;
  /** Epochs of the present cycle. */
  tI: number;
  /** Epochs since its start. */
  tCur: number;

  constructor(
    optimizer: AnyOptimizer,
    ...rest: Trailing<Partial<CosineAnnealingWarmRestartsOptions>, typeof RESTARTS>
  ) {
    const where = "CosineAnnealingWarmRestarts";
    const options = optionsOf<Partial<CosineAnnealingWarmRestartsOptions>>(where, rest, RESTARTS);
    super(optimizer, options.lastEpoch);
    this.t0 = checkCount(options.t0, `${where}: t0`);
    this.tMult = checkCount(options.tMult ?? 1, `${where}: tMult`);
    this.etaMin = checkWithin(options.etaMin ?? 0, `${where}: etaMin`, 0);
    this.tI = this.t0;
    this.tCur = this.lastEpoch;
    this.start();
  }

  /** One epoch on, or to an epoch, which may be a fraction. */
  override advance(epoch?: number): void {
    if (epoch === undefined && this.lastEpoch >= 0) {
      this.lastEpoch++;
      this.tCur++;
      if (this.tCur >= this.tI) {
        this.tCur -= this.tI;
        this.tI *= this.tMult;
      }
    } else {
      this.goTo(checkWithin(epoch ?? 0, "CosineAnnealingWarmRestarts: epoch", 0));
    }
    this.apply(this.getLr());
  }

  private goTo(epoch: number): void {
    const { t0, tMult } = this;
    this.tI = t0;
    this.tCur = epoch;
    if (epoch >= t0 && tMult === 1) {
      this.tCur = epoch % t0;
    } else {
      // Cycle by cycle: a logarithm is off by one at some restarts.
      while (this.tCur >= this.tI) {
        this.tCur -= this.tI;
        this.tI *= tMult;
      }
    }
    this.lastEpoch = Math.floor(epoch);
  }

  protected getLr(): number[] {
    const height = 1 + cos((PI * this.tCur) / this.tI);
    return this.baseLrs.map((lr) => this.etaMin + ((lr - this.etaMin) * height) / 2);
  }
}
