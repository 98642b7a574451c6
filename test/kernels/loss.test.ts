import { describe, expect, it } from "vitest";
import { k } from "../support/kernels.js";
import { Arena, columns, expectClose, randoms, uncolumns } from "./arena.js";

const arena = new Arena();
const { NaN: NAN, POSITIVE_INFINITY: INF } = Number;
const total = (c: number[]) => c.reduce((a, b) => a + b, 0);
const logSoftmax = (c: number[]) => {
  const m = c.reduce((a, b) => Math.max(a, b), -INF);
  const l = Math.log(total(c.map((v) => Math.exp(v - m))));
  return c.map((v) => v - m - l);
};

/** [n, c, inner] */
const SHAPES: [number, number, number][] = [
  [0, 3, 1],
  [1, 1, 1],
  [3, 2, 1],
  [5, 3, 1],
  [2, 4, 1],
  [7, 10, 1],
  [2, 67, 1],
  [2, 3, 2],
  [1, 5, 3],
  [2, 3, 4],
  [2, 10, 5],
  [1, 70, 9],
];
const IGNORE = -100;
const positive = (n: number, seed: number) => randoms(n, seed).map((v) => Math.abs(v) + 0.1);

function targets(n: number, c: number): Int32Array {
  return Int32Array.from(randoms(n, c), (v, i) => (i % 5 === 3 ? IGNORE : Math.floor(Math.abs(v) * 1e4) % c));
}

/** Runs f with and without class weights, with and without smoothing. */
function variants(f: (weight: number[] | undefined, smoothing: number, shape: [number, number, number]) => void) {
  for (const shape of SHAPES) {
    for (const smoothing of [0, 0.1]) {
      f(undefined, smoothing, shape);
      f([...positive(shape[1], 8)], smoothing, shape);
    }
  }
}

describe("check_targets", () => {
  it("finds the first bad one at every place", () => {
    for (const n of [0, 1, 3, 4, 5, 9]) {
      const good = Array.from({ length: n }, (_, i) => (i === 2 ? IGNORE : i % 3));
      expect(k.check_targets(arena.i32(good), n, 3, IGNORE)).toBe(-1);
      for (let at = 0; at < n; at++) {
        for (const bad of [3, -1, 2147483647]) {
          expect(k.check_targets(arena.i32(good.with(at, bad)), n, 3, IGNORE)).toBe(at);
        }
      }
      arena.verify();
    }
  });
});

describe("cross entropy with class indices", () => {
  it("forward and backward against float64", () => {
    variants((weight, s, [n, c, inner]) => {
      const size = n * c * inner;
      const x = randoms(size, c).map((v) => v * 3);
      const t = targets(n * inner, c);
      const w = weight ?? new Array(c).fill(1);
      const g = randoms(n * inner, 4);
      const cols = columns(x, n, c, inner);
      const losses = cols.map((col, i) => {
        if (t[i] === IGNORE) return 0;
        const l = logSoftmax(col);
        return -(1 - s) * w[t[i]!] * l[t[i]!]! - (s / c) * total(l.map((v, j) => v * w[j]));
      });
      const gradient = (upstream: (i: number) => number) =>
        uncolumns(
          cols.map((col, i) => {
            const p = logSoftmax(col).map(Math.exp);
            const wt = w[t[i]!];
            if (t[i] === IGNORE) return col.map(() => 0);
            return p.map((v, j) => {
              const hard = (1 - s) * wt * (v - (j === t[i] ? 1 : 0));
              return upstream(i) * (hard + (s / c) * (v * total(w) - w[j]));
            });
          }),
          n,
          c,
          inner,
        );
      const what = `[${n}, ${c}, ${inner}] smoothing ${s}${weight ? " weighted" : ""}`;
      const loss = arena.bytes(n * inner * 4);
      const e = arena.bytes(size * 4);
      const gain = arena.bytes(n * inner * 4);
      const [xp, tp] = [arena.f32(x), arena.i32(t)];
      const wp = weight ? arena.f32(w) : 0;
      const divisor = k.cross_entropy(loss, e, gain, xp, tp, wp, n, c, inner, IGNORE, s);
      expectClose([divisor], [total([...t].map((v) => (v === IGNORE ? 0 : w[v])))], { what });
      expectClose(arena.readF32(loss, n * inner), losses, { rtol: 2e-6, what });
      const plain = arena.bytes(n * inner * 4);
      k.cross_entropy(plain, 0, 0, xp, tp, wp, n, c, inner, IGNORE, s);
      expect(arena.readF32(plain, n * inner)).toEqual(arena.readF32(loss, n * inner));

      const dx = arena.bytes(size * 4);
      k.cross_entropy_backward(dx, arena.f32(g), 1, e, gain, tp, wp, n, c, inner, IGNORE, s, 0.5);
      expectClose(
        arena.readF32(dx, size),
        gradient((i) => g[i]! * 0.5),
        { rtol: 3e-6, what },
      );
      // The mean's one gradient, in place of what was saved.
      k.cross_entropy_backward(e, arena.f32([2]), 0, e, gain, tp, wp, n, c, inner, IGNORE, s, 1 / divisor);
      if (divisor > 0)
        expectClose(
          arena.readF32(e, size),
          gradient(() => 2 / divisor),
          { rtol: 3e-6, what },
        );
      arena.verify();
    });
  });

  it("keeps the digits of a loss near 0", () => {
    const loss = arena.bytes(4);
    k.cross_entropy(loss, 0, 0, arena.f32([120, 100, 99]), arena.i32([0]), 0, 1, 3, 1, IGNORE, 0);
    expectClose(arena.readF32(loss, 1), [Math.log1p(Math.exp(-20) + Math.exp(-21))], { atol: 0, rtol: 1e-6 });
    arena.verify();
  });

  it("infinite and NaN logits as PyTorch", () => {
    const x = [1, -INF, 2, -INF, -INF, -INF, INF, 1, 2, NAN, 1, 2];
    const t = [0, 1, 2, 1];
    // [4, 3] as rows, and transposed as four columns of one [3, 4].
    const across = columns(x, 4, 3, 1);
    const transposed = uncolumns(across, 1, 3, 4);
    const e = arena.bytes(48);
    const gain = arena.bytes(16);
    const loss = arena.bytes(16);
    for (const [data, n, inner] of [
      [x, 4, 1],
      [transposed, 1, 4],
    ] as const) {
      k.cross_entropy(loss, e, gain, arena.f32(data), arena.i32(t), 0, n, 3, inner, IGNORE, 0);
      expectClose(arena.readF32(loss, 4), [1.3132616, NAN, NAN, NAN]);
      const dx = arena.bytes(48);
      k.cross_entropy_backward(dx, arena.f32([1]), 0, e, gain, arena.i32(t), 0, n, 3, inner, IGNORE, 0, 1);
      const rows = columns(arena.readF32(dx, 12), n, 3, inner);
      expectClose(rows[0]!, [-0.7310586, 0, 0.7310586]);
      for (const row of rows.slice(1)) expectClose(row, [NAN, NAN, NAN]);
    }
    k.cross_entropy(loss, 0, 0, arena.f32(x), arena.i32(t), 0, 4, 3, 1, IGNORE, 0.1);
    expectClose(arena.readF32(loss, 1), [INF]);
    arena.verify();
  });
});

describe("cross entropy with probabilities", () => {
  it("forward and backward against float64", () => {
    variants((weight, s, [n, c, inner]) => {
      const size = n * c * inner;
      const t = positive(size, 3);
      const w = weight ?? new Array(c).fill(1);
      const logs = columns(randoms(size, c), n, c, inner).map(logSoftmax);
      const q = columns(t, n, c, inner).map((col) => col.map((v, j) => w[j] * ((1 - s) * v + s / c)));
      const g = randoms(n * inner, 4);
      const what = `[${n}, ${c}, ${inner}] smoothing ${s}${weight ? " weighted" : ""}`;
      const lp = arena.f32(uncolumns(logs, n, c, inner));
      const tp = arena.f32(t);
      const wp = weight ? arena.f32(w) : 0;
      const loss = arena.bytes(n * inner * 4);
      k.cross_entropy_probs(loss, lp, tp, wp, n, c, inner, s);
      const losses = logs.map((l, i) => -total(l.map((v, j) => v * q[i]![j]!)));
      expectClose(arena.readF32(loss, n * inner), losses, { rtol: 3e-6, what });

      for (const stride of [0, 1]) {
        const upstream = (i: number) => 0.5 * (g[stride * i] ?? 0);
        const gp = arena.f32(g.length ? g : [0]);
        const dx = arena.bytes(size * 4);
        const dt = arena.bytes(size * 4);
        k.cross_entropy_probs_backward(dx, dt, gp, stride, lp, tp, wp, n, c, inner, s, 0.5);
        const wantX = logs.map((l, i) => l.map((v, j) => upstream(i) * (Math.exp(v) * total(q[i]!) - q[i]![j]!)));
        const wantT = logs.map((l, i) => l.map((v, j) => -upstream(i) * (1 - s) * w[j] * v));
        expectClose(arena.readF32(dx, size), uncolumns(wantX, n, c, inner), { rtol: 3e-6, atol: 3e-6, what });
        expectClose(arena.readF32(dt, size), uncolumns(wantT, n, c, inner), { rtol: 3e-6, what });
        k.cross_entropy_probs_backward(0, dt, gp, stride, lp, tp, wp, n, c, inner, s, 0.5);
        k.cross_entropy_probs_backward(dx, 0, gp, stride, lp, tp, wp, n, c, inner, s, 0.5);
        expectClose(arena.readF32(dt, size), uncolumns(wantT, n, c, inner), { rtol: 3e-6, what });
        expectClose(arena.readF32(dx, size), uncolumns(wantX, n, c, inner), { rtol: 3e-6, atol: 3e-6, what });
      }
      arena.verify();
    });
  });
});

describe("nll_loss", () => {
  it("forward and backward", () => {
    variants((weight, _, [n, c, inner]) => {
      const size = n * c * inner;
      const x = randoms(size, c);
      const t = targets(n * inner, c);
      const w = weight ?? new Array(c).fill(1);
      const g = randoms(n * inner, 4);
      const loss = arena.bytes(n * inner * 4);
      const [tp, wp] = [arena.i32(t), weight ? arena.f32(w) : 0];
      const divisor = k.nll_loss(loss, arena.f32(x), tp, wp, n, c, inner, IGNORE);
      const cols = columns(x, n, c, inner);
      expectClose([divisor], [total([...t].map((v) => (v === IGNORE ? 0 : w[v])))]);
      const losses = cols.map((col, i) => (t[i] === IGNORE ? 0 : -w[t[i]!] * col[t[i]!]!));
      expectClose(arena.readF32(loss, n * inner), losses);
      for (const stride of [0, 1]) {
        const dx = arena.bytes(size * 4);
        k.nll_loss_backward(dx, arena.f32(g.length ? g : [0]), stride, tp, wp, n, c, inner, IGNORE, 0.5);
        const want = cols.map((col, i) => col.map((_, j) => (j === t[i] ? -0.5 * g[stride * i]! * w[j] : 0)));
        expectClose(arena.readF32(dx, size), uncolumns(want, n, c, inner));
      }
      arena.verify();
    });
  });
});

// ---- Elementwise ----------------------------------------------------------------------------------------------------

interface Elementwise {
  value: (x: number, t: number, w: number, pw: number) => number;
  slope: (x: number, t: number, w: number, pw: number) => number;
  targetSlope?: (x: number, t: number, w: number, pw: number) => number;
  each: (out: number, x: number, t: number, w: number, pw: number, n: number) => void;
  sum: (out: number, x: number, t: number, w: number, pw: number, n: number, divisor: number) => void;
  back: (
    dx: number,
    g: number,
    stride: number,
    x: number,
    t: number,
    w: number,
    pw: number,
    s: number,
    n: number,
  ) => void;
  targetBack?: Elementwise["back"];
  input?: (v: number) => number;
  target?: (v: number) => number;
}

const softplus = (x: number) => Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0);
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const unit = (v: number) => Math.fround(Math.min(1, Math.abs(v) * 0.33));

const LOSSES: Record<string, Elementwise> = {
  mse: {
    value: (x, t) => (x - t) ** 2,
    slope: (x, t) => 2 * (x - t),
    each: (o, x, t, _w, _p, n) => k.mse_loss(o, x, t, n),
    sum: (o, x, t, _w, _p, n, d) => k.mse_loss_sum(o, x, t, n, d),
    back: (dx, g, st, x, t, _w, _p, s, n) => k.mse_loss_backward(dx, g, st, x, t, s, n),
  },
  l1: {
    value: (x, t) => Math.abs(x - t),
    slope: (x, t) => Math.sign(x - t),
    each: (o, x, t, _w, _p, n) => k.l1_loss(o, x, t, n),
    sum: (o, x, t, _w, _p, n, d) => k.l1_loss_sum(o, x, t, n, d),
    back: (dx, g, st, x, t, _w, _p, s, n) => k.l1_loss_backward(dx, g, st, x, t, s, n),
  },
  smooth_l1: {
    value: (x, t) => (Math.abs(x - t) < 0.7 ? (x - t) ** 2 / 1.4 : Math.abs(x - t) - 0.35),
    slope: (x, t) => Math.max(-1, Math.min(1, (x - t) / 0.7)),
    each: (o, x, t, _w, _p, n) => k.smooth_l1_loss(o, x, t, 0.7, n),
    sum: (o, x, t, _w, _p, n, d) => k.smooth_l1_loss_sum(o, x, t, 0.7, n, d),
    back: (dx, g, st, x, t, _w, _p, s, n) => k.smooth_l1_loss_backward(dx, g, st, x, t, 0.7, s, n),
  },
  huber: {
    value: (x, t) => (Math.abs(x - t) <= 0.7 ? (x - t) ** 2 / 2 : 0.7 * (Math.abs(x - t) - 0.35)),
    slope: (x, t) => Math.max(-0.7, Math.min(0.7, x - t)),
    each: (o, x, t, _w, _p, n) => k.huber_loss(o, x, t, 0.7, n),
    sum: (o, x, t, _w, _p, n, d) => k.huber_loss_sum(o, x, t, 0.7, n, d),
    back: (dx, g, st, x, t, _w, _p, s, n) => k.huber_loss_backward(dx, g, st, x, t, 0.7, s, n),
  },
  binary_cross_entropy: {
    value: (x, t, w) => -w * (t * Math.max(Math.log(x), -100) + (1 - t) * Math.max(Math.log1p(-x), -100)),
    slope: (x, t, w) => (w * (x - t)) / Math.max(x * (1 - x), 1e-12),
    targetSlope: (x, _t, w) => w * (Math.log1p(-x) - Math.log(x)),
    each: (o, x, t, w, _p, n) => k.binary_cross_entropy(o, x, t, w, n),
    sum: (o, x, t, w, _p, n, d) => k.binary_cross_entropy_sum(o, x, t, w, n, d),
    back: (dx, g, st, x, t, w, _p, s, n) => k.binary_cross_entropy_backward(dx, g, st, x, t, w, s, n),
    targetBack: (dt, g, st, x, _t, w, _p, s, n) => k.binary_cross_entropy_target_backward(dt, g, st, x, w, s, n),
    input: (v) => Math.min(0.9375, unit(v) + 0.03125),
    target: unit,
  },
  binary_cross_entropy_with_logits: {
    value: (x, t, w, pw) => w * ((1 - t) * x + (1 + (pw - 1) * t) * softplus(-x)),
    slope: (x, t, w, pw) => w * ((pw * t + 1 - t) * sigmoid(x) - pw * t),
    targetSlope: (x, _t, w, pw) => w * (pw * softplus(-x) - softplus(x)),
    each: (o, x, t, w, p, n) => k.binary_cross_entropy_with_logits(o, x, t, w, p, n),
    sum: (o, x, t, w, p, n, d) => k.binary_cross_entropy_with_logits_sum(o, x, t, w, p, n, d),
    back: (dx, g, st, x, t, w, p, s, n) => k.binary_cross_entropy_with_logits_backward(dx, g, st, x, t, w, p, s, n),
    targetBack: (dt, g, st, x, _t, w, p, s, n) =>
      k.binary_cross_entropy_with_logits_target_backward(dt, g, st, x, w, p, s, n),
    input: (v) => v * 4,
    target: unit,
  },
  kl_div: {
    value: (x, t) => (t === 0 ? 0 : t * Math.log(t)) - t * x,
    slope: (_x, t) => -t,
    targetSlope: (x, t) => Math.log(t) + 1 - x,
    each: (o, x, t, _w, _p, n) => k.kl_div(o, x, t, 0, n),
    sum: (o, x, t, _w, _p, n, d) => k.kl_div_sum(o, x, t, 0, n, d),
    back: (dx, g, st, _x, t, _w, _p, s, n) => k.kl_div_backward(dx, g, st, t, 0, s, n),
    targetBack: (dt, g, st, x, t, _w, _p, s, n) => k.kl_div_target_backward(dt, g, st, x, t, 0, s, n),
    target: (v) => unit(v) + 0.01,
  },
  "kl_div of log targets": {
    value: (x, t) => Math.exp(t) * (t - x),
    slope: (_x, t) => -Math.exp(t),
    targetSlope: (x, t) => Math.exp(t) * (t + 1 - x),
    each: (o, x, t, _w, _p, n) => k.kl_div(o, x, t, 1, n),
    sum: (o, x, t, _w, _p, n, d) => k.kl_div_sum(o, x, t, 1, n, d),
    back: (dx, g, st, _x, t, _w, _p, s, n) => k.kl_div_backward(dx, g, st, t, 1, s, n),
    targetBack: (dt, g, st, x, t, _w, _p, s, n) => k.kl_div_target_backward(dt, g, st, x, t, 1, s, n),
  },
};

const SIZES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 63, 64, 65, 127, 1003];

describe.each(Object.entries(LOSSES))("%s", (_name, op) => {
  it("per element, summed and backward against float64", () => {
    for (const n of SIZES) {
      const x = randoms(n, n + 1).map(op.input ?? ((v) => v));
      const t = randoms(n, n + 2).map(op.target ?? ((v) => v));
      const g = randoms(n + 1, 6);
      const [xp, tp, gp] = [arena.f32(x), arena.f32(t), arena.f32(g)];
      for (const weighted of [false, true]) {
        const w = weighted ? positive(n, 5) : new Float32Array(n).fill(1);
        const pw = weighted ? positive(n, 6) : new Float32Array(n).fill(1);
        const [wp, pwp] = weighted ? [arena.f32(w), arena.f32(pw)] : [0, 0];
        const all = (f: Elementwise["value"]) => Array.from(x, (v, i) => f(v, t[i]!, w[i]!, pw[i]!));
        // mse and the like take no weights.
        if (weighted && !_name.startsWith("binary")) continue;
        const out = arena.bytes(n * 4);
        op.each(out, xp, tp, wp, pwp, n);
        expectClose(arena.readF32(out, n), all(op.value), { rtol: 3e-6 });
        if (n > 0) {
          const one = arena.bytes(4);
          op.sum(one, xp, tp, wp, pwp, n, n);
          expectClose(arena.readF32(one, 1), [total(all(op.value)) / n], { rtol: 2e-6 });
        }
        for (const stride of [0, 1]) {
          const upstream = (v: number, i: number) => v * 0.25 * g[stride * i]!;
          op.back(out, gp, stride, xp, tp, wp, pwp, 0.25, n);
          expectClose(arena.readF32(out, n), all(op.slope).map(upstream), { rtol: 4e-6 });
          if (!op.targetBack || !op.targetSlope) continue;
          op.targetBack(out, gp, stride, xp, tp, wp, pwp, 0.25, n);
          expectClose(arena.readF32(out, n), all(op.targetSlope).map(upstream), { rtol: 4e-6 });
        }
      }
      arena.verify();
    }
  });
});

/** Values that /usr/bin/python3 torch 1.13 printed for the edges. */
describe("edges as PyTorch", () => {
  function edges(
    op: Elementwise,
    x: number[],
    t: number[],
    value: number[],
    slope: number[],
    targetSlope?: number[],
    pw = 0,
  ) {
    const n = x.length;
    const out = arena.bytes(n * 4);
    const [xp, tp, gp] = [arena.f32(x), arena.f32(t), arena.f32([1])];
    const pwp = pw ? arena.f32(new Array(n).fill(pw)) : 0;
    op.each(out, xp, tp, 0, pwp, n);
    expectClose(arena.readF32(out, n), value);
    op.back(out, gp, 0, xp, tp, 0, pwp, 1, n);
    expectClose(arena.readF32(out, n), slope);
    if (targetSlope) {
      op.targetBack?.(out, gp, 0, xp, tp, 0, pwp, 1, n);
      expectClose(arena.readF32(out, n), targetSlope);
    }
    arena.verify();
  }

  it("l1: the slope of NaN is 0", () =>
    edges(LOSSES["l1"]!, [NAN, 1, 0, INF, -1], [0, NAN, 0, INF, 2], [NAN, NAN, 0, NAN, 3], [0, 0, 0, 0, -1]));
  it("smooth_l1", () =>
    edges(
      LOSSES["smooth_l1"]!,
      [NAN, 1, 0, INF, INF],
      [0, NAN, 0, INF, 0],
      [NAN, NAN, 0, NAN, INF],
      [NAN, NAN, 0, NAN, 1],
    ));
  it("huber", () =>
    edges(
      LOSSES["huber"]!,
      [NAN, 1, 0, INF, INF],
      [0, NAN, 0, INF, 0],
      [NAN, NAN, 0, NAN, INF],
      [NAN, NAN, 0, NAN, 0.7],
    ));
  it("binary_cross_entropy: logarithms cut at -100, the gradient's denominator at 1e-12", () =>
    edges(
      LOSSES["binary_cross_entropy"]!,
      [0, 0, 1, 1, 0.5, 1e-30, 1e-9, 0.3],
      [0, 1, 0, 1, 0.3, 0.5, 0.1, NAN],
      [0, 100, 100, 0, Math.LN2, 34.538776, 2.0723267, NAN],
      [0, -999999995904, 999999995904, 0, 0.79999995, -499999997952, -100000008, NAN],
      [INF, INF, -INF, -INF, 0, 69.077553, 20.723266, 0.84729785],
    ));
  const x = [INF, INF, -INF, -INF, NAN, 100, -100, 0];
  const t = [0, 1, 0, 1, 0.3, 0.5, 0.1, 0.2];
  it("binary_cross_entropy_with_logits", () =>
    edges(
      LOSSES["binary_cross_entropy_with_logits"]!,
      x,
      t,
      [INF, NAN, NAN, NAN, NAN, 50, 10, Math.LN2],
      [1, 0, 0, -1, NAN, 0.5, -0.1, 0.3],
      [-INF, -INF, INF, INF, NAN, -100, 100, 0],
    ));
  it("binary_cross_entropy_with_logits with posWeight 3", () =>
    edges(
      LOSSES["binary_cross_entropy_with_logits"]!,
      x,
      t,
      [INF, NAN, NAN, NAN, NAN, 50, 30.000008, 0.97040605],
      [1, 0, 0, -3, NAN, 0.5, -0.3, 0.1],
      [-INF, -INF, INF, INF, NAN, -100, 300, 1.3862944],
      3,
    ));
  it("kl_div", () =>
    edges(
      LOSSES["kl_div"]!,
      [-1, -INF, -INF, NAN, -1, NAN, -2, -INF],
      [0, 0, 0.5, 0.5, NAN, 0, -1, INF],
      [0, NAN, INF, NAN, NAN, NAN, NAN, INF],
      [0, 0, -0.5, -0.5, NAN, 0, 1, -INF],
      [NAN, NAN, INF, NAN, NAN, NAN, NAN, NAN],
    ));
  it("kl_div of log targets", () =>
    edges(
      LOSSES["kl_div of log targets"]!,
      [-1, -INF, -INF, NAN, -1, NAN, -2, -INF],
      [0, -INF, 0.5, 0.5, NAN, -INF, -1, INF],
      [1, NAN, INF, NAN, NAN, NAN, 0.36787945, INF],
      [-1, 0, -1.6487212, -1.6487212, NAN, 0, -0.36787945, -INF],
      [2, NAN, INF, NAN, NAN, NAN, 0.7357589, INF],
    ));

  it("check_unit_interval", () => {
    expect(k.check_unit_interval(arena.f32([0, 0.5, 1]), 3)).toBe(-1);
    expect(k.check_unit_interval(arena.f32([0, 1, 1.1]), 3)).toBe(2);
    expect(k.check_unit_interval(arena.f32([0, NAN, -1]), 3)).toBe(1);
    arena.verify();
  });
});
