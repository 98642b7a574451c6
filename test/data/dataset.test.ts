/** TensorDataset, Subset, randomSplit, and datasets of one's own. */
import { describe, expect, test } from "vitest";
import { Dataset, randomSplit, Subset, TensorDataset } from "../../src/data/index.js";
import { ArgumentError, IndexError, ShapeError } from "../../src/errors.js";
import { Generator, manualSeed } from "../../src/generator.js";
import { tensor } from "../../src/ops/tensor.js";
import { transpose } from "../../src/ops/view.js";
import { randperm } from "../../src/random.js";

class Squares extends Dataset<[number, number]> {
  constructor(readonly length: number) {
    super();
  }
  get(i: number): [number, number] {
    if (i >= this.length) throw new IndexError(`Squares: ${i}`);
    return [i, i * i];
  }
}

describe("Dataset", () => {
  test("gives its samples in order when iterated over", () => {
    expect([...new Squares(3)]).toEqual([
      [0, 0],
      [1, 1],
      [2, 4],
    ]);
  });
});

describe("TensorDataset", () => {
  const x = tensor([
    [1, 2],
    [3, 4],
    [5, 6],
  ]);
  const y = tensor(Int32Array.of(7, 8, 9));

  test("samples are the rows of its tensors", () => {
    const dataset = new TensorDataset(x, y);
    expect(dataset.length).toBe(3);
    const [a, b] = dataset.get(1);
    expect(a.toArray()).toEqual([3, 4]);
    expect(b.item()).toBe(8);
    expect(dataset.get(-1)[1].item()).toBe(9);
  });

  test("takes any number of tensors, strided ones too, and follows their changes", () => {
    const strided = transpose(tensor([[1, 2, 3]]), 0, 1);
    const dataset = new TensorDataset(strided);
    const batch = () => dataset.getBatch(Int32Array.of(2, 0))?.[0].toArray();
    expect(batch()).toEqual([[3], [1]]);
    strided.assign(tensor([[4], [5], [6]]));
    strided.block.version++;
    expect(batch()).toEqual([[6], [4]]);
  });

  test("errors name tensors, shapes and indices", () => {
    expect(() => new TensorDataset()).toThrow(ArgumentError);
    expect(() => new TensorDataset(x, tensor([1, 2]))).toThrow(/tensor 0 is \[3, 2\], tensor 1 is \[2\]/);
    expect(() => new TensorDataset(x, tensor([1, 2]))).toThrow(ShapeError);
    expect(() => new TensorDataset(x, tensor(1))).toThrow(/tensor 1 is 0-d/);
    expect(() => new TensorDataset([x, y] as any)).toThrow(/argument 1 must be a Tensor, found an array/);
    for (const index of [3, -4, 0.5, Number.NaN]) {
      expect(() => new TensorDataset(x, y).get(index)).toThrow(IndexError);
    }
    expect(() => new TensorDataset(x, y).get(3)).toThrow(/index 3 is out of range .*length 3: .*-3 to 2/);
  });
});

describe("Subset", () => {
  test("maps its indices, which may be a tensor and count from the end", () => {
    const subset = new Subset(new Squares(10), tensor(Int32Array.of(4, -1)));
    expect(subset.length).toBe(2);
    expect([...subset]).toEqual([
      [4, 16],
      [9, 81],
    ]);
    expect(new Subset(subset, [1]).get(0)).toEqual([9, 81]);
  });

  test("an override of get is heard, below as well", () => {
    class Tenfold extends TensorDataset {
      override get(i: number) {
        return super.get(i).map((t) => tensor(10 * t.item()));
      }
    }
    const tenfold = new Tenfold(tensor([1, 2, 3]));
    expect(tenfold.getBatch(Int32Array.of(0))).toBeNull();
    expect(new Subset(tenfold, [0]).getBatch(Int32Array.of(0))).toBeNull();
  });

  test("errors", () => {
    expect(() => new Subset(new Squares(10), [3, 10])).toThrow(/Subset: index 10 is out of range .* length 10/);
    expect(() => new Subset(new Squares(10), [3]).get(1)).toThrow(IndexError);
    expect(() => new Subset(tensor([1, 2]) as any, [0])).toThrow(/dataset must have a length and a get.*TensorDataset/);
  });
});

describe("randomSplit", () => {
  const indices = (subsets: Subset[]) => subsets.map((s) => Array.from(s.indices));

  test("is a cut permutation, of a generator of its own or of the default one", () => {
    const order = Array.from(randperm(10, new Generator(42)));
    expect(indices(randomSplit(new Squares(10), [7, 3], { seed: 42 }))).toEqual([order.slice(0, 7), order.slice(7)]);
    manualSeed(42);
    expect(indices(randomSplit(new Squares(10), [7, 3]))).toEqual([order.slice(0, 7), order.slice(7)]);
  });

  // [x.indices for x in random_split(range(n), lengths, generator=torch.Generator().manual_seed(seed))]
  const split: [number, number[], number, number[][]][] = [
    [
      10,
      [3, 7],
      42,
      [
        [2, 6, 1],
        [8, 4, 5, 0, 9, 3, 7],
      ],
    ],
    [
      10,
      [0.3, 0.3, 0.4],
      42,
      [
        [2, 6, 1],
        [8, 4, 5],
        [0, 9, 3, 7],
      ],
    ],
    [
      11,
      [0.5, 0.5],
      7,
      [
        [3, 0, 9, 2, 5, 8],
        [4, 10, 1, 7, 6],
      ],
    ],
    [7, [0.9, 0.1], 1, [[0, 6, 1, 3, 5, 2, 4], []]],
    [5, [0, 5], 3, [[], [1, 0, 3, 4, 2]]],
    [5, [1], 3, [[1, 0, 3, 4, 2]]],
    [
      13,
      [0.25, 0.25, 0.25, 0.25],
      0,
      [
        [3, 4, 0, 2],
        [11, 8, 12],
        [5, 10, 6],
        [9, 1, 7],
      ],
    ],
  ];
  test.each(split)("is PyTorch's: %i samples in %j, seed %i", (n, lengths, seed, expected) => {
    expect(indices(randomSplit(new Squares(n), lengths, { seed }))).toEqual(expected);
  });

  test("errors", () => {
    expect(() => randomSplit(new Squares(10), [7, 2])).toThrow(ArgumentError);
    expect(() => randomSplit(new Squares(10), [7, 2])).toThrow(/\[7, 2\] sum to 9, .* length 10, or fractions/);
    expect(() => randomSplit(new Squares(10), [0.5, 0.2])).toThrow(/whole numbers/);
    expect(() => randomSplit(new Squares(10), [1.5, -0.5])).toThrow(/fraction 1.5 at index 0 is not between 0 and 1/);
    expect(() => randomSplit(new Squares(10), [12, -2])).toThrow(ArgumentError);
  });
});
