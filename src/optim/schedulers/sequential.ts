/** Schedules made of schedules: one after the other, or all at once. */
import { optionsOf, show, type Trailing } from "../../arguments.js";
import { ArgumentError } from "../../errors.js";
import {
  type AnyOptimizer,
  checkMilestones,
  checkOptimizer,
  checkState,
  LRScheduler,
  loadState,
  reached,
  type SchedulerStateDict,
  stateOf,
} from "./scheduler.js";

/** What the two have in common: a list of schedulers of one optimizer, whose states are in theirs. */
abstract class Composite {
  readonly optimizer: AnyOptimizer;
  protected lastLr: number[] = [];

  constructor(
    where: string,
    optimizer: AnyOptimizer | undefined,
    protected readonly schedulers: readonly LRScheduler[],
  ) {
    if (!Array.isArray(schedulers) || schedulers.length === 0) {
      throw new ArgumentError(`${where}: schedulers must be a list of at least one, found ${show(schedulers)}`);
    }
    this.optimizer = optimizer ?? schedulers[0]?.optimizer;
    checkOptimizer(where, this.optimizer);
    schedulers.forEach((scheduler, i) => {
      if (!(scheduler instanceof LRScheduler)) {
        throw new ArgumentError(
          `${where}: schedulers[${i}] is ${show(scheduler)}, expected one that step() alone moves on: neither ` +
            "ReduceLROnPlateau nor one made of schedulers",
        );
      }
      if (scheduler.optimizer !== this.optimizer) {
        throw new ArgumentError(
          `${where}: schedulers[${i}], a ${scheduler.constructor.name}, has another optimizer than ${optimizer === undefined ? "schedulers[0]" : "the one given"}`,
        );
      }
    });
  }

  /** One epoch on. */
  abstract step(): void;

  /** The learning rates of the groups that the last step set. */
  getLastLr(): number[] {
    return [...this.lastLr];
  }

  private own(): SchedulerStateDict {
    return stateOf(this, ["optimizer", "schedulers"]);
  }

  /** Its own state, and those of the schedulers as `schedulers`. */
  stateDict(): SchedulerStateDict {
    return { ...this.own(), schedulers: this.schedulers.map((scheduler) => scheduler.stateDict()) };
  }

  /** Takes the states over. @throws StateDictError when they are not these schedulers'; nothing has then changed. */
  loadStateDict(dict: SchedulerStateDict): void {
    const name = this.constructor.name;
    const states = dict?.schedulers as SchedulerStateDict[];
    const schedulers = this.schedulers.map((scheduler) => scheduler.stateDict());
    checkState(name, { ...this.own(), schedulers }, dict);
    checkState(`${name}: schedulers`, { ...schedulers }, { ...states });
    for (const [i, state] of states.entries()) checkState(`${name}: schedulers[${i}]`, schedulers[i], state);
    const { schedulers: _, ...own } = dict;
    for (const [i, state] of states.entries()) loadState(name, this.schedulers[i], state);
    for (const [key, value] of Object.entries(own)) Reflect.set(this, key, Array.isArray(value) ? [...value] : value);
  }
}

/** Options of `SequentialLR`. */
export interface SequentialLROptions {
  /** The schedules, in their order. */
  schedulers: readonly LRScheduler[];
  /** The epochs at which the next takes over: one fewer than schedules. */
  milestones: readonly number[];
  /** The epoch to resume after. Default −1, a new schedule. */
  lastEpoch: number;
}
const SEQUENTIAL = ["schedulers", "milestones", "lastEpoch"] as const;

/**
 * One schedule after the other: at each milestone the next begins, from its own first epoch and the initial learning rates.
 *
 * @throws ArgumentError for milestones that are not one fewer than schedules or not increasing, or schedules of another
 * optimizer
 */
export class SequentialLR extends Composite {
  lastEpoch: number;
  private readonly milestones: number[];

  constructor(optimizer: AnyOptimizer, ...rest: Trailing<Partial<SequentialLROptions>, typeof SEQUENTIAL>) {
    const options = optionsOf<Partial<SequentialLROptions>>("SequentialLR", rest, SEQUENTIAL);
    checkOptimizer("SequentialLR", optimizer);
    super("SequentialLR", optimizer, options.schedulers ?? []);
    this.milestones = checkMilestones(options.milestones, "SequentialLR: milestones", true);
    if (this.milestones.length !== this.schedulers.length - 1) {
      throw new ArgumentError(
        `SequentialLR: ${this.schedulers.length} schedulers need ${this.schedulers.length - 1} milestones, found ${this.milestones.length}`,
      );
    }
    this.lastEpoch = (options.lastEpoch ?? -1) + 1;
    // Making the schedulers has set learning rates, and moved each to its first epoch: all back, and the first begins.
    for (const group of optimizer.paramGroups) group.lr = group.initialLr;
    for (const scheduler of this.schedulers) scheduler.lastEpoch--;
    this.schedulers[0].start();
    this.lastLr = this.schedulers[0].getLastLr();
  }

  override step(): void {
    const epoch = this.lastEpoch + 1;
    const at = reached(this.milestones, epoch);
    const scheduler = this.schedulers[at];
    if (at > 0 && this.milestones[at - 1] === epoch) scheduler.advance(0);
    else scheduler.step();
    this.lastEpoch = epoch;
    this.lastLr = scheduler.getLastLr();
  }
}

/**
 * Several schedules at once: `step()` steps them all, in their order.
 *
 * @throws ArgumentError for an empty list, or schedules of several optimizers
 */
export class ChainedScheduler extends Composite {
  constructor(schedulers: readonly LRScheduler[], optimizer?: AnyOptimizer) {
    super("ChainedScheduler", optimizer, schedulers);
    this.update();
  }

  override step(): void {
    for (const scheduler of this.schedulers) scheduler.step();
    this.update();
  }

  private update(): void {
    this.lastLr = this.optimizer.paramGroups.map((group) => group.lr);
  }
}
