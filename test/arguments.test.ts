/** Arguments by position and by name are the same, and what is misspelt or one too many is refused by name. */
import { describe, expect, test } from "vitest";
import {
  arange,
  autograd,
  cat,
  data,
  F,
  nn,
  noGrad,
  ones,
  optim,
  randint,
  randn,
  scope,
  split,
  stack,
  type Tensor,
  tensor,
  unbind,
  unsqueeze,
  zeros,
} from "../src/index.js";

const layer = () => new nn.Linear(2, 3);

describe("by position or by name", () => {
  test("SGD takes lr and the rest by position", () => {
    const params = layer().parameters();
    expect(new optim.SGD(params, 0.5).paramGroups[0].lr).toBe(0.5);
    const [group] = new optim.SGD(params, 0.5, 0.9, { weightDecay: 0.1 }).paramGroups;
    expect([group.lr, group.momentum, group.weightDecay]).toEqual([0.5, 0.9, 0.1]);
  });

  test("dims", () => {
    const [a, b] = [ones(2, 3), zeros(2, 3)];
    expect(cat([a, b], { dim: 1 }).shape).toEqual([2, 6]);
    expect(stack([a, b], { dim: -1 }).shape).toEqual([2, 3, 2]);
    expect(split(a, 2, { dim: 1 }).map((t) => t.shape[1])).toEqual([2, 1]);
    expect(unbind(a, { dim: 1 })).toHaveLength(3);
    expect(unsqueeze(a, { dim: 0 }).shape).toEqual([1, 2, 3]);
    expect(ones(1, 2).squeeze({ dim: 0 }).shape).toEqual([2]);
    expect(ones(2, 3, 4).flatten({ startDim: 1 }).shape).toEqual([2, 12]);
    expect(new nn.Flatten({ startDim: 0 })(a).shape).toEqual([6]);
  });

  test("layerNorm's weight and bias, embedding's padding, clipGradNorm_'s p", () => {
    const [x, weight, bias] = [randn(4, 3), randn(3), randn(3)];
    const named = F.layerNorm(x, [3], { weight, bias });
    expect(F.layerNorm(x, [3], weight, bias).toArray()).toEqual(named.toArray());
    const table = randn([3, 2], { requiresGrad: true });
    F.embedding([0, 1], table, 0).sum().backward();
    expect(table.grad?.toArray()).toEqual([
      [0, 0],
      [1, 1],
      [0, 0],
    ]);
    expect(nn.utils.clipGradNorm_(table, 10, 1)).toBeCloseTo(2);
  });

  test("backward's options without a gradient", () => {
    const x = ones([1], { requiresGrad: true });
    const y = x.mul(3).sum();
    y.backward({ retainGraph: true });
    y.backward(null, { retainGraph: true });
    y.backward(null, true);
    y.backward();
    expect(x.grad?.item()).toBe(12);
    expect(() => x.mul(2).backward([1] as any)).toThrow(/gradient must be a Tensor/);
  });

  test("loadStateDict's strict", () => {
    const { weight } = layer().stateDict();
    expect(layer().loadStateDict({ weight }, false).missingKeys).toEqual(["bias"]);
    expect(() => layer().loadStateDict(new Map() as any)).toThrow(/object of tensors by name.*found a Map/);
  });

  test("normal_ and uniform_", () => {
    expect(zeros(2).normal_({ mean: 3, std: 0 }).toArray()).toEqual([3, 3]);
    expect(zeros(2).uniform_({ from: 2, to: 2 }).toArray()).toEqual([2, 2]);
  });
});

describe("misspelt options are refused", () => {
  const x = ones(2, 2);
  const cases: [string, () => unknown, RegExp][] = [
    [
      "SGD",
      () => new optim.SGD([x], { weight_decay: 1 } as any),
      /SGD: unknown option weight_decay \(did you mean weightDecay\?\)/,
    ],
    ["group", () => new optim.SGD([{ params: [x], learningRate: 1 } as any]), /unknown option learningRate.*lr/],
    [
      "DataLoader",
      () => new data.DataLoader(new data.TensorDataset(x), { batch_size: 2 } as any),
      /did you mean batchSize/,
    ],
    ["Linear", () => new nn.Linear(2, 3, { bais: false } as any), /Linear: unknown option bais/],
    ["Dropout", () => new nn.Dropout({ rate: 0.3 } as any), /Dropout: unknown option rate/],
    ["Embedding", () => new nn.Embedding(2, 2, { padding_idx: 0 } as any), /did you mean paddingIdx/],
    ["LayerNorm", () => new nn.LayerNorm(2, { epsilon: 1 } as any), /LayerNorm: unknown option epsilon/],
    ["clip", () => nn.utils.clipGradNorm_([x], 1, { norm_type: 1 } as any), /did you mean normType/],
    ["topk", () => x.topk(1, { larges: true } as any), /topk: unknown option larges/],
    ["div", () => x.div(2, { rounding_mode: "floor" } as any), /did you mean roundingMode/],
    ["tensor", () => tensor([1], { requires_grad: true } as any), /did you mean requiresGrad/],
    ["tensor's dtype by position", () => tensor([1], "int32" as any), /options, as in \{ dtype: "int32" \}/],
    ["randn", () => randn(2, { requires_grad: true } as any), /did you mean requiresGrad/],
    ["arange", () => arange(0, 3, { requires_grad: true } as any), /arange: .*did you mean requiresGrad/],
    ["randint", () => randint(0, 3, [2], { device: "cpu" } as any), /randint: unknown option device/],
    ["backward", () => ones([1], { requiresGrad: true }).backward(null, { retain_graph: true } as any), /retainGraph/],
    ["one argument too many", () => new nn.Linear(2, 3, true, 4 as any), /Linear: argument 4 is one too many/],
  ];
  test.each(cases)("%s", (_name, run, message) => {
    expect(run).toThrow(message);
  });
});

describe("what is no tensor, list or function is named", () => {
  const x = ones(2, 2);
  const cases: [string, () => unknown, RegExp][] = [
    ["cat of two arguments", () => (cat as any)(x, x), /cat: expected a list .* found a Tensor/],
    ["cat of numbers", () => cat([1, 2] as any), /element 0 of the list must be a Tensor, found 1/],
    ["an array to Linear", () => layer()([[1, 2]] as any), /must be Tensors, found an array; wrap data in tensor/],
    [
      "an array as a mask",
      () => x.maskedFill([true] as any, 1),
      /maskedFill: mask must be a bool Tensor, found an array/,
    ],
    ["a net to SGD", () => new optim.SGD(layer() as any), /did you mean net\.parameters\(\)\?/],
    ["a net to clipGradNorm_", () => nn.utils.clipGradNorm_(layer() as any, 1), /pass net\.parameters\(\)/],
    [
      "a list as a loss's weight",
      () => new nn.CrossEntropyLoss({ weight: [1, 2] as any }),
      /weight must be a Tensor or null/,
    ],
    ["no function to noGrad", () => noGrad(x as any), /noGrad: expected a function, .* found a Tensor/],
    ["no function to scope", () => scope(undefined as any), /scope: expected a function/],
    ["no function to detectAnomaly", () => autograd.detectAnomaly(1 as any), /detectAnomaly: expected a function/],
    ["a size in quotes", () => new nn.Linear("2" as any, 2), /found "2"/],
    ["a rate in quotes", () => new optim.SGD([x], { lr: "0.1" as any }), /lr must be a finite number, found "0.1"/],
  ];
  test.each(cases)("%s", (_name, run, message) => {
    expect(run).toThrow(message);
  });
});

describe("JavaScript's own ways with values", () => {
  test("JSON", () => {
    expect(JSON.stringify({ loss: tensor([[1, 2]]) })).toBe('{"loss":[[1,2]]}');
  });

  test("operators: a single value outside the graph is its number, anything else an error", () => {
    expect((tensor(2) as any) * 3).toBe(6);
    expect(() => (tensor([1, 2]) as any) * 3).toThrow(/has no number for JavaScript's operators; use add/);
    const loss: Tensor = ones([1], { requiresGrad: true }).sum();
    expect(() => 0 + (loss as any)).toThrow(/requires grad.*item\(\)/);
    expect(`${tensor([1, 2])}`).toBe("tensor([1., 2.])");
  });
});
