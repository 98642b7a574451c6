/** Embeddings and one-hot vectors, against PyTorch's numbers and naive loops. */
import { describe, expect, test } from "vitest";
import { ArgumentError, AutogradError, DTypeError, IndexError, ShapeError } from "../src/errors.js";
import { manualSeed } from "../src/generator.js";
import { noGrad } from "../src/grad-mode.js";
import { Embedding } from "../src/nn/sparse.js";
import { mul } from "../src/ops/binary.js";
import { tensor, zeros } from "../src/ops/create.js";
import { embedding, oneHot } from "../src/ops/embedding.js";
import { sum } from "../src/ops/reduce.js";
import { transpose } from "../src/ops/view.js";
import { scope } from "../src/scope.js";
import { memory } from "../src/storage.js";

const int = (data: any) => tensor(data, { dtype: "int32" });

function expectError(fn: () => unknown, type: new (...args: any[]) => Error, text: string): void {
  expect(fn).toThrow(type);
  expect(fn).toThrow(text);
}

describe("embedding", () => {
  const table = (options = {}) =>
    tensor(
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      options,
    );

  test.each([
    [
      "nested arrays",
      [
        [2, 0],
        [1, 2],
      ],
    ],
    [
      "an int32 tensor",
      int([
        [2, 0],
        [1, 2],
      ]),
    ],
    [
      "a strided int32 tensor",
      transpose(
        int([
          [2, 1],
          [0, 2],
        ]),
        0,
        1,
      ),
    ],
  ])("rows and their gradient, by %s", (_name, idx) => {
    const weight = table({ requiresGrad: true });
    const out = embedding(idx, weight);
    expect(out.toArray()).toEqual([
      [
        [5, 6],
        [1, 2],
      ],
      [
        [3, 4],
        [5, 6],
      ],
    ]);
    sum(mul(out, tensor([1, 2, 3, 4, 5, 6, 7, 8], { shape: [2, 2, 2] }))).backward();
    expect(weight.grad?.toArray()).toEqual([
      [3, 4],
      [5, 6],
      [8, 10],
    ]);
  });

  test.each([1, 3, 4, 7, 16, 33])("dim %i against a loop", (dim) => {
    const rows = 11;
    const idx = Int32Array.from({ length: 50 }, (_, i) => (i * 7) % rows);
    const values = Float32Array.from({ length: rows * dim }, (_, i) => Math.sin(i));
    const weight = tensor(values, { shape: [rows, dim], requiresGrad: true });
    const out = embedding(idx, weight, { paddingIdx: -1 });
    const scale = Float32Array.from({ length: 50 * dim }, (_, i) => i % 13);
    sum(mul(out, tensor(scale, { shape: [50, dim] }))).backward();
    const grad = new Float32Array(rows * dim);
    const picked = out.toTypedArray();
    for (let j = 0; j < 50; j++) {
      for (let c = 0; c < dim; c++) {
        expect(picked[j * dim + c]).toBe(values[idx[j] * dim + c]);
        if (idx[j] !== rows - 1) grad[idx[j] * dim + c] += scale[j * dim + c];
      }
    }
    expect(weight.grad?.toTypedArray()).toEqual(grad);
  });

  test("one index, none, and a strided weight", () => {
    expect(embedding(1, table()).toArray()).toEqual([3, 4]);
    expect(embedding([], table()).shape).toEqual([0, 2]);
    expect(embedding([[], []], table()).shape).toEqual([2, 0, 2]);
    const weight = transpose(
      tensor(
        [
          [1, 3],
          [2, 4],
        ],
        { requiresGrad: true },
      ),
      0,
      1,
    );
    expect(embedding([1], weight).toArray()).toEqual([[3, 4]]);
    expect(embedding([0], int([[7, 8]])).dtype).toBe("int32");
  });

  test("maxNorm scales the rows that are looked up", () => {
    const weight = tensor(
      [
        [3, 4],
        [0.3, 0.4],
        [6, 8],
      ],
      { requiresGrad: true },
    );
    const expected = [
      [0.6, 0.8],
      [0.3, 0.4],
      [6, 8],
    ].map((row) => row.map(Math.fround));
    const out = embedding([0, 1, 0], weight, { maxNorm: 1 }).toArray();
    [0, 1, 0].forEach((row, j) => {
      out[j].forEach((v: number, c: number) => {
        expect(v).toBeCloseTo(expected[row][c], 6);
      });
    });
    expect(weight.toArray().slice(1)).toEqual(expected.slice(1));
    const tall = tensor([[3, -4]]);
    embedding([0], tall, { maxNorm: 2, normType: Number.POSITIVE_INFINITY });
    expect(tall.toArray()[0][1]).toBeCloseTo(-2, 6);
    const stale = tensor([[3, 4]], { requiresGrad: true });
    const loss = sum(mul(stale, stale));
    embedding([0], stale, { maxNorm: 1 });
    expect(() => loss.backward()).toThrow(AutogradError);
  });

  test("errors", () => {
    expectError(() => embedding([0, 3], table()), IndexError, "index 3 is out of range for dim 0 with size 3");
    expectError(() => embedding([-1], table()), IndexError, "index -1 is out of range");
    expectError(
      () => embedding(tensor([1]), table()),
      DTypeError,
      "embedding: the index must be an int32 tensor, found float32",
    );
    expectError(() => embedding([0], tensor([1, 2])), ShapeError, "weight must have shape [rows, dim], found [2]");
    expectError(
      () => embedding([0], table(), { paddingIdx: 3 }),
      ArgumentError,
      "paddingIdx 3 is not within the 3 embeddings",
    );
    const weight = table();
    expect(() => embedding([0, 9], weight, { maxNorm: 0.1 })).toThrow(IndexError);
    expect(weight.toArray()[0]).toEqual([1, 2]);
  });

  test("leaves nothing behind", () => {
    const weight = table({ requiresGrad: true });
    const before = memory().liveTensors;
    noGrad(() => embedding([[0, 1]], weight)).dispose();
    oneHot([1, 2]).dispose();
    expect(memory().liveTensors).toBe(before);
    const step = () => sum(embedding([[0, 1]], weight)).backward();
    for (let i = 0; i < 20; i++) scope(step);
    const steady = memory().liveTensors;
    for (let i = 0; i < 5; i++) scope(step);
    expect(memory().liveTensors).toBe(steady);
  });
});

describe("nn.Embedding", () => {
  test("draws what PyTorch draws", () => {
    manualSeed(5);
    const small = new Embedding(5, 3, { paddingIdx: -2 });
    expect(small.paddingIdx).toBe(3);
    const torch = [
      [-0.4867807626724243, -0.6038215756416321, -0.5580962300300598],
      [0.6675242781639099, -0.19741509854793549, 1.9427834749221802],
      [-1.4017020463943481, -0.7625571489334106, 0.6312134265899658],
      [0, 0, 0],
      [0.2224585860967636, -0.666225254535675, 0.6846421957015991],
    ];
    expect(small.weight.toArray()).toEqual(torch);
    manualSeed(7);
    expect(new Embedding(6, 4).weight.toArray()[4][0]).toBe(-0.866701602935791);
  });

  test("forward, the padding row, names and printing", () => {
    const layer = new Embedding(5, 3, 1);
    expect(Object.keys(layer.stateDict())).toEqual(["weight"]);
    expect([layer.numEmbeddings, layer.embeddingDim, layer.paddingIdx]).toEqual([5, 3, 1]);
    expect(layer.weight.toArray()[1]).toEqual([0, 0, 0]);
    const out = layer([[1, 2, 2]]);
    expect(out.shape).toEqual([1, 3, 3]);
    sum(out).backward();
    expect(layer.weight.grad?.toArray().map((row: number[]) => row[0])).toEqual([0, 0, 2, 0, 0]);
    expect(String(layer)).toBe("Embedding(5, 3, padding_idx=1)");
    expect(() => layer([5])).toThrow(IndexError);
    expectError(() => new Embedding(5, 3, { paddingIdx: 5 }), ArgumentError, "paddingIdx 5");
    expectError(() => new Embedding(2.5, 3), ArgumentError, "numEmbeddings must be a whole number");
  });

  test("fromPretrained shares the vectors and draws nothing", () => {
    manualSeed(1);
    const first = new Embedding(1, 1).weight.item();
    manualSeed(1);
    const vectors = tensor([
      [1, 2],
      [3, 4],
    ]);
    const frozen = Embedding.fromPretrained(vectors);
    expect(new Embedding(1, 1).weight.item()).toBe(first);
    expect(frozen.weight.requiresGrad).toBe(false);
    expect(frozen.weight.block).toBe(vectors.block);
    expect(frozen([1]).toArray()).toEqual([[3, 4]]);
    expect(Embedding.fromPretrained(vectors, { freeze: false, paddingIdx: 0 }).weight.requiresGrad).toBe(true);
    expect(vectors.toArray()[0]).toEqual([1, 2]);
    expectError(
      () => Embedding.fromPretrained(zeros(3)),
      ShapeError,
      "expected vectors of shape [rows, dim], found [3]",
    );
  });
});

describe("oneHot", () => {
  test("values", () => {
    const out = oneHot(
      [
        [0, 2],
        [1, 0],
      ],
      3,
    );
    expect(out.dtype).toBe("int32");
    expect(out.toArray()).toEqual([
      [
        [1, 0, 0],
        [0, 0, 1],
      ],
      [
        [0, 1, 0],
        [1, 0, 0],
      ],
    ]);
    expect(oneHot(int([3, 0])).shape).toEqual([2, 4]);
    expect(oneHot(2).toArray()).toEqual([0, 0, 1]);
    expect(oneHot([], 4).shape).toEqual([0, 4]);
  });

  test("errors", () => {
    expectError(() => oneHot([0, 3], 3), IndexError, "oneHot: index 3 is out of range for 3 classes");
    expectError(() => oneHot([-1]), IndexError, "oneHot: index -1 is negative");
    expectError(() => oneHot([]), ArgumentError, "pass numClasses");
    expectError(() => oneHot([0], 0), ArgumentError, "numClasses must be a whole number > 0");
    expectError(() => oneHot(tensor([1])), DTypeError, "oneHot: the index must be an int32 tensor");
  });
});
