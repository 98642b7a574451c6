/** lanegrad/worker in Chromium, from the package's own build; test/worker.test.ts has the whole of it between threads of Node. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type * as api from "../../src/worker/index.js";
import { CHROMIUM, launch } from "./chromium.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
let folder: string;
let server: Server;
let browser: Browser;
let page: Page;

const HEADERS = { ".js": "text/javascript", html: "text/html" };

/** What the page has: `lanegrad/worker`, and a way to start the worker of test/support/jobs.ts. */
interface InPage {
  worker: typeof api;
  start: (script?: string) => any;
  rejection: (promise: Promise<unknown>) => Promise<{ name: string; message: string; type: boolean }>;
}
const PAGE = `
  import * as worker from "lanegrad/worker";
  globalThis.inPage = {
    worker,
    start: (script = "/jobs.js") => new Worker(script, { type: "module" }),
    rejection: (promise) => promise.then(
      () => { throw new Error("expected to fail"); },
      (error) => ({ name: error.name, message: error.message, type: error instanceof RangeError }),
    ),
  };
`;
declare const inPage: InPage;

beforeAll(async () => {
  if (CHROMIUM === null) return;
  folder = mkdtempSync(join(tmpdir(), "lanegrad-worker-page-"));
  const options = {
    bundle: true,
    format: "esm",
    outdir: folder,
    alias: { lanegrad: join(root, "dist/index.js"), "lanegrad/worker": join(root, "dist/worker/index.js") },
  } as const;
  await build({ ...options, entryPoints: { jobs: join(root, "test/support/jobs.ts") } });
  await build({
    ...options,
    outdir: undefined,
    outfile: join(folder, "page.js"),
    stdin: { contents: PAGE, resolveDir: root },
  });
  server = createServer(({ url = "/" }, response) => {
    if (url === "/") {
      response.setHeader("Content-Type", HEADERS.html);
      response.setHeader(
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'",
      );
      response.end('<!doctype html><script type="module" src="/page.js"></script>');
    } else if (url === "/page.js" || url === "/jobs.js") {
      response.setHeader("Content-Type", HEADERS[".js"]);
      response.setHeader("Content-Security-Policy", "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'");
      response.end(readFileSync(join(folder, url)));
    } else {
      response.statusCode = 404;
      response.end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  browser = await launch();
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await page.waitForFunction(() => "inPage" in globalThis);
});

afterAll(async () => {
  await browser?.close();
  server?.close();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(CHROMIUM === null)("jobs in a worker of a page with a strict policy", () => {
  test("report, return moved weights, and take turns", async () => {
    const found = await page.evaluate(async () => {
      const { run, transfer } = inPage.worker;
      const worker = inPage.start();
      const job = run(worker, "train", { steps: 500, seed: 0 });
      const losses: number[] = [];
      for await (const { loss } of job) losses.push(loss);
      const weights = await job.result;
      const values = new Float32Array([1, 2, 3]);
      const sent = await run(worker, "moved", transfer(values)).result;
      const answer = await run(worker, "ask", new Float32Array([0.5, 0.5])).result;
      worker.terminate();
      return {
        losses,
        names: Object.keys(weights),
        length: weights["0.weight"].data.length,
        sent: [...sent],
        left: values.length,
        answer,
      };
    });
    expect(found.losses).toHaveLength(10);
    expect(found.losses[9]).toBeLessThan(0.1 * found.losses[0]);
    expect(found.names).toEqual(["0.weight", "0.bias", "2.weight", "2.bias"]);
    expect(found).toMatchObject({ length: 64, sent: [1, 2, 3], left: 0 });
    expect(found.answer).toBeCloseTo(0.25, 1);
  });

  test("pause, go on, and are cancelled", async () => {
    const found = await page.evaluate(async () => {
      const { run } = inPage.worker;
      const worker = inPage.start();
      const job = run(worker, "train", { steps: 1e9, seed: 0 });
      let last = 0;
      const loop = (async () => {
        for await (const { step } of job) last = step;
      })();
      const rest = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
      while (last === 0) await rest(5);
      job.pause();
      await run(worker, "cleaned").result;
      const standing = last;
      await rest(200);
      await run(worker, "cleaned").result;
      const paused = last;
      job.resume();
      while (last === paused) await rest(5);
      job.cancel();
      const error = await inPage.rejection(loop);
      const cleaned = await run(worker, "cleaned").result;
      worker.terminate();
      return { stood: paused - standing, went: last - paused, error, cleaned };
    });
    expect(found.stood).toBe(0);
    expect(found.went).toBeGreaterThan(0);
    expect(found.error.name).toBe("AbortError");
    expect(found.cleaned).toBe(1);
  });

  test("that run fit are cancelled through its signal", async () => {
    const error = await page.evaluate(async () => {
      const { run } = inPage.worker;
      const worker = inPage.start();
      const job = run(worker, "fitted");
      const loop = async () => {
        for await (const _ of job) job.cancel();
      };
      const error = await inPage.rejection(loop());
      worker.terminate();
      return error;
    });
    expect(error.message).toBe("fit: aborted");
  });

  test("send their errors; a worker that does not load or throws fails its jobs", async () => {
    const found = await page.evaluate(async () => {
      const { run } = inPage.worker;
      const worker = inPage.start();
      const shape = await inPage.rejection(run(worker, "fail", { kind: "shape" }).result);
      const range = await inPage.rejection(run(worker, "fail", { kind: "range" }).result);
      const tensor = await inPage.rejection(run(worker, "returnsTensor").result);
      const later = await inPage.rejection(run(worker, "fail", { kind: "later" }).result);
      worker.terminate();
      const missing = await inPage.rejection(run(inPage.start("/missing.js"), "train").result);
      return { shape, range, tensor, later, missing };
    });
    expect(found.shape).toMatchObject({ name: "ShapeError", message: expect.stringMatching(/^add: /) });
    expect(found.range.type).toBe(true);
    expect(found.tensor.message).toMatch(/its \.weights\.0 is a tensor/);
    expect(found.later).toMatchObject({ name: "WorkerError", message: expect.stringMatching(/nobody catches this/) });
    expect(found.missing).toMatchObject({
      name: "WorkerError",
      message: expect.stringMatching(/^the worker is lost: its script could not be loaded/),
    });
  });
});
