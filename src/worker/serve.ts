/** The worker's side: jobs by name, each run when the page asks for it. */
import { Breath } from "../fit/breathe.js";
import { abortError, listen, type Port, post, type Reply, type Request, recordError } from "./protocol.js";

/** What a job is handed beside its options. */
export interface JobContext<Event = any> {
  /** Tells the page how it goes: any value that can be cloned, moved where `transfer(event)` says so. */
  report(event: Event): void;
  /** Aborted when the page cancels: for `fetch` and whatever else takes one. */
  readonly signal: AbortSignal;
  /**
   * Awaited in the loop, once a step: lets the page's messages in, waits while the job is paused, and throws an `AbortError`
   * once it is cancelled. What of `try … finally` stands around it still runs.
   *
   * It gives the thread away only when the last time is 8 ms ago, so calling it in every step costs next to nothing.
   */
  proceed(): Promise<void>;
}

/** A job: its result, or the error it throws, crosses to the page. */
export type JobFunction = (options: any, context: JobContext<any>) => any;

/** Jobs by the names under which pages run them. */
export type Jobs = Record<string, JobFunction>;

/** Milliseconds of work between two times that messages are let in: half a frame of a display. */
const SLICE = 8;

/** A job that runs. */
class Running {
  private readonly controller = new AbortController();
  private paused: Promise<void> | null = null;
  private wake: () => void = () => {};

  constructor(private readonly breath: Breath) {}

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  cancel(): void {
    this.controller.abort(abortError());
    this.resume();
  }

  pause(): void {
    this.paused ??= new Promise((resolve) => {
      this.wake = resolve;
    });
  }

  resume(): void {
    this.paused = null;
    this.wake();
  }

  async proceed(): Promise<void> {
    this.signal.throwIfAborted();
    if (this.breath.due) await this.breath.take();
    // Paused again before the awakened job had its turn: it goes on waiting.
    while (this.paused !== null) await this.paused;
    this.signal.throwIfAborted();
  }
}

/** The port to the page: that of Node's worker_threads, or the worker itself. */
function portToPage(): Port {
  const threads = typeof process === "undefined" ? undefined : process.getBuiltinModule?.("node:worker_threads");
  if (threads?.parentPort) return threads.parentPort as unknown as Port;
  const isWorker = typeof (globalThis as { WorkerGlobalScope?: unknown }).WorkerGlobalScope !== "undefined";
  if (isWorker && typeof postMessage === "function") return globalThis as unknown as Port;
  throw new Error(
    "serve: this is no worker; call it in the module that new Worker(…) starts, or hand in a port: serve(jobs, port)",
  );
}

/**
 * Offers jobs to the page that started this worker. Called once, at the top of the worker's module.
 *
 * Jobs run when the page calls `run(worker, name, options)`, several at a time if it likes: they take turns where they
 * await. So a network can be asked while it is trained, between two steps.
 *
 * @param jobs functions by name: `train(options, { report, signal, proceed }) { … }`
 * @param port where requests come from; default: the page or thread that started this worker
 * @returns jobs, whose type tells `run` the names, options and results: `export type Jobs = typeof jobs`
 * @throws Error when this is no worker and no port is given; TypeError for jobs that are no functions
 */
export function serve<J extends Jobs>(jobs: J, port: object = portToPage()): J {
  for (const [name, job] of Object.entries(jobs)) {
    if (typeof job !== "function")
      throw new TypeError(`serve: the job "${name}" must be a function, found ${typeof job}`);
  }
  const page = port as Port;
  const running = new Map<number, Running>();
  // All jobs of a worker share its thread.
  const breath = new Breath(SLICE);
  const reply = (message: Reply, value: unknown, what: string) => post(page, message, value, what);

  async function start(id: number, name: string, options: unknown): Promise<void> {
    const job = new Running(breath);
    running.set(id, job);
    try {
      if (!Object.hasOwn(jobs, name)) {
        throw new TypeError(
          `run: the worker serves no job "${name}"; it serves ${Object.keys(jobs).join(", ") || "none"}`,
        );
      }
      const result = await jobs[name](options, {
        report: (event) => reply({ lanegrad: "report", id, event }, event, `an event of "${name}"`),
        signal: job.signal,
        proceed: () => job.proceed(),
      });
      reply({ lanegrad: "done", id, result }, result, `the result of "${name}"`);
    } catch (error) {
      reply({ lanegrad: "failed", id, error: recordError(error) }, undefined, "an error");
    } finally {
      running.delete(id);
    }
  }

  listen(page, "message", (message: Request | undefined) => {
    switch (message?.lanegrad) {
      case "hello":
        return reply({ lanegrad: "ready" }, undefined, "ready");
      case "run":
        return void start(message.id, message.name, message.options);
      case "cancel":
      case "pause":
      case "resume":
        return running.get(message.id)?.[message.lanegrad]();
    }
  });
  // A page whose hello came before anybody listened hears of us now.
  reply({ lanegrad: "ready" }, undefined, "ready");
  return jobs;
}
