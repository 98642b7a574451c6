/** One rise and one long fall of the learning rate, with momentum the other way round. */
import { optionsOf, show, type Trailing } from "../../arguments.js";
import { ArgumentError } from "../../errors.js";
import { cyclesBeta, setMomentum } from "./momentum.js";
import { type AnyOptimizer, checkCount, checkWithin, eachGroup, type Group, LRScheduler } from "./scheduler.js";

/** Options of `OneCycleLR`. */
export interface OneCycleLROptions {
  /** The top of the cycle: a number, or one a group. */
  maxLr: number | readonly number[];
  /** Steps in all; or give epochs and stepsPerEpoch. */
  totalSteps: number | null;
  epochs: number | null;
  stepsPerEpoch: number | null;
  /** The part of the steps that goes up. Default 0.3. */
  pctStart: number;
  /** Default "cos". */
  annealStrategy: "cos" | "linear";
  /** Move momentum (betas[0]) against the learning rate. Default true. */
  cycleMomentum: boolean;
  /** Momentum at the top. Default 0.85. */
  baseMomentum: number | readonly number[];
  /** Momentum at the start and the end. Default 0.95. */
  maxMomentum: number | readonly number[];
  /** The cycle starts from maxLr/divFactor. Default 25. */
  divFactor: number;
  /** It ends at a finalDivFactor-th of its start. Default 1e4. */
  finalDivFactor: number;
  /** Down to the start as fast as up, then on to the end. Default false. */
  threePhase: boolean;
  /** The step to resume after. Default −1, a new schedule. */
  lastEpoch: number;
}
const ORDER = [
  "maxLr",
  "totalSteps",
  "epochs",
  "stepsPerEpoch",
  "pctStart",
  "annealStrategy",
  "cycleMomentum",
  "baseMomentum",
  "maxMomentum",
  "divFactor",
  "finalDivFactor",
  "threePhase",
  "lastEpoch",
] as const;

/** Between which of a group's bounds learning rate and momentum go until a step. */
interface Phase {
  end: number;
  lr: [from: "initialLr" | "maxLr", to: "initialLr" | "maxLr" | "minLr"];
  momentum: [from: "baseMomentum" | "maxMomentum", to: "baseMomentum" | "maxMomentum"];
}

const ANNEAL = {
  cos: (from: number, to: number, part: number) => to + ((from - to) / 2) * (Math.cos(Math.PI * part) + 1),
  linear: (from: number, to: number, part: number) => (to - from) * part + from,
};

/**
 * The one-cycle policy (Smith & Topin, "Super-Convergence", 2018; Smith, "A disciplined approach to neural network
 * hyper-parameters", 2018): up from maxLr/divFactor to maxLr, then down to nearly nothing, with momentum (or betas[0])
 * against it. `step()` is called after every batch.
 *
 * @throws ArgumentError for missing or impossible options, for cycleMomentum with an optimizer that has no momentum, and by
 * `step()` beyond the last step
 */
export class OneCycleLR extends LRScheduler {
  private readonly totalSteps: number;
  private readonly pctStart: number;
  private readonly annealStrategy: "cos" | "linear";
  private readonly cycleMomentum: boolean;
  private readonly threePhase: boolean;

  constructor(optimizer: AnyOptimizer, ...rest: Trailing<Partial<OneCycleLROptions>, typeof ORDER>) {
    const options = optionsOf<Partial<OneCycleLROptions>>("OneCycleLR", rest, ORDER);
    const { annealStrategy = "cos", cycleMomentum = true, threePhase = false, lastEpoch = -1 } = options;
    super(optimizer, lastEpoch);
    const each = (name: keyof OneCycleLROptions, value: unknown, high?: number): number[] => {
      const values = eachGroup(value, `OneCycleLR: ${name}`, this.groups.length);
      return values.map((v) => checkWithin(v, `OneCycleLR: ${name}`, 0, high));
    };
    this.totalSteps = stepsOf(options);
    this.pctStart = checkWithin(options.pctStart ?? 0.3, "OneCycleLR: pctStart", 0, 1);
    if (!Object.hasOwn(ANNEAL, annealStrategy)) {
      throw new ArgumentError(`OneCycleLR: annealStrategy must be "cos" or "linear", found ${show(annealStrategy)}`);
    }
    this.annealStrategy = annealStrategy;
    this.cycleMomentum = cycleMomentum;
    this.threePhase = threePhase;
    const divFactor = checkDivisor(options.divFactor ?? 25, "divFactor");
    const finalDivFactor = checkDivisor(options.finalDivFactor ?? 1e4, "finalDivFactor");
    const maxLr = each("maxLr", options.maxLr);
    const baseMomentum = each("baseMomentum", options.baseMomentum ?? 0.85, 1);
    const maxMomentum = each("maxMomentum", options.maxMomentum ?? 0.95, 1);
    if (cycleMomentum) cyclesBeta("OneCycleLR", optimizer);
    // The bounds are the groups', as in PyTorch: the optimizer's state dict carries them to where a schedule resumes.
    if (lastEpoch === -1) {
      this.groups.forEach((group, i) => {
        const initialLr = maxLr[i] / divFactor;
        Object.assign(group, { initialLr, maxLr: maxLr[i], minLr: initialLr / finalDivFactor });
        if (cycleMomentum) Object.assign(group, { baseMomentum: baseMomentum[i], maxMomentum: maxMomentum[i] });
      });
      this.baseLrs = this.groups.map((group) => group.initialLr as number);
    }
    this.start();
  }

  private phases(): Phase[] {
    const up = this.pctStart * this.totalSteps - 1;
    const end = this.totalSteps - 1;
    const rise: Phase = { end: up, lr: ["initialLr", "maxLr"], momentum: ["maxMomentum", "baseMomentum"] };
    const back: Phase["momentum"] = ["baseMomentum", "maxMomentum"];
    if (!this.threePhase) return [rise, { end, lr: ["maxLr", "minLr"], momentum: back }];
    return [
      rise,
      { end: 2 * this.pctStart * this.totalSteps - 2, lr: ["maxLr", "initialLr"], momentum: back },
      { end, lr: ["initialLr", "minLr"], momentum: ["maxMomentum", "maxMomentum"] },
    ];
  }

  protected getLr(): number[] {
    const { lastEpoch, totalSteps } = this;
    if (lastEpoch > totalSteps) {
      throw new ArgumentError(
        `OneCycleLR: step ${lastEpoch} of a schedule of ${totalSteps} steps; make it with a larger totalSteps`,
      );
    }
    const phases = this.phases();
    const found = phases.findIndex((phase) => lastEpoch <= phase.end);
    const at = found < 0 ? phases.length - 1 : found;
    const start = at === 0 ? 0 : phases[at - 1].end;
    const { end, lr, momentum } = phases[at];
    const part = end === start ? 1 : (lastEpoch - start) / (end - start);
    const between = (group: Group, [from, to]: readonly [string, string]): number =>
      ANNEAL[this.annealStrategy](group[from], group[to], part);
    if (this.cycleMomentum) {
      for (const group of this.known) setMomentum(this.optimizer, group, between(group, momentum));
    }
    return this.known.map((group) => between(group, lr));
  }
}

function checkDivisor(value: unknown, name: string): number {
  const divisor = checkWithin(value, `OneCycleLR: ${name}`, 0);
  if (divisor === 0) throw new ArgumentError(`OneCycleLR: ${name} must be more than 0, found 0`);
  return divisor;
}

function stepsOf({ totalSteps, epochs, stepsPerEpoch }: Partial<OneCycleLROptions>): number {
  if (totalSteps != null) return checkCount(totalSteps, "OneCycleLR: totalSteps");
  if (epochs == null && stepsPerEpoch == null) {
    throw new ArgumentError("OneCycleLR: totalSteps is missing; give it, or epochs and stepsPerEpoch");
  }
  return checkCount(epochs, "OneCycleLR: epochs") * checkCount(stepsPerEpoch, "OneCycleLR: stepsPerEpoch");
}
