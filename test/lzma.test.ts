/** The decoder of the embedded kernels against an encoder that is not ours, on all kinds of matches. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decode } from "../src/wasm/embedded.js";
import { core } from "../src/wasm/families/core.generated.js";
import { decompress } from "../src/wasm/lzma.js";

// Its types are its sources, which our compiler options do not pass; hence no static import.
const { compress }: { compress(data: Uint8Array, mode: number): ArrayLike<number> } = await import("lzma1" as string);
/** What an encoder that is not ours makes, as a piece: a `.lzma` file has its length in bytes 5 to 12, and then the code. */
const piece = (data: Uint8Array) => {
  const file = Uint8Array.from(compress(data, 9));
  const bytes = file.slice(9);
  bytes.set(file.subarray(5, 9));
  return bytes;
};
const roundTrip = (data: Uint8Array) => decompress(piece(data)).content;

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

describe("a piece that goes on from another", () => {
  type Compress = (data: Uint8Array, before?: Uint8Array) => Uint8Array;
  const load = async () => ((await import("../scripts/lzma.mjs" as string)) as { compress: Compress }).compress;
  const text = (n: number, seed: number) => Uint8Array.from({ length: n }, (_, i) => (i * i * seed + (i >> 3)) % 50);

  test.each([
    [1, 1],
    [300, 1],
    [5, 2000],
    [3000, 3],
    [3000, 700],
  ])("%i bytes, then %i", async (n, m) => {
    const continued = await load();
    const [first, second] = [text(n, 3), text(m, 5)];
    const begin = decompress(continued(first));
    expect(begin.content).toEqual(first);
    for (let again = 0; again < 2; again++) {
      const { content } = decompress(continued(second, first), begin);
      expect(content.subarray(0, n)).toEqual(first);
      expect(content.subarray(n)).toEqual(second);
    }
  });

  test("what the first has, the second need not say again", async () => {
    const continued = await load();
    const bytes = text(4000, 7);
    expect(continued(bytes, bytes).length).toBeLessThan(continued(bytes).length / 10);
  });
});

test("the embedded kernels decompress at once", () => {
  const start = performance.now();
  const [first] = decode([core]);
  expect(first.length).toBeGreaterThan(50_000);
  expect(performance.now() - start).toBeLessThan(3000);
});
