/** DataLoader: order, batches, collating, errors. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { collate, DataLoader, Dataset, randomSplit, Subset, TensorDataset } from "../../src/data/index.js";
import { ArgumentError, ShapeError } from "../../src/errors.js";
import { Generator, manualSeed } from "../../src/generator.js";
import { tensor } from "../../src/ops/tensor.js";
import { fillUniform } from "../../src/random.js";
import { Kind } from "../../src/storage.js";
import { Tensor } from "../../src/tensor.js";

/** A dataset of given samples, without a fast path. */
class Samples<S> extends Dataset<S> {
  constructor(private readonly samples: readonly S[]) {
    super();
  }
  get length(): number {
    return this.samples.length;
  }
  get(i: number): S {
    return this.samples[i];
  }
}

const range = (n: number) => Int32Array.from({ length: n }, (_, i) => i);
const plain = (value: any): any =>
  value instanceof Tensor ? value.toArray() : Array.isArray(value) ? value.map(plain) : value;
const batches = (loader: Iterable<any>) => Array.from(loader, plain);

describe("batches", () => {
  const dataset = new TensorDataset(tensor(range(7)), tensor(range(7).map((i) => i * i)));

  test("come in order, the last one smaller", () => {
    const loader = new DataLoader(dataset, { batchSize: 3 });
    expect(loader.length).toBe(3);
    expect(loader.dataset).toBe(dataset);
    const expected = [
      [
        [0, 1, 2],
        [0, 1, 4],
      ],
      [
        [3, 4, 5],
        [9, 16, 25],
      ],
      [[6], [36]],
    ];
    expect(batches(loader)).toEqual(expected);
    expect(batches(loader)).toEqual(expected);
  });

  test("without the last one under dropLast", () => {
    const loader = new DataLoader(dataset, { batchSize: 3, dropLast: true });
    expect(loader.length).toBe(2);
    expect(batches(loader).length).toBe(2);
    expect(new DataLoader(dataset, { batchSize: 7, dropLast: true }).length).toBe(1);
    expect(batches(new DataLoader(dataset, { batchSize: 8, dropLast: true }))).toEqual([]);
  });

  test("of one sample by default; arguments may be positional, as in PyTorch", () => {
    expect(batches(new DataLoader(dataset))[2]).toEqual([[2], [4]]);
    const loader = new DataLoader(dataset, 4, true, { seed: 1 });
    expect([loader.batchSize, loader.shuffle]).toEqual([4, true]);
    expect(new DataLoader(dataset, 4, { dropLast: true }).length).toBe(1);
  });

  test("of an empty dataset are none", () => {
    expect(batches(new DataLoader(new Samples([]), { batchSize: 2 }))).toEqual([]);
  });

  test("are durable, whoever makes them", () => {
    const samples = new Samples([[tensor([1, 2]), 1]]);
    const own = new DataLoader<any, any>(samples, {
      collate: (s) => ({ x: Tensor.allocate([1], "float32", "own"), n: s.length }),
    });
    for (const [x, y] of new DataLoader(dataset)) expect([x.block.kind, y.block.kind]).toEqual([Kind.Data, Kind.Data]);
    for (const [x, y] of new DataLoader(samples)) expect([x.block.kind, y.block.kind]).toEqual([Kind.Data, Kind.Data]);
    for (const { x, n } of own) expect([x.block.kind, n]).toEqual([Kind.Data, 1]);
  });

  test("by the fast path are those by the slow one", () => {
    const tensors = [
      tensor([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
      tensor(Uint8Array.of(1, 2, 3)),
      tensor([true, false, true]),
    ];
    const fast = new TensorDataset(...tensors);
    const slow = new Samples([...fast]);
    for (const [a, b] of [
      [fast, slow],
      [new Subset(fast, [2, 0, -1]), new Subset(slow, [2, 0, -1])],
    ]) {
      const made = Array.from(new DataLoader(a as Dataset, { batchSize: 2 }), plain);
      expect(made).toEqual(Array.from(new DataLoader(b as Dataset, { batchSize: 2 }), plain));
    }
    const [batch] = new DataLoader(fast, { batchSize: 2 });
    expect(batch.map((t) => t.dtype)).toEqual(["float32", "uint8", "bool"]);
    expect(batch[0].toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test("pass gradients to the tensors of the dataset", () => {
    const x = tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { requiresGrad: true },
    );
    const [[batch]] = new DataLoader(new TensorDataset(x), { batchSize: 2 });
    expect(batch.requiresGrad).toBe(true);
  });
});

describe("order", () => {
  const fixture = JSON.parse(readFileSync(new URL("../parity/fixtures/random.json", import.meta.url), "utf8"));
  const rand = (n: number) => {
    const out = new Float32Array(n);
    fillUniform(out);
    return Array.from(out);
  };
  const float32 = (values: number[]) => Array.from(Float32Array.from(values));
  interface Epoch {
    values?: number[];
    head?: number[];
    tail?: number[];
  }
  const check = (order: number[], { values, head = [], tail = [] }: Epoch) => {
    if (values) expect(order).toEqual(values);
    expect(order.slice(0, head.length)).toEqual(head);
    expect(order.slice(order.length - tail.length)).toEqual(tail);
  };
  for (const r of fixture.records.filter((record: any) => record.kind === "dataLoader")) {
    const shuffle = r.shuffle ?? true;
    const how = shuffle ? (r.generator ? "with a generator" : "with the default generator") : "unshuffled";
    test(`is PyTorch's: ${r.n} samples, seed ${r.seed}, ${how}`, () => {
      const dataset = new TensorDataset(tensor(range(r.n)));
      for (const batchSize of [1, 3, r.n]) {
        manualSeed(r.seed);
        const loader = new DataLoader(dataset, { batchSize, shuffle, seed: r.generator ? r.seed : undefined });
        for (const epoch of r.epochs) check(batches(loader).flat(2), epoch);
        if (!shuffle) batches(loader);
        expect(rand(2)).toEqual(float32(r.after));
      }
    });
  }

  test("is another one every epoch, the same for the same seed, and complete", () => {
    const dataset = new TensorDataset(tensor(range(20)));
    const loader = () => new DataLoader(dataset, { batchSize: 6, shuffle: true, seed: 5 });
    const [a, b] = [loader(), loader()];
    const first = batches(a).flat(2);
    expect(first).toEqual(batches(b).flat(2));
    const second = batches(a).flat(2);
    expect(second).not.toEqual(first);
    expect(second).toEqual(batches(b).flat(2));
    expect([...second].sort((x, y) => x - y)).toEqual(Array.from(range(20)));
  });

  test("with dropLast or a break draws as PyTorch", () => {
    // g = torch.Generator().manual_seed(3); l = DataLoader(range(10), batch_size=4, shuffle=True, drop_last=True,
    // generator=g); [[b.tolist() for b in l], (next(iter(l)).tolist()), [b.tolist() for b in l]]
    const loader = new DataLoader(new TensorDataset(tensor(range(10))), {
      batchSize: 4,
      shuffle: true,
      dropLast: true,
      seed: 3,
    });
    expect(batches(loader).map(([x]) => x)).toEqual([
      [7, 4, 2, 9],
      [1, 5, 0, 8],
    ]);
    for (const [x] of loader) {
      expect(x.toArray()).toEqual([1, 2, 0, 5]);
      break;
    }
    expect(batches(loader).map(([x]) => x)).toEqual([
      [3, 7, 4, 9],
      [8, 1, 5, 2],
    ]);
  });
});

describe("collate", () => {
  const typed = (t: Tensor) => [t.dtype, t.toArray()];

  test("numbers, booleans, strings", () => {
    expect(typed(collate([1, 2]))).toEqual(["int32", [1, 2]]);
    expect(typed(collate([1, 2.5]))).toEqual(["float32", [1, 2.5]]);
    expect(typed(collate([1, Number.NaN]))).toEqual(["float32", [1, Number.NaN]]);
    expect(typed(collate([1, 2 ** 31]))).toEqual(["float32", [1, 2 ** 31]]);
    expect(typed(collate([true, false]))).toEqual(["bool", [true, false]]);
    expect(collate(["a", "b"])).toEqual(["a", "b"]);
  });

  test("tensors and typed arrays", () => {
    expect(typed(collate([tensor([1, 2]), tensor([3, 4])]))).toEqual([
      "float32",
      [
        [1, 2],
        [3, 4],
      ],
    ]);
    expect(typed(collate([tensor(Int32Array.of(1)), tensor([2.5])]))).toEqual(["float32", [[1], [2.5]]]);
    expect(typed(collate([tensor(true), tensor(false)]))).toEqual(["bool", [true, false]]);
    expect(typed(collate([Uint8Array.of(1, 2), Uint8Array.of(3, 4)]))).toEqual([
      "uint8",
      [
        [1, 2],
        [3, 4],
      ],
    ]);
    expect(typed(collate([Float64Array.of(0.5)]))).toEqual(["float32", [[0.5]]]);
    expect(typed(collate([tensor([]), tensor([])]))).toEqual(["float32", [[], []]]);
  });

  test("tuples and objects, nested", () => {
    const [pair, z] = collate([
      [[1, 0.5], "a"],
      [[2, 1], "b"],
    ]);
    expect([typed(pair[0]), typed(pair[1]), z]).toEqual([
      ["int32", [1, 2]],
      ["float32", [0.5, 1]],
      ["a", "b"],
    ]);
    const { x, y } = collate([
      { x: 1, y: [true] },
      { x: 2, y: [false] },
    ]);
    expect([typed(x), typed(y[0])]).toEqual([
      ["int32", [1, 2]],
      ["bool", [true, false]],
    ]);
  });
});

describe("errors", () => {
  const loading =
    (samples: any[], options = {}) =>
    () =>
      batches(new DataLoader(new Samples(samples), { batchSize: samples.length, ...options }));

  test("batchSize must be a positive whole number", () => {
    for (const batchSize of [0, -1, 2.5, Number.NaN, "3" as any]) {
      expect(() => new DataLoader(new Samples([1]), { batchSize })).toThrow(ArgumentError);
      expect(() => new DataLoader(new Samples([1]), { batchSize })).toThrow(
        `DataLoader: batchSize must be a positive whole number, found ${batchSize}`,
      );
    }
  });

  test("shuffling an empty dataset, as PyTorch", () => {
    expect(() => new DataLoader(new Samples([]), { shuffle: true })).toThrow(ArgumentError);
    expect(() => new DataLoader(new Samples([]), { shuffle: true })).toThrow(/at least one sample, found .* length 0/);
  });

  test("what is no dataset", () => {
    expect(() => new DataLoader(tensor([1, 2]) as any)).toThrow(/dataset must have a length and a get.*TensorDataset/);
    expect(() => new DataLoader(null as any)).toThrow(ArgumentError);
    expect(() => new DataLoader(new Samples([1]), { collate: 3 as any })).toThrow(/collate must be a function/);
  });

  test("changing shapes name the sample and both shapes", () => {
    const samples = [
      [tensor([1, 2]), 0],
      [tensor([1, 2]), 0],
      [tensor([1, 2, 3]), 0],
    ];
    expect(loading(samples)).toThrow(ShapeError);
    expect(loading(samples)).toThrow(/\[0\] of sample 2 is of shape \[3\], but that of sample 0 is of shape \[2\]/);
    const shuffled = new DataLoader(new Subset(new Samples(samples), [0, 2]), { batchSize: 2 });
    expect(() => batches(shuffled)).toThrow(/\[0\] of sample 1 is/);
    expect(loading([Uint8Array.of(1), Uint8Array.of(1, 2)])).toThrow(
      /sample 1 is of length 2, .*sample 0 is of length 1/,
    );
    expect(loading([[1, 2], [1]])).toThrow(ShapeError);
    expect(loading([{ a: 1 }, { b: 1 }])).toThrow(/sample 1 is an object with keys b, .* keys a/);
  });

  test("samples of changing kinds, or of none", () => {
    expect(loading([1, tensor(1)])).toThrow(/sample 1 is a Tensor, but that of sample 0 is a number/);
    expect(loading([Uint8Array.of(1), Float32Array.of(1)])).toThrow(/sample 1 is a Float32Array, .* is an? Uint8Array/);
    expect(loading([[1, undefined]])).toThrow(/\[1\] of sample 0 is undefined: samples may hold/);
    expect(loading([new Map()])).toThrow(TypeError);
  });
});

describe("PyTorch's other arguments", () => {
  const dataset = new TensorDataset(tensor(range(10)));

  test("numWorkers, pinMemory and persistentWorkers are taken and change nothing", () => {
    const options = { numWorkers: 2, pinMemory: true, persistentWorkers: true };
    expect(batches(new DataLoader(dataset, { batchSize: 4, ...options }))).toEqual(
      batches(new DataLoader(dataset, { batchSize: 4 })),
    );
  });

  test("collateFn is collate", () => {
    const loader = new DataLoader<Tensor[], number>(dataset, { batchSize: 4, collateFn: (samples) => samples.length });
    expect([...loader]).toEqual([4, 4, 2]);
  });

  test("a generator, as a seed, shuffles apart from the default one; randomSplit takes one too", () => {
    const epochs = (options: object) => {
      const loader = new DataLoader(dataset, { batchSize: 10, shuffle: true, ...options });
      return [batches(loader), batches(loader)];
    };
    expect(epochs({ generator: new Generator(5) })).toEqual(epochs({ seed: 5 }));
    expect(() => epochs({ generator: 5 })).toThrow(/generator must be a Generator, found 5/);
    expect(() => epochs({ generator: new Generator(5), seed: 5 })).toThrow(/either seed or generator/);
    const split = (options: any) => randomSplit(dataset, [7, 3], options).map((part) => [...part.indices]);
    expect(split(new Generator(42))).toEqual(split({ seed: 42 }));
    expect(split({ generator: new Generator(42) })).toEqual(split({ seed: 42 }));
    expect(() => split({ manualSeed: 42 })).toThrow(/randomSplit: unknown option manualSeed/);
  });
});
