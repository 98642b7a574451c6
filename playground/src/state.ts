/** What the page knows, and what can be done on it. Components read the signals and call the functions. */
import { batch, computed, signal } from "@preact/signals";
import { type Job, run, type Serving, transfer } from "lanegrad/worker";
import { History, type Points } from "./history.js";
import { DEFAULTS, type Settings, USUAL_LR } from "./settings.js";
import type { Mistake } from "./training/session.js";
import type { NetworkInfo, TrainingEvent, TrainingJobs } from "./training/worker.js";

export type Status = "loading" | "ready" | "training" | "paused" | "failed";

export const settings = signal<Settings>(DEFAULTS);
export const status = signal<Status>("loading");
export const failure = signal("");
/** A word about what was done last: shown for a while, and read out. */
export const notice = signal("");
export const network = signal<NetworkInfo | null>(null);
export const backend = computed(() => latest.value?.backend ?? network.value?.backend ?? null);

type Steps = Extract<TrainingEvent, { kind: "steps" }>;
type Test = Extract<TrainingEvent, { kind: "test" }>;

/** The newest figures; null before there are any. */
export const latest = signal<Steps | null>(null);
export const tested = signal<Test | null>(null);
export const mistakes = computed<readonly Mistake[]>(() => tested.value?.mistakes ?? []);
/** Raised whenever the curves have grown or were begun anew. */
export const revision = signal(0);
export const curves = { loss: new History(2), accuracy: new History(2), gradients: new History(0) };
/** The test curves of the run before, to compare with. */
export const before: { loss: Points | null; accuracy: Points | null } = { loss: null, accuracy: null };

/** What is on the pad, 28 × 28 from 0 to 1; null when it is empty. */
export const drawing = signal<Float32Array | null>(null);
/** How likely each digit is. */
export const reading = signal<readonly number[] | null>(null);

let worker: Serving<TrainingJobs>;
let training: Job<TrainingEvent, void> | null = null;

function fail(error: unknown): void {
  batch(() => {
    failure.value = error instanceof Error ? error.message : String(error);
    status.value = "failed";
  });
}

/** Runs a job, and shows its error where it fails. */
async function attempt<T>(action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    fail(error);
    return undefined;
  }
}

/** A new network: its curves begin anew. */
function show(info: NetworkInfo): void {
  batch(() => {
    const accuracy = curves.accuracy.points(2);
    if (accuracy[0].length > 1) Object.assign(before, { loss: curves.loss.points(2), accuracy });
    curves.loss = new History(2);
    curves.accuracy = new History(2);
    curves.gradients = new History(info.layers.length);
    network.value = info;
    latest.value = null;
    tested.value = null;
    reading.value = null;
    revision.value++;
    status.value = "ready";
    if (info.warning !== null) notice.value = info.warning;
  });
  void read();
}

const begin = () =>
  attempt(async () => show(await run(worker, "begin", { settings: settings.value, base: document.baseURI }).result));

/** Starts the worker; called once. */
export function start(): void {
  worker = new Worker(new URL("./training/worker.ts", import.meta.url), { type: "module" });
  void begin();
}

/** Single batches scatter; what is shown of training is a mean in which what is so many epochs old counts 1/e. */
const MEMORY = 0.02;

/** Means of the figures, those of gradients on a logarithmic scale. */
function smooth(event: Steps): Steps {
  const last = latest.value;
  if (last === null) return event;
  const part = 1 - Math.exp(-(event.epoch - last.epoch) / MEMORY);
  // One infinite loss is not remembered for ever.
  const mean = (old: number, value: number) => (Number.isFinite(old) ? old + part * (value - old) : value);
  const logMean = (old: number, value: number) => (old > 0 && value > 0 ? old * (value / old) ** part : value);
  return {
    ...event,
    loss: mean(last.loss, event.loss),
    accuracy: mean(last.accuracy, event.accuracy),
    imagesPerSecond: mean(last.imagesPerSecond, event.imagesPerSecond),
    gradients: event.gradients.map((norm, i) => logMean(last.gradients[i], norm)),
  };
}

const ASTRAY = "The loss is no number any more: the steps were too large. Reset, and take a smaller learning rate.";

function take(event: TrainingEvent): void {
  batch(() => {
    if (event.kind === "steps") {
      if (Number.isNaN(event.loss) && !Number.isNaN(latest.value?.loss)) notice.value = ASTRAY;
      event = smooth(event);
      latest.value = event;
      curves.loss.add(event.epoch, event.loss, null);
      curves.accuracy.add(event.epoch, event.accuracy, null);
      curves.gradients.add(event.epoch, ...event.gradients);
    } else if (event.kind === "warning") {
      notice.value = event.message;
    } else {
      tested.value = event;
      curves.loss.add(event.epoch, null, event.loss);
      curves.accuracy.add(event.epoch, null, event.accuracy);
    }
    revision.value++;
  });
  void read();
}

async function follow(job: Job<TrainingEvent, void>): Promise<void> {
  try {
    for await (const event of job) if (job === training) take(event);
  } catch (error) {
    if ((error as Error).name !== "AbortError") fail(error);
  }
}

/** The main button: trains, pauses, goes on. */
export function trainOrPause(): void {
  if (status.value === "training") {
    training?.pause();
    status.value = "paused";
  } else if (status.value === "paused") {
    training?.resume();
    status.value = "training";
  } else if (status.value === "ready") {
    training = run(worker, "train", null);
    status.value = "training";
    void follow(training);
  }
}

function stop(): void {
  training?.cancel();
  training = null;
}

/** Forgets what was learned. */
export async function reset(): Promise<void> {
  stop();
  await begin();
}

/** Other settings: at once for the training under way; another model begins anew. */
export async function change(changes: Partial<Settings>): Promise<void> {
  const old = settings.value;
  const next = { ...old, ...changes };
  if (changes.optimizer !== undefined && changes.optimizer !== old.optimizer) next.lr = USUAL_LR[changes.optimizer];
  settings.value = next;
  if (next.model !== old.model) await reset();
  else await attempt(() => run(worker, "adjust", next).result);
}

export const resetSettings = (): Promise<void> => change({ ...DEFAULTS, lr: USUAL_LR[DEFAULTS.optimizer] });

let asking = false;
let askAgain = false;

/** Asks the network what is on the pad: one question at a time, the newest drawing wins. */
export async function read(): Promise<void> {
  if (drawing.value === null) {
    reading.value = null;
    return;
  }
  if (asking) {
    askAgain = true;
    return;
  }
  asking = true;
  await attempt(async () => {
    do {
      askAgain = false;
      const pixels: Float32Array | null = drawing.value;
      const answer = pixels === null ? null : await run(worker, "read", pixels).result;
      reading.value = drawing.value === null ? null : answer;
    } while (askAgain);
  });
  asking = false;
}

export function draw(pixels: Float32Array | null): void {
  drawing.value = pixels;
  void read();
}

/** A test image, for the pad. */
export const example = (): Promise<{ pixels: Uint8Array; label: number } | undefined> =>
  attempt(() => run(worker, "example", Math.floor(Math.random() * 2000)).result);

export const saveWeights = () =>
  attempt(async () => {
    const bytes = await run(worker, "save").result;
    const { model } = network.value as NetworkInfo;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
    link.download = `digits-${model}.safetensors`;
    link.click();
    // Browsers begin the download after this turn of the event loop.
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    notice.value = `Saved ${link.download}, ${Math.round(bytes.length / 1024).toLocaleString("en")} KB`;
  });

/** Weights from a file; their network takes the place of the present one. What is no such file changes nothing. */
export async function loadWeights(file: File): Promise<void> {
  try {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const options = transfer({ settings: settings.value, file: bytes, base: document.baseURI });
    const info = await run(worker, "load", options).result;
    stop();
    settings.value = { ...settings.value, model: info.model };
    show(info);
    notice.value = `Loaded ${file.name}`;
  } catch (error) {
    notice.value = (error as Error).message;
  }
}
