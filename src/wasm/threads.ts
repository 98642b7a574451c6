/**
 * Threads: persistent workers over one shared memory. The main thread divides a kernel's work into shares, which all threads, itself
 * among them, claim one after the other. No message is sent for an op: a share is a few numbers in shared memory, a claim a
 * counter that is lowered.
 *
 * Kernels take ranges (of rows, planes, images, elements), and no sum depends on where a range ends, so results have the same bits
 * for every number of threads.
 */
import { ArgumentError, ThreadError } from "../errors.js";
import { refreshViews } from "./heap.js";
import type { Kernels } from "./kernels.generated.js";
import { type Build, load, loaded, onLinked, rawKernels, shareMemory, useKernels } from "./load.js";
import { sharedKernels } from "./sharing.js";
import { ARGUMENTS, browserSource, CONTROL_WORDS, nodeSource, SHARES_A_THREAD, Word } from "./worker-source.js";

type Name = keyof Kernels;

/** What is needed of a Node Worker and of a browser's. */
interface Thread {
  /** Resolves when it waits for work. */
  ready: Promise<void>;
  terminate(): void;
}

let workers: Thread[] = [];
let ints: Int32Array = new Int32Array(0);
let doubles: Float64Array = new Float64Array(0);
/** Kernels by name, as workers know them. */
const numbers = new Map<string, number>();
/** Why the pool is gone, to be told at the next chance. */
let broken: string | null = null;

/** Nanoseconds from which on work is shared. */
const LEAST = 20000;

/** Nanoseconds that a share is worth at least: claiming one takes less than 1 µs. */
const SHARE = 20000;

/** Milliseconds that the main thread looks before it sleeps, where it may, and after which it looks again. */
const SPIN = 0.2;
const NAP = 500;

/** Milliseconds that a worker may take to start. */
const START = 10_000;

/** Threads in use, the calling one among them. */
export const getNumThreads = (): number => workers.length + 1;

/** What runs: the build, the number of threads, and whether the memory is shared between them. */
export const backend = (): { simd: Build; threads: number; shared: boolean } => ({
  ...loaded(),
  threads: getNumThreads(),
});

const inNode = (): boolean => typeof process !== "undefined" && process.versions?.node !== undefined;

/** Threads for "auto": a browser's page draws and listens on one core, on which a kernel's share would wait for it. */
function available(): number {
  if (!inNode()) return Math.max(1, (globalThis.navigator?.hardwareConcurrency ?? 1) - 1);
  return process.getBuiltinModule?.("node:os")?.availableParallelism() ?? 1;
}

/** Why there can be no threads here; null where they can be. */
function obstacle(): string | null {
  if (typeof SharedArrayBuffer === "undefined" || globalThis.crossOriginIsolated === false) {
    return (
      "there is no shared memory here: a page needs to be cross-origin isolated, by the headers " +
      "Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp"
    );
  }
  if (!inNode() && typeof Worker === "undefined") return "there are no workers here";
  return null;
}

/**
 * Sets the number of threads that kernels use, the calling one among them. "auto" takes one a core, in a browser one less, for the page; or
 * quietly one where there can be no threads. Call it between steps. Workers keep no process alive.
 *
 * In a browser threads need a cross-origin isolated page (COOP and COEP), and a policy that allows workers from a blob.
 *
 * @throws ArgumentError unless n is "auto" or a whole number from 1 to 256; ThreadError where threads cannot be had, with the
 *   reason. What was set before stays in force.
 */
export async function setNumThreads(n: number | "auto"): Promise<void> {
  if (n !== "auto" && !(Number.isInteger(n) && n >= 1 && n <= 256)) {
    throw new ArgumentError(`setNumThreads: expected "auto" or a whole number from 1 to 256, found ${String(n)}`);
  }
  const wanted = n === "auto" ? available() : n;
  if (wanted === getNumThreads()) return;
  if (wanted === 1) {
    stop();
    return;
  }
  const why = obstacle();
  if (why !== null) {
    if (n === "auto") return;
    throw new ThreadError(`setNumThreads(${n}): ${why}; ${getNumThreads()} thread goes on`);
  }
  const started: Thread[] = [];
  try {
    load();
    const { module, memory } = shareMemory(refreshViews);
    onLinked(restart);
    const kernels = rawKernels();
    const names = Object.keys(kernels);
    const control = new SharedArrayBuffer(CONTROL_WORDS * 4 + wanted * SHARES_A_THREAD * ARGUMENTS * 8);
    const starts = Array.from({ length: wanted - 1 }, (_, index) =>
      startThread({ module, memory, control, names, index }).then((thread) => started.push(thread)),
    );
    for (const start of await Promise.allSettled(starts)) if (start.status === "rejected") throw start.reason;
    if (rawKernels() !== kernels) {
      for (const thread of started) thread.terminate();
      return setNumThreads(n);
    }
    stop();
    workers = started;
    names.forEach((name, i) => {
      numbers.set(name, i);
    });
    ints = new Int32Array(control);
    doubles = new Float64Array(control);
    useKernels(sharedKernels(rawKernels()));
    broken = null;
  } catch (error) {
    for (const thread of started) thread.terminate();
    if (n === "auto") return;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ThreadError(
      `setNumThreads(${n}): could not start ${wanted - 1} worker${wanted > 2 ? "s" : ""}: ${reason}; ${getNumThreads()} thread${workers.length > 0 ? "s go" : " goes"} on`,
    );
  }
}

function stop(): void {
  for (const thread of workers) thread.terminate();
  workers = [];
  useKernels(rawKernels());
}

/** There are more kernels than the workers know, as a module was imported later on: new workers take their place when they are ready. */
function restart(): void {
  const n = getNumThreads();
  if (n === 1) return;
  stop();
  setNumThreads(n).catch((error: Error) => console.warn(`lanegrad: ${error.message}`));
}

/** A worker is gone or has failed: everything goes on with the calling thread alone. */
function breakDown(reason: string): void {
  if (workers.length === 0) return;
  stop();
  broken = reason;
  console.warn(`lanegrad: ${reason}; computing goes on with one thread`);
}

/**
 * A worker that waits for work. Firefox now and then does not start one that is asked for by another worker, and says nothing: one
 * that is late is given up and started anew, once.
 */
async function startThread(data: object): Promise<Thread> {
  for (let tries = 0; ; tries++) {
    const thread = inNode() ? startNodeThread(data) : startBrowserThread(data);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(true), START);
    });
    try {
      if (!(await Promise.race([thread.ready, late]))) return thread;
    } catch (error) {
      thread.terminate();
      throw error;
    } finally {
      clearTimeout(timer);
    }
    thread.terminate();
    if (tries > 0) throw new Error("the worker does not start");
  }
}

function startNodeThread(data: object): Thread {
  const threads = process.getBuiltinModule?.("node:worker_threads");
  if (threads === undefined) throw new Error("threads need Node 20.16 or newer");
  const { Worker } = threads;
  const worker = new Worker(nodeSource(), { eval: true, workerData: data, stdin: false, execArgv: [] });
  let over = false;
  const ready = new Promise<void>((resolve, reject) => {
    worker.on("message", () => resolve());
    worker.on("error", (error) => {
      reject(error);
      if (!over) breakDown(`a worker thread failed (${error.message})`);
    });
    worker.on("exit", (code) => {
      reject(new Error(`the worker ended with code ${code}`));
      if (!over) breakDown(`a worker thread ended with code ${code}`);
    });
  });
  // A process ends with its script, not with its workers; until they are ready, setNumThreads is awaited.
  ready.then(
    () => worker.unref(),
    () => undefined,
  );
  return {
    ready,
    terminate: () => {
      over = true;
      worker.terminate();
    },
  };
}

function startBrowserThread(data: object): Thread {
  const url = URL.createObjectURL(new Blob([browserSource()], { type: "text/javascript" }));
  const worker = new Worker(url, { name: "lanegrad" });
  let over = false;
  const ready = new Promise<void>((resolve, reject) => {
    worker.onmessage = () => resolve();
    worker.onerror = (event) => {
      // Browsers do not tell why they load no script.
      reject(new Error(event.message || "it could not be loaded: does the page's policy allow worker-src blob:?"));
      if (!over) breakDown(`a worker failed (${event.message})`);
    };
  }).finally(() => URL.revokeObjectURL(url));
  worker.postMessage(data);
  return {
    ready,
    terminate: () => {
      over = true;
      worker.terminate();
    },
  };
}

/** Whether the calling thread may sleep: a browser's main thread may not. */
const maySleep = (): boolean => inNode() || typeof (globalThis as { document?: unknown }).document === "undefined";

/** Whether work of so many nanoseconds is worth sharing: handing out and collecting shares takes 2 to 5 µs. */
export const worthSharing = (nanoseconds: number): boolean => workers.length > 0 && nanoseconds >= LEAST;

/**
 * Shares of work that takes so many nanoseconds: several a thread, so that one which starts late or is interrupted leaves its part to
 * the others, if that leaves each share long enough.
 */
function sharesOf(units: number, nanoseconds: number): number {
  const threads = workers.length + 1;
  return Math.min(units, Math.max(threads, Math.min(threads * SHARES_A_THREAD, Math.floor(nanoseconds / SHARE))));
}

/** Scratch memory of a kernel: which of its arguments it is, and bytes of it for each thread. */
export interface Scratch {
  readonly at: number;
  readonly bytes: number;
}

/**
 * Runs a kernel over 0 … n, shared at multiples of `grain`. `args` gives the kernel's arguments for a range; `scratch` says what of them
 * is memory that each thread has its own of. All memory must have been allocated before.
 *
 * @param nanoseconds that one thread takes, roughly; 0: one share a thread, for kernels that prepare much for each
 * @throws ThreadError when a worker's kernel threw: its share of the result is missing
 */
export function share(
  name: Name,
  n: number,
  grain: number,
  nanoseconds: number,
  args: (from: number, to: number) => readonly number[],
  scratch?: Scratch,
): void {
  const units = Math.ceil(n / grain);
  const shares = sharesOf(units, nanoseconds);
  const border = (i: number): number => (i === shares ? n : Math.floor((units * i) / shares) * grain);
  shareOut(
    name,
    Array.from({ length: shares }, (_, i) => args(border(i), border(i + 1))),
    scratch,
  );
}

/** Runs a kernel once for each list of arguments, at most SHARES_A_THREAD a thread. */
export function shareOut(name: Name, lists: readonly (readonly number[])[], scratch?: Scratch): void {
  const kernel = rawKernels()[name] as (...args: readonly number[]) => void;
  const shares = lists.length;
  if (shares < 2) {
    if (shares === 1) kernel(...lists[0]);
    return;
  }
  lists.forEach((list, i) => {
    doubles.set(list, CONTROL_WORDS / 2 + i * ARGUMENTS);
  });
  ints[Word.Kernel] = numbers.get(name) as number;
  ints[Word.Shares] = shares;
  ints[Word.Count] = lists[0].length;
  ints[Word.ScratchAt] = scratch?.at ?? -1;
  ints[Word.ScratchBytes] = scratch?.bytes ?? 0;
  Atomics.store(ints, Word.Pending, shares);
  // Last: a worker that comes late from the job before may claim from now on.
  Atomics.store(ints, Word.Open, shares);
  Atomics.add(ints, Word.Generation, 1);
  if (Atomics.load(ints, Word.Sleepers) > 0) Atomics.notify(ints, Word.Generation);
  let thrown: { error: unknown } | null = null;
  for (let open = Atomics.sub(ints, Word.Open, 1); open > 0; open = Atomics.sub(ints, Word.Open, 1)) {
    try {
      kernel(...lists[shares - open]);
    } catch (error) {
      thrown = { error };
    }
    Atomics.sub(ints, Word.Pending, 1);
  }
  collect(name);
  if (thrown !== null) throw thrown.error;
}

/** Waits until all shares are done. */
function collect(name: Name): void {
  let start = 0;
  for (let n = 0; ; n++) {
    const pending = Atomics.load(ints, Word.Pending);
    if (pending === 0) break;
    if (n % 64 !== 63) continue;
    const now = performance.now();
    if (start === 0) start = now;
    else if (now - start > SPIN && maySleep()) Atomics.wait(ints, Word.Pending, pending, NAP);
  }
  const failed = Atomics.exchange(ints, Word.Failed, 0);
  if (failed === 0) return;
  breakDown(`worker ${failed} failed in ${name}`);
  throw new ThreadError(
    `${name}: a worker thread failed in this kernel, so part of the result is missing; later calls go on with one thread`,
  );
}

/** @internal Why threads were given up, if they were. */
export const breakdown = (): string | null => broken;
