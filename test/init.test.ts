/** nn.init against PyTorch's numbers, and what it refuses. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ArgumentError, DTypeError, ShapeError } from "../src/errors.js";
import { manualSeed } from "../src/generator.js";
import * as init from "../src/nn/init.js";
import { erfinv, normalCdf, orthonormalize } from "../src/nn/initMath.js";
import { empty, ones, rand, tensor, zeros } from "../src/ops/create.js";
import type { Tensor } from "../src/tensor.js";

const values = (t: Tensor) => Array.from(t.toTypedArray());
/** Numbers for constants, NaN and infinities written as strings in the fixtures. */
const decode = (value: any): any => {
  if (value === "NaN" || value === "Infinity" || value === "-Infinity") return Number(value);
  if (Array.isArray(value)) return value.map(decode);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, v]) => [name, decode(v)]));
};

describe("the fixtures (test/parity/fixtures/init.json)", () => {
  const { records } = JSON.parse(readFileSync(new URL("./parity/fixtures/init.json", import.meta.url), "utf8"));
  const recorded = records.filter((r: any) => r.target === "nn.init" && r.output);
  const named: [string, any][] = recorded.map((r: any) => [
    `${r.op} ${JSON.stringify(r.shape)} ${JSON.stringify(r.options ?? r.args)}`,
    r,
  ]);
  test.each(named)("%s", (_, r) => {
    manualSeed(r.seed);
    const t = empty(r.shape);
    const args = [...decode(r.args), ...(r.options ? [decode(r.options)] : [])];
    expect((init as any)[r.op](t, ...args)).toBe(t);
    const expected: number[] = decode(r.output.data).map(Math.fround);
    const worst = values(t).reduce((most, v, i) => Math.max(most, Math.abs(v - expected[i])), 0);
    expect(worst).toBeLessThanOrEqual(r.tolerance ?? 0);
  });

  test("calculateGain", () => {
    const gains = records.filter((r: any) => r.op === "calculateGain").flatMap((r: any) => r.cases);
    expect(gains.length).toBeGreaterThan(0);
    for (const { args, gain } of gains) {
      expect(init.calculateGain(...(args as [init.Nonlinearity, number?]))).toBeCloseTo(gain, 12);
    }
  });
});

describe("views are filled as PyTorch fills them", () => {
  /** A [4, 3] tensor that lies column by column. */
  const transposed = () => zeros(3, 4).stridedView([4, 3], [1, 4], 0);

  test("uniform_ in the order of the memory", () => {
    manualSeed(0);
    const t = init.uniform_(transposed());
    expect(String(t)).toBe(
      [
        "tensor([[0.4963, 0.3074, 0.4556],",
        "        [0.7682, 0.6341, 0.6323],",
        "        [0.0885, 0.4901, 0.3489],",
        "        [0.1320, 0.8964, 0.4017]])",
      ].join("\n"),
    );
  });

  test("normal_ draws one at a time", () => {
    manualSeed(0);
    const base = zeros(8, 6);
    const everyOther = base.stridedView([8, 3], [6, 2], 0);
    init.normal_(everyOther);
    expect(String(everyOther.stridedView([2, 3], [6, 2], 0))).toBe(
      "tensor([[ 1.5410, -0.2934, -2.1788],\n        [ 0.5684, -1.0845, -1.3986]])",
    );
    // What lies between is untouched.
    expect(values(base.stridedView([8, 3], [6, 2], 1)).every((v) => v === 0)).toBe(true);
  });

  test("eye_, orthogonal_ and sparse_ know rows from columns", () => {
    expect(values(init.eye_(transposed()))).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]);
    manualSeed(3);
    const contiguous = values(init.orthogonal_(empty(4, 3)));
    manualSeed(3);
    expect(values(init.orthogonal_(transposed()))).toEqual(contiguous);
    manualSeed(3);
    const sparse = values(init.sparse_(transposed(), 0.5));
    for (let column = 0; column < 3; column++) {
      expect(sparse.filter((v, i) => i % 3 === column && v === 0)).toHaveLength(2);
    }
  });

  test("an expanded tensor is refused", () => {
    expect(() => init.uniform_(zeros(3).stridedView([2, 3], [0, 1], 0))).toThrow(/expanded/);
  });
});

describe("in place", () => {
  test("a leaf that requires a gradient stays a leaf; its version goes up", () => {
    const w = zeros(2, 3, { requiresGrad: true });
    const { version } = w.block;
    expect(init.ones_(w)).toBe(w);
    expect(w.block.version).toBe(version + 1);
    expect(w.isLeaf && w.requiresGrad).toBe(true);
    expect(values(w)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  test("constants go into any dtype", () => {
    expect(values(init.constant_(zeros(2, { dtype: "int32" }), -3.7))).toEqual([-3, -3]);
    expect(values(init.constant_(zeros(2, { dtype: "bool" }), 0.5))).toEqual([1, 1]);
    expect(values(init.zeros_(ones(2, { dtype: "uint8" })))).toEqual([0, 0]);
  });

  test("nothing is drawn for an empty tensor", () => {
    manualSeed(1);
    init.kaimingUniform_(empty(0, 3));
    init.orthogonal_(empty(3, 0));
    init.xavierNormal_(empty(0, 0));
    const next = rand(1).item();
    manualSeed(1);
    expect(next).toBe(rand(1).item());
  });
});

describe("arguments", () => {
  const drawn = (fill: (t: Tensor) => Tensor) => {
    manualSeed(5);
    return values(fill(empty(4, 6)));
  };

  test("by position up to any point, then by name", () => {
    const expected = drawn((t) => init.kaimingUniform_(t, 0.2, "fan_out", "leaky_relu"));
    expect(drawn((t) => init.kaimingUniform_(t, 0.2, "fan_out"))).toEqual(expected);
    expect(drawn((t) => init.kaimingUniform_(t, 0.2, { mode: "fan_out" }))).toEqual(expected);
    expect(drawn((t) => init.kaimingUniform_(t, { a: 0.2, mode: "fanOut", nonlinearity: "leakyRelu" }))).toEqual(
      expected,
    );
    expect(drawn((t) => init.kaimingUniform_(t, 0.2, { mode: undefined }))).not.toEqual(expected);
    expect(drawn((t) => init.truncNormal_(t, 0, 2, { b: 1 }))).toEqual(drawn((t) => init.truncNormal_(t, 0, 2, -2, 1)));
  });

  test.each<[string, () => unknown, new (message: string) => Error, RegExp]>([
    ["fan of a vector", () => init.xavierUniform_(ones(3)), ShapeError, /xavierUniform_: .*\[3\].*at least 2 dims/],
    ["fan of a scalar", () => init.calculateFanInAndFanOut(ones()), ShapeError, /calculateFanInAndFanOut: .*\[\]/],
    ["mode", () => init.kaimingNormal_(ones(2, 2), { mode: "fan" as any }), ArgumentError, /"fan".*fan_in, fan_out/],
    [
      "nonlinearity",
      () => init.kaimingNormal_(ones(2, 2), 0, "fan_in", "gelu" as any),
      ArgumentError,
      /"gelu".*linear, conv1d.*tanh, relu, leaky_relu, selu/,
    ],
    ["option", () => init.uniform_(ones(2), { low: 1 } as any), ArgumentError, /unknown option low; expected a, b/],
    ["too many", () => (init.uniform_ as any)(ones(2), 0, 1, 2), ArgumentError, /3 arguments.*at most 2/],
    ["bounds", () => init.uniform_(ones(2), 3, 1), ArgumentError, /a 3 and b 1/],
    ["std", () => init.normal_(ones(2), 0, -1), ArgumentError, /std.*-1/],
    ["truncated std", () => init.truncNormal_(ones(2), { std: 0 }), ArgumentError, /std must be positive, found 0/],
    ["dtype", () => init.normal_(ones(2, { dtype: "int32" })), DTypeError, /float32.*int32/],
    ["value", () => init.constant_(ones(2, { dtype: "uint8" }), 256), ArgumentError, /256.*uint8/],
    ["sparsity", () => init.sparse_(ones(2, 2), 2), ArgumentError, /0 to 1, found 2/],
    ["sparse vector", () => init.sparse_(ones(2), 0.5), ShapeError, /2 dims, found shape \[2\]/],
    ["eye", () => init.eye_(ones(2, 2, 2)), ShapeError, /2 dims/],
    ["dirac", () => init.dirac_(ones(2, 2)), ShapeError, /3, 4 or 5 dims/],
    ["dirac groups", () => init.dirac_(ones(3, 2, 1), 2), ShapeError, /is 3, which does not divide into 2 groups/],
    ["orthogonal", () => init.orthogonal_(ones(3)), ShapeError, /at least 2 dims/],
    ["no tensor", () => init.zeros_(3 as any), TypeError, /zeros_: expected a Tensor/],
  ])("refuses: %s", (_, call, kind, message) => {
    manualSeed(9);
    expect(call).toThrow(kind);
    expect(call).toThrow(message);
    const next = rand(1).item();
    manualSeed(9);
    expect(next).toBe(rand(1).item());
  });

  test("fans", () => {
    expect(init.calculateFanInAndFanOut(ones(8, 4, 3, 5))).toEqual([60, 120]);
  });
});

describe("mathematics", () => {
  test("erfinv is PyTorch's", () => {
    // torch.erfinv of these float32 numbers.
    const pairs = [
      [0, 0],
      [0.5, 0.47693628],
      [-0.7, -0.732869],
      [0.9, 1.163087],
      [-0.99999, -3.1232111],
      [1, Number.POSITIVE_INFINITY],
      [-1, Number.NEGATIVE_INFINITY],
      [1.5, Number.NaN],
    ];
    // A last bit of PyTorch's is its C library's.
    for (const [y, x] of pairs) {
      if (Number.isFinite(x))
        expect(Math.abs(erfinv(Math.fround(y)) - Math.fround(x))).toBeLessThanOrEqual(2 ** -23 * Math.abs(x));
      else expect(erfinv(y)).toBe(x);
    }
  });

  test("the normal distribution", () => {
    expect(normalCdf(0)).toBe(0.5);
    expect(normalCdf(-2)).toBeCloseTo(0.0227501319481792, 15);
    expect(normalCdf(1.5)).toBeCloseTo(0.9331927987311419, 15);
    expect(normalCdf(10)).toBe(1);
    expect(normalCdf(Number.NEGATIVE_INFINITY)).toBe(0);
  });

  test("orthonormal vectors, of close ones too", () => {
    const vectors = Float64Array.from([1, 1e-9, 0, 0, 1, 0, 1e-9, 0, 1, 0, 0, 1e-9]);
    orthonormalize(vectors, 3, 4);
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 3; j++) {
        let product = 0;
        for (let c = 0; c < 4; c++) product += vectors[4 * i + c] * vectors[4 * j + c];
        expect(product).toBeCloseTo(i === j ? 1 : 0, 12);
      }
    }
  });

  test("orthogonal_ of a convolution's weight", () => {
    manualSeed(0);
    const t = init.orthogonal_(empty(4, 2, 3, 3), { gain: 2 });
    const rows = tensor(t, { shape: [4, 18] }).toArray() as number[][];
    for (let i = 0; i < 4; i++) {
      for (let j = 0; j < 4; j++) {
        expect(rows[i].reduce((sum, v, c) => sum + v * rows[j][c], 0)).toBeCloseTo(i === j ? 4 : 0, 5);
      }
    }
  });
});
