/** What `fit` takes and gives. */

import type { FileSource } from "../data/files.js";
import type { Bytes } from "../dtype.js";
import type { Module } from "../nn/module.js";
import type { Optimizer } from "../optim/optimizer.js";
import type { Tensor } from "../tensor.js";

/** Batches: a DataLoader, or anything that can be iterated over, at once or asynchronously. */
export type Batches<Batch = any> = Iterable<Batch> | AsyncIterable<Batch>;
/** The same, or a function that makes it anew for each epoch: generators run only once. */
export type BatchesSource<Batch = any> = Batches<Batch> | (() => Batches<Batch>);

/** A schedule of learning rates, as far as fit needs it. */
export interface Scheduler {
  step(metric?: any): void;
  stateDict(): object;
  loadStateDict(dict: any): void;
}

/** A schedule, and when it is stepped. */
export interface ScheduleOptions {
  scheduler: Scheduler;
  /** After each epoch (its validation included), or after each batch. Default "epoch". */
  every?: "epoch" | "batch";
  /** What ReduceLROnPlateau is fed with. Default "validation.loss", without validation "train.loss". */
  metric?: string;
}

/** Options of early stopping. */
export interface EarlyStoppingOptions {
  /** Epochs without improvement that are borne; Infinity never stops, and keeps the best weights. */
  patience: number;
  /** What is watched: "train." or "validation." and "loss" or a metric's name. Default "validation.loss". */
  monitor?: string;
  /** Whether it improves by falling or rising. Default: "min" for a loss, "max" for an accuracy; others have to say it. */
  mode?: "min" | "max";
  /** By how much a value has to be better than the best so far. Default 0. */
  minDelta?: number;
  /** Whether the net has the weights and buffers of its best epoch when fit ends, however it ends. Default true. */
  restoreBest?: boolean;
}

/** Options of checkpoints. One more is taken when training ends (but for a loss that is not finite). */
export interface CheckpointOptions {
  /** The file, which each checkpoint replaces whole; `{epoch}` and `{step}` in it stand for their numbers. */
  path?: string;
  /** Takes the bytes: for storage other than files. */
  save?: (bytes: Bytes, state: FitState) => void | Promise<void>;
  /** Epochs from one checkpoint to the next. Default 1; 0: none at the end of epochs. */
  every?: number;
  /** Optimizer steps from one checkpoint to the next, within epochs. Default 0: none. */
  everySteps?: number;
}

/** A number for each batch: a mean over its samples. */
export type Metric = (outputs: any, targets: any) => number | Tensor;

/** Means over the samples: the loss as `loss`, and the metrics under their names. */
export type Means = Record<string, number>;

/** What an epoch came to. */
export interface EpochLog {
  /** From 1 on. */
  epoch: number;
  /** Optimizer steps so far. */
  step: number;
  /** The learning rates of the groups, as the epoch's last step used them. */
  lr: number[];
  /** Means over the epoch's batches as they were trained on. */
  train: Means;
  validation: Means | null;
  /** How long it took, validation included. */
  seconds: number;
}

/**
 * Why training ended: all epochs are done, nothing improved any more, the signal was aborted, the loss (or the gradients' norm)
 * was not finite, or a callback called stop().
 */
export type StopReason = "finished" | "early-stopping" | "aborted" | "non-finite" | "callback";

/** What was found to be wrong, as `lanegrad/doctor` says it. */
export interface Finding {
  rule: string;
  severity: string;
  layer: string | null;
  step: number;
  /** Numbers (and a few words) that show it, by name. */
  evidence: Readonly<Record<string, number | string>>;
  why: string;
  /** What to change, the likeliest help first. */
  advice: readonly string[];
}

/** What `fit` returns. */
export interface History {
  /** The epochs that were completed, those before a checkpoint included. */
  epochs: EpochLog[];
  stopReason: StopReason;
  /** Optimizer steps. */
  steps: number;
  /** The best epoch of early stopping's monitor. */
  best: { epoch: number; value: number } | null;
  /** What ended training when `stopReason` is "non-finite". */
  finding: Finding | null;
}

/** Where training is: what callbacks and events get. It is one object, which goes on changing. */
export interface FitState {
  readonly net: Module;
  readonly optimizer: Optimizer<any>;
  /** The epoch under way, from 1 on; in the end, the last one. */
  readonly epoch: number;
  readonly epochs: number;
  /** Batches of this epoch that are done, and how many there are (undefined where the source does not say). */
  readonly batch: number;
  readonly batches: number | undefined;
  /** Optimizer steps so far. */
  readonly step: number;
  /** Samples of the last batch. */
  readonly samples: number;
  /** The last batch's loss. */
  readonly loss: number;
  /** The last batch's gradient norm before clipping; null without clipNorm. */
  readonly gradNorm: number | null;
  /** Means over the epoch so far. */
  readonly train: Means;
  /** Of the last validation. */
  readonly validation: Means | null;
  /** The epochs completed. */
  readonly history: readonly EpochLog[];
  /** The last checkpoint's bytes. */
  readonly checkpoint: Bytes | null;
  /** Set in the end. */
  readonly stopReason: StopReason | null;
  /** Ends training after this batch, or epoch when called at its end. */
  stop(): void;
}

type Callback = (state: FitState) => void | Promise<void>;

/** Functions called on the way, in this order; those that return promises are waited for. */
export interface Callbacks {
  onFitBegin?: Callback;
  /** After net.train(): the place to put a frozen layer back into eval mode. */
  onEpochBegin?: Callback;
  /** After the optimizer's step. */
  onBatchEnd?: Callback;
  onValidationEnd?: Callback;
  /** The epoch is in `state.history`; schedules have been stepped. */
  onEpochEnd?: Callback;
  onCheckpoint?: Callback;
  onFitEnd?: Callback;
}

/** What fit uses of `lanegrad/doctor`'s watch(). */
export interface DoctorLike {
  step(loss: Tensor): unknown;
  validate(metrics: any): unknown;
  findings(): readonly Finding[];
}

/** Options of `fit`. */
export interface FitOptions<Batch = any> {
  /** The batches of an epoch, `[inputs, targets]` unless `forward` says otherwise. */
  train: BatchesSource<Batch>;
  /** Batches to validate with after each epoch. */
  validation?: BatchesSource<Batch>;
  /** The mean loss of a batch: `loss(outputs, targets)`. */
  loss: (outputs: any, targets: any) => Tensor;
  optimizer: Optimizer<any>;
  /** Epochs in all, those before a checkpoint included. */
  epochs: number;
  /** What the net makes of a batch. Default: `(net, [inputs, targets]) => [net(inputs), targets]`. */
  forward?: (net: any, batch: Batch) => readonly [outputs: any, targets: any];
  /** Clip the norm of all gradients to this, as nn.utils.clipGradNorm_. */
  clipNorm?: number;
  /** Clip each element of the gradients to ± this, as nn.utils.clipGradValue_. */
  clipValue?: number;
  /** A schedule stepped after each epoch; `{ scheduler, every: "batch" }` after each batch; or a list of either. */
  scheduler?: Scheduler | ScheduleOptions | readonly (Scheduler | ScheduleOptions)[];
  /** By name: functions of outputs and targets that give a mean over the batch. */
  metrics?: Record<string, Metric>;
  earlyStopping?: EarlyStoppingOptions;
  /** A file to write after each epoch, or options. */
  checkpoint?: string | CheckpointOptions;
  /** A checkpoint to go on from: a path or bytes; `true`: that of `checkpoint.path`, if it is there. */
  resume?: FileSource | boolean;
  callbacks?: Callbacks | readonly Callbacks[];
  /** Gets `fitbegin`, `epochbegin`, `batchend`, `validationend`, `epochend`, `checkpoint` and `fitend`, with the state as `detail`. */
  events?: EventTarget;
  /** Whether to show a bar and a line an epoch. Default: when standard output is a terminal. */
  progress?: boolean;
  /** Ends training after the batch under way; fit then returns what there is. */
  signal?: AbortSignal;
  /** End training before a step whose loss or gradient norm is NaN or infinite. Default true. */
  terminateOnNaN?: boolean;
  /** A doctor that watches the net. */
  doctor?: DoctorLike;
  /** Batches an epoch has, for sources without an end (or whose epochs are too long); the next goes on where it stopped. */
  stepsPerEpoch?: number;
  /** Let timers, input and rendering have their turn whenever so many milliseconds have passed. Default 16. */
  yieldEvery?: number;
}
