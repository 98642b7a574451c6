/** Making tensors: values against PyTorch's, shapes and dtypes, what is refused, what is never lost. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DType } from "../src/dtype.js";
import { ArgumentError, AutogradError, DTypeError, ShapeError } from "../src/errors.js";
import { Generator, manualSeed } from "../src/generator.js";
import * as create from "../src/ops/create.js";
import { Kind, memory } from "../src/storage.js";
import type { Tensor } from "../src/tensor.js";

const {
  arange,
  bernoulli,
  empty,
  emptyLike,
  eye,
  full,
  fullLike,
  linspace,
  multinomial,
  normal,
  ones,
  onesLike,
  rand,
  randint,
  randintLike,
  randLike,
  randn,
  randnLike,
  randperm,
  tensor,
  zeros,
  zerosLike,
} = create;

const values = (t: Tensor) => Array.from(t.toTypedArray());
function expectTensor(t: Tensor, dtype: DType, shape: number[], data: number[]): void {
  expect(t.dtype).toBe(dtype);
  expect(t.shape).toEqual(shape);
  expect(values(t)).toEqual(dtype === "float32" ? data.map(Math.fround) : data);
}

type Refusal = [string, () => unknown, new (message: string) => Error, RegExp];
/** The call throws this error, and allocates nothing. */
function refuses(cases: Refusal[]): void {
  test.each(cases)("refuses: %s", (_, call, kind, message) => {
    let thrown: unknown;
    const before = memory().liveTensors;
    try {
      call();
    } catch (error) {
      thrown = error;
    }
    expect(memory().liveTensors).toBe(before);
    expect(thrown).toBeInstanceOf(kind);
    expect((thrown as Error).message).toMatch(message);
  });
}

describe("tensor", () => {
  test("numbers and booleans", () => {
    expectTensor(tensor(2), "float32", [], [2]);
    expectTensor(tensor(true), "bool", [], [1]);
    expectTensor(tensor([1, 2.5]), "float32", [2], [1, 2.5]);
    expectTensor(tensor([[true, false]]), "bool", [1, 2], [1, 0]);
    expectTensor(tensor([true, 2.5]), "float32", [2], [1, 2.5]);
    expectTensor(tensor([]), "float32", [0], []);
    expectTensor(tensor([[], []]), "float32", [2, 0], []);
  });

  test("typed arrays keep their kind", () => {
    expectTensor(tensor(new Float32Array([1, 0.1])), "float32", [2], [1, 0.1]);
    expectTensor(tensor(new Float64Array([1, 0.1])), "float32", [2], [1, 0.1]);
    expectTensor(tensor(new Int32Array([-1, 7])), "int32", [2], [-1, 7]);
    expectTensor(tensor(new Uint8Array([0, 255])), "uint8", [2], [0, 255]);
    expectTensor(tensor(new Uint8ClampedArray([0, 255])), "uint8", [2], [0, 255]);
    expectTensor(tensor(new Int8Array([-3])), "int32", [1], [-3]);
    expectTensor(tensor(new Uint16Array([65535])), "int32", [1], [65535]);
    expectTensor(tensor(new Uint32Array([3])), "int32", [1], [3]);
    expectTensor(tensor(new BigInt64Array([3n, -4n])), "int32", [2], [3, -4]);
    expectTensor(tensor([new Float32Array([1, 2]), new Float32Array([3, 4])]), "float32", [2, 2], [1, 2, 3, 4]);
    expectTensor(tensor([new Uint8Array([1, 2]), new Int32Array([-3, 4])]), "int32", [2, 2], [1, 2, -3, 4]);
  });

  test("a shape of its own", () => {
    expectTensor(tensor(new Uint8Array(6), { shape: [1, 2, 3] }), "uint8", [1, 2, 3], [0, 0, 0, 0, 0, 0]);
    expectTensor(
      tensor(
        [
          [1, 2],
          [3, 4],
        ],
        { shape: 4 },
      ),
      "float32",
      [4],
      [1, 2, 3, 4],
    );
    expectTensor(tensor([5], { shape: [] }), "float32", [], [5]);
  });

  test("conversion truncates toward zero; what is not 0 is true", () => {
    expectTensor(tensor([1.9, -1.9, -0.5], { dtype: "int32" }), "int32", [3], [1, -1, 0]);
    expectTensor(tensor(new Float32Array([1.9, -1.9]), { dtype: "int32" }), "int32", [2], [1, -1]);
    expectTensor(tensor([-0.5, 255.9], { dtype: "uint8" }), "uint8", [2], [0, 255]);
    expectTensor(tensor([0, -0, 0.1, Number.NaN], { dtype: "bool" }), "bool", [4], [0, 0, 1, 1]);
    expectTensor(tensor(new Int32Array([0, 256]), { dtype: "bool" }), "bool", [2], [0, 1]);
    expectTensor(tensor([true, false], { dtype: "float32" }), "float32", [2], [1, 0]);
    expectTensor(tensor(new BigInt64Array([0n, 2n]), { dtype: "bool" }), "bool", [2], [0, 1]);
  });

  test("tensors are copied, or are elements", () => {
    const source = tensor([1, 0, 3], { requiresGrad: true });
    const copy = tensor(source);
    expectTensor(copy, "float32", [3], [1, 0, 3]);
    expect(copy.block).not.toBe(source.block);
    expect(copy.requiresGrad).toBe(false);
    expectTensor(tensor(source, { dtype: "bool", shape: [3, 1] }), "bool", [3, 1], [1, 0, 1]);
    const transposed = tensor([1, 2, 3, 4, 5, 6]).stridedView([3, 2], [1, 3], 0);
    expectTensor(tensor(transposed), "float32", [3, 2], [1, 4, 2, 5, 3, 6]);
    expectTensor(tensor([tensor(1.5), 2]), "float32", [2], [1.5, 2]);
    expectTensor(tensor([[tensor(true)]]), "bool", [1, 1], [1]);
  });

  test("what is made of data is a copy and is never lost", () => {
    const data = new Float32Array([1, 2]);
    const t = tensor(data);
    data[0] = 9;
    expect(values(t)).toEqual([1, 2]);
    expect(t.block.kind).toBe(Kind.Data);
    expect(tensor(1, { requiresGrad: true }).block.kind).toBe(Kind.State);
  });

  test("toArray gives back what went in", () => {
    const value = fc.float({ noNaN: true });
    const nested = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)).chain(([a, b, c]) =>
      fc.array(fc.array(fc.array(value, { minLength: c, maxLength: c }), { minLength: b, maxLength: b }), {
        minLength: a + 1,
        maxLength: a + 1,
      }),
    );
    fc.assert(fc.property(nested, (data) => void expect(tensor(data).toArray()).toEqual(data)));
  });

  refuses([
    ["short rows", () => tensor([[1, 2], [3]]), ShapeError, /\[1\] has 1 elements, expected 2 as in \[0\]/],
    [
      "deep short rows",
      () =>
        tensor([
          [[1], [2]],
          [[3], [4, 5]],
        ]),
      ShapeError,
      /\[1\]\[1\] has 2 elements, expected 1/,
    ],
    ["a number among rows", () => tensor([[1, 2], 3]), ShapeError, /\[1\] is the number 3, expected a list of 2/],
    ["a row among numbers", () => tensor([1, [2]]), ShapeError, /\[1\] is a list of 1/],
    [
      "a string",
      () =>
        tensor([
          [1, 2],
          ["a" as any, 3],
        ]),
      TypeError,
      /\[1\]\[0\] is the string "a", expected a number/,
    ],
    ["a hole", () => tensor([1, undefined as any]), TypeError, /\[1\] is undefined/],
    ["null", () => tensor([[null as any]]), TypeError, /\[0\]\[0\] is null/],
    ["a bigint", () => tensor([1n as any]), TypeError, /\[0\] is the bigint 1n/],
    ["nothing", () => (tensor as any)(), TypeError, /data is undefined/],
    ["an object", () => tensor({ a: 1 } as any), TypeError, /data is a Object/],
    ["a count that differs", () => tensor([1, 2, 3], { shape: [2, 2] }), ShapeError, /3 elements.*\[2, 2\] needs 4/],
    ["sizes", () => tensor([1], { shape: [-1] }), ShapeError, /whole numbers ≥ 0, found -1/],
    [
      "dtype",
      () => tensor([1], { dtype: "float64" as any }),
      DTypeError,
      /"float64" \(float32 is in its place here\); expected one of/,
    ],
    ["range of uint8", () => tensor([[1], [256]], { dtype: "uint8" }), ArgumentError, /\[1\]\[0\] is 256.*0 to 255/],
    ["negative uint8", () => tensor(-1, { dtype: "uint8" }), ArgumentError, /data is -1/],
    ["range of int32", () => tensor([2 ** 31], { dtype: "int32" }), ArgumentError, /2147483648.*int32/],
    ["NaN", () => tensor(new Float32Array([0, Number.NaN]), { dtype: "int32" }), ArgumentError, /\[1\] is NaN/],
    ["a wide bigint", () => tensor(new BigInt64Array([1n << 40n])), ArgumentError, /1099511627776/],
    ["a wide uint32", () => tensor(new Uint32Array([4e9])), ArgumentError, /4000000000/],
    ["integers that require grad", () => tensor([1], { dtype: "int32", requiresGrad: true }), AutogradError, /int32/],
  ]);

  test("refuses larger tensors as elements", () => {
    expect(() => tensor([ones(2)])).toThrow(/\[0\] is a tensor of shape \[2\].*stack/);
  });
});

describe("constants", () => {
  test("a shape is a list or numbers, then options", () => {
    for (const t of [zeros(2, 3), zeros([2, 3]), zeros([2, 3], {}), zeros(2, 3, { dtype: "float32" })]) {
      expectTensor(t, "float32", [2, 3], [0, 0, 0, 0, 0, 0]);
    }
    expectTensor(zeros(), "float32", [], [0]);
    expectTensor(zeros([]), "float32", [], [0]);
    expectTensor(zeros(0, 3), "float32", [0, 3], []);
  });

  test.each<DType>(["float32", "int32", "uint8", "bool"])("ones and zeros of %s", (dtype) => {
    for (const n of [0, 1, 3, 4, 5, 33]) {
      expectTensor(ones(n, { dtype }), dtype, [n], new Array(n).fill(1));
      expectTensor(zeros(n, { dtype }), dtype, [n], new Array(n).fill(0));
    }
    expect(empty(2, { dtype }).dtype).toBe(dtype);
  });

  test("full", () => {
    expectTensor(full([2], 0.1), "float32", [2], [0.1, 0.1]);
    expectTensor(full(2, true), "bool", [2], [1, 1]);
    expectTensor(full([], -0), "float32", [], [-0]);
    expectTensor(full([2], -1.7, { dtype: "int32" }), "int32", [2], [-1, -1]);
    expectTensor(full([2], 0.5, { dtype: "bool" }), "bool", [2], [1, 1]);
    expectTensor(full([1], Number.NEGATIVE_INFINITY), "float32", [1], [Number.NEGATIVE_INFINITY]);
  });

  test("the like of a tensor", () => {
    const t = tensor(new Int32Array([1, 2]), { shape: [2, 1] });
    expectTensor(zerosLike(t), "int32", [2, 1], [0, 0]);
    expectTensor(onesLike(t, { dtype: "bool" }), "bool", [2, 1], [1, 1]);
    expectTensor(fullLike(t, 7.9), "int32", [2, 1], [7, 7]);
    expect(emptyLike(t).dtype).toBe("int32");
    expectTensor(fullLike(ones(2), true), "float32", [2], [1, 1]);
  });

  test("what they make is data and never lost, what requires a gradient is state", () => {
    expect(zeros(2).block.kind).toBe(Kind.Data);
    expect(zeros(2).block.op).toBe("zeros");
    const w = randn(2, { requiresGrad: true });
    expect(w.block.kind).toBe(Kind.State);
    expect(w.requiresGrad && w.isLeaf).toBe(true);
  });

  refuses([
    ["negative sizes", () => zeros(2, -1), ShapeError, /zeros: shape \[2, -1\]/],
    ["broken sizes", () => ones([2.5]), ShapeError, /found 2.5/],
    [
      "dtype",
      () => empty(2, { dtype: "int64" as any }),
      DTypeError,
      /empty: unknown dtype "int64" \(int32 is in its place here\)/,
    ],
    ["grad of integers", () => ones(2, { dtype: "int32", requiresGrad: true }), AutogradError, /ones: .*int32/],
    ["value", () => full([2], "x" as any), ArgumentError, /full: value .*found x/],
    ["range", () => full([2], 300, { dtype: "uint8" }), ArgumentError, /300.*uint8/],
    ["like of nothing", () => zerosLike([1] as any), TypeError, /zerosLike: expected a Tensor/],
  ]);
});

describe("ranges", () => {
  test("arange", () => {
    expectTensor(arange(4), "int32", [4], [0, 1, 2, 3]);
    expectTensor(arange(-1, 2), "int32", [3], [-1, 0, 1]);
    expectTensor(arange(5, 0, -2), "int32", [3], [5, 3, 1]);
    expectTensor(arange(0), "int32", [0], []);
    expectTensor(arange(3, 3, -1), "int32", [0], []);
    expectTensor(arange(2.5), "float32", [3], [0, 1, 2]);
    expectTensor(arange(0, 1, 0.3), "float32", [4], [0, 0.3, 0.6, 0.9]);
    expectTensor(arange(1, 0, -0.25), "float32", [4], [1, 0.75, 0.5, 0.25]);
    expectTensor(arange(3, { dtype: "float32" }), "float32", [3], [0, 1, 2]);
    expectTensor(arange(0.5, 5.5, { dtype: "int32" }), "int32", [5], [0, 1, 2, 3, 4]);
    expectTensor(arange(250, 256, { dtype: "uint8" }), "uint8", [6], [250, 251, 252, 253, 254, 255]);
    expect(arange(3, { dtype: "float32", requiresGrad: true }).requiresGrad).toBe(true);
  });

  test("linspace", () => {
    expectTensor(linspace(0, 1, 5), "float32", [5], [0, 0.25, 0.5, 0.75, 1]);
    expectTensor(linspace(-3, 7, 4), "float32", [4], [-3, 1 / 3, 11 / 3, 7]);
    expectTensor(linspace(0.1, 0.7, 7), "float32", [7], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]);
    expectTensor(linspace(4, 1, 1), "float32", [1], [4]);
    expectTensor(linspace(4, 1, 0), "float32", [0], []);
    expectTensor(linspace(0, 10, 5, { dtype: "int32" }), "int32", [5], [0, 2, 5, 7, 10]);
    expectTensor(linspace(-3.7, 7, 6, { dtype: "int32" }), "int32", [6], [-3, -1, 1, 3, 5, 7]);
  });

  test("eye", () => {
    expectTensor(eye(2), "float32", [2, 2], [1, 0, 0, 1]);
    expectTensor(eye(2, 3), "float32", [2, 3], [1, 0, 0, 0, 1, 0]);
    expectTensor(eye(3, 2, { dtype: "int32" }), "int32", [3, 2], [1, 0, 0, 1, 0, 0]);
    expectTensor(eye(0), "float32", [0, 0], []);
  });

  refuses([
    ["step 0", () => arange(0, 5, 0), ArgumentError, /step must not be 0/],
    ["a step truncated to 0", () => arange(0, 1, 0.25, { dtype: "int32" }), ArgumentError, /0.25 as int32/],
    ["the wrong way", () => arange(5, 0), ArgumentError, /from 5 to 0 leads down, but step is 1/],
    ["NaN", () => arange(Number.NaN), ArgumentError, /end must be a finite number, found NaN/],
    ["bool", () => arange(2, { dtype: "bool" }), DTypeError, /not bool/],
    ["beyond uint8", () => arange(257, { dtype: "uint8" }), ArgumentError, /256.*uint8/],
    ["beyond int32", () => arange(2 ** 31, 2 ** 31 + 2), ArgumentError, /2147483648.*int32/],
    ["steps", () => linspace(0, 1, -1), ArgumentError, /steps must be a whole number ≥ 0, found -1/],
    ["no steps", () => (linspace as any)(0, 1), ArgumentError, /steps .*undefined/],
    ["eye", () => eye(2, 1.5), ArgumentError, /eye: m must be a whole number/],
  ]);
});

describe("random numbers are PyTorch's", () => {
  /** After torch.manual_seed(42). */
  const seeded = (make: () => Tensor) => {
    manualSeed(42);
    return make();
  };

  test("uniform and normal", () => {
    const uniform = [0.8822692632675171, 0.9150039553642273, 0.38286375999450684, 0.9593056440353394];
    expectTensor(
      seeded(() => rand(2, 2)),
      "float32",
      [2, 2],
      uniform,
    );
    expectTensor(
      seeded(() => randLike(zeros(4))),
      "float32",
      [4],
      uniform,
    );
    const normals = [0.33669036626815796, 0.12880940735340118, 0.23446236550807953, 0.23033303022384644];
    expectTensor(
      seeded(() => randn([4])),
      "float32",
      [4],
      normals,
    );
    expectTensor(
      seeded(() => randnLike(zeros(2, 2))),
      "float32",
      [2, 2],
      normals,
    );
    expect(values(seeded(() => randn(18))).slice(0, 3)).toEqual([
      1.9269152879714966, 1.4872840642929077, -0.4973975419998169,
    ]);
    const scaled = [3.010071039199829, 2.386428117752075, 2.7033870220184326, 2.6909990310668945];
    expectTensor(
      seeded(() => normal(2, 3, [4])),
      "float32",
      [4],
      scaled,
    );
    expectTensor(
      seeded(() => normal(2, 3, 2, 2)),
      "float32",
      [2, 2],
      scaled,
    );
  });

  test("whole numbers", () => {
    const drawn = [-3, 2, 1, -1, 1, 0, -5, -1];
    expectTensor(
      seeded(() => randint(-5, 5, [2, 4])),
      "int32",
      [2, 4],
      drawn,
    );
    expectTensor(
      seeded(() => randint(-5, 5, 2, 4)),
      "int32",
      [2, 4],
      drawn,
    );
    expectTensor(
      seeded(() => randint(256, [5], { dtype: "uint8" })),
      "uint8",
      [5],
      [102, 179, 92, 14, 106],
    );
    expectTensor(
      seeded(() => randint(0, 2, [8], { dtype: "bool" })),
      "bool",
      [8],
      [0, 1, 0, 0, 0, 1, 0, 0],
    );
    expectTensor(
      seeded(() => randint(3, [5], { dtype: "float32" })),
      "float32",
      [5],
      [0, 2, 1, 1, 0],
    );
    expectTensor(
      seeded(() => randintLike(zeros(4), 2, 9)),
      "float32",
      [4],
      [3, 4, 6, 7],
    );
    expectTensor(
      seeded(() => randperm(10)),
      "int32",
      [10],
      [2, 6, 1, 8, 4, 5, 0, 9, 3, 7],
    );
    expectTensor(randperm(0), "int32", [0], []);
  });

  test("by probability", () => {
    const p = tensor([
      [0.1, 0.2, 0.3, 0.4],
      [4, 0, 1, 2],
    ]);
    const again = [0, 0, 1, 0, 2, 2, 3, 3, 0, 0, 0, 0];
    expectTensor(
      seeded(() => multinomial(p, 6, { replacement: true })),
      "int32",
      [2, 6],
      again,
    );
    expectTensor(
      seeded(() => multinomial(p, 6, true)),
      "int32",
      [2, 6],
      again,
    );
    expectTensor(
      seeded(() => multinomial(p, 3)),
      "int32",
      [2, 3],
      [3, 1, 2, 0, 3, 2],
    );
    expectTensor(
      seeded(() => multinomial(tensor([0.1, 0.2, 0.3, 0.4]), 2)),
      "int32",
      [2],
      [3, 1],
    );
    expectTensor(multinomial(ones(0, 3), 1), "int32", [0, 1], []);
    expectTensor(
      seeded(() => bernoulli(tensor([0, 1, 0.5, 0.5, 0.25, 0.75]))),
      "float32",
      [6],
      [0, 1, 1, 0, 0, 1],
    );
    expectTensor(
      seeded(() => bernoulli(zeros(8), 0.5)),
      "float32",
      [8],
      [1, 1, 1, 1, 0, 1, 0, 0],
    );
  });

  test("a generator of one's own", () => {
    const expected = values(seeded(() => rand(3)));
    const following = rand(1).item();
    manualSeed(42);
    expect(values(rand(3, { generator: new Generator(42) }))).toEqual(expected);
    expect(values(rand(3))).toEqual(expected);
    expect(rand(1).item()).toBe(following);
  });

  const ints = zeros(2, { dtype: "int32" });
  const p = tensor([0, 0, 1]);
  const [negative, twice, cube] = [tensor([1, -1]), tensor([0.5, 1.5]), ones(2, 2, 2)];
  refuses([
    ["dtype", () => rand(2, { dtype: "int32" }), DTypeError, /rand: .*float32.*int32/],
    ["like of integers", () => randnLike(ints), DTypeError, /randnLike: /],
    ["no range", () => randint(3, 3, [2]), ArgumentError, /low 3 and high 3/],
    ["no shape", () => (randint as any)(0, 5), ArgumentError, /no shape/],
    ["broken bounds", () => randint(0.5, 3, [2]), ArgumentError, /low must be a whole number, found 0.5/],
    ["beyond the dtype", () => randint(0, 300, [2], { dtype: "uint8" }), ArgumentError, /299.*uint8/],
    ["bools above 1", () => randint(0, 3, [2], { dtype: "bool" }), ArgumentError, /high 3/],
    ["permutation", () => randperm(-1), ArgumentError, /randperm: n .*-1/],
    ["std", () => normal(0, -1, [2]), ArgumentError, /std must be a number ≥ 0, found -1/],
    ["probability", () => bernoulli(twice), ArgumentError, /position 1 is 1.5/],
    ["p", () => bernoulli(p, -0.1), ArgumentError, /p is -0.1/],
    ["bernoulli of integers", () => bernoulli(ints), DTypeError, /probabilities must be float32, found int32/],
    ["more than there are", () => multinomial(p, 2), ArgumentError, /numSamples is 2.*only 1 of 3.*replacement/],
    ["negative weights", () => multinomial(negative, 1), ArgumentError, /p is -1 at \[0, 1\]/],
    ["no samples", () => multinomial(p, 0), ArgumentError, /numSamples must be a whole number > 0, found 0/],
    ["three dims", () => multinomial(cube, 1), ShapeError, /\[2, 2, 2\]/],
    ["multinomial of integers", () => multinomial(ints, 1), DTypeError, /int32/],
  ]);
});
