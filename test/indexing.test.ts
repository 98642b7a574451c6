/** at() and indexPut_(), against PyTorch's results. */
import { describe, expect, test } from "vitest";
import { ArgumentError, AutogradError, DisposedError, DTypeError, IndexError, ShapeError } from "../src/errors.js";
import { noGrad } from "../src/grad-mode.js";
import { mul } from "../src/ops/binary.js";
import { tensor } from "../src/ops/create.js";
import { at, type Index, indexPut_ } from "../src/ops/indexing.js";
import { sum } from "../src/ops/reduce.js";
import { permute } from "../src/ops/view.js";
import { memory } from "../src/storage.js";
import { bool, cube, expectError, expectSteady, gradFrom, gradOf, int, range } from "./support/positions.js";

/** PyTorch's x[…] for x = arange(24).reshape(2, 3, 4), whose values are the positions they come from. */
const ROWS: [torch: string, indices: Index[], shape: number[], values: number[]][] = [
  ["x[1]", [1], [3, 4], [12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]],
  ["x[-1, 2]", [-1, 2], [4], [20, 21, 22, 23]],
  ["x[:, 1:]", [":", "1:"], [2, 2, 4], [4, 5, 6, 7, 8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23]],
  ["x[..., ::2]", ["...", "::2"], [2, 3, 2], [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22]],
  [
    "x[None]",
    [null],
    [1, 2, 3, 4],
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23],
  ],
  ["x[0, None, :, -2]", [0, null, ":", -2], [1, 3], [2, 6, 10]],
  ["x[10:]", ["10:"], [0, 3, 4], []],
  ["x[:-1, -2:, 1:-1]", [":-1", "-2:", "1:-1"], [1, 2, 2], [5, 6, 9, 10]],
  [
    "x[..., None]",
    ["...", null],
    [2, 3, 4, 1],
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23],
  ],
  ["x[1, ..., 2]", [1, "...", 2], [3], [14, 18, 22]],
  ["x[:, 2:1]", [":", "2:1"], [2, 0, 4], []],
  ["x[:, :, -100:100:3]", [":", ":", "-100:100:3"], [2, 3, 2], [0, 3, 4, 7, 8, 11, 12, 15, 16, 19, 20, 23]],
  [
    "x[[1,0,1]]",
    [[1, 0, 1]],
    [3, 3, 4],
    [
      12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
      19, 20, 21, 22, 23,
    ],
  ],
  ["x[:, [2,-3]]", [":", [2, -3]], [2, 2, 4], [8, 9, 10, 11, 0, 1, 2, 3, 20, 21, 22, 23, 12, 13, 14, 15]],
  [
    "x[tensor([[0,1],[1,1]])]",
    [
      [
        [0, 1],
        [1, 1],
      ],
    ],
    [2, 2, 3, 4],
    [
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 12, 13, 14, 15, 16, 17, 18,
      19, 20, 21, 22, 23, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
    ],
  ],
  [
    "x[[0,1],[2,0]]",
    [
      [0, 1],
      [2, 0],
    ],
    [2, 4],
    [8, 9, 10, 11, 12, 13, 14, 15],
  ],
  ["x[[0,1],:,[3,1]]", [[0, 1], ":", [3, 1]], [2, 3], [3, 7, 11, 13, 17, 21]],
  ["x[:, [0,2],[3,1]]", [":", int([0, 2]), [3, 1]], [2, 2], [3, 9, 15, 21]],
  [
    "x[tensor([[0],[1]]), tensor([0,2])]",
    [[[0], [1]], int([0, 2])],
    [2, 2, 4],
    [0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23],
  ],
  ["x[0, :, [1,1]]", [0, ":", new Int32Array([1, 1])], [3, 2], [1, 1, 5, 5, 9, 9]],
  ["x[[0],1,[2]]", [[0], 1, [2]], [1], [6]],
  ["x[[0,1],None,[1,2]]", [[0, 1], null, [1, 2]], [2, 1, 4], [4, 5, 6, 7, 20, 21, 22, 23]],
  ["x[tensor([True,False])]", [[true, false]], [1, 3, 4], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
  [
    "x[tensor([[True,False,True],[False,True,False]])]",
    [
      bool([
        [true, false, true],
        [false, true, false],
      ]),
    ],
    [3, 4],
    [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19],
  ],
  ["x[:, tensor([True,False,True]), tensor([0,3])]", [":", [true, false, true], [0, 3]], [2, 2], [0, 11, 12, 23]],
  [
    "x[..., tensor([[True,False,True,True],[False,True,False,False],[False]*4])]",
    [
      "...",
      [
        [true, false, true, true],
        [false, true, false, false],
        [false, false, false, false],
      ],
    ],
    [2, 4],
    [0, 2, 3, 5, 12, 14, 15, 17],
  ],
  ["x[1:, tensor([[0],[2]]), ::2]", ["1:", [[0], [2]], "::2"], [1, 2, 1, 2], [12, 14, 20, 22]],
  ["x[tensor([], dtype=long)]", [[]], [0, 3, 4], []],
  [
    "x[tensor(True)]",
    [true],
    [1, 2, 3, 4],
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23],
  ],
  ["x[tensor(False)]", [bool(false)], [0, 2, 3, 4], []],
  ["x[tensor(1), :, tensor([0,2])]", [tensor(1, { dtype: "int32" }), ":", [0, 2]], [3, 2], [12, 14, 16, 18, 20, 22]],
  ["x[tensor([True,False]), :, tensor([0,1])]", [[true, false], ":", [0, 1]], [2, 3], [0, 4, 8, 1, 5, 9]],
  ["x[None, tensor([True,True]), 1]", [null, [true, true], 1], [1, 2, 4], [4, 5, 6, 7, 16, 17, 18, 19]],
];

describe("at", () => {
  test.each(ROWS)("%s", (_name, indices, shape, values) => {
    const x = cube({ requiresGrad: true });
    const y = at(x, ...indices);
    expect(y.shape).toEqual(shape);
    expect(Array.from(y.toTypedArray())).toEqual(values);
    expect(gradOf(x, y)).toEqual(gradFrom(values, 24));
  });

  test.each(ROWS)("%s of a transposed tensor and of bytes", (_name, indices, shape, values) => {
    // The same elements in another memory order.
    const x = cube({ requiresGrad: true });
    const turned = permute(tensor(permute(x.detach(), [2, 0, 1]).toArray(), { requiresGrad: true }), [1, 2, 0]);
    expect(Array.from(at(turned, ...indices).toTypedArray())).toEqual(values);
    for (const dtype of ["uint8", "int32"] as const) {
      const y = at(cube({ dtype }), ...indices);
      expect(y.dtype).toBe(dtype);
      expect(y.shape).toEqual(shape);
      expect(Array.from(y.toTypedArray())).toEqual(values);
    }
  });

  test("numbers and slices are views, picking copies", () => {
    const x = cube();
    const view = at(x, 1, "::2", -1);
    const copy = at(x, [1]);
    expect(view.block).toBe(x.block);
    expect(copy.block).not.toBe(x.block);
    noGrad(() => indexPut_(view, ["..."], -1));
    expect(at(x, 1).toArray()).toEqual([
      [12, 13, 14, -1],
      [16, 17, 18, 19],
      [20, 21, 22, -1],
    ]);
    expect(at(copy, 0, 0).toArray()).toEqual([12, 13, 14, 15]);
  });

  test("indices changed afterwards do not change the gradient", () => {
    const x = cube({ requiresGrad: true });
    const idx = int([1]);
    const y = at(x, idx);
    indexPut_(idx, [0], 0);
    expect(gradOf(x, y)).toEqual(gradFrom(range(24).slice(12), 24));
  });

  test("errors", () => {
    const x = cube();
    expectError(() => at(x, 2), IndexError, "at: index 2 is out of range for dim 0 with size 2");
    expectError(() => at(x, ":", [0, 7]), IndexError, "at: index 7 is out of range for dim 1 with size 3");
    expectError(() => at(x, ":", ":", int([0, -5])), IndexError, "at: index -5 is out of range for dim 2 with size 4");
    expectError(() => at(x, 0, 0, 0, 0), IndexError, "too many indices: they take 4 dims");
    expectError(() => at(x, [[true]], ":", 0), IndexError, "too many indices");
    expectError(() => at(x, "...", "..."), IndexError, 'only one "..."');
    expectError(() => at(x, 1.5), IndexError, "index 1.5 is not a whole number");
    expectError(() => at(x, "a:b"), ArgumentError, '"a:b" is no slice');
    expectError(() => at(x, "1"), ArgumentError, '"1" is no slice');
    expectError(() => at(x, "::-1"), ArgumentError, "the step must be greater than 0");
    expectError(() => at(x, "::0"), ArgumentError, "the step must be greater than 0");
    expectError(
      () => at(x, [true, false, true]),
      ShapeError,
      "mask of shape [3] does not fit a tensor of shape [2, 3, 4]",
    );
    expectError(() => at(x, [0, 1], [0, 1, 2]), ShapeError, "cannot be broadcast together");
    expectError(() => at(x, tensor([0])), DTypeError, "found float32; convert it with int()");
    expectError(() => at(x, tensor(new Uint8Array(1))), DTypeError, "convert it with int() or bool()");
    expectError(() => at(x, [0.5]), DTypeError, "an index must be a whole number, found 0.5");
    expectError(() => at(x, [[0], [1, 1]]), ShapeError, "ragged");
    expectError(() => at(x, undefined as never), ArgumentError, "undefined (undefined) is no index");
    const gone = cube();
    gone.dispose();
    expect(() => at(gone, [0])).toThrow(DisposedError);
  });

  test("leaves nothing behind", () => {
    const x = cube({ requiresGrad: true });
    const before = memory().liveTensors;
    noGrad(() => at(x, [0, 1], [[true, false, true]][0], "::2")).dispose();
    expect(memory().liveTensors).toBe(before);
    expectSteady(() => sum(at(x, "::1", [0, 1], [[1], [2]])).backward());
  });
});

describe("indexPut_", () => {
  test.each(ROWS)("x[%s] = values, and a number", (_name, indices, shape, values) => {
    const source = tensor(
      range(values.length).map((i) => 100 + i),
      { shape, dtype: "float32" },
    );
    for (const dtype of ["float32", "int32", "uint8"] as const) {
      const x = cube({ dtype });
      const expected = range(24);
      values.forEach((to, i) => {
        expected[to] = 100 + i;
      });
      expect(indexPut_(x, indices, source)).toBe(x);
      expect(Array.from(x.toTypedArray())).toEqual(expected);
      indexPut_(x, indices, 7);
      for (const to of values) expected[to] = 7;
      expect(Array.from(x.toTypedArray())).toEqual(expected);
    }
  });

  test.each(ROWS)("x[%s] += 2, also on strides", (_name, indices, _shape, values) => {
    const expected = range(24);
    for (const to of values) expected[to] += 2;
    for (const dtype of ["float32", "int32", "uint8"] as const) {
      const x = cube({ dtype });
      indexPut_(x, indices, 2, { accumulate: true });
      expect(Array.from(x.toTypedArray())).toEqual(expected);
      const memoryOrder = permute(cube({ dtype }), [2, 0, 1]).contiguous();
      const turned = permute(memoryOrder, [1, 2, 0]);
      indexPut_(turned, indices, 2, { accumulate: true });
      expect(Array.from(turned.toTypedArray())).toEqual(expected);
    }
  });

  test("values are broadcast, converted, and may be of x itself", () => {
    const x = tensor([1, 2, 3, 4, 5, 6], { shape: [2, 3] });
    indexPut_(x, [":", [0, 2]], tensor([[[10], [20]]]));
    expect(x.toArray()).toEqual([
      [10, 2, 10],
      [20, 5, 20],
    ]);
    indexPut_(x, [[1, 0]], x);
    expect(x.toArray()).toEqual([
      [20, 5, 20],
      [10, 2, 10],
    ]);
    indexPut_(x, [":", "1:"], at(x, ":", ":2"));
    expect(x.toArray()).toEqual([
      [20, 20, 5],
      [10, 10, 2],
    ]);
    const flags = bool([false, false]);
    indexPut_(flags, [0], 3);
    expect(flags.toArray()).toEqual([true, false]);
    const whole = int([1, 2]);
    indexPut_(whole, [1], 2.9);
    expect(whole.toArray()).toEqual([1, 2]);
  });

  test("raises the version, so that a stale gradient is refused", () => {
    const w = tensor([1, 2], { requiresGrad: true });
    const x = tensor([3, 4]);
    const y = sum(mul(w, x));
    indexPut_(x, [0], 9);
    expect(() => y.backward()).toThrow(AutogradError);
  });

  test("errors leave x as it was", () => {
    const x = cube();
    const version = x.block.version;
    expectError(
      () => indexPut_(x, [[0, 5]], 1),
      IndexError,
      "indexPut_: index 5 is out of range for dim 0 with size 2",
    );
    expectError(() => indexPut_(x, [0], tensor([1, 2])), ShapeError, "indexPut_");
    expectError(
      () => indexPut_(x, [0, 0], cube()),
      ShapeError,
      "a value of shape [2, 3, 4] cannot be broadcast to the indexed shape [4]",
    );
    expectError(() => indexPut_(x, [0], "1" as never), ArgumentError, "must be a number or a Tensor");
    expectError(() => indexPut_(x, int([0]) as never, 1), ArgumentError, "must be a list");
    expect(x.block.version).toBe(version);
    expect(Array.from(x.toTypedArray())).toEqual(range(24));
    const leaf = cube({ requiresGrad: true });
    expectError(() => indexPut_(leaf, [0], 1), AutogradError, "a leaf tensor that requires grad");
    expectError(() => indexPut_(x, [0], at(leaf, 0)), AutogradError, "indexPut_: an operand requires grad");
    noGrad(() => indexPut_(leaf, [0, 0, 0], 5));
    expect(at(leaf, 0, 0, 0).item()).toBe(5);
  });
});
