/** Rows of cases.ts: pooling, interpolation, and the small layers for images. */
import { GRADIENT, given, type OpCase, real, row, ULP, whole } from "./support/case.js";
import { at, build, map, type Nd } from "./support/nd.js";
import { ops } from "./support/ops.js";

/** First place and count of the taps of window i along a dim, some of them perhaps outside. */
type Taps = (i: number) => number[];

const range = (from: number, to: number, step = 1): number[] =>
  Array.from({ length: Math.max(0, Math.ceil((to - from) / step)) }, (_, i) => from + i * step);
const regular =
  (kernel: number, stride: number, padding = 0, dilation = 1): Taps =>
  (i) =>
    range(i * stride - padding, i * stride - padding + kernel * dilation, dilation);
const adaptive =
  (size: number, count: number): Taps =>
  (i) =>
    range(Math.floor((i * size) / count), Math.ceil(((i + 1) * size) / count));

/** fold of the values of each window of the last two dims; f also gets how many of its taps lie within the padding. */
const pooled =
  (
    [oh, ow]: readonly [number, number],
    rows: Taps,
    cols: Taps,
    f: (values: number[], places: number[]) => number,
  ): ((x: Nd) => Nd) =>
  (x) => {
    const [h, w] = x.shape.slice(-2);
    return build([...x.shape.slice(0, -2), oh, ow], (c) => {
      const [values, places]: number[][] = [[], []];
      for (const i of rows(c[c.length - 2])) {
        for (const j of cols(c[c.length - 1])) {
          if (i < 0 || j < 0 || i >= h || j >= w) continue;
          values.push(at(x, [...c.slice(0, -2), i, j]));
          places.push(i * w + j);
        }
      }
      return f(values, places);
    });
  };

/** The first of the largest, or the last NaN. */
const winner = (values: number[]): number =>
  values.reduce((best, v, i) => (v > values[best] || Number.isNaN(v) ? i : best), 0);
const largest = (values: number[]): number => values[winner(values)];
const placeOfLargest = (values: number[], places: number[]): number => places[winner(values)];
const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
const mean = (values: number[]): number => sum(values) / values.length;

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
/** Two images of 8×8 full of ties, with NaN, zeros of both signs and infinities. */
const TIES = given(
  [2, 8, 8],
  range(0, 128).map(
    (i) => [1, -1, 0, -0, 2, 2, -2, nan, 2, 1, -infinity, -infinity, infinity, 0, 3, 3][(i * i + i) % 16],
  ),
);

const maxRow = (
  shape: readonly number[],
  call: OpCase["call"],
  out: readonly [number, number],
  rows: Taps,
  cols = rows,
): OpCase => row([real(shape)], call, pooled(out, rows, cols, largest));

/** Means: float64 or three float32 additions. */
const MEAN = { tolerance: { atol: 8 * ULP, rtol: 2 * ULP }, gradients: GRADIENT } as const;
const meanRow = (
  shape: readonly number[],
  call: OpCase["call"],
  out: readonly [number, number],
  rows: Taps,
  cols = rows,
  f: (values: number[]) => number = mean,
): OpCase => row([real(shape)], call, pooled(out, rows, cols, f), MEAN);

/** out[i] = Σ weights·x over a dim, as a list of [place, weight] for each i. */
type Mix = (i: number) => readonly [number, number][];
const mixed =
  ([oh, ow]: readonly [number, number], rows: Mix, cols: Mix) =>
  (x: Nd): Nd =>
    build([...x.shape.slice(0, -2), oh, ow], (c) => {
      let total = 0;
      for (const [i, s] of rows(c[c.length - 2])) {
        for (const [j, t] of cols(c[c.length - 1])) total += s * t * at(x, [...c.slice(0, -2), i, j]);
      }
      return total;
    });
const nearest =
  (size: number, scale: number, half = 0): Mix =>
  (i) => [[Math.min(Math.floor((i + half) * scale), size - 1), 1]];
const linear =
  (size: number, scale: number, corners = false): Mix =>
  (i) => {
    const place = corners ? i * scale : Math.max((i + 0.5) * scale - 0.5, 0);
    const low = Math.min(Math.floor(place), size - 1);
    return [
      [low, 1 - (place - low)],
      [Math.min(low + 1, size - 1), place - low],
    ];
  };
/** Weights are float32 in PyTorch, places up to 8: an error of 8·2⁻²⁴ in each of two weights, values up to 2, and sums. */
const BLEND = { tolerance: { atol: 16 * ULP, rtol: 4 * ULP }, gradients: { atol: 64 * ULP, rtol: 20 * ULP } } as const;

export const poolCases = {
  maxPool2d: [
    maxRow([2, 3, 8, 10], (x) => ops.maxPool2d(x, 2), [4, 5], regular(2, 2)),
    maxRow([3, 9, 15], (x) => ops.maxPool2d(x, [2, 2], { stride: 2 }), [4, 7], regular(2, 2)),
    maxRow([2, 3, 4, 6], (x) => ops.maxPool2d(x, 2), [2, 3], regular(2, 2)),
    maxRow([2, 8, 8], (x) => ops.maxPool2d(x, 3, 2, 1), [4, 4], regular(3, 2, 1)),
    maxRow([2, 9, 15], (x) => ops.maxPool2d(x, 3, { stride: 2, padding: 1 }), [5, 8], regular(3, 2, 1)),
    maxRow([2, 7, 22], (x) => ops.maxPool2d(x, 3, { stride: 2, padding: 1 }), [4, 11], regular(3, 2, 1)),
    maxRow([2, 5, 3], (x) => ops.maxPool2d(x, 3, { stride: 2, padding: 1 }), [3, 2], regular(3, 2, 1)),
    maxRow([2, 1, 1], (x) => ops.maxPool2d(x, 3, { stride: 2, padding: 1 }), [1, 1], regular(3, 2, 1)),
    maxRow([2, 6, 7], (x) => ops.maxPool2d(x, 3, { stride: 1, padding: 1 }), [6, 7], regular(3, 1, 1)),
    maxRow([2, 7, 9], (x) => ops.maxPool2d(x, 2, { ceilMode: true }), [4, 5], regular(2, 2)),
    maxRow([1, 8, 8], (x) => ops.maxPool2d(x, 3, { stride: 2, padding: 1, ceilMode: true }), [5, 5], regular(3, 2, 1)),
    maxRow(
      [2, 9, 12],
      (x) => ops.maxPool2d(x, [3, 2], { stride: [2, 3], padding: [1, 0], dilation: [2, 3] }),
      [4, 3],
      regular(3, 2, 1, 2),
      regular(2, 3, 0, 3),
    ),
    // More taps than a byte can name.
    maxRow([1, 20, 18], (x) => ops.maxPool2d(x, 16, { stride: 2, padding: 8 }), [11, 10], regular(16, 2, 8)),
    row(
      [real([2, 2, 8, 9])],
      (x) => ops.maxPool2d(x, 3, { stride: 2, padding: 1, returnIndices: true }),
      (x) => [
        pooled([4, 5], regular(3, 2, 1), regular(3, 2, 1), largest)(x),
        pooled([4, 5], regular(3, 2, 1), regular(3, 2, 1), placeOfLargest)(x),
      ],
    ),
    ...([2, 3] as const).map((kernel) =>
      row(
        [TIES],
        (x) => ops.maxPool2d(x, kernel, { stride: 2, padding: kernel - 2 }),
        pooled([4, 4], regular(kernel, 2, kernel - 2), regular(kernel, 2, kernel - 2), largest),
        { gradients: false, note: `edges, ${kernel}×${kernel}` },
      ),
    ),
    row([real([0, 3, 8, 8])], (x) => ops.maxPool2d(x, 2), pooled([4, 4], regular(2, 2), regular(2, 2), largest)),
  ],
  adaptiveMaxPool2d: [
    maxRow([2, 3, 8, 10], (x) => ops.adaptiveMaxPool2d(x, [3, 4]), [3, 4], adaptive(8, 3), adaptive(10, 4)),
    maxRow([3, 5, 4], (x) => ops.adaptiveMaxPool2d(x, [7, null]), [7, 4], adaptive(5, 7), adaptive(4, 4)),
    row(
      [real([2, 5, 7])],
      (x) => ops.adaptiveMaxPool2d(x, 3, { returnIndices: true }),
      (x) => [
        pooled([3, 3], adaptive(5, 3), adaptive(7, 3), largest)(x),
        pooled([3, 3], adaptive(5, 3), adaptive(7, 3), placeOfLargest)(x),
      ],
    ),
  ],
  avgPool2d: [
    meanRow([2, 3, 8, 10], (x) => ops.avgPool2d(x, 2), [4, 5], regular(2, 2)),
    meanRow([3, 9, 15], (x) => ops.avgPool2d(x, 2), [4, 7], regular(2, 2)),
    meanRow([2, 4, 6], (x) => ops.avgPool2d(x, 2), [2, 3], regular(2, 2)),
    meanRow([2, 8, 8], (x) => ops.avgPool2d(x, 8), [1, 1], regular(8, 1)),
    meanRow([2, 6, 7], (x) => ops.avgPool2d(x, [6, 3], { stride: 2 }), [1, 3], regular(6, 2), regular(3, 2)),
    meanRow(
      [2, 7, 8],
      (x) => ops.avgPool2d(x, 3, 2, 1),
      [4, 4],
      regular(3, 2, 1),
      regular(3, 2, 1),
      (v) => sum(v) / 9,
    ),
    meanRow(
      [2, 7, 8],
      (x) => ops.avgPool2d(x, 3, { stride: 2, padding: 1, countIncludePad: false }),
      [4, 4],
      regular(3, 2, 1),
    ),
    meanRow([2, 7, 9], (x) => ops.avgPool2d(x, 2, { ceilMode: true }), [4, 5], regular(2, 2)),
    meanRow(
      [2, 8, 10],
      (x) => ops.avgPool2d(x, 2, { divisorOverride: -3 }),
      [4, 5],
      regular(2, 2),
      regular(2, 2),
      (v) => sum(v) / -3,
    ),
  ],
  adaptiveAvgPool2d: [
    meanRow([2, 3, 8, 8], (x) => ops.adaptiveAvgPool2d(x, 1), [1, 1], adaptive(8, 1)),
    meanRow([2, 8, 10], (x) => ops.adaptiveAvgPool2d(x, [4, 5]), [4, 5], adaptive(8, 4), adaptive(10, 5)),
    meanRow([2, 3, 7, 9], (x) => ops.adaptiveAvgPool2d(x, [3, 4]), [3, 4], adaptive(7, 3), adaptive(9, 4)),
    meanRow([3, 5, 4], (x) => ops.adaptiveAvgPool2d(x, [null, 7]), [5, 7], adaptive(5, 5), adaptive(4, 7)),
  ],
  interpolate: [
    row(
      [real([2, 3, 3, 5])],
      (x) => ops.interpolate(x, { scaleFactor: 2 }),
      mixed([6, 10], nearest(3, 0.5), nearest(5, 0.5)),
    ),
    row([real([1, 2, 7, 5])], (x) => ops.interpolate(x, [3, 8]), mixed([3, 8], nearest(7, 7 / 3), nearest(5, 5 / 8)), {
      gradients: GRADIENT,
    }),
    row(
      [real([1, 2, 7, 5])],
      (x) => ops.interpolate(x, { size: [3, 8], mode: "nearest-exact" }),
      mixed([3, 8], nearest(7, 7 / 3, 0.5), nearest(5, 5 / 8, 0.5)),
    ),
    row(
      [real([2, 2, 3, 5])],
      (x) => ops.interpolate(x, { scaleFactor: 2, mode: "bilinear" }),
      mixed([6, 10], linear(3, 0.5), linear(5, 0.5)),
      BLEND,
    ),
    row(
      [real([1, 2, 7, 4])],
      (x) => ops.interpolate(x, { size: [4, 9], mode: "bilinear" }),
      mixed([4, 9], linear(7, 7 / 4), linear(4, 4 / 9)),
      BLEND,
    ),
    row(
      [real([1, 2, 4, 3])],
      (x) => ops.interpolate(x, { size: [7, 1], mode: "bilinear", alignCorners: true }),
      mixed([7, 1], linear(4, 3 / 6, true), linear(3, 0, true)),
      BLEND,
    ),
    row(
      [real([1, 1, 5, 4])],
      (x) => ops.interpolate(x, { scaleFactor: [1.5, 2.3], mode: "bilinear" }),
      mixed([7, 9], linear(5, 1 / 1.5), linear(4, 1 / 2.3)),
      BLEND,
    ),
    row(
      [real([1, 1, 5, 4])],
      (x) => ops.interpolate(x, { scaleFactor: [1.5, 2.3], mode: "bilinear", recomputeScaleFactor: true }),
      mixed([7, 9], linear(5, 5 / 7), linear(4, 4 / 9)),
      BLEND,
    ),
  ],
  pixelShuffle: [
    row(
      [real([2, 8, 2, 3])],
      (x) => ops.pixelShuffle(x, 2),
      (x: Nd) => build([2, 2, 4, 6], ([n, c, i, j]) => at(x, [n, 4 * c + 2 * (i % 2) + (j % 2), i >> 1, j >> 1])),
    ),
    row(
      [whole([9, 1, 2])],
      (x) => ops.pixelShuffle(x, 3),
      (x: Nd) => build([1, 3, 6], ([_, i, j]) => at(x, [3 * (i % 3) + (j % 3), Math.floor(i / 3), Math.floor(j / 3)])),
      { gradients: false, dtype: "int32" },
    ),
  ],
  pixelUnshuffle: [
    row(
      [real([2, 2, 4, 6])],
      (x) => ops.pixelUnshuffle(x, 2),
      (x: Nd) => build([2, 8, 2, 3], ([n, c, i, j]) => at(x, [n, c >> 2, 2 * i + ((c >> 1) & 1), 2 * j + (c & 1)])),
    ),
  ],
  dropout2d: [
    row(
      [real([2, 3, 2, 2])],
      (x) => ops.dropout2d(x, 0.5, { training: false }),
      (x) => x,
    ),
    row(
      [real([3, 2, 2])],
      (x) => ops.dropout2d(x, 1),
      (x: Nd) => map(x, (v) => v * 0),
    ),
  ],
} satisfies Record<string, OpCase[]>;
