/** Numbers to try functions on: those at the edges of their domains and of float32, and random ones of all sizes. */
import { random } from "./slab.js";

const edges = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  -1.5,
  -2.5,
  2,
  4,
  8,
  10,
  100,
  1000,
  1e5,
  -1e5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  1e-45,
  -1e-45,
  1e-40,
  -1e-40,
  1.1754944e-38,
  88.72283,
  88.7228394,
  88.9,
  89.2,
  -87.3,
  -87.4,
  -103.2,
  -103.9,
  -104,
  3.4028235e38,
  -3.4028235e38,
  0.927734375,
  0.9277343,
  Math.SQRT2,
  Math.SQRT1_2,
  9.01,
  0.35,
  -0.35,
  Math.PI,
  2 ** 27,
  -(2 ** 27),
  2 ** 28 + 32,
  16777216,
  16777217,
  -0.99999994,
  8388607.5,
  -8388607.5,
];

/** Random bit patterns, numbers of everyday size, multiples of π/2, and the edges. */
export function samples(n: number): Float32Array {
  const x = Float32Array.from({ length: n }, (_, i) => {
    if (i % 4 === 0) return random() * 4;
    if (i % 4 === 1) return random() * 120;
    return i % 8 === 2 ? (Math.PI / 2) * (i >> 3) : 0;
  });
  const bits = new Uint32Array(x.buffer);
  for (let i = 3; i < n; i += 4) bits[i] = ((random() + 1) * 2 ** 31) >>> 0;
  x.set(edges);
  return x;
}
