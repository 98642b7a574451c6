/** What `fit` was asked for, checked before anything begins. */
import { checkOptions, isOptions, show } from "../arguments.js";
import { ArgumentError } from "../errors.js";
import { Module } from "../nn/module.js";
import type { Optimizer } from "../optim/optimizer.js";
import type { Tensor } from "../tensor.js";
import { Checkpoints } from "./checkpoint.js";
import { consoleStream, showProgress, terminal } from "./progress.js";
import { Schedules } from "./schedule.js";
import { Source } from "./source.js";
import { EarlyStopping } from "./stopping.js";
import type { Callbacks, FitOptions, Metric } from "./types.js";

const NAMES: readonly (keyof FitOptions)[] = [
  "train",
  "validation",
  "loss",
  "optimizer",
  "epochs",
  "forward",
  "clipNorm",
  "clipValue",
  "scheduler",
  "metrics",
  "earlyStopping",
  "checkpoint",
  "resume",
  "callbacks",
  "events",
  "progress",
  "signal",
  "terminateOnNaN",
  "doctor",
  "stepsPerEpoch",
  "yieldEvery",
];

const CALLBACKS: readonly (keyof Callbacks)[] = [
  "onFitBegin",
  "onEpochBegin",
  "onBatchEnd",
  "onValidationEnd",
  "onEpochEnd",
  "onCheckpoint",
  "onFitEnd",
];

/** Options with their defaults, and the parts they make. */
export interface Settings {
  net: Module;
  optimizer: Optimizer<any>;
  train: Source;
  validation: Source | null;
  loss: (outputs: any, targets: any) => Tensor;
  forward: (net: any, batch: any) => readonly [outputs: any, targets: any];
  epochs: number;
  clipNorm: number | undefined;
  clipValue: number | undefined;
  schedules: Schedules;
  metrics: Record<string, Metric>;
  stopping: EarlyStopping | null;
  checkpoints: Checkpoints | null;
  resume: FitOptions["resume"];
  callbacks: Callbacks[];
  events: EventTarget | null;
  signal: AbortSignal | null;
  terminateOnNaN: boolean;
  doctor: FitOptions["doctor"] | null;
  stepsPerEpoch: number | undefined;
  yieldEvery: number;
}

function check(condition: boolean, what: string, expected: string, found: unknown): void {
  if (!condition) throw new ArgumentError(`fit: ${what} must be ${expected}, found ${show(found)}`);
}
const isFunction = (value: unknown): boolean => typeof value === "function";
const isCount = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 1;
const optional = (value: unknown, test: (value: any) => boolean): boolean => value === undefined || test(value);

/** @throws ArgumentError naming the option, what was found and what it must be */
export function settle(net: unknown, options: FitOptions): Settings {
  check(net instanceof Module, "the first argument", "the net, an nn.Module", net);
  check(isOptions(options), "the second argument", "an object of options", options);
  checkOptions("fit", options, NAMES);
  for (const name of ["train", "loss", "optimizer", "epochs"] as const) {
    if (options[name] === undefined) throw new ArgumentError(`fit: ${name} is missing`);
  }
  const { loss, optimizer, epochs, forward, clipNorm, clipValue, metrics = {}, doctor, signal, events } = options;
  const { stepsPerEpoch, yieldEvery = 16, terminateOnNaN = true, progress, resume } = options;
  check(isFunction(loss), "loss", "a function of outputs and targets, as new nn.CrossEntropyLoss()", loss);
  check(
    isFunction(optimizer?.step) && isFunction(optimizer?.zeroGrad) && Array.isArray(optimizer?.paramGroups),
    "optimizer",
    "an optimizer, as new optim.SGD(net.parameters(), { lr: 0.1 })",
    optimizer,
  );
  check(isCount(epochs), "epochs", "a whole number ≥ 1", epochs);
  check(optional(forward, isFunction), "forward", "a function of the net and a batch", forward);
  for (const [name, value] of Object.entries({ clipNorm, clipValue })) {
    check(
      optional(value, (v) => typeof v === "number" && v > 0),
      name,
      "a number > 0",
      value,
    );
  }
  check(optional(stepsPerEpoch, isCount), "stepsPerEpoch", "a whole number ≥ 1", stepsPerEpoch);
  check(typeof yieldEvery === "number" && yieldEvery >= 0, "yieldEvery", "milliseconds ≥ 0", yieldEvery);
  check(typeof terminateOnNaN === "boolean", "terminateOnNaN", "true or false", terminateOnNaN);
  check(
    optional(progress, (v) => typeof v === "boolean"),
    "progress",
    "true or false",
    progress,
  );
  check(
    optional(signal, (v) => isFunction(v?.addEventListener) && "aborted" in v),
    "signal",
    "an AbortSignal",
    signal,
  );
  check(
    optional(events, (v) => isFunction(v?.dispatchEvent)),
    "events",
    "an EventTarget",
    events,
  );
  check(isOptions(metrics), "metrics", "an object of functions by name", metrics);
  for (const [name, metric] of Object.entries(metrics)) {
    check(isFunction(metric), `metrics.${name}`, "a function of outputs and targets", metric);
    if (name === "loss") throw new ArgumentError("fit: metrics.loss: the loss has that name already");
  }
  check(
    optional(doctor, (v) => [v?.step, v?.validate, v?.findings].every(isFunction)),
    "doctor",
    "what watch() of lanegrad/doctor gives, with step, validate and findings",
    doctor,
  );
  const parameters = new Set<Tensor>((net as Module).parameters());
  if (parameters.size === 0) throw new ArgumentError("fit: the net has no parameters: there is nothing to train");
  if (!optimizer.paramGroups.some(({ params }) => params.some((p: Tensor) => parameters.has(p)))) {
    throw new ArgumentError(
      "fit: the optimizer updates none of the net's parameters; was it made for another net, or before they were replaced?",
    );
  }
  const train = new Source("train", options.train);
  const validation = options.validation === undefined ? null : new Source("validation", options.validation);
  const checkpoints = options.checkpoint === undefined ? null : new Checkpoints(options.checkpoint);
  if (resume === true && checkpoints === null)
    throw new ArgumentError("fit: resume: true needs a checkpoint to go on from");
  return {
    net: net as Module,
    optimizer,
    train,
    validation,
    loss,
    forward: forward ?? pairs,
    epochs,
    clipNorm,
    clipValue,
    schedules: new Schedules(options.scheduler, epochs, validation !== null, optimizer),
    metrics,
    stopping:
      options.earlyStopping === undefined ? null : new EarlyStopping(options.earlyStopping, validation !== null),
    checkpoints,
    resume,
    callbacks: callbacksOf(options.callbacks, progress),
    events: events ?? null,
    signal: signal ?? null,
    terminateOnNaN,
    doctor: doctor ?? null,
    stepsPerEpoch,
    yieldEvery,
  };
}

/** What is done with a batch by default. */
function pairs(net: any, batch: unknown): readonly [unknown, unknown] {
  if (!Array.isArray(batch) || batch.length !== 2) {
    throw new ArgumentError(
      `fit: expected batches [inputs, targets], found ${Array.isArray(batch) ? `a list of ${batch.length}` : show(batch)}; say with ` +
        "forward: (net, batch) => [outputs, targets] what the net makes of them",
    );
  }
  return [net(batch[0]), batch[1]];
}

function callbacksOf(given: FitOptions["callbacks"], progress: boolean | undefined): Callbacks[] {
  const list = given === undefined ? [] : Array.isArray(given) ? [...given] : [given as Callbacks];
  list.forEach((callbacks, i) => {
    const where = Array.isArray(given) ? `callbacks[${i}]` : "callbacks";
    check(typeof callbacks === "object" && callbacks !== null, where, "an object of functions", callbacks);
    // An instance of a class may have whatever else it needs.
    if (isOptions(callbacks)) checkOptions(`fit: ${where}`, callbacks, CALLBACKS);
    for (const name of CALLBACKS)
      check(optional(callbacks[name], isFunction), `${where}.${name}`, "a function", callbacks[name]);
  });
  const stream = terminal();
  if (progress ?? stream?.isTTY) list.unshift(showProgress(stream ?? consoleStream));
  return list;
}
