/** src/format.ts against what PyTorch prints. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { DType } from "../src/dtype.js";
import { Parameter } from "../src/nn/parameter.js";
import { arange, empty, full, ones, tensor, zeros } from "../src/ops/create.js";

/** What PyTorch 1.13 prints for the same data: str(torch.tensor(data)). */
const printed: [data: any, text: string][] = [
  [3, "tensor(3.)"],
  [-0, "tensor(-0.)"],
  [Number.NaN, "tensor(nan)"],
  [1e-5, "tensor(1.0000e-05)"],
  [100000000, "tensor(100000000.)"],
  [1500000000, "tensor(1.5000e+09)"],
  [[-0, 0], "tensor([-0., 0.])"],
  [[-0, 1.5], "tensor([-0.0000, 1.5000])"],
  [[Number.POSITIVE_INFINITY, 0], "tensor([inf, 0.])"],
  [[Number.POSITIVE_INFINITY, -1.5], "tensor([    inf, -1.5000])"],
  [[Number.NaN, 1.5], "tensor([   nan, 1.5000])"],
  [[1, 1000], "tensor([   1., 1000.])"],
  [[1, 1001], "tensor([1.0000e+00, 1.0010e+03])"],
  [[0.5, 500], "tensor([  0.5000, 500.0000])"],
  [[0.5, 501], "tensor([5.0000e-01, 5.0100e+02])"],
  [[0.0001, 0.09], "tensor([1.0000e-04, 9.0000e-02])"],
  [[9e-5, 0.05], "tensor([9.0000e-05, 5.0000e-02])"],
  // In the middle between two decimals Python takes the even digit.
  [[0.03125, 0.09375, 0.15625, -0.03125], "tensor([ 0.0312,  0.0938,  0.1562, -0.0312])"],
  [[100005, 100015, 1], "tensor([1.0000e+05, 1.0002e+05, 1.0000e+00])"],
  [[-0, 10000000000], "tensor([-0.0000e+00, 1.0000e+10])"],
  [[Number.NaN, 10000000000, -2], "tensor([        nan,  1.0000e+10, -2.0000e+00])"],
  [[16777216, 16777215], "tensor([16777216., 16777215.])"],
  [
    [
      [1, -20],
      [300, 4],
    ],
    "tensor([[  1., -20.],\n        [300.,   4.]])",
  ],
  [
    [
      [[1.5], [2]],
      [[-3], [4]],
    ],
    "tensor([[[ 1.5000],\n         [ 2.0000]],\n\n        [[-3.0000],\n         [ 4.0000]]])",
  ],
  [
    [
      [true, false],
      [true, true],
    ],
    "tensor([[ True, False],\n        [ True,  True]])",
  ],
];

describe("toString prints as PyTorch", () => {
  test.each(printed)("%j", (data, text) => {
    expect(String(tensor(data))).toBe(text);
  });

  test("blocks of four dims are set apart by blank lines", () => {
    expect(String(ones(2, 2, 1, 3, { dtype: "bool" }))).toBe(
      [
        "tensor([[[[True, True, True]],",
        "",
        "         [[True, True, True]]],",
        "",
        "",
        "        [[[True, True, True]],",
        "",
        "         [[True, True, True]]]])",
      ].join("\n"),
    );
  });

  test("lines break at 80 columns", () => {
    expect(String(arange(25))).toBe(
      "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,\n" +
        "        18, 19, 20, 21, 22, 23, 24])",
    );
  });

  test("more than 1000 elements are shortened", () => {
    expect(String(arange(1001, { dtype: "float32" }))).toBe("tensor([   0.,    1.,    2.,  ...,  998.,  999., 1000.])");
    const values = Int32Array.from({ length: 2 * 7 * 80 }, (_, i) => i);
    expect(String(tensor(values, { shape: [2, 7, 80] }))).toBe(
      [
        "tensor([[[   0,    1,    2,  ...,   77,   78,   79],",
        "         [  80,   81,   82,  ...,  157,  158,  159],",
        "         [ 160,  161,  162,  ...,  237,  238,  239],",
        "         ...,",
        "         [ 320,  321,  322,  ...,  397,  398,  399],",
        "         [ 400,  401,  402,  ...,  477,  478,  479],",
        "         [ 480,  481,  482,  ...,  557,  558,  559]],",
        "",
        "        [[ 560,  561,  562,  ...,  637,  638,  639],",
        "         [ 640,  641,  642,  ...,  717,  718,  719],",
        "         [ 720,  721,  722,  ...,  797,  798,  799],",
        "         ...,",
        "         [ 880,  881,  882,  ...,  957,  958,  959],",
        "         [ 960,  961,  962,  ..., 1037, 1038, 1039],",
        "         [1040, 1041, 1042,  ..., 1117, 1118, 1119]]])",
      ].join("\n"),
    );
  });

  test("views print without a copy", () => {
    const t = tensor([1, 2, 3, 4, 5, 6], { shape: [2, 3] });
    expect(String(t.stridedView([3, 2], [1, 3], 0))).toBe("tensor([[1., 4.],\n        [2., 5.],\n        [3., 6.]])");
  });
});

describe("the fixtures (test/parity/fixtures/print.json)", () => {
  interface Recorded {
    input?: { shape: number[]; dtype: DType; data: (number | string)[] };
    arange?: { shape: number[]; dtype: DType; scale?: { mul?: number; div?: number } };
    text: string;
    requiresGrad?: boolean;
  }
  const { records } = JSON.parse(readFileSync(new URL("./parity/fixtures/print.json", import.meta.url), "utf8"));
  /** Our words for what PyTorch adds behind the elements. */
  const translate = (text: string) =>
    text
      .replace("dtype=torch.", "dtype=")
      .replace("requires_grad=True", "requiresGrad=true")
      .replace(/size=\((.*)\)\)/, "shape=[$1])");
  test.each((records as Recorded[]).map((r) => [r.text.slice(0, 60), r] as const))("%s", (_, r) => {
    let data: number[];
    if (r.input) data = r.input.data.map(Number);
    else {
      const n = r.arange?.shape.reduce((a, b) => a * b, 1);
      const { mul = 1, div = 1 } = r.arange?.scale ?? {};
      data = Array.from({ length: n ?? 0 }, (_, i) => (i * Math.fround(mul)) / div);
    }
    const { shape, dtype } = (r.input ?? r.arange) as { shape: number[]; dtype: DType };
    expect(String(tensor(data, { shape, dtype, requiresGrad: r.requiresGrad }))).toBe(translate(r.text));
  });
});

describe("what is said besides the elements", () => {
  test("empty tensors tell their shape and dtype", () => {
    expect(String(zeros(0))).toBe("tensor([])");
    expect(String(zeros(0, 3))).toBe("tensor([], shape=[0, 3])");
    expect(String(zeros(2, 0, { dtype: "uint8" }))).toBe("tensor([], shape=[2, 0], dtype=uint8)");
    expect(String(arange(0))).toBe("tensor([], dtype=int32)");
  });

  test("dtypes, but for float32, int32 and bool", () => {
    expect(String(full([2], 7, { dtype: "uint8" }))).toBe("tensor([7, 7], dtype=uint8)");
  });

  test("gradients wanted, and where a result came from", () => {
    const leaf = ones(2, { requiresGrad: true });
    expect(String(leaf)).toBe("tensor([1., 1.], requiresGrad=true)");
    expect(String(leaf.clone())).toBe("tensor([1., 1.], gradFn=<clone>)");
    const wide = full([8], 1.25, { requiresGrad: true }).clone();
    expect(String(wide)).toBe(`tensor([${new Array(8).fill("1.2500").join(", ")}],\n       gradFn=<clone>)`);
  });

  test("parameters", () => {
    expect(String(new Parameter(ones(2)))).toBe("Parameter containing:\ntensor([1., 1.], requiresGrad=true)");
  });

  test("a tensor whose memory is gone says so", () => {
    const t = empty(3);
    t.dispose();
    expect(String(t)).toMatch(/^tensor\(<disposed: empty: .*dispose\(\)/);
  });
});
