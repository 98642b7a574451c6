/** The page's side: starts jobs of a worker, hears of their progress, cancels them. */
import { listen, type Port, post, type Reply, type Request, reviveError } from "./protocol.js";
import type { JobContext, Jobs } from "./serve.js";

/** What serves jobs: a `Worker` of a browser or of Node's worker_threads, or a `MessagePort`. */
export interface WorkerLike {
  postMessage(message: any, transfer?: any): void;
}

/** A worker of which TypeScript knows the jobs: `new Worker(…) as Serving<Jobs>`. */
export type Serving<J extends Jobs> = WorkerLike & { readonly [SERVED]?: J };
declare const SERVED: unique symbol;

/** Options, events and result of a job's function. */
export type OptionsOf<F> = F extends (options: infer O, ...rest: any[]) => unknown ? O : any;
export type EventOf<F> = F extends (options: any, context: JobContext<infer E>) => unknown ? E : any;
export type ResultOf<F> = F extends (...args: any[]) => infer R ? Awaited<R> : any;

/**
 * A job that runs in a worker. Its events are looped over, once: `for await (const event of job)`; the loop ends with the job, throws
 * what it throws, and leaving it early (`break`) cancels the job. Events that come before the loop begins wait for it.
 */
export interface Job<Event, Result> extends AsyncIterable<Event> {
  /** What the job returns; rejects with what it throws, an `AbortError` once it is cancelled. */
  readonly result: Promise<Result>;
  /** Has the job stop at its next `await proceed()`. A job that never awaits cannot hear of it: `worker.terminate()` ends it. */
  cancel(): void;
  /** Has the job wait at its next `await proceed()`. */
  pause(): void;
  resume(): void;
}

class RunningJob<Event, Result> implements Job<Event, Result> {
  readonly result: Promise<Result>;
  private resolve!: (result: Result) => void;
  private reject!: (error: unknown) => void;
  private readonly events: Event[] = [];
  private ended: "running" | "done" | { error: unknown } = "running";
  private looped = false;
  /** Wakes the loop that waits for an event, or for the end. */
  private wake: () => void = () => {};

  constructor(
    private readonly name: string,
    private readonly send: (control: "cancel" | "pause" | "resume") => void,
  ) {
    this.result = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  cancel(): void {
    // Who cancels knows that the job fails: nobody need catch it.
    this.result.catch(() => {});
    if (this.ended === "running") this.send("cancel");
  }

  pause(): void {
    if (this.ended === "running") this.send("pause");
  }

  resume(): void {
    if (this.ended === "running") this.send("resume");
  }

  add(event: Event): void {
    this.events.push(event);
    this.wake();
  }

  done(result: Result): void {
    this.ended = "done";
    this.resolve(result);
    this.wake();
  }

  fail(error: unknown): void {
    this.ended = { error };
    this.reject(error);
    this.wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Event, void, undefined> {
    if (this.looped) throw new Error(`the events of "${this.name}" are looped over already; each comes once`);
    this.looped = true;
    // The loop throws what the job throws; the promise beside it need not be caught as well.
    this.result.catch(() => {});
    try {
      while (true) {
        if (this.events.length > 0) yield this.events.shift() as Event;
        else if (this.ended === "running") {
          await new Promise<void>((resolve) => {
            this.wake = resolve;
          });
        } else if (this.ended === "done") return;
        else throw this.ended.error;
      }
    } finally {
      this.cancel();
    }
  }
}

/** What is known of a worker: one for all jobs that are run on it. */
class Connection {
  private readonly jobs = new Map<number, RunningJob<any, any>>();
  private readonly waiting: (() => void)[] = [];
  private ready = false;
  private dead: Error | null = null;
  private lastId = 0;

  constructor(private readonly port: Port) {
    listen(port, "message", (message: Reply | undefined) => this.hear(message));
    listen(port, "error", (error: Error | ErrorEvent) =>
      this.lose(describe(error), (error as ErrorEvent).error ?? error),
    );
    listen(port, "exit", (code: number) => this.lose(`it ended with exit code ${code}`));
    listen(port, "messageerror", () => this.lose("a message of it cannot be read here"));
    this.send({ lanegrad: "hello" });
  }

  run<Event, Result>(name: string, options: unknown): RunningJob<Event, Result> {
    const id = ++this.lastId;
    const control = (lanegrad: "cancel" | "pause" | "resume") => this.whenReady(() => this.send({ lanegrad, id }));
    const job = new RunningJob<Event, Result>(name, control);
    if (this.dead !== null) {
      job.fail(this.dead);
      return job;
    }
    this.jobs.set(id, job);
    this.whenReady(() => {
      try {
        post(this.port, { lanegrad: "run", id, name, options }, options, `run: the options of "${name}"`);
      } catch (error) {
        this.jobs.delete(id);
        job.fail(error);
      }
    });
    return job;
  }

  private send(message: Request): void {
    post(this.port, message, undefined, "a message");
  }

  private whenReady(action: () => void): void {
    if (this.ready) action();
    else this.waiting.push(action);
  }

  private hear(message: Reply | undefined): void {
    if (message?.lanegrad === "ready") {
      this.ready = true;
      for (const action of this.waiting.splice(0)) action();
      return;
    }
    const job = message?.lanegrad === undefined ? undefined : this.jobs.get(message.id);
    if (message === undefined || job === undefined) return;
    if (message.lanegrad === "report") job.add(message.event);
    else {
      this.jobs.delete(message.id);
      if (message.lanegrad === "done") job.done(message.result);
      else job.fail(reviveError(message.error));
    }
  }

  /** The worker is lost, and with it all its jobs, those that are asked for later too. */
  private lose(why: string, cause?: unknown): void {
    if (this.dead !== null) return;
    this.dead = new Error(`the worker is lost: ${why}`, { cause });
    this.dead.name = "WorkerError";
    for (const job of this.jobs.values()) job.fail(this.dead);
    this.jobs.clear();
  }
}

/** Browsers tell nothing of a script that does not load, nor of one that the page's policy forbids. */
const describe = (error: Error | ErrorEvent): string =>
  error.message || "its script could not be loaded (a wrong address, or a content security policy without worker-src?)";

const connections = new WeakMap<object, Connection>();

/**
 * Starts a job in a worker whose module calls `serve`.
 *
 * Errors of the job cross with name, message and stack (JavaScript's own classes with their class); the worker's own
 * end (it does not load, it throws outside of a job, it exits) fails all its jobs with a `WorkerError`. `worker.terminate()` is the one
 * end that browsers do not tell: cancel what you no longer want before.
 *
 * @param worker started by you: `new Worker(new URL("./worker.js", import.meta.url), { type: "module" })`, ended by you too
 * @param name of the job
 * @param options handed to the job, cloned; moved where `transfer(options)` says so
 * @param signal cancels the job when it aborts
 * @throws TypeError when worker is none
 */
export function run<J extends Jobs, N extends keyof J & string>(
  worker: Serving<J>,
  name: N,
  options?: OptionsOf<J[N]>,
  { signal }: { signal?: AbortSignal } = {},
): Job<EventOf<J[N]>, ResultOf<J[N]>> {
  if (typeof (worker as WorkerLike | null)?.postMessage !== "function") {
    throw new TypeError(`run: expected a Worker or MessagePort, found ${worker === null ? "null" : typeof worker}`);
  }
  let connection = connections.get(worker);
  if (connection === undefined) {
    connection = new Connection(worker as Port);
    connections.set(worker, connection);
  }
  const job = connection.run<EventOf<J[N]>, ResultOf<J[N]>>(name, options);
  if (signal?.aborted) job.cancel();
  else signal?.addEventListener("abort", () => job.cancel(), { once: true });
  return job;
}
