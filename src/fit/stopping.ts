/** Early stopping: the best epoch, its weights, and when to give up. */
import { checkOptions, show } from "../arguments.js";
import { ArgumentError } from "../errors.js";
import { noGrad } from "../grad-mode.js";
import type { Module, StateDict } from "../nn/module.js";
import type { EarlyStoppingOptions, EpochLog } from "./types.js";

const NAMES = ["patience", "monitor", "mode", "minDelta", "restoreBest"] as const;

/** A value of an epoch by its name, "validation.loss". @throws ArgumentError when there is none */
export function monitored(log: EpochLog, monitor: string, where: string): number {
  const [set, ...rest] = monitor.split(".");
  const means = set === "train" ? log.train : set === "validation" ? log.validation : null;
  const value = means?.[rest.join(".")];
  if (value !== undefined) return value;
  const available = [
    ...Object.keys(log.train).map((name) => `train.${name}`),
    ...Object.keys(log.validation ?? {}).map((name) => `validation.${name}`),
  ];
  throw new ArgumentError(`${where} ${JSON.stringify(monitor)} is not there; there are ${available.join(", ")}`);
}

export interface StoppingState {
  best: number;
  bestEpoch: number;
  weights: StateDict | null;
}

export class EarlyStopping {
  readonly monitor: string;
  private readonly patience: number;
  private readonly mode: "min" | "max";
  private readonly minDelta: number;
  private readonly restoreBest: boolean;
  private best = Number.NaN;
  private bestEpoch = 0;
  private weights: StateDict | null = null;

  /** @throws ArgumentError for an option that makes no sense */
  constructor(options: EarlyStoppingOptions, validates: boolean) {
    const where = "fit: earlyStopping";
    if (typeof options !== "object" || options === null) {
      throw new ArgumentError(`${where} must be an object, as { patience: 5 }, found ${show(options)}`);
    }
    checkOptions(where, options, NAMES);
    const {
      patience,
      monitor = validates ? "validation.loss" : "train.loss",
      minDelta = 0,
      restoreBest = true,
    } = options;
    if (
      !(
        typeof patience === "number" &&
        patience >= 1 &&
        (Number.isInteger(patience) || patience === Number.POSITIVE_INFINITY)
      )
    ) {
      throw new ArgumentError(
        `${where}: patience must be a whole number of epochs ≥ 1 (or Infinity), found ${show(patience)}`,
      );
    }
    if (!(typeof minDelta === "number" && minDelta >= 0)) {
      throw new ArgumentError(`${where}: minDelta must be a number ≥ 0, found ${show(minDelta)}`);
    }
    if (options.monitor?.startsWith("validation.") && !validates) {
      throw new ArgumentError(`${where}: monitor ${JSON.stringify(monitor)} needs validation, which is not given`);
    }
    const guessed = /loss$/i.test(monitor) ? "min" : /accuracy/i.test(monitor) ? "max" : undefined;
    const mode = options.mode ?? guessed;
    if (mode !== "min" && mode !== "max") {
      throw new ArgumentError(
        `${where}: mode must be "min" or "max", found ${show(options.mode)}: does ${monitor} improve by falling or by rising?`,
      );
    }
    this.monitor = monitor;
    this.patience = patience;
    this.mode = mode;
    this.minDelta = minDelta;
    this.restoreBest = restoreBest;
  }

  /** Takes an epoch in. NaN is no improvement. */
  update(net: Module, log: EpochLog): void {
    const value = monitored(log, this.monitor, "fit: earlyStopping: monitor");
    const gain = this.mode === "min" ? this.best - value : value - this.best;
    const better = this.bestEpoch === 0 ? !Number.isNaN(value) : gain > this.minDelta;
    if (!better) return;
    this.best = value;
    this.bestEpoch = log.epoch;
    if (this.restoreBest) this.remember(net);
  }

  /** Copies the net's state: into the copy there is, so that an improvement an epoch costs no memory. */
  private remember(net: Module): void {
    const now = net.stateDict();
    const { weights } = this;
    noGrad(() => {
      if (weights === null) {
        this.weights = Object.fromEntries(Object.entries(now).map(([name, t]) => [name, t.clone().keep()]));
      } else {
        for (const [name, t] of Object.entries(now)) weights[name].copy_(t);
      }
    });
  }

  /** Whether patience is at its end after so many epochs. */
  exhausted(epoch: number): boolean {
    return this.bestEpoch > 0 ? epoch - this.bestEpoch >= this.patience : epoch >= this.patience;
  }

  get result(): { epoch: number; value: number } | null {
    return this.bestEpoch === 0 ? null : { epoch: this.bestEpoch, value: this.best };
  }

  /** Gives the net the weights of its best epoch, and the memory of the copy back. */
  finish(net: Module): void {
    if (this.weights === null) return;
    net.loadStateDict(this.weights);
    for (const t of Object.values(this.weights)) t.dispose();
    this.weights = null;
  }

  state(): StoppingState {
    return { best: this.best, bestEpoch: this.bestEpoch, weights: this.weights };
  }

  load(state: StoppingState): void {
    this.best = state.best;
    this.bestEpoch = state.bestEpoch;
    this.weights = state.weights;
    for (const t of Object.values(this.weights ?? {})) t.keep();
  }
}
