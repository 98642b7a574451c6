/** What the schedules of learning rates share: epochs, the optimizer's groups, state dicts, checks. */
import { show } from "../../arguments.js";
import { ArgumentError, StateDictError } from "../../errors.js";
import { checkNumber } from "../../shape.js";
import { Optimizer, type ParamGroup } from "../optimizer.js";

/** Any optimizer: a schedule needs the learning rates of its groups only. */
export type AnyOptimizer = Optimizer<any>;
/** What a scheduler reads and writes of a group. */
export type Group = ParamGroup<{ lr: number; [option: string]: any }>;

/** Options, counters and the last learning rates of a scheduler: numbers, strings, lists. It holds no functions. */
export type SchedulerStateDict = Record<string, unknown>;

/** Optimizers whose user has been told to step them first. */
const told = new WeakSet<AnyOptimizer>();

/**
 * Base of the schedules. `step()` is called once an epoch (or a batch), after the optimizer's, and sets the `lr` of every
 * group. A schedule computes a learning rate from the one before, as PyTorch's do, so that several may work on one
 * optimizer and their factors multiply.
 *
 * A subclass's constructor ends with `this.start()`.
 */
export abstract class LRScheduler {
  /** The learning rates of the groups before any schedule. */
  baseLrs: number[];
  /** Steps so far; 0 after the constructor. */
  lastEpoch: number;
  protected stepCount = 0;
  protected lastLr: number[] = [];

  /** @throws ArgumentError for what is no optimizer, or when `lastEpoch` resumes what no group remembers the start of */
  constructor(
    readonly optimizer: AnyOptimizer,
    lastEpoch = -1,
  ) {
    const where = this.name;
    checkOptimizer(where, optimizer);
    if (!Number.isInteger(lastEpoch) || lastEpoch < -1) {
      throw new ArgumentError(`${where}: lastEpoch must be -1 or a whole number of epochs, found ${show(lastEpoch)}`);
    }
    this.baseLrs = this.groups.map(({ initialLr, lr }, i) => {
      if (initialLr !== undefined) return initialLr;
      if (lastEpoch === -1) return lr;
      throw new ArgumentError(
        `${where}: lastEpoch ${lastEpoch} resumes a schedule, but parameter group ${i} has no initialLr; load the ` +
          "optimizer's state dict first, or leave lastEpoch out",
      );
    });
    this.lastEpoch = lastEpoch;
  }

  protected get name(): string {
    return this.constructor.name;
  }

  protected get groups(): Group[] {
    return this.optimizer.paramGroups as Group[];
  }

  /** The groups there were when the schedule was made: it knows no start of those added later, and leaves them alone. */
  protected get known(): Group[] {
    return this.groups.slice(0, this.baseLrs.length);
  }

  /** The learning rates of this epoch, from those of the last. */
  protected abstract getLr(): number[];

  /** The learning rates of this epoch as if no other schedule had been at work; null where they cannot be told. */
  protected closedForm(): number[] | null {
    return null;
  }

  /** `lr` of every group times a factor: what most schedules do. */
  protected scaled(factor: number): number[] {
    return this.groups.map((group) => group.lr * factor);
  }

  /** @internal The first epoch. The constructor's end; SequentialLR begins with it anew. */
  start(): void {
    // Here and not earlier: a constructor that throws has changed nothing.
    for (const group of this.groups) group.initialLr ??= group.lr;
    this.stepCount = 0;
    this.step();
  }

  /**
   * One epoch on: sets the learning rates of all groups.
   *
   * @param epoch the epoch to go to instead of the next. Learning rates are then those of the schedule alone
   * @throws ArgumentError where the schedule has an end that is passed
   */
  step(epoch?: number): void {
    if (this.stepCount === 1 && !this.optimizer.stepped) this.warn();
    this.stepCount++;
    try {
      this.advance(epoch);
    } catch (error) {
      this.stepCount--;
      throw error;
    }
  }

  /** @internal `step` without the count. */
  advance(epoch?: number): void {
    const last = this.lastEpoch;
    this.lastEpoch = epoch ?? last + 1;
    try {
      this.apply((epoch === undefined ? null : this.closedForm()) ?? this.getLr());
    } catch (error) {
      this.lastEpoch = last;
      throw error;
    }
  }

  protected apply(rates: readonly number[]): void {
    this.groups.forEach((group, i) => {
      group.lr = rates[i] ?? group.lr;
    });
    this.lastLr = this.groups.map((group) => group.lr);
  }

  private warn(): void {
    // An optimizer whose step() is not ours may have run without a trace.
    if (told.has(this.optimizer) || this.optimizer.step !== Optimizer.prototype.step) return;
    told.add(this.optimizer);
    console.warn(
      `${this.name}: step() called before the optimizer's step(); call optimizer.step() first, or the first learning ` +
        "rate of the schedule is never used",
    );
  }

  /** The learning rates of the groups that the last step set. */
  getLastLr(): number[] {
    return [...this.lastLr];
  }

  /** Everything but the optimizer and functions; save the optimizer's state dict with it, which has the current rates. */
  stateDict(): SchedulerStateDict {
    return stateOf(this);
  }

  /** Takes the state over. @throws StateDictError when it is not this kind of scheduler's; nothing has then changed. */
  loadStateDict(dict: SchedulerStateDict): void {
    loadState(this.name, this, dict);
  }
}

/** @throws ArgumentError unless it is one. */
export function checkOptimizer(where: string, optimizer: unknown): void {
  if (optimizer instanceof Optimizer) return;
  throw new ArgumentError(`${where}: the first argument must be an optimizer, found ${show(optimizer)}`);
}

const isState = (value: unknown): boolean =>
  typeof value !== "function" && !(Array.isArray(value) && value.some((item) => typeof item === "function"));
const copy = (value: unknown): unknown => (Array.isArray(value) ? [...value] : value);

/** All fields of a scheduler but its optimizer and functions. */
export function stateOf(scheduler: object, except: readonly string[] = ["optimizer"]): SchedulerStateDict {
  const entries = Object.entries(scheduler).filter(([name, value]) => !except.includes(name) && isState(value));
  return Object.fromEntries(entries.map(([name, value]) => [name, copy(value)]));
}

/** @throws StateDictError as loadStateDict */
export function checkState(where: string, expected: SchedulerStateDict, dict: SchedulerStateDict): void {
  const fail = (problem: string): never => {
    throw new StateDictError(`loadStateDict: ${where}: ${problem}`);
  };
  if (typeof dict !== "object" || dict === null) fail(`expected what stateDict() gives, found ${show(dict)}`);
  const missing = Object.keys(expected).filter((name) => !(name in dict));
  const unexpected = Object.keys(dict).filter((name) => !(name in expected));
  if (missing.length > 0 || unexpected.length > 0) {
    fail(`missing ${missing.join(", ") || "nothing"}, unexpected ${unexpected.join(", ") || "nothing"}`);
  }
  for (const name of ["baseLrs", "lastLr"]) {
    const [own, found] = [expected[name], dict[name]];
    if (Array.isArray(own) && !(Array.isArray(found) && found.length === own.length)) {
      fail(`${name} must be a list of ${own.length}, one a parameter group, found ${show(found)}`);
    }
  }
}

/** Assigns the state to the fields. */
export function loadState(where: string, scheduler: object, dict: SchedulerStateDict): void {
  checkState(where, stateOf(scheduler), dict);
  for (const [name, value] of Object.entries(dict)) Reflect.set(scheduler, name, copy(value));
}

/** An option that must be given. */
function required(value: unknown, what: string): void {
  if (value === undefined || value === null) throw new ArgumentError(`${what} is missing`);
}

/** A whole number that is at least `least`. @throws ArgumentError */
export function checkCount(value: unknown, what: string, least = 1): number {
  required(value, what);
  if (!Number.isInteger(value) || (value as number) < least) {
    throw new ArgumentError(`${what} must be a whole number ≥ ${least}, found ${show(value)}`);
  }
  return value as number;
}

/** A finite number within bounds. @throws ArgumentError */
export function checkWithin(value: unknown, what: string, low: number, high = Number.POSITIVE_INFINITY): number {
  required(value, what);
  const number = checkNumber(value, what);
  if (number >= low && number <= high) return number;
  const range = high === Number.POSITIVE_INFINITY ? `at least ${low}` : `between ${low} and ${high}`;
  throw new ArgumentError(`${what} must be ${range}, found ${number}`);
}

/** A list with one item a group: of the items given, or of the one item given for all. @throws ArgumentError */
export function eachGroup<T>(value: T | readonly T[], what: string, groups: number): T[] {
  if (!Array.isArray(value)) return new Array(groups).fill(value);
  if (value.length !== groups) {
    throw new ArgumentError(
      `${what} has ${value.length} items for ${groups} parameter groups; give one a group, or one for all`,
    );
  }
  return [...value];
}

/** A list of whole numbers, each more than the last (or at least, where `strict` is false). @throws ArgumentError */
export function checkMilestones(value: unknown, what: string, strict: boolean): number[] {
  required(value, what);
  if (!Array.isArray(value)) throw new ArgumentError(`${what} must be a list of epochs, found ${show(value)}`);
  value.forEach((epoch, i) => {
    checkCount(epoch, `${what}[${i}]`, 0);
    if (i > 0 && (strict ? epoch <= value[i - 1] : epoch < value[i - 1])) {
      throw new ArgumentError(`${what} must be increasing, found ${value[i - 1]} before ${epoch}`);
    }
  });
  return [...value];
}

/** How many of the ascending milestones an epoch has reached. */
export const reached = (milestones: readonly number[], epoch: number): number =>
  milestones.filter((milestone) => milestone <= epoch).length;
