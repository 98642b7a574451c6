/** `fit`: the training loop, for those who do not want to write it. */

import { show } from "../arguments.js";
import type { Bytes } from "../dtype.js";
import { ArgumentError } from "../errors.js";
import { getRngState } from "../generator.js";
import { noGrad } from "../grad-mode.js";
import type { Module } from "../nn/module.js";
import { clipGradNorm_, clipGradValue_ } from "../nn/utils.js";
import { Tensor } from "../tensor.js";
import { Breath } from "./breathe.js";
import { type Parts, type Position, readCheckpoint, restore, snapshot } from "./checkpoint.js";
import { diagnose } from "./diagnosis.js";
import { Averages, measure } from "./means.js";
import { type Settings, settle } from "./settings.js";
import { type Source, type SourceState, samplesOf } from "./source.js";
import type { Callbacks, EpochLog, Finding, FitOptions, FitState, History, Means, StopReason } from "./types.js";

/**
 * Trains a net: for each epoch it goes through `train` (zeroGrad, forward, loss, backward, clipping, the optimizer's step),
 * then through `validation` without gradients in eval mode. What it does is the loop one would write; nothing is hidden in the
 * net or the optimizer, and a loop of one's own can go on where it ended.
 *
 * Modes: `net.train()` at the beginning of each epoch, and in the end those from before the call. With early stopping the net
 * has, in the end, the weights of its best epoch, however training ended.
 *
 * @returns the epochs' losses and metrics, and why training ended. It does not reject when `signal` is aborted or the loss is
 * not finite: `stopReason` says so
 * @throws ArgumentError for options that make no sense, before anything is changed; StateDictError or DataError for a checkpoint
 * that does not fit; and whatever the net, the loss, the data or a callback throw
 */
export async function fit<Batch = any>(net: Module, options: FitOptions<Batch>): Promise<History> {
  const run = new Run(settle(net, options as FitOptions));
  return run.run();
}

/** One call of fit. It is the state that callbacks get as well. */
class Run implements FitState {
  readonly net: Module;
  readonly optimizer: FitState["optimizer"];
  readonly epochs: number;
  epoch = 0;
  batch = 0;
  step = 0;
  samples = 0;
  loss = Number.NaN;
  gradNorm: number | null = null;
  validation: Means | null = null;
  checkpoint: Bytes | null = null;
  stopReason: StopReason | null = null;
  readonly history: EpochLog[] = [];
  private finding: Finding | null = null;
  /** Epochs completed. */
  private completed = 0;
  private averages = new Averages();
  /** The epoch's batches are done, and its validation is next. */
  private trained = false;
  private rates: number[] = [];
  private began = 0;
  /** Seconds the epoch took before this run, when it was resumed in its middle. */
  private secondsBefore = 0;
  private breath: Breath;
  private doctorFailed = false;
  /** The step of the last checkpoint. */
  private savedAt = 0;
  /** What the latest validation began with: a checkpoint of an interrupted one goes back there. */
  private beforeValidation: { rng: Uint8Array; source: SourceState } | null = null;

  constructor(private readonly settings: Settings) {
    this.net = settings.net;
    this.optimizer = settings.optimizer;
    this.epochs = settings.epochs;
    this.breath = new Breath(settings.yieldEvery);
  }

  get batches(): number | undefined {
    return this.settings.stepsPerEpoch ?? this.settings.train.length;
  }
  get train(): Means {
    return this.averages.means;
  }
  stop(): void {
    this.stopReason ??= "callback";
  }

  private get parts(): Parts {
    const { net, optimizer, train, validation, schedules, stopping } = this.settings;
    return { net, optimizer, train, validation, schedulers: schedules.all, stopping };
  }

  async run(): Promise<History> {
    const { net, settings } = this;
    this.resume();
    const modes = Array.from(net.modules(), (module) => [module, module.training] as const);
    try {
      await this.tell("onFitBegin", "fitbegin");
      while (this.completed < this.epochs && !this.ended()) await this.runEpoch();
      this.stopReason ??= "finished";
      // The state after a step that is not finite is not one to go on from.
      if (this.stopReason !== "non-finite" && this.savedAt !== this.step) await this.writeCheckpoint();
      settings.stopping?.finish(net);
      for (const [module, training] of modes) module.training = training;
      await this.tell("onFitEnd", "fitend");
    } finally {
      settings.train.close();
      settings.validation?.close();
      for (const [module, training] of modes) module.training = training;
    }
    return {
      epochs: this.history,
      stopReason: this.stopReason,
      steps: this.step,
      best: settings.stopping?.result ?? null,
      finding: this.finding,
    };
  }

  /** Whether to stop; looks at the signal as well. */
  private ended(): boolean {
    const { signal, stopping } = this.settings;
    if (signal?.aborted) this.stopReason ??= "aborted";
    if (!this.inEpoch && this.completed > 0 && stopping?.exhausted(this.completed))
      this.stopReason ??= "early-stopping";
    return this.stopReason !== null;
  }

  /** Whether an epoch is under way. */
  private get inEpoch(): boolean {
    return this.batch > 0 || this.trained;
  }

  // One epoch ----------------------------------------------------------------------------------------------------------

  private async runEpoch(): Promise<void> {
    const { settings, net } = this;
    this.epoch = this.completed + 1;
    this.began = performance.now();
    net.train();
    await this.tell("onEpochBegin", "epochbegin");
    if (!this.trained && !(await this.trainEpoch())) return;
    const validation = await this.validate();
    if (settings.validation !== null && validation === null) return;
    const log: EpochLog = {
      epoch: this.epoch,
      step: this.step,
      lr: this.rates,
      train: this.train,
      validation,
      seconds: this.seconds,
    };
    this.history.push(log);
    this.completed++;
    this.batch = 0;
    this.trained = false;
    this.secondsBefore = 0;
    settings.schedules.epoch(log);
    settings.stopping?.update(net, log);
    // After its means have been read: callbacks still see them.
    await this.tell("onEpochEnd", "epochend");
    this.averages = new Averages();
    if (settings.checkpoints?.dueAfterEpoch(this.completed)) await this.writeCheckpoint();
    await this.breath.take();
  }

  private get seconds(): number {
    return this.secondsBefore + (performance.now() - this.began) / 1000;
  }

  /** All batches of an epoch; false when training ends within. */
  private async trainEpoch(): Promise<boolean> {
    const { train, stepsPerEpoch, checkpoints } = this.settings;
    let fresh = !train.open;
    while (this.batch !== stepsPerEpoch) {
      if (this.ended()) return false;
      const pending = train.next();
      const next = pending instanceof Promise ? await this.orAbort(pending) : pending;
      if (next === ABORTED) continue;
      if (next === null) {
        if (stepsPerEpoch === undefined && this.batch > 0) break;
        if (fresh || stepsPerEpoch === undefined) this.refuseEmpty(train);
        fresh = true;
        continue;
      }
      fresh = false;
      if (!this.trainStep(next.batch)) return false;
      const told = this.tell("onBatchEnd", "batchend");
      if (told !== null) await told;
      if (checkpoints?.dueAfterStep(this.step)) await this.writeCheckpoint();
      if (this.breath.due) await this.breath.take();
    }
    this.trained = true;
    return !this.ended();
  }

  private refuseEmpty(source: Source): never {
    const again = this.completed > 0 || this.batch > 0;
    throw new ArgumentError(
      `fit: ${source.name} gave no batches in epoch ${this.epoch}` +
        (again
          ? "; a generator runs only once: give a function that makes it, () => batches(), or a DataLoader"
          : "; is the dataset empty, or smaller than batchSize with dropLast?"),
    );
  }

  /** One step; false, before the weights are changed, when its loss or gradients are not finite. */
  private trainStep(batch: unknown): boolean {
    const { net, optimizer, settings } = this;
    const { clipNorm, clipValue, terminateOnNaN, metrics } = settings;
    optimizer.zeroGrad();
    const [outputs, targets] = settings.forward(net, batch);
    const loss = this.lossOf(outputs, targets);
    const value = Number(loss.item());
    if (terminateOnNaN && !Number.isFinite(value)) return this.fail("loss", value, loss, batch);
    loss.backward();
    if (clipNorm !== undefined) {
      const params: Tensor[] = optimizer.paramGroups.flatMap((group) => group.params);
      this.gradNorm = clipGradNorm_(params, clipNorm);
      if (terminateOnNaN && !Number.isFinite(this.gradNorm)) return this.fail("gradNorm", this.gradNorm, loss, batch);
    }
    if (clipValue !== undefined) {
      for (const group of optimizer.paramGroups) clipGradValue_(group.params, clipValue);
    }
    this.rates = optimizer.paramGroups.map((group) => group.lr);
    optimizer.step();
    this.askDoctor((doctor) => doctor.step(loss));
    settings.schedules.batch();
    this.step++;
    this.batch++;
    this.loss = value;
    this.samples = samplesOf(batch);
    this.averages.add({ loss: value, ...measure(metrics, outputs, targets) }, this.samples);
    return true;
  }

  private lossOf(outputs: unknown, targets: unknown): Tensor {
    const loss: unknown = this.settings.loss(outputs, targets);
    if (loss instanceof Tensor && loss.numel() === 1) return loss;
    throw new ArgumentError(
      `fit: loss must return a tensor of one element, found ${
        loss instanceof Tensor ? `one of shape [${loss.shape.join(", ")}]; reduce it with mean()` : show(loss)
      }`,
    );
  }

  private fail(what: "loss" | "gradNorm", value: number, loss: Tensor, batch: unknown): false {
    const { net, optimizer, settings } = this;
    this.stopReason = "non-finite";
    if (what === "loss") this.loss = value;
    this.askDoctor((doctor) => doctor.step(loss));
    this.askDoctor((doctor) => {
      this.finding = doctor.findings().findLast((finding) => finding.rule === "non-finite") ?? null;
    });
    this.finding ??= diagnose(
      what,
      value,
      this.step + 1,
      net,
      () => optimizer.zeroGrad(),
      () => {
        const [outputs, targets] = settings.forward(net, batch);
        return this.lossOf(outputs, targets);
      },
    );
    return false;
  }

  // Validation ---------------------------------------------------------------------------------------------------------

  /** Means over the validation batches; null without validation, or when it was interrupted. */
  private async validate(): Promise<Means | null> {
    const { net, settings } = this;
    const { validation, metrics } = settings;
    if (validation === null) return null;
    this.beforeValidation = { rng: getRngState(), source: validation.state() };
    const modes = Array.from(net.modules(), (module) => [module, module.training] as const);
    const averages = new Averages();
    net.eval();
    try {
      for (let batches = 0; ; batches++) {
        if (this.ended()) return null;
        const pending = validation.next();
        const next = pending instanceof Promise ? await this.orAbort(pending) : pending;
        if (next === ABORTED) continue;
        if (next === null && batches === 0) this.refuseEmpty(validation);
        if (next === null) break;
        noGrad(() => {
          const [outputs, targets] = settings.forward(net, next.batch);
          const loss = Number(this.lossOf(outputs, targets).item());
          averages.add({ loss, ...measure(metrics, outputs, targets) }, samplesOf(next.batch));
        });
        if (this.breath.due) await this.breath.take();
      }
    } finally {
      for (const [module, training] of modes) module.training = training;
    }
    this.beforeValidation = null;
    const means = averages.means;
    this.validation = means;
    this.askDoctor((doctor) => {
      const { loss, accuracy } = means;
      doctor.validate(accuracy >= 0 && accuracy <= 1 ? { loss, accuracy } : { loss });
    });
    await this.tell("onValidationEnd", "validationend");
    return means;
  }

  // Checkpoints --------------------------------------------------------------------------------------------------------

  private get position(): Position {
    const { completed: epoch, batch, step, trained, history } = this;
    const seconds = this.inEpoch ? this.seconds : 0;
    return { epoch, batch, step, trained, averages: this.averages.state(), rates: this.rates, seconds, history };
  }

  private snapshot() {
    const { beforeValidation, settings } = this;
    const validation = beforeValidation?.source ?? settings.validation?.state() ?? null;
    return snapshot(this.parts, this.position, beforeValidation?.rng ?? getRngState(), validation);
  }

  private async writeCheckpoint(): Promise<void> {
    const { checkpoints } = this.settings;
    if (checkpoints === null) return;
    this.savedAt = this.step;
    this.checkpoint = await checkpoints.write(this, this.snapshot());
    await this.tell("onCheckpoint", "checkpoint");
  }

  private resume(): void {
    const { resume, checkpoints } = this.settings;
    const source = resume === true ? checkpoints?.existing : resume;
    if (source === undefined || source === null || source === false) return;
    const found = readCheckpoint(source);
    restore(this.parts, found, this.snapshot());
    this.completed = found.epoch;
    this.epoch = found.epoch;
    this.batch = found.batch;
    this.step = found.step;
    this.savedAt = found.step;
    this.trained = found.trained;
    this.averages.load(found.averages);
    this.secondsBefore = found.seconds;
    this.history.push(...found.history);
    this.validation = this.history.at(-1)?.validation ?? null;
    this.rates = found.rates;
    // It has, in the run before; schedules would warn.
    if (found.step > 0) this.optimizer.stepped = true;
  }

  // Others -------------------------------------------------------------------------------------------------------------

  /** A doctor's failure is its own: training goes on. */
  private askDoctor(question: (doctor: NonNullable<FitOptions["doctor"]>) => unknown): void {
    const { doctor } = this.settings;
    if (!doctor) return;
    try {
      question(doctor);
    } catch (error) {
      if (!this.doctorFailed) console.warn(`fit: the doctor failed, training goes on: ${(error as Error).message}`);
      this.doctorFailed = true;
    }
  }

  /** Calls all callbacks of a name, then the event's listeners; null where there is nothing to wait for. */
  private tell(name: keyof Callbacks, type: string): Promise<void> | null {
    const { callbacks, events } = this.settings;
    let waits: Promise<void> | null = null;
    for (const each of callbacks) {
      if (each[name] === undefined) continue;
      if (waits !== null) waits = waits.then(() => each[name]?.(this));
      else {
        const result: unknown = each[name](this);
        if (result instanceof Promise) waits = result;
      }
    }
    const dispatch = () => {
      events?.dispatchEvent(new CustomEvent(type, { detail: this }));
    };
    if (waits !== null) return waits.then(dispatch);
    dispatch();
    return null;
  }

  /** What is waited for, or ABORTED as soon as the signal is. */
  private async orAbort<T>(pending: Promise<T>): Promise<T | typeof ABORTED> {
    const { signal } = this.settings;
    if (signal === null) return pending;
    let listener: (() => void) | undefined;
    const aborted = new Promise<typeof ABORTED>((resolve) => {
      listener = () => resolve(ABORTED);
      if (signal.aborted) listener();
      else signal.addEventListener("abort", listener, { once: true });
    });
    try {
      pending.catch(() => undefined);
      return await Promise.race([pending, aborted]);
    } finally {
      if (listener !== undefined) signal.removeEventListener("abort", listener);
    }
  }
}

const ABORTED = Symbol("aborted");
