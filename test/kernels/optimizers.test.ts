/** The optimizers' kernels on raw memory: bounds, splitting, NaN, flushing. Their arithmetic: test/optimizers.test.ts. */
import { describe, expect, it } from "vitest";
import { memory } from "../../src/wasm/load.js";
import { k } from "../support/kernels.js";
import { randomFloats, Slab } from "./slab.js";

/** Each kernel with n-element states it uses, called on a table. */
const KERNELS: Record<string, { states: boolean[]; run: (table: number, count: number) => void }> = {
  "adam, plain": { states: [true, true, false], run: (t, c) => k.adam(t, c, 0.9, 0.99, 1e-8, 0, 1, 0, 0) },
  "adam, amsgrad, decay": { states: [true, true, true], run: (t, c) => k.adam(t, c, 0.9, 0.99, 1e-8, 0.1, 0.9, 1, 1) },
  "rmsprop, plain": { states: [true, false, false], run: (t, c) => k.rmsprop(t, c, 0.1, 0.9, 1e-8, 0, 0, 0, 0) },
  "rmsprop, momentum": {
    states: [true, false, true],
    run: (t, c) => k.rmsprop(t, c, 0.1, 0.9, 1e-8, 0.1, 0.9, 0, 1),
  },
  "rmsprop, centered": { states: [true, true, false], run: (t, c) => k.rmsprop(t, c, 0.1, 0.9, 1e-8, 0, 0, 1, 0) },
  "rmsprop, both": { states: [true, true, true], run: (t, c) => k.rmsprop(t, c, 0.1, 0.9, 1e-8, 0, 0.5, 1, 0) },
  adagrad: { states: [true, false, false], run: (t, c) => k.adagrad(t, c, 1e-10, 0.1, 0) },
  adadelta: { states: [true, true, false], run: (t, c) => k.adadelta(t, c, 1, 0.9, 1e-6, 0.1, 0) },
  "sgd, dampened": { states: [true, false, false], run: (t, c) => k.sgd(t, c, 0.1, 0.9, 0.2, 0.1, 0, 0, 1) },
  "sgd, nesterov": { states: [true, false, false], run: (t, c) => k.sgd(t, c, 0.1, 0.9, 0, 0.1, 1, 1, 0.5) },
};
const SIZES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 100];

const scalars = [-0.1, 1.5, 1];
const scalarBits = new Int32Array(Float32Array.from(scalars).buffer);

/** Parameter, gradient and states of n elements, null where the kernel has none. Any numbers > 0 will do for state. */
const draw = (states: readonly boolean[], n: number): (Float32Array | null)[] => [
  randomFloats(n),
  randomFloats(n),
  // The last below the others, so that AMSGrad's maximum moves.
  ...states.map((used, i) => (used ? randomFloats(n, i === 2 ? 0.1 : 0.5, i === 2 ? 0.2 : 1) : null)),
];

/** The arrays on a slab, and a table whose entries split them at these elements. */
function place(slab: Slab, arrays: (Float32Array | null)[], cuts: number[] = []) {
  const at = arrays.map((a) => slab.put(a));
  const n = arrays[0]?.length ?? 0;
  const ends = [...cuts, n];
  const words = ends.flatMap((end, i) => {
    const from = i === 0 ? 0 : ends[i - 1];
    return [...at.map((p) => (p === 0 ? 0 : p + 4 * from)), end - from, 0, ...scalarBits];
  });
  return { at, table: slab.put(Int32Array.from(words)), count: ends.length, words };
}

describe.each(Object.entries(KERNELS))("%s", (_, { states, run }) => {
  it("touches parameter and state, and nothing else", () => {
    for (const n of SIZES) {
      const slab = new Slab();
      const { at, table, count, words } = place(slab, draw(states, n));
      const grad = slab.read(at[1]).slice();
      const before = [0, 2, 3, 4].filter((i) => at[i] !== 0).map((i) => slab.read(at[i]).slice());
      run(table, count);
      slab.check();
      expect(slab.read(at[1])).toEqual(grad);
      expect([...new Int32Array(memory.buffer, table, words.length)]).toEqual(words);
      [0, 2, 3, 4]
        .filter((i) => at[i] !== 0)
        .forEach((i, j) => {
          const now = slab.read(at[i]);
          expect([...now].every(Number.isFinite)).toBe(true);
          for (let e = 0; e < n; e++) expect(now[e], `array ${i}, element ${e} of ${n}`).not.toBe(before[j][e]);
        });
    }
  });

  it("gives the same bits however a tensor is split, and passes over entries without gradient", () => {
    for (const cuts of [[1], [4], [5, 6, 30], [16, 16, 61]]) {
      const arrays = draw(states, 67);
      const [whole, parts] = [[], cuts].map((c) => {
        const slab = new Slab();
        const { at, table, count, words } = place(slab, arrays, c);
        run(table, count);
        // Once more, without gradients: nothing may change.
        new Int32Array(memory.buffer, table, words.length).forEach((_, i, all) => {
          if (i % 10 === 1) all[i] = 0;
        });
        const after = at.filter((p) => p !== 0).map((p) => slab.read(p).slice());
        run(table, count);
        expect(at.filter((p) => p !== 0).map((p) => slab.read(p).slice())).toEqual(after);
        return after;
      });
      expect(parts).toEqual(whole);
    }
  });

  it("keeps a NaN of the gradient in state and parameter, lane by lane", () => {
    for (const n of [3, 4, 9]) {
      for (let bad = 0; bad < n; bad++) {
        const slab = new Slab();
        const { at, table, count } = place(slab, draw(states, n));
        new Float32Array(memory.buffer, at[1], n)[bad] = Number.NaN;
        run(table, count);
        for (const i of [0, 2, 3, 4]) {
          if (at[i] !== 0)
            expect([...slab.read(at[i])].map(Number.isNaN)).toEqual(Array.from({ length: n }, (_, e) => e === bad));
        }
      }
    }
  });
});
