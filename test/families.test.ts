/** Families of kernels that are imported after the kernels were loaded, as a page does that splits its code. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { manualSeed } from "../src/generator.js";
import { clone } from "../src/ops/convert.js";
import { rand } from "../src/ops/create.js";
import type { Tensor } from "../src/tensor.js";
import { k as core, load, memory, rawKernels } from "../src/wasm/load.js";
import { getNumThreads, setNumThreads } from "../src/wasm/threads.js";

const sameBits = (a: Tensor, b: Tensor): boolean => {
  const [x, y] = [a, b].map((t) => new Int32Array((t.toTypedArray() as Float32Array).slice().buffer));
  return x.length === y.length && x.every((word, i) => word === y[i]);
};
const canShare = typeof SharedArrayBuffer !== "undefined" && globalThis.crossOriginIsolated !== false;

afterEach(() => setNumThreads(1));

test("what is not imported is not there; imported later, it works on the same memory", async () => {
  load();
  expect(rawKernels()).not.toHaveProperty("layer_norm");
  const before = memory;
  new Float32Array(memory.buffer, 1 << 19, 4).set([1, 2, 3, 4]);
  const { k: norm } = await import("../src/wasm/families/norm.generated.js");
  expect(rawKernels()).toHaveProperty("layer_norm");
  expect(memory).toBe(before);
  const [out, mean, rstd, x] = [(1 << 19) | 256, (1 << 19) | 512, (1 << 19) | 768, 1 << 19];
  norm.layer_norm(out, mean, rstd, x, 0, 0, 1, 4, 0);
  expect(new Float32Array(memory.buffer, mean, 1)[0]).toBe(2.5);
  core.relu(out, out, 4);
  const [a, b, c] = new Float32Array(memory.buffer, out, 4);
  expect([a, b]).toEqual([0, 0]);
  expect(c).toBeCloseTo(0.5 / Math.sqrt(1.25), 6);
});

describe.runIf(canShare)("while there are threads", () => {
  test("new workers replace those that do not know the family; until then the calling thread works", async () => {
    manualSeed(0);
    const x = rand([64, 16, 32, 32]);
    await setNumThreads(3);
    const values = clone(x);
    const { maxPool2d } = await import("../src/ops/max-pool.js");
    // They may be ready already.
    expect([1, 3]).toContain(getNumThreads());
    const alone = maxPool2d(x, 2) as Tensor;
    await vi.waitFor(() => expect(getNumThreads()).toBe(3), { timeout: 20_000 });
    expect(sameBits(maxPool2d(x, 2) as Tensor, alone)).toBe(true);
    expect(sameBits(x, values)).toBe(true);
  });

  test("workers that are starting when a family comes are started anew", async () => {
    manualSeed(0);
    const x = rand([64, 16, 33, 32]);
    const starting = setNumThreads(2);
    const { interpolate } = await import("../src/ops/interpolate.js");
    await starting;
    // At once, or where the family came last, when the workers that know it are ready.
    await vi.waitFor(() => expect(getNumThreads()).toBe(2), { timeout: 20_000 });
    const shared = interpolate(x, { scaleFactor: 2 });
    await setNumThreads(1);
    expect(sameBits(interpolate(x, { scaleFactor: 2 }), shared)).toBe(true);
  });
});
