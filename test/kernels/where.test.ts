import { expect, test } from "vitest";
import { load } from "../../src/wasm/load.js";
import { k } from "../support/kernels.js";
import { lengths, offsets, table } from "./broadcasting.js";
import { random, randomFloats, Slab } from "./slab.js";

load();

const SIZE = 100;

test("where broadcasts, four-byte and one-byte elements", () => {
  const three: number[][][] = [
    ...lengths.flatMap((n) => [[[n, 1, 1, 1]], [[n, 0, 1, 1]], [[n, 1, 0, 0]], [[n, 1, 1, 0]]]),
    [
      [6, 1, 0, 1],
      [3, 0, 1, 6],
    ],
    [
      [18, 0, 1, 0],
      [2, 1, 18, 1],
      [2, 2, 0, 0],
    ],
  ];
  for (const dims of three) {
    const slab = new Slab();
    const cond = Uint8Array.from({ length: SIZE }, () => Number(random() > 0));
    const a = randomFloats(SIZE);
    const b = randomFloats(SIZE);
    const at = offsets(dims);
    const layout = slab.put(table(dims));
    const pointers = [slab.put(cond), slab.put(a), slab.put(b)] as const;
    const out = slab.floats(at.length);
    k.where_4(out, ...pointers, layout);
    expect(slab.read(out)).toEqual(Float32Array.from(at, ([c, i, j]) => (cond[c] ? a[i] : b[j])));
    const bytes = [Uint8Array.from(a, (v) => v * 100), Uint8Array.from(b, (v) => v * 100)];
    const small = slab.bytes(at.length);
    k.where_1(small, pointers[0], slab.put(bytes[0]), slab.put(bytes[1]), layout);
    expect(slab.read<Uint8Array>(small)).toEqual(
      Uint8Array.from(at, ([c, i, j]) => (cond[c] ? bytes[0][i] : bytes[1][j])),
    );
    slab.check();
  }
});
