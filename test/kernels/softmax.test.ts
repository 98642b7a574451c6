import { describe, expect, it } from "vitest";
import { k } from "../support/kernels.js";
import { Arena, columns, expectClose, randoms, SHAPES, uncolumns } from "./arena.js";

const arena = new Arena();
const { NaN: NAN, POSITIVE_INFINITY: INF } = Number;
const total = (c: number[]) => c.reduce((a, b) => a + b, 0);
const logSoftmax = (c: number[]) => {
  const m = c.reduce((a, b) => Math.max(a, b), -INF);
  const l = Math.log(total(c.map((v) => Math.exp(v - m))));
  return c.map((v) => v - m - l);
};
const softmax = (c: number[]) => logSoftmax(c).map(Math.exp);

const SOME: typeof SHAPES = [...SHAPES, [64, 10, 1], [2, 21, 37]];

function forward(name: "softmax" | "log_softmax", scale: number) {
  for (const [outer, r, inner] of SOME) {
    const x = randoms(outer * r * inner, r).map((v) => v * scale);
    const want = columns(x, outer, r, inner).map(name === "softmax" ? softmax : logSoftmax);
    const out = arena.bytes(x.length * 4);
    k[name](out, arena.f32(x), outer, r, inner);
    const what = `[${outer}, ${r}, ${inner}]`;
    expectClose(arena.readF32(out, x.length), uncolumns(want, outer, r, inner), { atol: 1e-7, what });
    arena.verify();
    const inPlace = arena.bytes(x.length * 4);
    k.cumsum(inPlace, arena.f32(x), x.length, 1, 1, 0); // a copy
    k[name](inPlace, inPlace, outer, r, inner);
    expectClose(arena.readF32(inPlace, x.length), uncolumns(want, outer, r, inner), { atol: 1e-7, what });
    arena.verify();
  }
}

function backward(name: "softmax" | "log_softmax") {
  for (const [outer, r, inner] of SOME) {
    const n = outer * r * inner;
    const y = columns(randoms(n, r), outer, r, inner).map(name === "softmax" ? softmax : logSoftmax);
    const g = randoms(n, 2);
    const dx = arena.bytes(n * 4);
    k[`${name}_backward`](dx, arena.f32(g), arena.f32(uncolumns(y, outer, r, inner)), outer, r, inner);
    const want = columns(g, outer, r, inner).map((c, i) => {
      if (name === "softmax") return c.map((v, j) => y[i]![j]! * (v - total(c.map((u, l) => u * y[i]![l]!))));
      return c.map((v, j) => v - Math.exp(y[i]![j]!) * total(c));
    });
    expectClose(arena.readF32(dx, n), uncolumns(want, outer, r, inner), { rtol: 3e-6, what: `${[outer, r, inner]}` });
    arena.verify();
  }
}

for (const name of ["softmax", "log_softmax"] as const) {
  describe(name, () => {
    it("matches float64", () => forward(name, 1));
    it("is stable for large inputs", () => forward(name, 300));
    it("backward from the output", () => backward(name));

    it("infinities and NaN as PyTorch, as a row and as a column", () => {
      const z = name === "softmax" ? 0 : -INF;
      const half = name === "softmax" ? 0.5 : Math.log(0.5);
      const cases = [
        [1, -INF, 1, half, z, half],
        [-INF, -INF, -INF, NAN, NAN, NAN],
        [INF, 1, 2, NAN, NAN, NAN],
        [NAN, 1, 2, NAN, NAN, NAN],
      ];
      for (const [a, b, c, ...want] of cases) {
        const out = arena.bytes(36);
        k[name](out, arena.f32([a!, b!, c!]), 1, 3, 1);
        const row = arena.readF32(out, 3);
        expectClose(row, want);
        k[name](out, arena.f32([0, a!, 0, 0, b!, 0, 0, c!, 0]), 1, 3, 3);
        const column = arena.readF32(out, 9);
        expectClose([column[1]!, column[4]!, column[7]!], want);
        expectClose([column[0]!, column[5]!], name === "softmax" ? [1 / 3, 1 / 3] : [Math.log(1 / 3), Math.log(1 / 3)]);
        arena.verify();
      }
    });

    it("rows of a million sum to 1", () => {
      const n = 1_000_000;
      const out = arena.bytes(n * 4);
      k[name](out, arena.f32(randoms(n)), 1, n, 1);
      const y = arena.readF32(out, n);
      expect(Math.abs(total(name === "softmax" ? y : y.map(Math.exp)) - 1)).toBeLessThan(1e-6);
      arena.verify();
    });
  });
}
