/** When schedules of learning rates are stepped, and what with. */
import { checkOptions, isOptions, show } from "../arguments.js";
import { ArgumentError } from "../errors.js";
import { ReduceLROnPlateau } from "../optim/schedulers/plateau.js";
import { monitored } from "./stopping.js";
import type { EpochLog, FitOptions, ScheduleOptions, Scheduler } from "./types.js";

const isScheduler = (value: any): value is Scheduler =>
  ["step", "stateDict", "loadStateDict"].every((name) => typeof value?.[name] === "function");

interface Entry {
  scheduler: Scheduler;
  every: "epoch" | "batch";
  metric: string;
}

export class Schedules {
  private readonly entries: Entry[];

  /** @throws ArgumentError for what is no schedule, or one that is told to be stepped when it cannot be */
  constructor(given: FitOptions["scheduler"], epochs: number, validates: boolean, optimizer: unknown) {
    const list = given === undefined ? [] : Array.isArray(given) ? given : [given];
    this.entries = list.map((item: Scheduler | ScheduleOptions, i) => {
      const where = Array.isArray(given) ? `fit: scheduler[${i}]` : "fit: scheduler";
      const options =
        isOptions(item) && !isScheduler(item) ? (item as ScheduleOptions) : { scheduler: item as Scheduler };
      checkOptions(where, options, ["scheduler", "every", "metric"]);
      const { scheduler, every = "epoch", metric = validates ? "validation.loss" : "train.loss" } = options;
      if (!isScheduler(scheduler)) {
        throw new ArgumentError(
          `${where} must be a scheduler, with step, stateDict and loadStateDict, or { scheduler, every }; found ${show(scheduler)}`,
        );
      }
      if (every !== "epoch" && every !== "batch") {
        throw new ArgumentError(`${where}: every must be "epoch" or "batch", found ${show(every)}`);
      }
      if (scheduler instanceof ReduceLROnPlateau && every === "batch") {
        throw new ArgumentError(
          `${where}: ReduceLROnPlateau is fed with ${metric}, which is known once an epoch; use every: "epoch"`,
        );
      }
      const own = (scheduler as { optimizer?: unknown }).optimizer;
      if (own !== undefined && own !== optimizer) {
        throw new ArgumentError(`${where} sets the learning rates of another optimizer than the one given`);
      }
      const { totalSteps } = scheduler as { totalSteps?: unknown };
      if (options.every === undefined && typeof totalSteps === "number" && totalSteps > epochs) {
        throw new ArgumentError(
          `${where}: ${scheduler.constructor.name} has ${totalSteps} steps, for ${epochs} epochs; say { scheduler, every: "batch" }, ` +
            'or every: "epoch" if that is meant',
        );
      }
      return { scheduler, every, metric };
    });
  }

  /** After an optimizer's step. */
  batch(): void {
    for (const { scheduler, every } of this.entries) if (every === "batch") scheduler.step();
  }

  /** After an epoch and its validation. */
  epoch(log: EpochLog): void {
    this.entries.forEach(({ scheduler, every, metric }, i) => {
      if (every !== "epoch") return;
      if (scheduler instanceof ReduceLROnPlateau)
        scheduler.step(monitored(log, metric, `fit: scheduler[${i}]: metric`));
      else scheduler.step();
    });
  }

  get all(): Scheduler[] {
    return this.entries.map(({ scheduler }) => scheduler);
  }
}
