/** Arguments by position and by name are the same, and what is misspelt or one too many is refused by name. */
import { describe, expect, test } from "vitest";
import * as lanegrad from "../src/index.js";
import {
  arange,
  autograd,
  cat,
  data,
  F,
  full,
  linspace,
  manualSeed,
  multinomial,
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

describe("arguments that are no options may be named as well", () => {
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  const index = tensor([[0], [2]], { dtype: "int32" });
  const same = (a: Tensor, b: Tensor) => {
    expect([a.shape, a.dtype]).toEqual([b.shape, b.dtype]);
    expect(a.toArray()).toEqual(b.toArray());
  };

  test("layers: the last one, some, or all", () => {
    const made: [nn.Module, nn.Module][] = [
      [new nn.Linear({ inFeatures: 2, outFeatures: 3, bias: false }), new nn.Linear(2, 3, false)],
      [new nn.Linear(2, { outFeatures: 3 }), new nn.Linear(2, 3)],
      [new nn.Conv2d(1, 4, { kernelSize: 3, padding: 1 }), new nn.Conv2d(1, 4, 3, 1, 1)],
      [new nn.Conv2d({ inChannels: 1, outChannels: 4, kernelSize: [3, 1] }), new nn.Conv2d(1, 4, [3, 1])],
      [new nn.ConvTranspose2d(4, { outChannels: 2, kernelSize: 2, stride: 2 }), new nn.ConvTranspose2d(4, 2, 2, 2)],
      [new nn.MaxPool2d({ kernelSize: 2, stride: 1 }), new nn.MaxPool2d(2, 1)],
      [new nn.AvgPool2d({ kernelSize: 2 }), new nn.AvgPool2d(2)],
      [new nn.AdaptiveAvgPool2d({ outputSize: [1, null] }), new nn.AdaptiveAvgPool2d([1, null])],
      [new nn.AdaptiveMaxPool2d({ outputSize: 2 }), new nn.AdaptiveMaxPool2d(2)],
      [new nn.BatchNorm1d({ numFeatures: 3, eps: 1e-3 }), new nn.BatchNorm1d(3, 1e-3)],
      [new nn.BatchNorm2d({ numFeatures: 3 }), new nn.BatchNorm2d(3)],
      [new nn.InstanceNorm2d({ numFeatures: 3, affine: true }), new nn.InstanceNorm2d(3, { affine: true })],
      [new nn.LayerNorm({ normalizedShape: [2, 3] }), new nn.LayerNorm([2, 3])],
      [new nn.GroupNorm({ numGroups: 1, numChannels: 2 }), new nn.GroupNorm(1, 2)],
      [new nn.GroupNorm(1, { numChannels: 2, affine: false }), new nn.GroupNorm(1, 2, { affine: false })],
      [new nn.Embedding({ numEmbeddings: 3, embeddingDim: 2, paddingIdx: 1 }), new nn.Embedding(3, 2, 1)],
      [new nn.Unflatten({ dim: 1, unflattenedSize: [1, 3] }), new nn.Unflatten(1, [1, 3])],
      [new nn.ZeroPad2d({ padding: 1 }), new nn.ZeroPad2d(1)],
      [new nn.PixelShuffle({ upscaleFactor: 2 }), new nn.PixelShuffle(2)],
    ];
    for (const [named, plain] of made) {
      expect(String(named)).toBe(String(plain));
      const shapes = (net: nn.Module) => Object.entries(net.stateDict()).map(([name, t]) => [name, t.shape]);
      expect(shapes(named)).toEqual(shapes(plain));
    }
  });

  test("what is missing or misspelt is told by name", () => {
    expect(() => new nn.Linear(3, { bias: false } as any)).toThrow(/Linear: outFeatures must be .*, found undefined/);
    expect(() => new nn.Conv2d(1, 2, { kernel_size: 3 } as any)).toThrow(/Conv2d: unknown option kernel_size/);
    expect(() => new nn.LayerNorm({} as any)).toThrow(/LayerNorm: normalizedShape must be/);
    expect(() => x.gather({ dim: 1 } as any)).toThrow(/gather/);
    const optimizer = new optim.SGD(layer().parameters(), { lr: 1 });
    expect(() => new optim.lrScheduler.CosineAnnealingLR(optimizer, { T_max: 3 } as any)).toThrow(/did you mean tMax/);
  });

  test("functions of layers", () => {
    const image = randn(1, 4, 4, 4);
    const weight = randn(2, 4, 3, 3);
    same(F.maxPool2d(image, { kernelSize: 2, stride: 1 }), F.maxPool2d(image, 2, 1));
    same(F.avgPool2d(image, { kernelSize: 2 }), F.avgPool2d(image, 2));
    same(F.adaptiveAvgPool2d(image, { outputSize: 1 }), F.adaptiveAvgPool2d(image, 1));
    same(F.conv2d(image, { weight, padding: 1 }), F.conv2d(image, weight, { padding: 1 }));
    same(F.layerNorm(x, { normalizedShape: [3], eps: 1 }), F.layerNorm(x, [3], { eps: 1 }));
    same(F.groupNorm(image, { numGroups: 2 }), F.groupNorm(image, 2));
    same(
      F.batchNorm(image, { runningMean: null, runningVar: null, training: true }),
      F.batchNorm(image, null, null, { training: true }),
    );
    same(F.pad(x, { pad: [1, 1], value: 2 }), F.pad(x, [1, 1], { value: 2 }));
    same(F.embedding([0], { weight: x }), F.embedding([0], x));
    const [w, bias] = [randn(2, 3), randn(2)];
    same(F.linear(x, w, { bias }), F.linear(x, w, bias));
    same(F.linear(x, { weight: w, bias }), F.linear(x, w, bias));
  });

  test("shapes and indices", () => {
    same(x.gather({ dim: 1, index }), x.gather(1, index));
    same(x.gather(1, { index }), x.gather(1, index));
    same(zeros(2, 3).scatter_({ dim: 1, index, src: ones(2, 1) }), zeros(2, 3).scatter_(1, index, 1));
    same(
      zeros(2, 3).scatter_(1, index, { value: 1, reduce: "add" }),
      zeros(2, 3).scatter_(1, index, 1, { reduce: "add" }),
    );
    same(zeros(2, 3).scatterAdd_({ dim: 1, index, src: ones(2, 1) }), zeros(2, 3).scatterAdd_(1, index, ones(2, 1)));
    same(x.indexSelect({ dim: 1, index: [2, 0] }), x.indexSelect(1, [2, 0]));
    same(x.topk({ k: 1, dim: 0 }).values, x.topk(1, 0).values);
    same(x.transpose({ dim0: 0, dim1: 1 }), x.transpose(0, 1));
    same(x.permute({ dims: [1, 0] }), x.permute(1, 0));
    same(x.flip({ dims: [0] }), x.flip(0));
    same(x.roll({ shifts: 1, dims: 1 }), x.roll(1, 1));
    same(x.narrow({ dim: 1, start: 1, length: 2 }), x.narrow(1, 1, 2));
    same(x.select({ dim: 1, index: -1 }), x.select(1, -1));
    same(x.split({ splitSize: 2, dim: 1 })[0], x.split(2, 1)[0]);
    same(x.chunk({ chunks: 2, dim: 1 })[1], x.chunk(2, 1)[1]);
    same(cat({ tensors: [x, x], dim: 1 }), cat([x, x], 1));
    same(stack({ tensors: [x, x], dim: 1 }), stack([x, x], 1));
    same(x.maskedFill({ mask: x.gt(2), value: 0 }), x.maskedFill(x.gt(2), 0));
    same(x.maskedFill(x.gt(2), { value: 0 }), x.maskedFill(x.gt(2), 0));
    same(x.clone().maskedFill_(x.gt(2), { value: 0 }), x.maskedFill(x.gt(2), 0));
    same(x.to({ dtype: "int32" }), x.int());
    expect(x.size({ dim: -1 })).toBe(3);
  });

  test("what makes tensors", () => {
    same(full({ size: [2], fillValue: 3 }), full([2], 3));
    same(full([2], { fillValue: 3, dtype: "int32" }), full([2], 3, { dtype: "int32" }));
    same(zeros({ size: [2, 3] }), zeros(2, 3));
    same(arange({ end: 3 }), arange(3));
    same(arange(0, 10, { step: 3 }), arange(0, 10, 3));
    same(arange({ start: 1, end: 4, dtype: "float32" }), arange(1, 4, { dtype: "float32" }));
    same(linspace(0, 1, { steps: 3 }), linspace(0, 1, 3));
    same(linspace({ start: 0, end: 1, steps: 3 }), linspace(0, 1, 3));
    const drawn = (draw: () => Tensor) => {
      manualSeed(3);
      return draw();
    };
    const expected = drawn(() => randint(0, 9, [4]));
    same(
      drawn(() => randint(0, 9, { size: [4] })),
      expected,
    );
    same(
      drawn(() => randint(9, { size: [4] })),
      expected,
    );
    same(
      drawn(() => randint({ low: 0, high: 9, size: [4] })),
      expected,
    );
    same(
      drawn(() => randint({ high: 9, size: [4] })),
      expected,
    );
    same(
      drawn(() => multinomial(x, { numSamples: 2, replacement: true })),
      drawn(() => multinomial(x, 2, true)),
    );
  });

  test("transforms, data, clipping, autograd", () => {
    const { transforms } = lanegrad;
    const normalize = new transforms.Normalize({ mean: [0.5], std: [0.25] });
    same(normalize(ones(1, 2, 2)), full([1, 2, 2], 2));
    expect(String(new transforms.RandomCrop({ size: 32, padding: 4 }))).toBe(
      String(new transforms.RandomCrop(32, { padding: 4 })),
    );
    expect(new transforms.CenterCrop({ size: 1 })(ones(1, 3, 3)).shape).toEqual([1, 1, 1]);
    expect(new transforms.Resize({ size: 2 })(ones(1, 4, 4)).shape).toEqual([1, 2, 2]);
    expect(new transforms.RandomResizedCrop({ size: 2 })(ones(1, 4, 4)).shape).toEqual([1, 2, 2]);
    expect(new transforms.RandomRotation({ degrees: 5 })(ones(1, 4, 4)).shape).toEqual([1, 4, 4]);
    expect(new transforms.Pad({ padding: 1 })(ones(1, 2, 2)).shape).toEqual([1, 4, 4]);
    const dataset = new data.TensorDataset(arange(10));
    expect([...new data.DataLoader({ dataset, batchSize: 4 })]).toHaveLength(3);
    expect([...new data.Subset(dataset, { indices: [1, 3] }).indices]).toEqual([1, 3]);
    expect(data.randomSplit(dataset, { lengths: [9, 1] })).toHaveLength(2);
    const p = tensor([3, 4], { requiresGrad: true });
    p.square().sum().backward({ retainGraph: false });
    expect(nn.utils.clipGradNorm_(p, { maxNorm: 1 })).toBeCloseTo(10);
    nn.utils.clipGradValue_(p, { clipValue: 0.7 });
    expect(p.grad?.max().item()).toBeCloseTo(0.7);
    const [g] = autograd.grad({ outputs: p.mul(2), inputs: p, gradOutputs: ones(2) });
    expect(g?.toArray()).toEqual([2, 2]);
    expect(autograd.grad(p.mul(2), [p], ones(2))[0]?.toArray()).toEqual([2, 2]);
    p.grad = null;
    p.mul(2).backward({ gradient: tensor([1, 2]) });
    expect((p.grad as unknown as Tensor).toArray()).toEqual([2, 4]);
    expect(nn.init.constant_(zeros(2), { val: 3 }).toArray()).toEqual([3, 3]);
    expect(nn.init.calculateGain("leaky_relu", { param: 0.2 })).toBe(nn.init.calculateGain("leaky_relu", 0.2));
  });
});
