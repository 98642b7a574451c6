/** The allocator: its books stay right whatever is asked of it, released sizes are reused, and 4 GiB is the end. */
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { zeros } from "../src/index.js";
import * as heap from "../src/wasm/heap.js";

/** Allocates for certain, growing as the storage layer does. */
function allocate(bytes: number): heap.Chunk {
  const found = heap.tryAllocate(bytes);
  if (found !== null) return found;
  expect(heap.grow(bytes), `growing for ${bytes} bytes`).toBe(true);
  const chunk = heap.tryAllocate(bytes);
  expect(chunk, `${bytes} bytes after growing for them`).not.toBeNull();
  return chunk as heap.Chunk;
}

describe("heap", () => {
  const held = new Set<heap.Chunk>();
  const take = (bytes: number) => {
    const chunk = allocate(bytes);
    held.add(chunk);
    return chunk;
  };
  const give = (chunk: heap.Chunk) => {
    held.delete(chunk);
    heap.release(chunk);
  };
  afterEach(() => {
    for (const chunk of held) heap.release(chunk);
    held.clear();
    heap.checkHeap();
  });

  test("any sequence of allocations and releases leaves the books right and every byte where it was", () => {
    const size = fc.oneof(
      fc.integer({ min: 0, max: 300 }),
      fc.integer({ min: 0, max: 100_000 }),
      fc.integer({ min: 0, max: 3_000_000 }),
    );
    const action = fc.oneof(
      fc.record({ allocate: size, fill: fc.integer({ min: 1, max: 255 }) }),
      fc.record({ release: fc.nat() }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const live: { chunk: heap.Chunk; bytes: number; fill: number }[] = [];
        const release = (i: number) => {
          const [{ chunk, bytes, fill }] = live.splice(i, 1);
          const bytesFound = heap.U8.subarray(chunk.ptr, chunk.ptr + bytes);
          expect(bytesFound.every((b) => b === fill)).toBe(true);
          heap.release(chunk);
        };
        try {
          for (const step of actions) {
            if ("release" in step) {
              if (live.length > 0) release(step.release % live.length);
            } else {
              const chunk = allocate(step.allocate);
              expect(chunk.ptr % 64).toBe(0);
              expect(chunk.size).toBeGreaterThanOrEqual(step.allocate);
              heap.U8.fill(step.fill, chunk.ptr, chunk.ptr + step.allocate);
              live.push({ chunk, bytes: step.allocate, fill: step.fill });
            }
            heap.checkHeap();
          }
        } finally {
          while (live.length > 0) release(0);
        }
        heap.checkHeap();
      }),
      { numRuns: 60 },
    );
  });

  test("a released chunk serves the next request of its size", () => {
    for (const bytes of [0, 1, 64, 65, 2048, 4096 + 1, 100_352, 1_000_003]) {
      const [first, second, third] = [take(bytes), take(bytes), take(bytes)];
      give(second);
      expect(take(bytes).ptr, `${bytes} bytes`).toBe(second.ptr);
      for (const chunk of [first, third]) give(chunk);
    }
  });

  test("a loop of the same sizes in any order does not grow", () => {
    const sizes = Array.from({ length: 200 }, (_, i) => 64 + ((i * 7919) % 50_000));
    const round = (order: number) => {
      const chunks = sizes.map(take);
      chunks.sort((a, b) => ((a.ptr * order) % 8191) - ((b.ptr * order) % 8191));
      for (const chunk of chunks) give(chunk);
    };
    round(1);
    const before = heap.heapBytes();
    for (let i = 2; i < 20; i++) round(i);
    expect(heap.heapBytes()).toBe(before);
    heap.checkHeap();
  });

  test("neighbours that are free are one: halves make room for the whole", () => {
    const guard = take(64);
    const whole = take(1 << 20);
    give(whole);
    const halves = [take(1 << 19), take(1 << 19)];
    for (const half of halves) give(half);
    expect(take(1 << 20).ptr).toBe(whole.ptr);
    give(guard);
  });

  test("growing keeps what is there and renews the views", () => {
    const chunk = take(64);
    heap.I32[chunk.ptr >>> 2] = 12345;
    const before = { end: heap.heapBytes(), view: heap.I32 };
    expect(heap.grow(8 << 20)).toBe(true);
    expect(heap.heapBytes()).toBeGreaterThan(before.end);
    expect(heap.I32.byteLength).toBe(heap.heapBytes());
    expect(heap.I32[chunk.ptr >>> 2]).toBe(12345);
    expect(heap.growthFor(8 << 20)).toBe(0);
  });

  test("nothing beyond 4 GiB is given, and the books stay right", () => {
    const before = heap.heapBytes();
    expect(heap.grow(heap.MAX_HEAP)).toBe(false);
    expect(heap.grow(2 ** 33)).toBe(false);
    expect(heap.heapBytes()).toBe(before);
    heap.checkHeap();
    // Counts of 64-byte units beyond 32 bits must not be taken for small ones.
    for (const bytes of [2 ** 32, 64 * (2 ** 32 + 1024), 64 * (2 ** 33 + 31), 2 ** 45, 2 ** 60]) {
      expect(() => zeros([bytes / 4]), `${bytes} bytes`).toThrow(/out of memory: asked for/);
    }
    heap.checkHeap();
  });
});
