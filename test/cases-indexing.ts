/** Rows of cases.ts: elements by index, and in order. */
import * as ref from "./reference.js";
import { edges, given, INTEGERS, type OpCase, real, row, whole } from "./support/case.js";
import { at, build, nd } from "./support/nd.js";
import { ops } from "./support/ops.js";

const { NaN: nan } = Number;

const places = (n: number, high: number): number[] => Array.from({ length: n }, (_, i) => (i * 7 + 3) % high);

export const indexingCases = {
  // Indices. A gradient is a sum over the places that were taken.
  at: [
    row(
      [real([3, 5])],
      (x) => ops.at(x, "1:", "::2"),
      (x) => build([2, 3], ([i, j]) => at(x, [i + 1, 2 * j])),
    ),
    row(
      [real([3, 5])],
      (x) => ops.at(x, "...", -1),
      (x) => build([3], ([i]) => at(x, [i, 4])),
    ),
    row(
      [real([3, 5])],
      (x) => ops.at(x, null, [2, 0, 2]),
      (x) => build([1, 3, 5], ([, i, j]) => at(x, [[2, 0, 2][i], j])),
    ),
    row(
      [real([3, 5])],
      (x) => ops.at(x, [0, 2, 0], [4, 4, 4]),
      (x) => build([3], ([i]) => at(x, [[0, 2, 0][i], 4])),
    ),
    row(
      [real([6]), given([6], [1, 0, 1, 1, 0, 0], "bool")],
      (x, m) => ops.at(x, m),
      (x) => ref.take(x, 0, [0, 2, 3]),
    ),
  ],
  indexSelect: [
    row(
      [real([3, 5])],
      (x) => ops.indexSelect(x, 1, [4, 0, 4]),
      (x) => ref.take(x, 1, [4, 0, 4]),
    ),
    row(
      [real([3, 5]), given([2], [2, 2], "int32")],
      (x, i) => ops.indexSelect(x, 0, i),
      (x) => ref.take(x, 0, [2, 2]),
    ),
  ],
  gather: [
    row(
      [real([3, 5]), given([3, 2], places(6, 5), "int32")],
      (x, i) => ops.gather(x, 1, i),
      (x, i) => ref.gather(x, 1, i),
    ),
    row(
      [real([3, 5]), given([4, 2], places(8, 3), "int32")],
      (x, i) => ops.gather(x, 0, i),
      (x, i) => ref.gather(x, 0, i),
    ),
  ],
  take: [
    row(
      [real([3, 4])],
      (x) => ops.take(x, [0, -1, 5]),
      (x) => nd([3], [x.data[0], x.data[11], x.data[5]]),
    ),
  ],
  maskedSelect: [
    row([real([2, 3]), given([3], [1, 0, 1], "bool")], ops.maskedSelect, (x) =>
      nd([4], [x.data[0], x.data[2], x.data[3], x.data[5]]),
    ),
  ],
  nonzero: [
    row(
      [given([2, 3], [0, 1, 0, 2, 0, nan])],
      (x) => ops.nonzero(x),
      () => nd([3, 2], [0, 1, 1, 0, 1, 2]),
      INTEGERS,
    ),
  ],
  oneHot: [
    row(
      [given([3], [2, 0, 1], "int32")],
      (i) => ops.oneHot(i, 4),
      (i) => build([3, 4], ([n, c]) => Number(at(i, [n]) === c)),
      INTEGERS,
    ),
  ],
  embedding: [row([given([2, 3], places(6, 5), "int32"), real([5, 4])], (i, w) => ops.embedding(i, w), ref.embedding)],
  sort: [
    row(
      [real([3, 5])],
      (x) => ops.sort(x),
      (x) => ref.sort(x, -1),
      { lines: true },
    ),
    row(
      [real([4, 3])],
      (x) => ops.sort(x, 0, true),
      (x) => ref.sort(x, 0, true),
    ),
    row(
      [whole([3, 9], -2, 2)],
      (x) => ops.sort(x, 1, true),
      (x) => ref.sort(x, 1, true),
      INTEGERS,
    ),
    edges(
      (x) => ops.sort(x),
      (x) => ref.sort(x, 1),
      {},
    ),
    edges(
      (x) => ops.sort(x, 1, true),
      (x) => ref.sort(x, 1, true),
      {},
    ),
  ],
  argsort: [
    row(
      [real([3, 5])],
      (x) => ops.argsort(x),
      (x) => ref.sort(x, -1)[1],
      { ...INTEGERS, lines: true },
    ),
    edges(
      (x) => ops.argsort(x, 1, true),
      (x) => ref.sort(x, 1, true)[1],
      INTEGERS,
    ),
  ],
  topk: [
    row(
      [real([3, 5])],
      (x) => ops.topk(x, 2),
      (x) => ref.sort(x, -1, true, 2),
    ),
    row(
      [real([6, 3])],
      (x) => ops.topk(x, 3, 0, false),
      (x) => ref.sort(x, 0, false, 3),
    ),
    row(
      [whole([3, 9], -2, 2)],
      (x) => ops.topk(x, 4),
      (x) => ref.sort(x, 1, true, 4),
      INTEGERS,
    ),
    edges(
      (x) => ops.topk(x, 3),
      (x) => ref.sort(x, 1, true, 3),
      {},
    ),
  ],
} satisfies Record<string, OpCase[]>;
