import { describe, expect, test } from "vitest";
import { load } from "../../src/wasm/load.js";
import { k } from "../support/kernels.js";
import { randomFloats, Slab } from "./slab.js";

load();

type Forward = (out: number, x: number, n: number) => void;
type Backward = (dx: number, dout: number, saved: number, n: number) => void;

const kernels: Record<string, { forward: Forward; backward: Backward; f: (x: number) => number; fromOutput?: true }> = {
  relu: { forward: k.relu, backward: k.relu_backward, f: (x) => Math.max(x, 0), fromOutput: true },
  leaky_relu: {
    forward: (out, x, n) => k.leaky_relu(out, x, 0.1, n),
    backward: (dx, dout, x, n) => k.leaky_relu_backward(dx, dout, x, 0.1, n),
    f: (x) => (x > 0 ? x : 0.1 * x),
  },
  elu: {
    forward: (out, x, n) => k.elu(out, x, 2, n),
    backward: (dx, dout, x, n) => k.elu_backward(dx, dout, x, 2, n),
    f: (x) => (x > 0 ? x : 2 * Math.expm1(x)),
  },
  gelu: { forward: k.gelu, backward: k.gelu_backward, f: (x) => x * normalCdf(x) },
  gelu_tanh: {
    forward: k.gelu_tanh,
    backward: k.gelu_tanh_backward,
    f: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  },
  silu: { forward: k.silu, backward: k.silu_backward, f: (x) => x / (1 + Math.exp(-x)) },
  softplus: {
    forward: (out, x, n) => k.softplus(out, x, 2, 3, n),
    backward: (dx, dout, x, n) => k.softplus_backward(dx, dout, x, 2, 3, n),
    f: (x) => (2 * x > 3 ? x : Math.log1p(Math.exp(2 * x)) / 2),
  },
  hardtanh: {
    forward: (out, x, n) => k.hardtanh(out, x, -0.5, 1.5, n),
    backward: (dx, dout, x, n) => k.hardtanh_backward(dx, dout, x, -0.5, 1.5, n),
    f: (x) => Math.min(Math.max(x, -0.5), 1.5),
  },
  hardswish: {
    forward: k.hardswish,
    backward: k.hardswish_backward,
    f: (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6,
  },
};

/** Φ by its power series: x is small here. */
function normalCdf(x: number): number {
  let term = x;
  let sum = x;
  for (let i = 1; i < 100; i++) {
    term *= (-x * x) / (2 * i);
    sum += term / (2 * i + 1);
  }
  return 0.5 + sum / Math.sqrt(2 * Math.PI);
}

/**
 * PyTorch 1.13 on these x: the output, and the gradient for a dout of 2. leaky_relu: slope 0.1. elu: alpha 2. softplus:
 * beta 2, threshold 3. hardtanh: −0.5 to 1.5.
 */
// biome-ignore format: data
const x = [NaN, Infinity, -Infinity, 0.0, -0, 1e-40, -1e-40, 1.0, -1.0, 3.0, -3.0, 2.999, -2.999, 3.1, -3.1, 0.5, -0.5, 6.0, -6.0, 20.0, -20.0, 19.99, 20.01, 10.0, -10.0, 0.1, -0.1, 2.0, -2.0, 0.25, -1.5, 1.5];
// biome-ignore format: data
const pytorch: Record<string, { out: number[]; dx: number[] }> = {
  relu: {
    out: [NaN, Infinity, 0.0, 0.0, -0, 9.9999461e-41, 0.0, 1.0, 0.0, 3.0, 0.0, 2.99900007, 0.0, 3.0999999, 0.0, 0.5, 0.0, 6.0, 0.0, 20.0, 0.0, 19.9899998, 20.0100002, 10.0, 0.0, 0.100000001, 0.0, 2.0, 0.0, 0.25, 0.0, 1.5],
    dx: [2.0, 2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 2.0, 0.0, 2.0, 0.0, 2.0, 0.0, 2.0, 0.0, 2.0, 0.0, 2.0, 0.0, 2.0, 0.0, 2.0, 2.0, 2.0, 0.0, 2.0, 0.0, 2.0, 0.0, 2.0, 0.0, 2.0],
  },
  leaky_relu: {
    out: [NaN, Infinity, -Infinity, 0.0, -0, 9.9999461e-41, -9.99966584e-42, 1.0, -0.100000001, 3.0, -0.300000012, 2.99900007, -0.299900025, 3.0999999, -0.310000002, 0.5, -0.0500000007, 6.0, -0.600000024, 20.0, -2.0, 19.9899998, 20.0100002, 10.0, -1.0, 0.100000001, -0.0100000007, 2.0, -0.200000003, 0.25, -0.150000006, 1.5],
    dx: [0.200000003, 2.0, 0.200000003, 0.200000003, 0.200000003, 2.0, 0.200000003, 2.0, 0.200000003, 2.0, 0.200000003, 2.0, 0.200000003, 2.0, 0.200000003, 2.0, 0.200000003, 2.0, 0.200000003, 2.0, 0.200000003, 2.0, 2.0, 2.0, 0.200000003, 2.0, 0.200000003, 2.0, 0.200000003, 2.0, 0.200000003, 2.0],
  },
  elu: {
    out: [NaN, Infinity, -2.0, 0.0, 0.0, 9.9999461e-41, 0.0, 1.0, -1.2642411, 3.0, -1.90042591, 2.99900007, -1.90032625, 3.0999999, -1.90990162, 0.5, -0.786938667, 6.0, -1.99504244, 20.0, -2.0, 19.9899998, 20.0100002, 10.0, -1.99990916, 0.100000001, -0.190325141, 2.0, -1.72932947, 0.25, -1.55373967, 1.5],
    dx: [NaN, 2.0, 0.0, 4.0, 4.0, 2.0, 4.0, 2.0, 1.4715178, 2.0, 0.199148268, 2.0, 0.199347511, 2.0, 0.180196822, 2.0, 2.42612267, 2.0, 0.00991500914, 2.0, 8.24461477e-09, 2.0, 2.0, 2.0, 0.000181599724, 2.0, 3.61934972, 2.0, 0.541341126, 2.0, 0.892520666, 2.0],
  },
  gelu: {
    out: [NaN, Infinity, NaN, 0.0, 0.0, 4.99997305e-41, -4.99997305e-41, 0.841344714, -0.158655286, 2.99595022, -0.00404986739, 2.99493814, -0.00406183489, 3.09700012, -0.00299981236, 0.345731199, -0.154268786, 6.0, 0.0, 20.0, 0.0, 19.9899998, 20.0100002, 10.0, 0.0, 0.0539827906, -0.0460172109, 1.95449996, -0.0455000997, 0.149676561, -0.10021086, 1.39978909],
    dx: [NaN, NaN, NaN, 1.0, 1.0, 1.0, 1.0, 2.16663074, -0.166630864, 2.02389121, -0.0238912106, 2.02395344, -0.023953259, 2.01831889, -0.0183189511, 1.73499012, 0.26500982, 2.0, -5.96046448e-08, 2.0, 0.0, 2.0, 2.0, 2.0, 0.0, 1.15904629, 0.840953648, 2.1704638, -0.170463741, 1.39074659, -0.254938304, 2.25493836],
  },
  gelu_tanh: {
    out: [NaN, Infinity, NaN, 0.0, -0, 4.99997305e-41, -4.99997305e-41, 0.841192007, -0.158807993, 2.99636269, -0.00363743305, 2.99535108, -0.00364900171, 3.09737325, -0.00262656808, 0.345714003, -0.154285997, 6.0, -0, 20.0, -0, 19.9899998, 20.0100002, 10.0, -0, 0.0539827533, -0.0460172482, 1.95459771, -0.0454022884, 0.149675354, -0.100428432, 1.39957154],
    dx: [NaN, NaN, NaN, 1.0, 1.0, 1.0, 1.0, 2.16592813, -0.165928185, 2.02316856, -0.0231685936, 2.02323198, -0.0232319999, 2.01747847, -0.0174785107, 1.73473978, 0.26526022, 2.0, 0.0, 2.0, 0.0, 2.0, 2.0, 2.0, 0.0, 1.15904355, 0.84095639, 2.17219853, -0.172198445, 1.39070821, -0.255421638, 2.25542164],
  },
  silu: {
    out: [NaN, Infinity, NaN, 0.0, -0, 4.99997305e-41, -4.99997305e-41, 0.731058598, -0.268941432, 2.85772252, -0.142277613, 2.85663438, -0.142365724, 2.96636748, -0.133632496, 0.311229676, -0.188770339, 5.98516464, -0.0148357386, 20.0, -4.12230747e-08, 19.9899998, 20.0100002, 9.99954605, -0.000453978719, 0.0524979196, -0.0475020818, 1.76159406, -0.238405839, 0.140544131, -0.273638278, 1.22636163],
    dx: [NaN, NaN, NaN, 1.0, 1.0, 1.0, 1.0, 1.85534108, 0.144658968, 2.17620826, -0.176208213, 2.17627287, -0.176272824, 2.16952944, -0.169529423, 1.47992241, 0.520077646, 2.02465248, -0.0246528629, 2.0, -7.83238434e-08, 2.0, 2.0, 2.00081754, -0.000817120483, 1.09983349, 0.900166392, 2.18156862, -0.181568503, 1.24742007, -0.0825883225, 2.08258843],
  },
  softplus: {
    out: [NaN, Infinity, 0.0, 0.346573591, 0.346573591, 0.346573591, 0.346573591, 1.06346405, 0.0634640083, 3.0, 0.0012378426, 2.99900007, 0.00124031748, 3.0999999, 0.00101368723, 0.656630814, 0.156630844, 6.0, 3.07209666e-06, 20.0, 2.12417707e-18, 19.9899998, 20.0100002, 10.0, 1.03057685e-09, 0.399069428, 0.299069434, 2.0, 0.00907496456, 0.487038493, 0.024293676, 1.52429366],
    dx: [NaN, 2.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.76159418, 0.238405839, 2.0, 0.0049452465, 2.0, 0.00495512178, 2.0, 0.00405064179, 1.4621172, 0.537882864, 2.0, 1.22883484e-05, 2.0, 8.49670826e-18, 2.0, 2.0, 2.0, 4.12230738e-09, 1.09966803, 0.900331974, 2.0, 0.0359724201, 1.2449187, 0.0948517472, 1.90514827],
  },
  hardtanh: {
    out: [NaN, 1.5, -0.5, 0.0, -0, 9.9999461e-41, -9.9999461e-41, 1.0, -0.5, 1.5, -0.5, 1.5, -0.5, 1.5, -0.5, 0.5, -0.5, 1.5, -0.5, 1.5, -0.5, 1.5, 1.5, 1.5, -0.5, 0.100000001, -0.100000001, 1.5, -0.5, 0.25, -0.5, 1.5],
    dx: [0.0, 0.0, 0.0, 2.0, 2.0, 2.0, 2.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 2.0, 0.0, 0.0, 2.0, 0.0, 0.0],
  },
  hardswish: {
    out: [NaN, Infinity, NaN, 0.0, -0, 4.99997305e-41, -4.99997305e-41, 0.666666687, -0.333333343, 3.0, -0, 2.99850011, -0.000499797112, 3.09999967, -0, 0.291666657, -0.208333328, 6.0, -0, 20.0, -0, 19.9899998, 20.0100002, 10.0, -0, 0.0516666658, -0.0483333357, 1.66666663, -0.333333343, 0.135416672, -0.375, 1.125],
    dx: [NaN, 2.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.66666675, 0.333333313, 2.0, -1.0, 2.99933338, -0.999333382, 2.0, 0.0, 1.33333337, 0.666666627, 2.0, 0.0, 2.0, 0.0, 2.0, 2.0, 2.0, 0.0, 1.06666672, 0.933333337, 2.33333349, -0.333333373, 1.16666663, 0.0, 2.0],
  },
};

function expectNear(actual: ArrayLike<number>, expected: ArrayLike<number>, label: string): void {
  for (let i = 0; i < expected.length; i++) {
    const a = actual[i];
    const e = expected[i];
    const near = Object.is(a, e) || a === e || Math.abs(a - e) <= 1e-6 + 2e-6 * Math.abs(e);
    if (!near) expect.fail(`${label}, element ${i}: ${a}, expected ${e}`);
  }
}

describe.each(Object.keys(kernels))("%s", (name) => {
  const { forward, backward, f, fromOutput } = kernels[name];

  test("PyTorch's values and gradients, at the kinks, NaN and infinities too", () => {
    const slab = new Slab();
    const input = slab.put(Float32Array.from(x));
    const out = slab.floats(x.length);
    forward(out, input, x.length);
    expectNear(slab.read(out), pytorch[name].out, `${name}(${x})`);
    const dout = slab.put(new Float32Array(x.length).fill(2));
    const dx = slab.floats(x.length);
    backward(dx, dout, fromOutput ? out : input, x.length);
    expectNear(slab.read(dx), pytorch[name].dx, `${name}_backward`);
    slab.check();
  });

  test("every length, in place, and the slope of a float64 reference", () => {
    for (const n of [0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 33, 100]) {
      const slab = new Slab();
      const values = randomFloats(n, 4);
      const input = slab.put(values);
      const out = slab.floats(n);
      forward(out, input, n);
      expectNear(slab.read(out), Array.from(values, f), name);
      const seeds = randomFloats(n);
      const dout = slab.put(seeds);
      const dx = slab.floats(n);
      backward(dx, dout, fromOutput ? out : input, n);
      const h = 1e-6;
      const slopes = Array.from(values, (v, i) => (seeds[i] * (f(v + h) - f(v - h))) / (2 * h));
      expectNear(slab.read(dx), slopes, `${name}_backward`);
      const once = slab.read(dx);
      backward(dout, dout, fromOutput ? out : input, n);
      expect(slab.read(dout)).toEqual(once);
      const result = slab.read(out);
      forward(input, input, n);
      expect(slab.read(input)).toEqual(result);
      slab.check();
    }
  });
});

test("relu keeps −0 and NaN", () => {
  const slab = new Slab();
  const input = slab.put(Float32Array.of(-0, Number.NaN, -1, 5, -0));
  k.relu(input, input, 5);
  expect(slab.read(input)).toEqual(Float32Array.of(-0, Number.NaN, 0, 5, -0));
});
