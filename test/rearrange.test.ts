/** Triangles, flips and rolls, against PyTorch's results. */
import { describe, expect, test } from "vitest";
import { ShapeError } from "../src/errors.js";
import { tensor } from "../src/ops/create.js";
import { flip, roll, tril, triu } from "../src/ops/indexing.js";
import { reshape, transpose } from "../src/ops/view.js";
import { cube, expectError, gradFrom, gradOf, range } from "./support/positions.js";

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
