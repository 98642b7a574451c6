/** Selection along a dim, gathering and scattering, against PyTorch's results and naive loops. */
import { describe, expect, test } from "vitest";
import { ArgumentError, AutogradError, DTypeError, IndexError, ShapeError } from "../src/errors.js";
import { noGrad } from "../src/grad-mode.js";
import { tensor } from "../src/ops/create.js";
import {
  at,
  gather,
  indexAdd_,
  indexPut_,
  indexSelect,
  maskedSelect,
  nonzero,
  scatter_,
  scatterAdd_,
  take,
} from "../src/ops/indexing.js";
import { sum } from "../src/ops/reduce.js";
import { permute, transpose } from "../src/ops/view.js";
import { memory } from "../src/storage.js";
import type { Tensor } from "../src/tensor.js";
import { bool, cube, expectError, expectSteady, gradFrom, gradOf, int, range } from "./support/positions.js";

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
