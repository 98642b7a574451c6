/** Rows of cases.ts: elements moved, and other views of them. */
import * as ref from "./reference.js";
import { ANSWERS, constant, INTEGERS, mask, type OpCase, real, row, whole } from "./support/case.js";
import { at, build, expand, map, type Nd, permute, reshape, reversed } from "./support/nd.js";
import { ops } from "./support/ops.js";

/** x within every matrix where keep(row, column), else 0. */
const triangle = (keep: (i: number, j: number) => boolean) => (x: Nd) =>
  build(x.shape, (c) => (keep(c[c.length - 2], c[c.length - 1]) ? at(x, c) : 0));

export const shapeCases = {
  // Shapes: elements moved, to the bit.
  reshape: [
    row(
      [real([3, 4])],
      (x) => ops.reshape(x, 2, 6),
      (x) => reshape(x, [2, 6]),
    ),
    row(
      [real([3, 4])],
      (x) => ops.reshape(x, [-1]),
      (x) => reshape(x, [-1]),
    ),
  ],
  view: [
    row(
      [real([3, 4])],
      (x) => ops.view(x, 4, -1),
      (x) => reshape(x, [4, 3]),
    ),
  ],
  viewAs: [row([real([3, 4]), constant(real([2, 6]))], ops.viewAs, (x) => reshape(x, [2, 6]))],
  flatten: [
    row(
      [real([2, 3, 4])],
      (x) => ops.flatten(x, 1),
      (x) => reshape(x, [2, 12]),
    ),
    row(
      [real([])],
      (x) => ops.flatten(x),
      (x) => reshape(x, [1]),
    ),
  ],
  unflatten: [
    row(
      [real([2, 6])],
      (x) => ops.unflatten(x, 1, [2, -1]),
      (x) => reshape(x, [2, 2, 3]),
    ),
  ],
  permute: [
    row(
      [real([2, 3, 4])],
      (x) => ops.permute(x, 2, 0, -2),
      (x) => permute(x, [2, 0, 1]),
    ),
  ],
  transpose: [
    row(
      [real([2, 3, 4])],
      (x) => ops.transpose(x, 0, -1),
      (x) => permute(x, [2, 1, 0]),
    ),
  ],
  t: [row([real([2, 3])], ops.t, reversed), row([real([3])], ops.t, (x) => x)],
  unsqueeze: [
    row(
      [real([2, 3])],
      (x) => ops.unsqueeze(x, -2),
      (x) => reshape(x, [2, 1, 3]),
    ),
  ],
  squeeze: [
    row(
      [real([1, 2, 1])],
      (x) => ops.squeeze(x),
      (x) => reshape(x, [2]),
    ),
    row(
      [real([1, 2, 1])],
      (x) => ops.squeeze(x, -1),
      (x) => reshape(x, [1, 2]),
    ),
  ],
  expand: [
    row(
      [real([3, 1])],
      (x) => ops.expand(x, 2, -1, 4),
      (x) => expand(x, [2, 3, 4]),
    ),
    row(
      [real([])],
      (x) => ops.expand(x, [3]),
      (x) => expand(x, [3]),
    ),
  ],
  expandAs: [row([real([3, 1]), constant(real([3, 4]))], ops.expandAs, (x) => expand(x, [3, 4]))],
  narrow: [
    row(
      [real([3, 5])],
      (x) => ops.narrow(x, 1, -4, 2),
      (x) => ref.narrow(x, 1, 1, 2),
    ),
  ],
  select: [
    row(
      [real([3, 5])],
      (x) => ops.select(x, 1, -1),
      (x) => build([3], ([i]) => at(x, [i, 4])),
    ),
  ],
  diagonal: [row([real([3, 5])], ops.diagonal, (x) => build([3], ([i]) => at(x, [i, i])))],
  split: [
    row(
      [real([5, 2])],
      (x) => ops.split(x, 2),
      (x) => [ref.narrow(x, 0, 0, 2), ref.narrow(x, 0, 2, 2), ref.narrow(x, 0, 4, 1)],
    ),
    row(
      [real([2, 5])],
      (x) => ops.split(x, [4, 1], 1),
      (x) => [ref.narrow(x, 1, 0, 4), ref.narrow(x, 1, 4, 1)],
    ),
  ],
  chunk: [
    row(
      [real([5])],
      (x) => ops.chunk(x, 2),
      (x) => [ref.narrow(x, 0, 0, 3), ref.narrow(x, 0, 3, 2)],
    ),
  ],
  unbind: [
    row(
      [real([2, 3])],
      (x) => ops.unbind(x, 1),
      (x) => [0, 1, 2].map((j) => build([2], ([i]) => at(x, [i, j]))),
    ),
  ],
  cat: [
    row(
      [real([2, 3]), real([2, 1])],
      (a, b) => ops.cat([a, b], -1),
      (a, b) => ref.cat([a, b], 1),
    ),
    row(
      [real([2, 3]), real([0]), real([1, 3])],
      (...xs) => ops.cat(xs),
      (a, _, b) => ref.cat([a, b], 0),
    ),
    row(
      [whole([2]), real([3])],
      (a, b) => ops.cat([a, b]),
      (a, b) => ref.cat([a, b], 0),
    ),
  ],
  stack: [
    row(
      [real([2, 3]), real([2, 3])],
      (a, b) => ops.stack([a, b], 1),
      (a, b) => ref.cat([reshape(a, [2, 1, 3]), reshape(b, [2, 1, 3])], 1),
    ),
  ],
  repeat: [
    row(
      [real([2, 3])],
      (x) => ops.repeat(x, 2, 1, 3),
      (x) => ref.repeat(x, [2, 1, 3]),
    ),
    row(
      [real([3])],
      (x) => ops.repeat(x, [0]),
      (x) => ref.repeat(x, [0]),
    ),
  ],
  flip: [
    row(
      [real([3, 4, 2])],
      (x) => ops.flip(x, 0, -1),
      (x) => build(x.shape, ([i, j, k]) => at(x, [2 - i, j, 1 - k])),
    ),
  ],
  roll: [
    row(
      [real([3, 4])],
      (x) => ops.roll(x, [1, -1], [0, 1]),
      (x) => build(x.shape, ([i, j]) => at(x, [(i + 2) % 3, (j + 1) % 4])),
    ),
    row(
      [real([3, 4])],
      (x) => ops.roll(x, 5),
      (x) =>
        reshape(
          build([12], ([i]) => x.data[(i + 7) % 12]),
          [3, 4],
        ),
    ),
  ],
  tril: [
    row(
      [real([2, 4, 5])],
      (x) => ops.tril(x),
      triangle((i, j) => j <= i),
      { lines: true },
    ),
    row(
      [real([4, 5])],
      (x) => ops.tril(x, { diagonal: 1 }),
      triangle((i, j) => j <= i + 1),
    ),
  ],
  triu: [
    row(
      [real([2, 4, 5])],
      (x) => ops.triu(x),
      triangle((i, j) => j >= i),
      { lines: true },
    ),
    row(
      [real([4, 5])],
      (x) => ops.triu(x, -1),
      triangle((i, j) => j >= i - 1),
    ),
  ],
  pad: [
    row(
      [real([2, 3, 4])],
      (x) => ops.pad(x, [1, 2, 3, 0]),
      (x) => ref.pad(x, [1, 2, 3, 0]),
    ),
    row(
      [real([3, 4])],
      (x) => ops.pad(x, [-1, 2], { value: 7 }),
      (x) => ref.pad(x, [-1, 2], "constant", 7),
    ),
    ...(["reflect", "replicate", "circular"] as const).map((mode) =>
      row(
        [real([2, 3, 4])],
        (x) => ops.pad(x, [2, 3, 1, 2], { mode }),
        (x) => ref.pad(x, [2, 3, 1, 2], mode),
      ),
    ),
    ...(["reflect", "replicate", "circular"] as const).flatMap((mode) => [
      row(
        [real([2, 3, 9])],
        (x) => ops.pad(x, [-2, 3, 1, -1], mode),
        (x) => ref.pad(x, [-2, 3, 1, -1], mode),
      ),
      row(
        [real([5])],
        (x) => ops.pad(x, [2, 3], { mode }),
        (x) => ref.pad(x, [2, 3], mode),
      ),
      row(
        [real([3, 2, 4])],
        (x) => ops.pad(x, [0, 1, 1, 0, 2, 1], { mode }),
        (x) => ref.pad(x, [0, 1, 1, 0, 2, 1], mode),
      ),
      row(
        [whole([2, 5])],
        (x) => ops.pad(x, [2, 3], { mode }),
        (x) => ref.pad(x, [2, 3], mode),
        INTEGERS,
      ),
    ]),
  ],
  contiguous: [row([real([3, 4])], (x) => ops.contiguous(x.t()), reversed)],
  clone: [row([real([3, 4])], ops.clone, (x) => x), row([mask([3, 4])], ops.clone, (x) => x, ANSWERS)],
  to: [
    row(
      [real([9], -300, 300)],
      (x) => ops.to(x, "int32"),
      (x) => map(x, Math.trunc),
      INTEGERS,
    ),
    row(
      [real([9], 0, 255)],
      (x) => ops.to(x, "uint8"),
      (x) => map(x, Math.trunc),
      { ...INTEGERS, dtype: "uint8" },
    ),
    row(
      [whole([9], -1, 1)],
      (x) => ops.to(x, "bool"),
      (x) => map(x, (v) => Number(v !== 0)),
      ANSWERS,
    ),
    row(
      [whole([9])],
      (x) => ops.to(x, "float32"),
      (x) => x,
      { gradients: false },
    ),
    row(
      [mask([9])],
      (x) => ops.to(x, "float32"),
      (x) => x,
      { gradients: false },
    ),
  ],
} satisfies Record<string, OpCase[]>;
