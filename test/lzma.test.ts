/** The decoder of the embedded kernels against an encoder that is not ours, on all kinds of matches. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { embedded } from "../src/wasm/embedded.js";
import { decompress } from "../src/wasm/lzma.js";

// Its types are its sources, which our compiler options do not pass; hence no static import.
const { compress }: { compress(data: Uint8Array, mode: number): ArrayLike<number> } = await import("lzma1" as string);
const roundTrip = (data: Uint8Array) => decompress(Uint8Array.from(compress(data, 9)));

describe("decompress is the inverse of an encoder", () => {
  test.each([0, 1, 2, 5, 273, 274, 5000])("%i equal bytes", (n) => {
    const data = new Uint8Array(n).fill(7);
    expect(roundTrip(data)).toEqual(data);
  });

  test("noise, and repetitions near and far", () => {
    let state = 1;
    const noise = Uint8Array.from({ length: 70_000 }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      return state >>> 24;
    });
    const data = new Uint8Array(210_000);
    data.set(noise);
    data.set(noise.subarray(0, 60_000), 75_000);
    for (let i = 140_000; i < data.length; i++) data[i] = data[i - (i % 977) - 1] ^ (i % 13 === 0 ? 1 : 0);
    expect(roundTrip(data)).toEqual(data);
  });

  test("arrays of few symbols", () => {
    const piece = fc.uint8Array({ minLength: 1, maxLength: 12, max: 3 });
    const array = fc.array(fc.tuple(piece, fc.integer({ min: 1, max: 40 })), { maxLength: 30 });
    fc.assert(
      fc.property(array, (pieces) => {
        const data = Uint8Array.from(
          pieces.flatMap(([bytes, times]) =>
            Array(times)
              .fill([...bytes])
              .flat(),
          ),
        );
        expect(roundTrip(data)).toEqual(data);
      }),
      { numRuns: 25 },
    );
  });
});

test("the embedded kernels decompress at once", () => {
  const start = performance.now();
  const blob = embedded();
  expect(blob.length).toBeGreaterThan(100_000);
  expect(performance.now() - start).toBeLessThan(3000);
});
