/** Checkpoints: all that the rest of a run depends on, saved as one safetensors file; resuming is exact to the bit. */

import { checkOptions, show } from "../arguments.js";
import { type FileSource, fileExists, writeFile } from "../data/files.js";
import type { Bytes } from "../dtype.js";
import { ArgumentError, DataError, StateDictError } from "../errors.js";
import { setRngState } from "../generator.js";
import type { Module } from "../nn/module.js";
import type { Optimizer } from "../optim/optimizer.js";
import { load, save } from "../serialize/index.js";
import type { Source, SourceState } from "./source.js";
import type { EarlyStopping, StoppingState } from "./stopping.js";
import type { CheckpointOptions, EpochLog, FitState, Means, Scheduler } from "./types.js";

const FORMAT = "lanegrad.fit";
const VERSION = 1;

/** Where the loop is. */
export interface Position {
  /** Epochs completed. */
  epoch: number;
  /** Batches of the epoch under way. */
  batch: number;
  step: number;
  /** Whether those were all, and validation is next. */
  trained: boolean;
  averages: { sums: Means; samples: number };
  /** The learning rates that the last step used. */
  rates: number[];
  seconds: number;
  history: EpochLog[];
}

/** What has a state that the run depends on. */
export interface Parts {
  net: Module;
  optimizer: Optimizer<any>;
  schedulers: readonly Scheduler[];
  train: Source;
  validation: Source | null;
  stopping: EarlyStopping | null;
}

/** A checkpoint as `load` gives it. */
export interface Snapshot extends Position {
  format: string;
  version: number;
  net: Record<string, any>;
  optimizer: any;
  schedulers: object[];
  rng: Uint8Array;
  train: SourceState;
  validation: SourceState | null;
  stopping: StoppingState | null;
}

/** What a position is with the states of all parts; the tensors are the parts' own. */
export function snapshot(parts: Parts, position: Position, rng: Uint8Array, validation: SourceState | null): Snapshot {
  const { net, optimizer, schedulers, train, stopping } = parts;
  return {
    format: FORMAT,
    version: VERSION,
    ...position,
    net: net.stateDict(),
    optimizer: optimizer.stateDict(),
    schedulers: schedulers.map((scheduler) => scheduler.stateDict()),
    rng,
    train: train.state(),
    validation,
    stopping: stopping?.state() ?? null,
  };
}

/** @throws DataError for a file that is no checkpoint of fit's, or was written by a later version */
export function readCheckpoint(source: FileSource): Snapshot {
  const found = load(source);
  const name = typeof source === "string" ? source : "the bytes";
  if (found?.format !== FORMAT) {
    throw new DataError(
      `fit: resume: ${name} is no checkpoint of fit's (weights alone are loaded by net.loadStateDict(load(…)))`,
    );
  }
  if (found.version !== VERSION) {
    throw new DataError(`fit: resume: ${name} has version ${found.version} of the format, this is version ${VERSION}`);
  }
  return found;
}

/**
 * Puts all parts where a checkpoint was taken.
 *
 * @throws StateDictError when the net, optimizer, schedulers or loaders are others; everything is then as it was before
 */
export function restore(parts: Parts, found: Snapshot, now: Snapshot): void {
  const { schedulers } = parts;
  if (found.schedulers.length !== schedulers.length) {
    throw new StateDictError(
      `fit: resume: the checkpoint has ${found.schedulers.length} schedulers, fit was given ${schedulers.length}`,
    );
  }
  if ((found.validation === null) !== (parts.validation === null)) {
    throw new StateDictError(
      `fit: resume: the checkpoint was written ${found.validation === null ? "without" : "with"} validation, fit was called ` +
        `${parts.validation === null ? "without" : "with"} it`,
    );
  }
  // A copy, as what it holds is about to be written over; only needed when a part refuses.
  const before: Snapshot = load(save(now));
  try {
    apply(parts, found);
  } catch (error) {
    apply(parts, before);
    throw error;
  }
}

function apply(parts: Parts, state: Snapshot): void {
  parts.net.loadStateDict(state.net);
  parts.optimizer.loadStateDict(state.optimizer);
  for (const [i, scheduler] of parts.schedulers.entries()) scheduler.loadStateDict(state.schedulers[i]);
  parts.train.load(state.train);
  if (state.validation !== null) parts.validation?.load(state.validation);
  if (state.stopping !== null) parts.stopping?.load(state.stopping);
  setRngState(state.rng);
}

/** Where checkpoints go, and when. */
export class Checkpoints {
  private readonly options: CheckpointOptions;

  /** @throws ArgumentError for an option that makes no sense */
  constructor(given: string | CheckpointOptions) {
    const where = "fit: checkpoint";
    const options = typeof given === "string" ? { path: given } : given;
    if (typeof options !== "object" || options === null) {
      throw new ArgumentError(`${where} must be a path or options, found ${show(given)}`);
    }
    checkOptions(where, options, ["path", "save", "every", "everySteps"]);
    const { path, save, every = 1, everySteps = 0 } = options;
    if (path === undefined && save === undefined) {
      throw new ArgumentError(`${where}: give a path, or a function save(bytes)`);
    }
    if (path !== undefined && (typeof path !== "string" || path === "")) {
      throw new ArgumentError(`${where}: path must be a string that is not empty, found ${show(path)}`);
    }
    if (save !== undefined && typeof save !== "function") {
      throw new ArgumentError(`${where}: save must be a function of the bytes, found ${show(save)}`);
    }
    for (const [name, value] of Object.entries({ every, everySteps })) {
      if (!Number.isInteger(value) || value < 0) {
        throw new ArgumentError(`${where}: ${name} must be a whole number ≥ 0, found ${show(value)}`);
      }
    }
    this.options = { path, save, every, everySteps };
  }

  private due(count: number, every: number): boolean {
    return every > 0 && count % every === 0;
  }
  dueAfterEpoch(epoch: number): boolean {
    return this.due(epoch, this.options.every as number);
  }
  dueAfterStep(step: number): boolean {
    return this.due(step, this.options.everySteps as number);
  }

  /** What `resume: true` goes on from: the file, if it is there. */
  get existing(): string | null {
    const { path } = this.options;
    if (path === undefined || path.includes("{")) {
      throw new ArgumentError(
        "fit: resume: true needs a checkpoint.path without {epoch} or {step}; or give resume the path",
      );
    }
    return fileExists(path) ? path : null;
  }

  async write(state: FitState, taken: Snapshot): Promise<Bytes> {
    const bytes = save(taken);
    const { path } = this.options;
    if (path !== undefined) {
      const place = path.replaceAll("{epoch}", String(taken.epoch)).replaceAll("{step}", String(taken.step));
      writeFile(place, bytes, "fit: checkpoint");
    }
    await this.options.save?.(bytes, state);
    return bytes;
  }
}
