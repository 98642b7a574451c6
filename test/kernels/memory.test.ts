import { expect, test } from "vitest";
import { load } from "../../src/wasm/load.js";
import { k } from "../support/kernels.js";
import { randomFloats, Slab } from "./slab.js";

load();

const lengths = [0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 33, 64, 100];

/** A copy's table (assembly/layout.ts): dims innermost first, each [size, stride of out, stride of x]. */
function table(dims: readonly (readonly [number, number, number])[]): Int32Array {
  const words = new Int32Array(8 + 5 * Math.max(dims.length - 1, 0));
  const [inner = [1, 1, 1], ...outer] = dims;
  words.set([inner[0], outer.length, inner[1], inner[2]]);
  outer.forEach(([size, strideOut, strideX], d) => {
    words.set([size, 0, strideOut, strideX, 0], 8 + 5 * d);
  });
  return words;
}

/** Calls visit with the offsets in out and x of every element, in the order of the table. */
function each(dims: readonly (readonly [number, number, number])[], visit: (out: number, x: number) => void): void {
  const walk = (d: number, out: number, x: number): void => {
    if (d < 0) visit(out, x);
    else for (let i = 0; i < dims[d][0]; i++) walk(d - 1, out + i * dims[d][1], x + i * dims[d][2]);
  };
  walk(dims.length - 1, 0, 0);
}

/** [what, dims, elements of out, elements of x, start in out, start in x] */
const cases: [string, [number, number, number][], number, number, number, number][] = [
  ["one run", [[37, 1, 1]], 37, 37, 0, 0],
  ["one long run", [[1000, 1, 1]], 1000, 1000, 0, 0],
  ["flip", [[9, 1, -1]], 9, 9, 0, 8],
  ["every third", [[9, 1, 3]], 9, 25, 0, 0],
  [
    "expand",
    [
      [5, 1, 0],
      [3, 5, 1],
    ],
    15,
    3,
    0,
    0,
  ],
  [
    "rows of a wider matrix",
    [
      [6, 1, 1],
      [4, 6, 11],
    ],
    24,
    44,
    0,
    2,
  ],
  [
    "three dims, permuted",
    [
      [3, 1, 20],
      [4, 3, 1],
      [5, 12, 4],
    ],
    60,
    60,
    0,
    0,
  ],
  [
    "scatter into every second",
    [
      [7, 2, 1],
      [3, 14, 7],
    ],
    42,
    21,
    0,
    0,
  ],
  [
    "scatter a transpose",
    [
      [5, 4, 1],
      [4, 1, 5],
    ],
    20,
    20,
    0,
    0,
  ],
  [
    "view to view",
    [
      [4, -1, 2],
      [3, 9, 8],
    ],
    30,
    24,
    3,
    0,
  ],
  [
    "empty",
    [
      [0, 1, 1],
      [3, 1, 1],
    ],
    4,
    4,
    0,
    0,
  ],
];
for (const [rows, columns] of [
  [1, 9],
  [3, 3],
  [4, 4],
  [5, 7],
  [8, 16],
  [16, 16],
  [17, 33],
  [30, 20],
  [64, 48],
]) {
  const n = rows * columns;
  cases.push([
    `scatter a transpose ${rows} × ${columns}`,
    [
      [columns, rows, 1],
      [rows, 1, columns],
    ],
    n,
    n,
    0,
    0,
  ]);
  cases.push([
    `transpose ${rows} × ${columns}`,
    [
      [columns, 1, rows],
      [rows, columns, 1],
    ],
    n,
    n,
    0,
    0,
  ]);
  cases.push([
    `transposes ${rows} × ${columns}, padded, twice`,
    [
      [columns, 1, rows + 3],
      [rows, columns + 5, 1],
      [2, rows * (columns + 5), columns * (rows + 3)],
    ],
    2 * rows * (columns + 5),
    2 * columns * (rows + 3),
    0,
    0,
  ]);
}

test.each(cases)("copy and add: %s", (_, dims, outSize, xSize, outStart, xStart) => {
  const slab = new Slab();
  const layout = slab.put(table(dims));
  const words = slab.read<Int32Array>(layout);
  for (const bytes of [false, true]) {
    const values = bytes ? Uint8Array.from(randomFloats(xSize, 100, 100)) : randomFloats(xSize);
    const x = slab.put(values);
    const out = bytes ? slab.bytes(outSize) : slab.floats(outSize);
    const expected = slab.read<Float32Array | Uint8Array>(out);
    each(dims, (o, i) => {
      expected[outStart + o] = values[xStart + i];
    });
    const size = bytes ? 1 : 4;
    (bytes ? k.copy_strided_1 : k.copy_strided_4)(out + size * outStart, x + size * xStart, layout);
    expect(slab.read(out)).toEqual(expected);
    expect(slab.read(x)).toEqual(values);
  }
  // The odometer is back at its start, so the table serves again.
  expect(slab.read(layout)).toEqual(words);
  slab.check();
});

test("fill", () => {
  for (const n of lengths) {
    const slab = new Slab();
    const floats = slab.floats(n);
    const ints = slab.ints(n);
    const bytes = slab.bytes(n);
    k.fill_f32(floats, -1.5, n);
    k.fill_i32(ints, -7, n);
    k.fill_u8(bytes, 255, n);
    expect(slab.read(floats)).toEqual(new Float32Array(n).fill(-1.5));
    expect(slab.read<Int32Array>(ints)).toEqual(new Int32Array(n).fill(-7));
    expect(slab.read<Uint8Array>(bytes)).toEqual(new Uint8Array(n).fill(255));
    slab.check();
  }
});

test("copy_loop", () => {
  const slab = new Slab();
  const values = randomFloats(64);
  const out = slab.floats(64);
  k.copy_loop(out, slab.put(values), 64);
  expect(slab.read(out)).toEqual(values);
  slab.check();
});
