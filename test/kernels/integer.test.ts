import { expect, test } from "vitest";
import { load } from "../../src/wasm/load.js";
import { k } from "../support/kernels.js";
import { lengths } from "./broadcasting.js";
import { Slab } from "./slab.js";

load();

const { fround } = Math;
const NaN_ = Number.NaN;
const INF = Number.POSITIVE_INFINITY;

type Unary = (out: number, x: number, n: number) => void;

test("int32 unary", () => {
  const x = [0, 1, -1, 7, -7, 2147483647, -2147483648, 46341, 12];
  for (let n = 0; n <= x.length; n++) {
    const slab = new Slab();
    const values = x.slice(0, n);
    const px = slab.put(Int32Array.from(values));
    const out = slab.ints(n);
    const expectInts = (f: (v: number) => number) =>
      expect(Array.from(slab.read<Int32Array>(out))).toEqual(values.map((v) => f(v) | 0));
    k.neg_i32(out, px, n);
    expectInts((v) => -v);
    k.abs_i32(out, px, n);
    expectInts(Math.abs);
    k.sign_i32(out, px, n);
    expectInts(Math.sign);
    k.square_i32(out, px, n);
    expectInts((v) => Math.imul(v, v));
    slab.check();
  }
});

test("casts", () => {
  const floats32 = [0, -0, 1.9, -1.9, 300.7, -300.7, 256, NaN_, 0.5, 3e9, -3e9, INF, 1e-45, 100, 255, 7, -7];
  const ints32 = [0, 1, -1, 255, 256, -256, 2147483647, -2147483648, 16777217, 5];
  const bytes8 = Array.from({ length: 40 }, (_, i) => (i * 37) % 256);
  const saturate = (v: number) => Math.min(Math.max(Math.trunc(v) || 0, -(2 ** 31)), 2 ** 31 - 1);
  for (const n of lengths) {
    const slab = new Slab();
    const f = floats32.slice(0, n);
    const i = ints32.slice(0, n);
    const b = bytes8.slice(0, n);
    const pf = slab.put(Float32Array.from(f));
    const pi = slab.put(Int32Array.from(i));
    const pb = slab.put(Uint8Array.from(b));
    const check = (kernel: Unary, from: number, data: number[], out: number, g: (v: number) => number) => {
      kernel(out, from, data.length);
      expect(Array.from(slab.read(out))).toEqual(data.map(g));
    };
    check(k.cast_f32_i32, pf, f, slab.ints(f.length), saturate);
    check(k.cast_f32_u8, pf, f, slab.bytes(f.length), (v) => saturate(v) & 255);
    check(k.cast_f32_bool, pf, f, slab.bytes(f.length), (v) => Number(v !== 0 && fround(v) !== 0));
    check(k.cast_i32_f32, pi, i, slab.floats(i.length), fround);
    check(k.cast_i32_u8, pi, i, slab.bytes(i.length), (v) => v & 255);
    check(k.cast_i32_bool, pi, i, slab.bytes(i.length), (v) => Number(v !== 0));
    check(k.cast_u8_f32, pb, b, slab.floats(n), (v) => v);
    check(k.cast_u8_i32, pb, b, slab.ints(n), (v) => v);
    check(k.cast_u8_bool, pb, b, slab.bytes(n), (v) => Number(v !== 0));
    check(k.logical_not, pb, b, slab.bytes(n), (v) => Number(v === 0));
    slab.check();
  }
});
