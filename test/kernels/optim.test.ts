import { describe, expect, it } from "vitest";
import { memory } from "../../src/wasm/load.js";
import { backend } from "../../src/wasm/threads.js";
import { k } from "../support/kernels.js";
import { expectClose, randomFloats, Slab } from "./slab.js";

const f = Math.fround;
const SIZES = [0, 1, 3, 4, 5, 8, 15, 16, 17, 31, 64, 255, 256, 257, 1000];

interface Entry {
  param?: number;
  grad?: number;
  state0?: number;
  n: number;
  fresh?: boolean;
}

/** The table of assembly/optim.ts: 10 words an entry. */
function table(slab: Slab, entries: Entry[]): number {
  const words = entries.flatMap((e) => [e.param ?? 0, e.grad ?? 0, e.state0 ?? 0, 0, 0, e.n, e.fresh ? 1 : 0, 0, 0, 0]);
  return slab.put(Int32Array.from(words));
}

/** A table of gradients alone. */
function gradients(slab: Slab, grads: (Float32Array | null)[]): { t: number; at: number[] } {
  const at = grads.map((g) => slab.put(g));
  return {
    t: table(
      slab,
      at.map((grad, i) => ({ grad, n: grads[i]?.length ?? 9 })),
    ),
    at,
  };
}

const norm = (xs: Float32Array[], p: number): number => {
  let total = 0;
  for (const x of xs) {
    for (const v of x) total = p === Infinity ? Math.max(total, Math.abs(v)) : total + Math.abs(v) ** p;
  }
  return p === Infinity ? total : total ** (1 / p);
};

describe("grad_norm", () => {
  for (const p of [2, 1, Infinity, 3, 0.5, 2.5]) {
    it(`is the ${p}-norm of all gradients together`, () => {
      for (const n of SIZES) {
        const slab = new Slab();
        const grads = [randomFloats(n, 3), randomFloats(7, 0.01), randomFloats(n + 1)];
        const { t } = gradients(slab, [grads[0], null, grads[1], grads[2]]);
        expectClose([k.grad_norm(t, 4, p)], [norm(grads, p)], p === 2 ? 3e-7 : 1e-12, 0);
        slab.check();
      }
    });

    it(`lets NaN and Inf through, p = ${p}`, () => {
      for (const [n, at] of [
        [3, 1],
        [8, 5],
        [600, 0],
        [600, 300],
        [600, 599],
      ]) {
        const bad = randomFloats(n);
        bad[at] = Number.NEGATIVE_INFINITY;
        const slab = new Slab();
        expect(k.grad_norm(gradients(slab, [bad]).t, 1, p)).toBe(Number.POSITIVE_INFINITY);
        bad[at] = Number.NaN;
        expect(k.grad_norm(gradients(slab, [bad, randomFloats(5)]).t, 2, p)).toBeNaN();
      }
    });
  }

  it("neither overflows nor vanishes where squares do", () => {
    for (const v of [1e30, 1e-30, 1e-42, 3e38]) {
      const slab = new Slab();
      const g = new Float32Array(1000).fill(v);
      expectClose([k.grad_norm(gradients(slab, [g]).t, 1, 2)], [norm([g], 2)], 1e-6, 0);
    }
  });

  it("keeps its accuracy over a million elements, and is 0 for none", () => {
    const slab = new Slab();
    const g = randomFloats(1_000_003, 1, 5);
    expectClose([k.grad_norm(gradients(slab, [g]).t, 1, 2)], [norm([g], 2)], 1e-7, 0);
    expect(k.grad_norm(0, 0, 2)).toBe(0);
  });
});

describe("grad_scale, grad_clamp", () => {
  it("change every gradient and nothing else", () => {
    for (const n of SIZES) {
      const a = randomFloats(n, 3);
      if (n > 2) a.set([Number.NaN, Number.POSITIVE_INFINITY, -0]);
      const b = randomFloats(5, 3);
      const run = (op: (t: number, count: number) => void) => {
        const slab = new Slab();
        const { t, at } = gradients(slab, [a, null, b]);
        op(t, 3);
        slab.check();
        return [slab.read(at[0]), slab.read(at[2])];
      };
      const clamp = (v: number) => (Number.isNaN(v) ? v : Math.max(-0.5, Math.min(0.5, v)));
      expect(run((t, c) => k.grad_scale(t, c, 0.3))).toEqual([a.map((v) => v * f(0.3)), b.map((v) => v * f(0.3))]);
      expect(run((t, c) => k.grad_clamp(t, c, 0.5))).toEqual([a.map(clamp), b.map(clamp)]);
    }
  });
});

interface Options {
  lr: number;
  momentum: number;
  dampening: number;
  weightDecay: number;
  nesterov: boolean;
  maximize: boolean;
  scale: number;
}

const DEFAULTS: Options = {
  lr: 0.1,
  momentum: 0,
  dampening: 0,
  weightDecay: 0,
  nesterov: false,
  maximize: false,
  scale: 1,
};

/** c + a·b as this build rounds it. The float64 sum of the exact product is rounded twice, within a hair of a fused one. */
const madd = (a: number, b: number, c: number) => (backend().simd === "relaxed" ? f(a * b + c) : f(f(a * b) + c));

const TINY = 2 ** -126;

/** torch.optim.SGD's step in its own float32 operations. */
function step(p: Float32Array, g: Float32Array, m: Float32Array | null, fresh: boolean, o: Options): void {
  for (let i = 0; i < p.length; i++) {
    let d = f(g[i] * f(o.maximize ? -o.scale : o.scale));
    if (o.weightDecay !== 0) d = madd(f(o.weightDecay), p[i], d);
    if (m) {
      let buf = fresh ? d : madd(f(1 - o.dampening), d, f(f(o.momentum) * m[i]));
      if (Math.abs(buf) < TINY) buf = 0;
      m[i] = buf;
      d = o.nesterov ? madd(f(o.momentum), buf, d) : buf;
    }
    p[i] = madd(f(-o.lr), d, p[i]);
  }
}

function sgd(t: number, count: number, o: Options): void {
  const { lr, momentum, dampening, weightDecay, nesterov, maximize, scale } = o;
  k.sgd(t, count, lr, momentum, dampening, weightDecay, +nesterov, +maximize, scale);
}

const CASES: Partial<Options>[] = [
  {},
  { weightDecay: 0.01 },
  { scale: 0.37, maximize: true },
  { momentum: 0.9 },
  { momentum: 0.9, weightDecay: 5e-4 },
  { momentum: 0.9, nesterov: true },
  { momentum: 0.9, nesterov: true, weightDecay: 5e-4 },
  { momentum: 0.9, dampening: 0.3 },
  { momentum: 0.9, scale: 0.37, weightDecay: 1e-3 },
  { momentum: 0.5, maximize: true, weightDecay: 1e-3 },
];

describe("sgd", () => {
  for (const options of CASES) {
    const o = { ...DEFAULTS, ...options };
    it(`takes PyTorch's steps: ${JSON.stringify(options)}`, () => {
      for (const n of SIZES) {
        const slab = new Slab();
        const params = [randomFloats(n), randomFloats(6)];
        const states = params.map((p) => (o.momentum === 0 ? null : new Float32Array(p.length).fill(Number.NaN)));
        const at = params.map((p) => slab.put(p));
        const state = states.map((s) => slab.put(s));
        for (let round = 0; round < 4; round++) {
          const grads = params.map((p) => randomFloats(p.length));
          const entries: Entry[] = grads.map((g, i) => ({
            param: at[i],
            grad: slab.put(g),
            state0: state[i],
            n: g.length,
            fresh: round === 0,
          }));
          entries.splice(1, 0, { param: at[0], n }); // no gradient: passed over
          sgd(table(slab, entries), 3, o);
          params.forEach((p, i) => {
            step(p, grads[i], states[i], round === 0, o);
          });
        }
        slab.check();
        params.forEach((p, i) => {
          expectClose(slab.read(at[i]), p, 1e-6, 1e-7);
          const s = states[i];
          if (s) expectClose(slab.read(state[i]), s, 1e-6, 1e-7);
        });
      }
    });
  }

  it("gives the numbers torch.optim.SGD gives", () => {
    // torch.optim.SGD([p], lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=True), p = [1, -2, 0.5, 3, -0.25],
    // three steps with grad = [0.5, 0.25, -1, 2, 0.125]·(step + 1)
    const slab = new Slab();
    const p = slab.put(Float32Array.of(1, -2, 0.5, 3, -0.25));
    const m = slab.put(new Float32Array(5));
    for (let i = 0; i < 3; i++) {
      const grad = slab.put(Float32Array.of(0.5, 0.25, -1, 2, 0.125).map((v) => v * (i + 1)));
      const t = table(slab, [{ param: p, grad, state0: m, n: 5, fresh: i === 0 }]);
      sgd(t, 1, { ...DEFAULTS, momentum: 0.9, weightDecay: 0.01, nesterov: true });
    }
    expectClose(slab.read(p), TORCH_PARAM, 2e-7, 3e-7);
    expectClose(slab.read(m), TORCH_BUFFER, 2e-7);
  });

  it("flushes subnormal momentum to zero and keeps NaN and Inf", () => {
    for (const n of [5, 24]) {
      for (const options of [{}, { nesterov: true }, { dampening: 0.5 }]) {
        const slab = new Slab();
        const state = new Float32Array(n);
        state.set([1.2e-38, -1.2e-38, Number.NaN, Number.POSITIVE_INFINITY, 2e-38]);
        const m = slab.put(state);
        const entry = { param: slab.put(new Float32Array(n)), grad: slab.put(new Float32Array(n)), state0: m, n };
        sgd(table(slab, [entry]), 1, { ...DEFAULTS, momentum: 0.9, ...options });
        expectClose(
          slab.read(m).subarray(0, 5),
          [0, 0, Number.NaN, Number.POSITIVE_INFINITY, f(f(2e-38) * f(0.9))],
          0,
          0,
        );
      }
    }
  });

  it("without weight decay does not multiply an infinite parameter by 0", () => {
    for (const n of [4, 32]) {
      for (const momentum of [0, 0.9]) {
        const slab = new Slab();
        const param = slab.put(new Float32Array(n).fill(Number.POSITIVE_INFINITY));
        const entry = { param, grad: slab.put(new Float32Array(n).fill(1)), state0: slab.put(new Float32Array(n)), n };
        sgd(table(slab, [entry]), 1, { ...DEFAULTS, momentum });
        expect([...slab.read(param)]).toEqual(Array(n).fill(Number.POSITIVE_INFINITY));
      }
    }
  });

  it("leaves gradients and the table as they are", () => {
    const slab = new Slab();
    const g = randomFloats(40);
    const grad = slab.put(g);
    const t = table(slab, [{ param: slab.floats(40), grad, state0: slab.floats(40), n: 40, fresh: true }]);
    const before = new Int32Array(memory.buffer.slice(t, t + 40));
    sgd(t, 1, { ...DEFAULTS, momentum: 0.9, scale: 0.5 });
    expect(slab.read(grad)).toEqual(g);
    expect(slab.read<Int32Array>(t)).toEqual(before);
  });
});

const TORCH_PARAM = [
  0.2648904621601105, -2.3474669456481934, 1.9501312971115112, 0.067596934735775, -0.42975983023643494,
];
const TORCH_BUFFER = [
  2.8279285430908203, 1.3463722467422485, -5.5882649421691895, 11.284677505493164, 0.6934637427330017,
];
