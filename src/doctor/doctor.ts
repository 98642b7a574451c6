/** `watch`: the doctor as its user sees it. */
import { checkOptions, show } from "../arguments.js";
import { ArgumentError } from "../errors.js";
import type { HookHandle } from "../nn/hooks.js";
import { Module } from "../nn/module.js";
import { observe } from "../observe.js";
import { Optimizer } from "../optim/optimizer.js";
import { Tensor } from "../tensor.js";
import { Examiner } from "./examiner.js";
import { History } from "./history.js";
import { type Guard, Recorder } from "./recorder.js";
import { eventsOf } from "./report/events.js";
import { writeFile } from "./report/files.js";
import { htmlOf } from "./report/html.js";
import { linesOf } from "./report/lines.js";
import { textOf } from "./report/text.js";
import type { RuleOptions } from "./rules/index.js";
import type { Finding } from "./types.js";

/** Options of `watch`. */
export interface DoctorOptions {
  /** All tensors are read at every so many steps. Default 10. */
  every?: number;
  /** The first so many steps are all read. Default 5. */
  first?: number;
  /** Thresholds that differ from a rule's defaults, or false to switch a rule off: `{ "dead-relu": { layer: 0.8 } }`. */
  rules?: RuleOptions;
  /** Called with every finding as it is made. What it throws is caught. */
  onFinding?: (finding: Finding) => void;
  /** What the reports are headed with. Default: the net's class. */
  title?: string;
}

/** What a validation pass has found. */
export interface Metrics {
  loss: number | Tensor;
  /** From 0 to 1. */
  accuracy?: number;
}

const DEFAULTS = { every: 10, first: 5 };
/** What `watch` gives: fed by the training loop, it keeps the history and makes findings. */
export class Doctor {
  private readonly history = new History();
  private readonly recorder: Recorder;
  private readonly examiner: Examiner;
  private readonly title: string;
  private handles: HookHandle[];
  private lastStep = 0;
  private lastValidation = 0;
  private failure: unknown = null;
  private stopped = false;

  /** @internal */
  constructor(net: Module, optimizers: readonly Optimizer<any>[], options: DoctorOptions) {
    const { every = DEFAULTS.every, first = DEFAULTS.first } = options;
    this.title = options.title ?? net.constructor.name;
    this.recorder = new Recorder(net, optimizers, this.history, { every, first });
    this.examiner = new Examiner(this.history, options.rules ?? {}, options.onFinding ?? null);
    const { recorder } = this;
    const guard: Guard = (fn) => this.guarded(fn);
    this.handles = recorder.attach(guard);
    const end = observe({
      ran: guard((op, out, inputs) => recorder.ran(op, out, inputs)),
      accumulates: guard((leaf) => recorder.accumulates(leaf)),
      clipped: guard((norm, maxNorm) => recorder.clipped(norm, maxNorm)),
      unequal: guard((input, target) => recorder.unequal(input, target)),
      refused: guard((error) => recorder.refused(error)),
      get reading() {
        return recorder.reading;
      },
    });
    this.handles.push({ remove: end });
  }

  /** The training goes on whatever becomes of the doctor: its first failure is told once, and then it is silent. */
  private guard(fn: () => void): void {
    this.guarded(fn)();
  }

  /** The same of a callback, made once and called often. */
  private guarded<Args extends any[]>(fn: (...args: Args) => void): (...args: Args) => void {
    // None has more than three parameters; a rest parameter would make a list at every call.
    const call = fn as unknown as (a?: unknown, b?: unknown, c?: unknown) => void;
    const harmless = (a?: unknown, b?: unknown, c?: unknown): void => {
      if (this.failure !== null) return;
      try {
        call(a, b, c);
      } catch (error) {
        this.failure = error ?? "unknown";
        console.warn(`lanegrad/doctor has failed and watches no more; the training is not affected: ${String(error)}`);
      }
    };
    return harmless as unknown as (...args: Args) => void;
  }

  /**
   * To be called once at the end of each iteration, after optimizer.step().
   *
   * @param loss of this iteration: the tensor, or its value; NaN is a finding, not an error
   * @param options.step the iteration's number, if it is not simply one more than the last
   * @throws ArgumentError when loss is no number, step is not above the last one, or after stop()
   */
  step(loss: Tensor | number, options: { step?: number } = {}): void {
    const value = numberOf(loss, "step: loss");
    this.refuseStopped("step");
    checkOptions("doctor.step", options, ["step"]);
    const step = options.step ?? this.lastStep + 1;
    if (!Number.isInteger(step) || step <= this.lastStep) {
      throw new ArgumentError(
        `doctor.step: step must be a whole number above that of the last call, ${this.lastStep}, found ${show(step)}; ` +
          "call step() once in each iteration, in their order",
      );
    }
    this.lastStep = step;
    this.guard(() => {
      this.history.addLoss(value);
      const sampled = this.recorder.endStep(this.history.step, value);
      if (sampled !== null || this.history.firstNonFinite === this.history.step) this.examiner.examine();
    });
  }

  /**
   * To be called after each pass over the validation data.
   *
   * @param metrics.loss mean loss over the validation data; NaN is a finding, not an error
   * @param metrics.accuracy share that is right, from 0 to 1
   * @throws ArgumentError when a metric is no number, or accuracy is not between 0 and 1; before the first step(); after stop()
   */
  validate(metrics: Metrics): void {
    if (metrics === null || typeof metrics !== "object" || metrics instanceof Tensor) {
      throw new ArgumentError(`doctor.validate: expected { loss, accuracy? }, found ${show(metrics)}`);
    }
    checkOptions("doctor.validate", metrics, ["loss", "accuracy"]);
    const loss = numberOf(metrics.loss, "validate: loss");
    const accuracy = metrics.accuracy === undefined ? Number.NaN : numberOf(metrics.accuracy, "validate: accuracy");
    if (accuracy < 0 || accuracy > 1) {
      throw new ArgumentError(
        `doctor.validate: accuracy must be a share between 0 and 1, found ${accuracy}; divide percentages by 100`,
      );
    }
    this.refuseStopped("validate");
    if (this.history.step === 0) {
      throw new ArgumentError(
        "doctor.validate: called before the first step(); call step(loss) at the end of each iteration, then validate()",
      );
    }
    this.guard(() => {
      const { history } = this;
      const from = Math.max(this.lastValidation, history.step - 500);
      const trainLoss =
        history.step > from
          ? history.meanLoss(from, history.step)
          : (history.validations.at(-1)?.trainLoss ?? Number.NaN);
      history.validations.push({ step: history.step, loss, accuracy, trainLoss });
      if (!Number.isFinite(loss)) {
        const evidence = { validationLoss: String(loss), in: "the validation metrics" };
        history.addIncident("non-finite", { step: history.step, layer: null, evidence });
      }
      this.lastValidation = history.step;
      this.recorder.endValidation();
      this.examiner.examine();
    });
  }

  /** What has been found so far, the worst first and then by step. */
  findings(): Finding[] {
    this.guard(() => this.examiner.examine());
    return this.examiner.findings();
  }

  /** The findings and a table of the layers, as text for the terminal: `console.log(doctor.report())`. */
  report(): string {
    return textOf(this.title, this.history, this.findings());
  }

  /** One self-contained page: verdict, findings, curves, gradients, updates, activations. */
  toHTML(): string {
    return htmlOf(this.title, this.history, this.findings());
  }

  /** JSON lines for other tools: one object a line, with `type` "run", "step", "sample", "validation" or "finding". */
  toJSONLines(): string {
    return linesOf(this.title, this.history, this.findings());
  }

  /** A TensorBoard event file: scalars, histograms and the findings as text. Its name must contain "tfevents". */
  toEvents(): Uint8Array {
    return eventsOf(this.title, this.history, this.findings());
  }

  /**
   * Writes a report to a file (Node only), its kind by the name: `.html`, `.jsonl`, `.txt`, or an event file where the name
   * contains "tfevents". A path that ends in a slash is a TensorBoard folder: the event file is named and put there.
   *
   * @returns the path of the file
   * @throws ArgumentError for another name, or when the file cannot be written
   */
  save(path: string): string {
    if (typeof path !== "string" || path === "")
      throw new ArgumentError(`doctor.save: expected a path, found ${show(path)}`);
    if (path.endsWith("/"))
      return writeFile(`${path}events.out.tfevents.${Math.floor(Date.now() / 1000)}.lanegrad`, this.toEvents());
    if (/tfevents[^/]*$/.test(path)) return writeFile(path, this.toEvents());
    if (path.endsWith(".html")) return writeFile(path, this.toHTML());
    if (path.endsWith(".jsonl")) return writeFile(path, this.toJSONLines());
    if (path.endsWith(".txt")) return writeFile(path, this.report());
    throw new ArgumentError(
      `doctor.save: ${show(path)}: the name must end in .html, .jsonl or .txt, contain "tfevents", or be a folder with a slash at its end`,
    );
  }

  /** Removes every hook. What was found stays readable. */
  stop(): void {
    for (const handle of this.handles) handle.remove();
    this.handles = [];
    this.recorder.release();
    this.stopped = true;
  }

  private refuseStopped(where: string): void {
    if (this.stopped)
      throw new ArgumentError(`doctor.${where}: the doctor was stopped; watch(net, optimizer) makes a new one`);
  }
}

function numberOf(value: unknown, where: string): number {
  if (value instanceof Tensor) {
    if (value.numel() === 1) return Number(value.item());
    throw new ArgumentError(
      `doctor.${where} must be one number, found a tensor of shape [${value.shape.join(", ")}]; reduce it first: mean()`,
    );
  }
  if (typeof value !== "number") throw new ArgumentError(`doctor.${where} must be a number, found ${show(value)}`);
  return value;
}

/**
 * Watches a net that is trained by the usual loop. The training's results stay the same to the bit; by default every tenth step is
 * read, at a cost of about 5 % of the time or less (docs/doctor.md).
 *
 *   const doctor = watch(net, optimizer);
 *   for (const [inputs, labels] of loader) {
 *     optimizer.zeroGrad();
 *     const loss = criterion(net(inputs), labels);
 *     loss.backward();
 *     optimizer.step();
 *     doctor.step(loss);
 *   }
 *   console.log(doctor.report());
 *
 * @param optimizer that steps the net's parameters, or a list of them
 * @throws ArgumentError when net is no Module or has no parameters, or for options there are none of
 */
export function watch(
  net: Module,
  optimizer: Optimizer<any> | readonly Optimizer<any>[],
  options: DoctorOptions = {},
): Doctor {
  if (!(net instanceof Module)) throw new ArgumentError(`watch: the net must be a Module, found ${show(net)}`);
  const optimizers: readonly unknown[] = Array.isArray(optimizer) ? optimizer : [optimizer];
  if (optimizers.length === 0 || !optimizers.every((o) => o instanceof Optimizer)) {
    throw new ArgumentError(`watch: expected an optimizer (or a list of them) after the net, found ${show(optimizer)}`);
  }
  checkOptions("watch", options, ["every", "first", "rules", "onFinding", "title"]);
  for (const name of ["every", "first"] as const) {
    const value = options[name] ?? DEFAULTS[name];
    const least = name === "every" ? 1 : 0;
    if (!Number.isInteger(value) || value < least) {
      throw new ArgumentError(`watch: ${name} must be a whole number ≥ ${least}, found ${show(value)}`);
    }
  }
  if (net.parameters().length === 0) {
    throw new ArgumentError(
      `watch: the net (${net.constructor.name}) has no parameters, so there is nothing to watch; layers must be fields of the module ` +
        "(this.fc1 = new nn.Linear(…)), or in a Sequential, ModuleList or ModuleDict",
    );
  }
  return new Doctor(net, optimizers as Optimizer<any>[], options);
}
