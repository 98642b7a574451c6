/** Threads where shared memory is short: none at all, and less than kernels come to want. The tests share one heap, in this order. */
import { afterEach, expect, test, vi } from "vitest";
import {
  backend,
  getNumThreads,
  OutOfMemoryError,
  ones,
  randn,
  setNumThreads,
  ThreadError,
  zeros,
} from "../src/index.js";
import { checkHeap } from "../src/wasm/heap.js";

afterEach(async () => {
  vi.restoreAllMocks();
  await setNumThreads(1);
});

/** An engine that gives no shared memory of more than so many 64 KiB pages. */
function limitSharedMemory(pages: number): void {
  const { Memory } = WebAssembly;
  vi.spyOn(WebAssembly, "Memory").mockImplementation(function limited(descriptor: WebAssembly.MemoryDescriptor) {
    if (descriptor.shared && (descriptor.maximum as number) > pages) throw new RangeError("could not allocate memory");
    return new Memory(descriptor);
  } as never);
}

const PAGE = 65536;
const held = Array.from({ length: 50 }, (_, i) =>
  ones(1000 + i)
    .mul(i)
    .keep(),
);
const expectIntact = () => {
  held.forEach((t, i) => {
    expect(t.toTypedArray()).toEqual(new Float32Array(1000 + i).fill(i));
  });
  checkHeap();
};

test("none: the error gives the engine's reason, and one thread goes on in the memory that there is", async () => {
  limitSharedMemory(0);
  await expect(setNumThreads(2)).rejects.toThrow(ThreadError);
  await expect(setNumThreads(2)).rejects.toThrow(
    "setNumThreads(2): could not start 1 worker: could not allocate memory; 1 thread goes on",
  );
  await setNumThreads("auto");
  expect(backend()).toMatchObject({ threads: 1, shared: false });
  expectIntact();
  expect(randn(300, 300).matmul(randn(300, 300)).shape).toEqual([300, 300]);
});

test("less than 4 GiB: threads run in it, and where it ends is out of memory, with nothing lost", async () => {
  const pages = 4096;
  limitSharedMemory(pages);
  await setNumThreads(2);
  expect(backend()).toMatchObject({ threads: 2, shared: true });
  expectIntact();
  // Now it is the engine's own end of memory that is met.
  const tooMuch = (pages * PAGE) / 4;
  expect(() => zeros([tooMuch])).toThrow(OutOfMemoryError);
  expect(() => zeros([tooMuch])).toThrow(/^zeros: out of memory: asked for 256\.0 MB, [\d.]+ MB in use of a heap of/);
  expectIntact();
  const [a, b] = [randn(512, 512), randn(512, 512)];
  const product = a.matmul(b).toTypedArray();
  expect(getNumThreads()).toBe(2);
  await setNumThreads(1);
  expect(a.matmul(b).toTypedArray()).toEqual(product);
});
