/** Indexing, gathering and scattering, sorting, triangles and flips, against PyTorch's results and naive loops. */
import { describe, expect, test } from "vitest";
import {
  ArgumentError,
  AutogradError,
  DisposedError,
  DTypeError,
  IndexError,
  type LanegradError,
  ShapeError,
} from "../src/errors.js";
import { noGrad } from "../src/grad-mode.js";
import { mul } from "../src/ops/binary.js";
import { tensor } from "../src/ops/create.js";
import {
  at,
  flip,
  gather,
  type Index,
  indexAdd_,
  indexPut_,
  indexSelect,
  maskedSelect,
  nonzero,
  roll,
  scatter_,
  scatterAdd_,
  take,
  tril,
  triu,
} from "../src/ops/indexing.js";
import { sum } from "../src/ops/reduce.js";
import { argsort, sort, topk } from "../src/ops/sort.js";
import { permute, reshape, transpose } from "../src/ops/view.js";
import { scope } from "../src/scope.js";
import { memory } from "../src/storage.js";
import type { Tensor } from "../src/tensor.js";

const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const int = (data: any) => tensor(data, { dtype: "int32" });
const bool = (data: any) => tensor(data, { dtype: "bool" });
const cube = (options = {}) => tensor(range(24), { shape: [2, 3, 4], ...options });

/** The gradient of Σ (i + 1)·y[i] with regard to x. */
function gradOf(x: Tensor, y: Tensor): number[] {
  const weights = tensor(
    range(y.numel()).map((i) => i + 1),
    { shape: y.shape, dtype: "float32" },
  );
  sum(mul(y, weights)).backward();
  return Array.from((x.grad as Tensor).toTypedArray());
}

/** What it is if y[i] is x[sources[i]]. */
function gradFrom(sources: readonly number[], n: number): number[] {
  const grad = new Array<number>(n).fill(0);
  sources.forEach((from, i) => {
    grad[from] += i + 1;
  });
  return grad;
}

/** What fn makes is gone after a scope, once the passes are over for which backward() keeps small results readable. */
function expectSteady(fn: () => void): void {
  for (let i = 0; i < 20; i++) scope(fn);
  const before = memory().liveTensors;
  for (let i = 0; i < 5; i++) scope(fn);
  expect(memory().liveTensors).toBe(before);
}

function expectError(fn: () => unknown, type: new (...args: any[]) => LanegradError, text: string): void {
  expect(fn).toThrow(type);
  expect(fn).toThrow(text);
}

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

describe("selection along a dim", () => {
  test.each([0, 1, 2, -1])("indexSelect, dim %i", (dim) => {
    const x = cube({ requiresGrad: true });
    const d = (dim + 3) % 3;
    const y = indexSelect(x, dim, [1, 0, 1]);
    const expected = at(cube(), ...range(d).map(() => ":"), [1, 0, 1]);
    expect(y.toArray()).toEqual(expected.toArray());
    expect(gradOf(x, y)).toEqual(gradFrom(Array.from(expected.toTypedArray()), 24));
    expect(indexSelect(cube({ dtype: "uint8" }), dim, int([1, 0, 1])).toArray()).toEqual(expected.toArray());
  });

  test("indexSelect of edges", () => {
    expect(indexSelect(tensor(5), 0, [0]).shape).toEqual([]);
    expect(indexSelect(cube(), 1, 2).shape).toEqual([2, 1, 4]);
    expect(indexSelect(cube(), 1, []).shape).toEqual([2, 0, 4]);
    expectError(
      () => indexSelect(cube(), 1, [3]),
      IndexError,
      "indexSelect: index 3 is out of range for dim 1 with size 3",
    );
    expectError(() => indexSelect(cube(), 1, [-1]), IndexError, "counts from the end only in at()");
    expectError(() => indexSelect(cube(), 3, [0]), IndexError, "indexSelect: dim 3 is out of range");
    expectError(() => indexSelect(cube(), 1, [[0]]), ShapeError, "must have one dim");
    expectError(() => indexSelect(cube(), 1, [true]), DTypeError, "found booleans");
  });

  test("indexAdd_", () => {
    const x = tensor([0, 0, 0, 0, 0, 0], { shape: [2, 3] });
    const source = tensor([1, 2, 3, 4, 5, 6], { shape: [2, 3] });
    indexAdd_(x, 1, [2, 0, 2], source);
    expect(x.toArray()).toEqual([
      [2, 0, 4],
      [5, 0, 10],
    ]);
    indexAdd_(transpose(x, 0, 1), 1, [1, 1], transpose(source, 0, 1), { alpha: 10 });
    expect(x.toArray()).toEqual([
      [2, 0, 4],
      [55, 70, 100],
    ]);
    expectError(() => indexAdd_(x, 0, [0], source), ShapeError, "indexAdd_: source has shape [2, 3], expected [1, 3]");
    expectError(() => indexAdd_(x, 0, [0], int([[1, 2, 3]])), DTypeError, "source is int32");
  });

  test("maskedSelect, take, nonzero", () => {
    const x = cube({ requiresGrad: true });
    const y = maskedSelect(x, bool([[true], [false], [true]]));
    const picked = range(24).filter((i) => Math.floor(i / 4) % 3 !== 1);
    expect(Array.from(y.toTypedArray())).toEqual(picked);
    expect(gradOf(x, y)).toEqual(gradFrom(picked, 24));
    expect(
      maskedSelect(
        tensor([1, 2]),
        bool([
          [true, false],
          [true, true],
        ]),
      ).toArray(),
    ).toEqual([1, 1, 2]);
    expectError(() => maskedSelect(x, int([1])), DTypeError, "maskedSelect: the mask must be bool");

    expect(
      take(transpose(cube(), 0, 2), [
        [0, -1],
        [1, 3],
      ]).toArray(),
    ).toEqual([
      [0, 23],
      [12, 16],
    ]);
    expect(
      nonzero(
        tensor([
          [0, 1, Number.NaN],
          [-2, -0, 0],
        ]),
      ).toArray(),
    ).toEqual([
      [0, 1],
      [0, 2],
      [1, 0],
    ]);
    const [rows, columns] = nonzero(
      bool([
        [true, false],
        [false, true],
      ]),
      { asTuple: true },
    );
    expect([rows.toArray(), columns.toArray()]).toEqual([
      [0, 1],
      [0, 1],
    ]);
    expect(nonzero(tensor(3)).shape).toEqual([1, 0]);
    expect(nonzero(tensor(0), { asTuple: true })[0].shape).toEqual([0]);
  });
});

/** Naive gather: the flat position of every element that is taken. */
function gatherPositions(shape: number[], dim: number, idx: Tensor): number[] {
  const strides = shape.map((_, d) => shape.slice(d + 1).reduce((a, b) => a * b, 1));
  return Array.from(idx.toTypedArray(), (index, i) => {
    let rest = i;
    let position = 0;
    for (let d = idx.ndim - 1; d >= 0; d--) {
      position += (d === dim ? index : rest % idx.shape[d]) * strides[d];
      rest = Math.floor(rest / idx.shape[d]);
    }
    return position;
  });
}

describe("gather and scatter", () => {
  const INDICES: [dim: number, index: any][] = [
    [
      0,
      [
        [
          [0, 1, 1, 0],
          [1, 1, 1, 1],
        ],
      ],
    ],
    [1, [[[2, 0, 1, 1]], [[0, 2, 2, 1]]]],
    [
      2,
      [
        [[3], [0], [1]],
        [[2], [2], [2]],
      ],
    ],
    [
      2,
      [
        [
          [3, 3, 0, 1, 2, 2],
          [1, 1, 1, 1, 1, 1],
        ],
      ],
    ],
  ];

  test.each(INDICES)("gather along dim %i", (dim, index) => {
    const idx = int(index);
    const positions = gatherPositions([2, 3, 4], dim, idx);
    const x = cube({ requiresGrad: true });
    const y = gather(x, dim, index);
    expect(y.shape).toEqual(idx.shape);
    expect(Array.from(y.toTypedArray())).toEqual(positions);
    expect(gradOf(x, y)).toEqual(gradFrom(positions, 24));
    for (const dtype of ["uint8", "int32"] as const) {
      expect(Array.from(gather(cube({ dtype }), dim - 3, idx).toTypedArray())).toEqual(positions);
    }
  });

  test.each(INDICES)("scatter along dim %i", (dim, index) => {
    const idx = int(index);
    const positions = gatherPositions([2, 3, 4], dim, idx);
    for (const dtype of ["float32", "int32", "uint8"] as const) {
      // Larger than the indices: only its first corner is read.
      const source = tensor(range(2 * 3 * 6), { shape: [2, 3, 6], dtype });
      const corner = at(source, ...idx.shape.map((n) => `:${n}`)).toTypedArray();
      const put = range(24);
      const added = range(24);
      const counted = range(24);
      positions.forEach((to, i) => {
        put[to] = corner[i];
        added[to] += corner[i];
        counted[to] += 3;
      });
      expect(Array.from(scatter_(cube({ dtype }), dim, index, source).toTypedArray())).toEqual(put);
      expect(Array.from(scatterAdd_(cube({ dtype }), dim, idx, source).toTypedArray())).toEqual(added);
      const turned = permute(permute(cube({ dtype }), [2, 0, 1]).contiguous(), [1, 2, 0]);
      expect(Array.from(scatter_(turned, dim, idx, 3, { reduce: "add" }).toTypedArray())).toEqual(counted);
    }
  });

  test("scatter_ of a number makes one-hot rows", () => {
    const x = tensor([0, 0, 0, 0, 0, 0], { shape: [2, 3] });
    expect(scatter_(x, 1, [[2], [0]], 1)).toBe(x);
    expect(x.toArray()).toEqual([
      [0, 0, 1],
      [1, 0, 0],
    ]);
  });

  test("errors", () => {
    const x = cube();
    expectError(() => gather(x, 0, [[[2]]]), IndexError, "gather: index 2 is out of range for dim 0 with size 2");
    expectError(() => gather(x, 0, [[[-1]]]), IndexError, "gather: index -1 is out of range");
    expectError(
      () => gather(x, 0, [0]),
      ShapeError,
      "an index of shape [1] does not fit the tensor of shape [2, 3, 4]",
    );
    expectError(() => gather(x, 0, [[[0, 0, 0, 0, 0]]]), ShapeError, "no larger in dims other than 0");
    expectError(
      () => gather(x, 0, tensor([[[0]]])),
      DTypeError,
      "gather: the index must be an int32 tensor, found float32",
    );
    expectError(
      () => scatter_(x, 0, [[[0]]], int([[[1]]])),
      DTypeError,
      "scatter_: the source is int32, the tensor float32",
    );
    expectError(
      () => scatter_(x, 0, [[[0, 1]]], tensor([[[1]]])),
      ShapeError,
      "does not fit the source of shape [1, 1, 1]",
    );
    expectError(() => scatter_(x, 0, [[[0]]], 1, { reduce: "max" as never }), ArgumentError, 'reduce is "max"');
    expectError(() => scatter_(cube({ requiresGrad: true }), 0, [[[0]]], 1), AutogradError, "scatter_");
    expect(Array.from(x.toTypedArray())).toEqual(range(24));
    expect(gather(x, 0, []).shape).toEqual([0]);
  });

  test("leave nothing behind", () => {
    const x = cube({ requiresGrad: true });
    const before = memory().liveTensors;
    noGrad(() => {
      gather(x, 1, [[[2, 0, 1, 1]]]).dispose();
      scatter_(x, 1, [[[2, 0, 1, 1]]], 1);
      scatterAdd_(transpose(x, 0, 2), 1, [[[2]]], transpose(x, 1, 2));
      indexPut_(x, ["::1", [0, 1]], 4, { accumulate: true });
      indexAdd_(transpose(x, 0, 2), 0, [1], transpose(at(x, ":", ":", ":1"), 0, 2), { alpha: 2 });
      nonzero(x).dispose();
    });
    expect(memory().liveTensors).toBe(before);
    expectSteady(() => sum(gather(x, 1, [[[2, 0, 1, 1]]])).backward());
  });
});

describe("sort", () => {
  /** PyTorch's order: NaN above all, equal elements as they came. */
  const order = (line: number[], descending: boolean) =>
    range(line.length).sort((a, b) => {
      const [x, y] = descending ? [line[b], line[a]] : [line[a], line[b]];
      if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || a - b;
      return x - y || a - b;
    });
  const LINE = [3, -1, Number.NaN, 0, -0, Number.POSITIVE_INFINITY, 3, Number.NEGATIVE_INFINITY, 1e-42, Number.NaN];

  test.each([false, true])("values, indices and gradient, descending %s", (descending) => {
    const expected = order(LINE, descending);
    const { values, indices } = sort(tensor(LINE), { descending });
    expect(indices.dtype).toBe("int32");
    expect(indices.toArray()).toEqual(expected);
    expect(values.toArray()).toEqual(Array.from(Float32Array.from(expected, (i) => LINE[i])));
    expect(argsort(tensor(LINE), 0, descending).toArray()).toEqual(expected);
  });

  test("along every dim, of strides and of other dtypes", () => {
    const data = range(120).map((i) => (i * 37) % 29);
    for (const dim of [0, 1, 2]) {
      for (const dtype of ["float32", "int32", "uint8"] as const) {
        const x = tensor(data, { shape: [4, 5, 6], dtype });
        const [values, indices] = sort(x, dim, true);
        expect(values.dtype).toBe(dtype);
        expect(gather(x, dim, indices).toArray()).toEqual(values.toArray());
        const lines = permute(values, [...range(3).filter((d) => d !== dim), dim])
          .toArray()
          .flat();
        for (const line of lines) expect(line).toEqual([...line].sort((a, b) => b - a));
        expect(sort(transpose(x, 0, 2), 2 - dim, true).values.toArray()).toEqual(transpose(values, 0, 2).toArray());
      }
    }
    expect(sort(bool([true, false])).values.toArray()).toEqual([false, true]);
    expect(sort(tensor(4)).indices.item()).toBe(0);
    expect(sort(tensor([])).values.shape).toEqual([0]);
  });

  test("long lines, by radix", () => {
    const data = Float32Array.from(range(5000), (i) => Math.sin(i * i));
    const x = tensor(data, { requiresGrad: true });
    const { values, indices } = sort(x);
    expect(values.toTypedArray()).toEqual(data.slice().sort());
    expect(gradOf(x, values)).toEqual(gradFrom(indices.toArray(), 5000));
  });

  test("topk", () => {
    const data = range(300).map((i) => (i * 37) % 101);
    const x = tensor(data, { shape: [3, 100], requiresGrad: true });
    const { values, indices } = topk(x, 4);
    const expected = range(3).map((r) => order(data.slice(100 * r, 100 * r + 100), true).slice(0, 4));
    expect(indices.toArray()).toEqual(expected);
    expect(values.toArray()).toEqual(expected.map((line, r) => line.map((i) => data[100 * r + i])));
    expect(gradOf(x, values)).toEqual(
      gradFrom(
        expected.flatMap((line, r) => line.map((i) => 100 * r + i)),
        300,
      ),
    );
    const smallest = topk(x.detach(), 2, 0, false);
    for (let c = 0; c < 100; c++) {
      expect(smallest.values.toArray().map((row: number[]) => row[c])).toEqual(
        [data[c], data[100 + c], data[200 + c]].sort((a, b) => a - b).slice(0, 2),
      );
    }
    expect(topk(int([5, 9, 1]), 2).values.toArray()).toEqual([9, 5]);
    expect(topk(tensor(LINE), 3).values.toArray()).toEqual([Number.NaN, Number.NaN, Number.POSITIVE_INFINITY]);
    expect(topk(x.detach(), 0).values.shape).toEqual([3, 0]);
    expect(topk(tensor(2), 1).values.shape).toEqual([]);
    expectError(() => topk(x, 101), IndexError, "topk: k = 101 is out of range for dim 1 with size 100");
    expectError(() => topk(x, 1, 2), IndexError, "topk: dim 2 is out of range");
    expectError(() => topk(x, 1.5), ArgumentError, "topk: k must be a whole number");
  });

  test("leaves only its results behind", () => {
    const x = tensor(range(60), { shape: [3, 20], dtype: "int32" });
    const before = memory().liveTensors;
    const made = [sort(x), topk(x, 3), sort(x.byte(), 0)];
    argsort(x).dispose();
    for (const { values, indices } of made) {
      values.dispose();
      indices.dispose();
    }
    // x.byte() stays.
    expect(memory().liveTensors).toBe(before + 1);
  });
});

describe("triangles and flips", () => {
  test.each([-3, -1, 0, 1, 5])("tril and triu, diagonal %i", (diagonal) => {
    for (const [op, keeps] of [
      [tril, (i: number, j: number) => j - i <= diagonal],
      [triu, (i: number, j: number) => j - i >= diagonal],
    ] as const) {
      const x = cube({ requiresGrad: true });
      const y = op(x, { diagonal });
      const kept = range(24).map((p) => keeps(Math.floor(p / 4) % 3, p % 4));
      expect(Array.from(y.toTypedArray())).toEqual(range(24).map((p) => (kept[p] ? p : 0)));
      expect(gradOf(x, y)).toEqual(range(24).map((p) => (kept[p] ? p + 1 : 0)));
      expect(op(transpose(cube({ dtype: "uint8" }), 1, 2).contiguous(), diagonal).shape).toEqual([2, 4, 3]);
    }
    expectError(() => tril(tensor([1])), ShapeError, "tril: expected at least 2 dims, found shape [1]");
  });

  test("flip", () => {
    const x = cube({ requiresGrad: true });
    const flipped = (dims: number[]) =>
      range(24).map((p) => {
        const at = [Math.floor(p / 12), Math.floor(p / 4) % 3, p % 4];
        const [a, b, c] = at.map((i, d) => (dims.includes(d) ? [1, 2, 3][d] - i : i));
        return 12 * a + 4 * b + c;
      });
    for (const dims of [[0], [1], [2], [0, 2], [1, 0, 2], []]) {
      x.grad = null;
      const y = flip(x, dims);
      expect(Array.from(y.toTypedArray())).toEqual(flipped(dims));
      expect(gradOf(x, y)).toEqual(gradFrom(flipped(dims), 24));
      expect(Array.from(flip(cube({ dtype: "uint8" }), ...dims).toTypedArray())).toEqual(flipped(dims));
    }
    expect(flip(reshape(x, [24]), -1).toArray()[0]).toBe(23);
    expectError(() => flip(x, 0, 0), ShapeError, "names a dim twice");
  });

  test("roll", () => {
    expect(roll(tensor([1, 2, 3, 4, 5]), 2).toArray()).toEqual([4, 5, 1, 2, 3]);
    expect(roll(cube(), [1, -1], [1, 2]).toArray()[0]).toEqual([
      [9, 10, 11, 8],
      [1, 2, 3, 0],
      [5, 6, 7, 4],
    ]);
    expect(
      roll(
        tensor([
          [1, 2],
          [3, 4],
        ]),
        1,
      ).toArray(),
    ).toEqual([
      [4, 1],
      [2, 3],
    ]);
    expectError(() => roll(cube(), [1], [0, 1]), ShapeError, "roll: 1 shifts and 2 dims");
  });
});
