/** Everything that computes, off the page's thread. */
import { backend, getNumThreads, setNumThreads } from "lanegrad";
import { type JobContext, serve, transfer } from "lanegrad/worker";
import type { ModelName, Settings } from "../settings.js";
import { type Digits, fetchDigits } from "./digits.js";
import { type Mistake, Session } from "./session.js";

/** What the page is told of a network when it is made. */
export interface NetworkInfo {
  model: ModelName;
  layers: string[];
  parameters: number;
  backend: Backend;
  /** What did not go as wished; null when all did. */
  warning: string | null;
}

export interface Backend {
  simd: "simd128" | "relaxed";
  threads: number;
  shared: boolean;
}

/** How training goes; `epoch` 1.5 is half through the second. */
export type TrainingEvent =
  | {
      kind: "steps";
      epoch: number;
      loss: number;
      accuracy: number;
      imagesPerSecond: number;
      gradients: number[];
      backend: Backend;
    }
  | { kind: "warning"; message: string }
  | { kind: "test"; epoch: number; loss: number; accuracy: number; wrong: number; of: number; mistakes: Mistake[] };

/** Milliseconds between two reports: the charts need no more. */
const REPORT_EVERY = 60;
/** Testing may take this part of the time; milliseconds of training between two tests at least. */
const TEST_SHARE = 0.25;
const TEST_AT_LEAST_EVERY = 400;

let digits: Promise<Digits> | undefined;
let session: Session;
/** Settings that the training under way has yet to take over. */
let wanted: Settings | null = null;

const backendNow = (): Backend => ({ ...backend(), threads: getNumThreads() });

/** Fetched once; after a failure again. */
function fetchedDigits(base: string): Promise<Digits> {
  digits ??= fetchDigits(base).catch((error) => {
    digits = undefined;
    throw error;
  });
  return digits;
}

/** What was asked for last is done last, however long starting threads takes. */
let settled: Promise<unknown> = Promise.resolve();

/** @returns what is wrong when there are to be threads and cannot: training goes on with those that there are */
function useThreads(threads: Settings["threads"]): Promise<string | null> {
  const done = settled
    .then(() => setNumThreads(threads))
    .then(
      () => null,
      (error: Error) => error.message,
    );
  settled = done;
  return done;
}

function begin(next: Session, warning: string | null = null): NetworkInfo {
  session = next;
  wanted = null;
  return {
    model: session.model,
    layers: session.layers,
    parameters: session.parameters,
    backend: backendNow(),
    warning,
  };
}

/** Sums up steps between two reports. */
class Meter {
  private loss = 0;
  private correct = 0;
  private images = 0;
  private steps = 0;
  private milliseconds = 0;
  private since = performance.now();

  add({ loss, correct }: { loss: number; correct: number }, images: number, milliseconds: number): void {
    this.loss += loss;
    this.correct += correct;
    this.images += images;
    this.steps++;
    this.milliseconds += milliseconds;
  }

  get due(): boolean {
    return this.steps > 0 && performance.now() - this.since >= REPORT_EVERY;
  }

  take() {
    const { loss, correct, images, steps, milliseconds } = this;
    this.loss = this.correct = this.images = this.steps = this.milliseconds = 0;
    this.since = performance.now();
    return { loss: loss / steps, accuracy: correct / images, imagesPerSecond: (1000 * images) / milliseconds };
  }
}

const jobs = serve({
  /** Fetches the digits, once, and makes a network. */
  async begin({ settings, base }: { settings: Settings; base: string }): Promise<NetworkInfo> {
    const images = await fetchedDigits(base);
    const warning = await useThreads(settings.threads);
    return begin(new Session(images, settings), warning);
  },

  /** Trains until it is cancelled. */
  async train(_: null, { report, proceed }: JobContext<TrainingEvent>): Promise<void> {
    const current = session;
    const meter = new Meter();
    let [images, trained, testTook, lastTest] = [0, 0, 0, 0];
    const epoch = () => images / current.trainingImages;

    const test = async () => {
      const began = performance.now();
      const { mistakes, wrong, of, loss } = await current.test(proceed);
      testTook = performance.now() - began;
      lastTest = trained;
      report(transfer({ kind: "test", epoch: epoch(), loss, accuracy: 1 - wrong / of, wrong, of, mistakes }));
    };

    while (true) {
      for (const [batch, labels] of current.batches()) {
        await proceed();
        if (wanted !== null) {
          const settings = wanted;
          wanted = null;
          const warning = await useThreads(settings.threads);
          if (warning !== null) report({ kind: "warning", message: warning });
          if (current.adjust(settings)) break;
        }
        const began = performance.now();
        const result = current.step(batch, labels);
        const took = performance.now() - began;
        trained += took;
        images += labels.shape[0];
        meter.add(result, labels.shape[0], took);
        if (meter.due) {
          report({
            kind: "steps",
            epoch: epoch(),
            ...meter.take(),
            gradients: current.gradientNorms(),
            backend: backendNow(),
          });
        }
        if (trained - lastTest > Math.max(TEST_AT_LEAST_EVERY, testTook / TEST_SHARE)) await test();
      }
    }
  },

  /** New settings for the training under way, or for the next one. */
  async adjust(settings: Settings): Promise<void> {
    wanted = settings;
  },

  /** How likely each digit is, while training goes on. */
  read: (pixels: Float32Array): number[] => session.read(pixels),

  example: (index: number) => session.example(index),

  save: (): Uint8Array<ArrayBuffer> => transfer(session.save()),

  /** Makes a network of the weights in a file. */
  async load({ settings, file, base }: { settings: Settings; file: Uint8Array; base: string }): Promise<NetworkInfo> {
    const loaded = Session.load(await fetchedDigits(base), settings, file);
    const warning = await useThreads(settings.threads);
    return begin(loaded, warning);
  },
});

export type TrainingJobs = typeof jobs;
