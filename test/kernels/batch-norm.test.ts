/** The kernels alone: guard bytes, ranges of channels, null outputs. */
import { describe, expect, test } from "vitest";
import { memory } from "../../src/wasm/load.js";
import { k } from "../support/kernels.js";
import { Arena, randoms } from "./arena.js";

const bits = (pointer: number, n: number): number[] => [...new Int32Array(memory.buffer, pointer, n)];

/** [n, c, plane]: matrices and planes around the sizes of a vector, of four and of a block of sums. */
const SHAPES: [n: number, c: number, plane: number][] = [
  [5, 1, 1],
  [67, 3, 1],
  [4, 4, 1],
  [9, 5, 1],
  [130, 11, 1],
  [2, 3, 2],
  [3, 2, 3],
  [2, 5, 4],
  [3, 3, 5],
  [2, 2, 15],
  [2, 3, 16],
  [1, 2, 17],
  [3, 4, 49],
  [2, 2, 255],
  [1, 3, 256],
  [2, 2, 263],
  [1, 1, 1030],
];

interface Split {
  from: number;
  to: number;
}

/** Runs forward and backward over the ranges, all operands between guards; the bits of all outputs. */
function run(n: number, c: number, plane: number, relu: number, withResidual: boolean, splits: Split[]): number[][] {
  const arena = new Arena();
  const size = n * c * plane;
  const x = arena.f32(randoms(size, 1).map((v, i) => v + (Math.floor(i / plane) % c === 1 ? 50 : 0)));
  const dout = arena.f32(randoms(size, 2));
  const residual = withResidual ? arena.f32(randoms(size, 3)) : 0;
  const weight = arena.f32(randoms(c, 4));
  const bias = arena.f32(randoms(c, 5));
  const out = arena.bytes(4 * size);
  const dx = arena.bytes(4 * size);
  const dresidual = withResidual ? arena.bytes(4 * size) : 0;
  const table = arena.bytes(20 * c);
  const moments = arena.bytes(16 * c);
  const [dweight, dbias] = [arena.bytes(4 * c), arena.bytes(4 * c)];
  for (const { from, to } of splits) {
    const scratch = arena.bytes(72 * (to - from));
    k.batch_norm_train(out, x, residual, relu, table, moments, scratch, weight, bias, 1e-5, n, c, plane, from, to);
    const result = relu ? out : 0;
    k.batch_norm_backward(
      ...([dx, dweight, dbias, dresidual, dout, x, result, table, scratch, 1, n, c, plane, from, to] as const),
    );
  }
  const outputs = [
    bits(out, size),
    bits(dx, size),
    withResidual ? bits(dresidual, size) : [],
    bits(table, 5 * c),
    bits(moments, 4 * c),
    bits(dweight, c),
    bits(dbias, c),
  ];
  arena.verify();
  return outputs;
}

describe.each(SHAPES)("[%i, %i, %i]", (n, c, plane) => {
  test.each([
    ["alone", 0, false],
    ["relu", 1, false],
    ["residual and relu", 1, true],
  ])("%s: any split of the channels gives the same bits", (_what, relu, withResidual) => {
    const whole = run(n, c, plane, relu, withResidual, [{ from: 0, to: c }]);
    const step = plane === 1 ? 4 : 1;
    for (let at = step; at < c; at += step) {
      const split = [
        { from: at, to: c },
        { from: 0, to: at },
      ];
      expect(run(n, c, plane, relu, withResidual, split), `at ${at}`).toEqual(whole);
    }
  });
});

test("every output may be null, and the others are the same", () => {
  const [n, c, plane] = [3, 5, 10];
  const size = n * c * plane;
  const backward = (wanted: boolean[], training: number, relu: boolean): number[][] => {
    const arena = new Arena();
    const [x, dout] = [arena.f32(randoms(size, 1)), arena.f32(randoms(size, 2))];
    const result = relu ? arena.f32(randoms(size, 3).map((v) => Math.max(v, 0))) : 0;
    const table = arena.f32(randoms(5 * c, 4));
    const sizes = [size, c, c, size];
    const outputs = wanted.map((want, i) => (want ? arena.bytes(4 * sizes[i]) : 0));
    const scratch = arena.bytes(72 * c);
    k.batch_norm_backward(
      ...([outputs[0], outputs[1], outputs[2], outputs[3], dout, x, result, table, scratch] as const),
      ...([training, n, c, plane, 0, c] as const),
    );
    const found = outputs.map((pointer, i) => (pointer === 0 ? [] : bits(pointer, sizes[i])));
    arena.verify();
    return found;
  };
  for (const training of [0, 1]) {
    for (const relu of [false, true]) {
      const all = backward([true, true, true, relu], training, relu);
      for (let mask = 0; mask < 16; mask++) {
        if (mask & 8 && !relu) continue;
        const wanted = [0, 1, 2, 3].map((i) => (mask >> i) % 2 === 1);
        const found = backward(wanted, training, relu);
        expect(found, `${wanted}`).toEqual(all.map((values, i) => (wanted[i] ? values : [])));
      }
    }
  }
});
