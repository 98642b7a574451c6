/** lanegrad/worker between threads of Node; playground/test/worker.test.ts is the same in Chromium. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MessageChannel, Worker } from "node:worker_threads";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { run, type Serving, serve, transfer } from "../src/worker/index.js";
import type { TestJobs } from "./support/jobs.js";

const root = fileURLToPath(new URL("..", import.meta.url));
let folder: string;
let worker: Worker & Serving<TestJobs>;

const startWorker = () => new Worker(join(folder, "jobs.mjs")) as Worker & Serving<TestJobs>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lanegrad-worker-"));
  await build({
    entryPoints: [join(root, "test/support/jobs.ts")],
    outfile: join(folder, "jobs.mjs"),
    bundle: true,
    format: "esm",
    platform: "node",
    alias: { lanegrad: join(root, "src/index.ts"), "lanegrad/worker": join(root, "src/worker/index.ts") },
    // The methods of Tensor are installed when methods.ts is loaded, and nothing there names that file.
    ignoreAnnotations: true,
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  worker = startWorker();
});
afterEach(async () => {
  await worker.terminate();
});

const rejection = (promise: Promise<unknown>): Promise<any> =>
  promise.then(
    () => expect.unreachable(),
    (error) => error,
  );

describe("a job in a worker", () => {
  test("reports as it goes, and returns its result", async () => {
    const job = run(worker, "train", { steps: 500, seed: 0 });
    const events: { step: number; loss: number }[] = [];
    for await (const event of job) events.push(event);
    expect(events.map(({ step }) => step)).toEqual([50, 100, 150, 200, 250, 300, 350, 400, 450, 500]);
    expect(events[9].loss).toBeLessThan(0.1 * events[0].loss);
    const weights = await job.result;
    expect(Object.keys(weights)).toEqual(["0.weight", "0.bias", "2.weight", "2.bias"]);
    expect(weights["0.weight"].shape).toEqual([32, 2]);
    expect(weights["0.weight"].data).toBeInstanceOf(Float32Array);
    expect(weights["0.weight"].data).toHaveLength(64);
  });

  test("keeps events for a loop that begins late", async () => {
    const job = run(worker, "train", { steps: 150, seed: 0 });
    await job.result;
    const steps: number[] = [];
    for await (const { step } of job) steps.push(step);
    expect(steps).toEqual([50, 100, 150]);
  });

  test("lets another job in between its steps", async () => {
    const training = run(worker, "train", { steps: 1e9, seed: 0 });
    // A few events may come at once and be answered by the same weights; then weights change.
    const answers = new Set<number>();
    for await (const { step } of training) {
      if (step >= 200) answers.add((await run(worker, "ask", new Float32Array([0.5, 0.5])).result) ?? Number.NaN);
      if (answers.size === 3) break;
    }
    for (const answer of answers) expect(answer).toBeCloseTo(0.25, 0);
  });
});

describe("cancelling", () => {
  test("ends the loop and the promise with an AbortError, after the job has cleaned up", async () => {
    const job = run(worker, "train", { steps: 1e9, seed: 0 });
    const loop = async () => {
      for await (const _ of job) job.cancel();
    };
    expect(await rejection(loop())).toMatchObject({ name: "AbortError", message: "the job was cancelled" });
    expect(await rejection(job.result)).toBeInstanceOf(DOMException);
    expect(await run(worker, "cleaned").result).toBe(1);
  });

  test("is what leaving the loop does", async () => {
    const job = run(worker, "train", { steps: 1e9, seed: 0 });
    for await (const _ of job) break;
    expect((await rejection(job.result)).name).toBe("AbortError");
  });

  test("follows a signal, aborted already or later", async () => {
    const controller = new AbortController();
    const job = run(worker, "aborted", null, { signal: controller.signal });
    for await (const event of job) {
      expect(event).toBe("waiting");
      controller.abort();
      expect((await rejection(job.result)).name).toBe("AbortError");
      break;
    }
    const late = run(worker, "train", { steps: 1e9, seed: 0 }, { signal: controller.signal });
    expect((await rejection(late.result)).name).toBe("AbortError");
  });

  test("reaches fit through its signal", async () => {
    const job = run(worker, "fitted");
    const loop = async () => {
      for await (const _ of job) job.cancel();
    };
    expect((await rejection(loop())).message).toBe("fit: aborted");
    expect(await run(worker, "cleaned").result).toBe(1);
  });

  test("reaches a paused job", async () => {
    const job = run(worker, "train", { steps: 1e9, seed: 0 });
    job.pause();
    job.cancel();
    expect((await rejection(job.result)).name).toBe("AbortError");
  });

  test("after the end changes nothing", async () => {
    const job = run(worker, "sum", new Float32Array([1, 2]));
    expect(await job.result).toBe(3);
    job.cancel();
    job.pause();
    expect(await job.result).toBe(3);
  });
});

test("pausing stands still, resuming goes on", async () => {
  const job = run(worker, "train", { steps: 1e9, seed: 0 });
  let last = 0;
  const loop = (async () => {
    for await (const { step } of job) last = step;
  })();
  while (last === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  job.pause();
  // The answer comes after the pause was heard, and after the events that were sent before it.
  await run(worker, "cleaned").result;
  const standing = last;
  await new Promise((resolve) => setTimeout(resolve, 100));
  await run(worker, "cleaned").result;
  expect(last).toBe(standing);
  job.resume();
  while (last === standing) await new Promise((resolve) => setTimeout(resolve, 5));
  job.cancel();
  expect((await rejection(loop)).name).toBe("AbortError");
});

describe("buffers", () => {
  test("are copied, or moved where transfer says so", async () => {
    const copied = new Float32Array([1, 2, 3]);
    expect(await run(worker, "sum", copied).result).toBe(6);
    expect(copied).toHaveLength(3);
    const moved = new Float32Array([1, 2, 3]);
    expect(await run(worker, "moved", transfer(moved)).result).toEqual(new Float32Array([1, 2, 3]));
    expect(moved).toHaveLength(0);
  });

  test("named by hand move alone", async () => {
    const [stays, goes] = [new Float32Array([1]), new Float32Array([2])];
    const options = transfer({ stays, goes } as any, [goes.buffer]);
    await rejection(run(worker, "sum", options).result);
    expect([stays.length, goes.length]).toEqual([1, 0]);
  });
});

describe("errors", () => {
  test("cross with name, message and the worker's stack", async () => {
    const error = await rejection(run(worker, "fail", { kind: "shape" }).result);
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe("ShapeError");
    expect(error.message).toMatch(/^add: .*\[2\].*\[3\]/);
    expect(error.stack).toMatch(/Object\.fail .*jobs\.mjs/);
  });

  test("keep JavaScript's classes, and their cause", async () => {
    const error = await rejection(run(worker, "fail", { kind: "range" }).result);
    expect(error).toBeInstanceOf(RangeError);
    expect(error.cause).toMatchObject({ name: "ShapeError", message: "the cause" });
  });

  test("that are none are told", async () => {
    const error = await rejection(run(worker, "fail", { kind: "string" }).result);
    expect(error.message).toBe("thrown in the worker, and no Error: just a string");
  });

  test("of unknown jobs name the known ones", async () => {
    const error = await rejection(run(worker as any, "trian").result);
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(/^run: the worker serves no job "trian"; it serves train, fitted, ask, cleaned/);
    expect((await rejection(run(worker as any, "toString").result)).message).toMatch(/no job "toString"/);
  });

  test("of values that cannot be sent say what can, in both directions", async () => {
    const there = await rejection(run(worker as any, "sum", () => 1).result);
    expect(there.message).toMatch(/^run: the options of "sum" cannot be sent between threads .*toTypedArray\(\)/);
    const back = await rejection(run(worker, "returnsTensor").result);
    expect(back.message).toMatch(
      /^the result of "returnsTensor" cannot be sent between threads \(its \.weights\.0 is a tensor\); .*toTypedArray\(\)/,
    );
  });

  test("outside of a job, and the worker's end, fail all jobs", async () => {
    const other = run(worker, "aborted");
    const error = await rejection(run(worker, "fail", { kind: "later" }).result);
    expect(error).toMatchObject({ name: "WorkerError", message: "the worker is lost: nobody catches this" });
    expect(error.cause.message).toBe("nobody catches this");
    expect((await rejection(other.result)).name).toBe("WorkerError");
    expect((await rejection(run(worker, "cleaned").result)).name).toBe("WorkerError");

    worker = startWorker();
    const exit = await rejection(run(worker, "fail", { kind: "exit" }).result);
    expect(exit.message).toBe("the worker is lost: it ended with exit code 3");
  });

  test("of a second loop over the events", async () => {
    const job = run(worker, "sum", new Float32Array([1]));
    for await (const _ of job);
    const again = async () => {
      for await (const _ of job);
    };
    expect((await rejection(again())).message).toMatch(/^the events of "sum" are looped over already/);
  });

  test("of arguments", () => {
    expect(() => run(null as any, "train")).toThrow("run: expected a Worker or MessagePort, found null");
    expect(() => serve({ train: 1 as any }, new MessageChannel().port1)).toThrow(
      'serve: the job "train" must be a function, found number',
    );
  });
});

test("any port serves; messages of others are passed over", async () => {
  const { port1, port2 } = new MessageChannel();
  const jobs = serve({ double: (x: number) => 2 * x }, port1);
  const page = port2 as unknown as MessagePort & Serving<typeof jobs>;
  port2.postMessage(null);
  port1.postMessage({ lanegrad: "done", id: 99 });
  port1.postMessage("other");
  expect(await run(page, "double", 21).result).toBe(42);
  port1.close();
});
