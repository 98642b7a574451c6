/** Sorting, against PyTorch's results and naive loops. */
import { describe, expect, test } from "vitest";
import { ArgumentError, IndexError } from "../src/errors.js";
import { tensor } from "../src/ops/create.js";
import { gather } from "../src/ops/indexing.js";
import { argsort, sort, topk } from "../src/ops/sort.js";
import { permute, transpose } from "../src/ops/view.js";
import { memory } from "../src/storage.js";
import { bool, expectError, gradFrom, gradOf, int, range } from "./support/positions.js";

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
