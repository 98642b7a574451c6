/** Pooling, interpolation, padding, shuffling and dropout2d: the layers, their arguments, and what they refuse. */
import { describe, expect, test } from "vitest";
import {
  ArgumentError,
  DTypeError,
  F,
  manualSeed,
  nn,
  noGrad,
  ones,
  randn,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from "../src/index.js";

const values = (x: Tensor): number[] => Array.from(x.toTypedArray());
const same = (a: Tensor, b: Tensor): void => {
  expect(a.shape).toEqual(b.shape);
  expect(values(a)).toEqual(values(b));
};

describe("layers", () => {
  const x = randn(2, 4, 9, 10);

  test("pool as the functions do, their arguments in PyTorch's order", () => {
    same(new nn.MaxPool2d(2)(x), F.maxPool2d(x, 2));
    same(new nn.MaxPool2d(3, 2, 1)(x), F.maxPool2d(x, 3, { stride: 2, padding: 1 }));
    same(new nn.MaxPool2d(2, { ceilMode: true })(x), F.maxPool2d(x, 2, 2, 0, 1, true));
    same(new nn.MaxPool2d([2, 3], [1, 2], [1, 0], 2)(x), F.maxPool2d(x, [2, 3], [1, 2], [1, 0], 2));
    same(new nn.AvgPool2d(3, 2, 1, true, false, 7)(x), F.avgPool2d(x, 3, 2, 1, true, false, 7));
    same(new nn.AvgPool2d(2, { countIncludePad: false })(x), F.avgPool2d(x, 2));
    same(new nn.AdaptiveAvgPool2d([2, null])(x), F.adaptiveAvgPool2d(x, [2, 10]));
    same(new nn.AdaptiveMaxPool2d(3)(x), F.adaptiveMaxPool2d(x, 3));
    // MaxPool2d takes returnIndices before ceilMode, the function after it.
    const pair = new nn.MaxPool2d(3, 2, 0, 1, true)(x) as unknown as { values: Tensor; indices: Tensor };
    const { values: v, indices } = F.maxPool2d(x, 3, { stride: 2, returnIndices: true });
    same(pair.values, v);
    same(pair.indices, indices);
    expect(indices.dtype).toBe("int32");
    same(x.flatten(2).gather(2, indices.flatten(2)), v.flatten(2));
  });

  test("resample, shuffle and pad as the functions do", () => {
    same(new nn.Upsample({ scaleFactor: 2 })(x), F.interpolate(x, { scaleFactor: 2 }));
    same(new nn.Upsample([5, 20], null, "bilinear", true)(x), F.interpolate(x, [5, 20], null, "bilinear", true));
    same(new nn.PixelUnshuffle(2)(new nn.PixelShuffle(2)(x)), x);
    for (const [Layer, mode] of [
      [nn.ReflectionPad2d, "reflect"],
      [nn.ReplicationPad2d, "replicate"],
      [nn.CircularPad2d, "circular"],
      [nn.ZeroPad2d, "constant"],
    ] as const) {
      same(new Layer(2)(x), F.pad(x, [2, 2, 2, 2], { mode }));
      same(new Layer([1, 0, 3, 2])(x[Symbol.iterator]().next().value), F.pad(x.at(0), [1, 0, 3, 2], mode));
    }
    same(new nn.ConstantPad2d([1, 2, 0, -3], 7)(x), F.pad(x, [1, 2, 0, -3], "constant", 7));
  });

  test("print what they were made of", () => {
    expect(String(new nn.MaxPool2d(2))).toBe(
      "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)",
    );
    expect(String(new nn.AvgPool2d([2, 3], 1))).toBe("AvgPool2d(kernel_size=(2, 3), stride=1, padding=0)");
    expect(String(new nn.AdaptiveAvgPool2d([7, null]))).toBe("AdaptiveAvgPool2d(output_size=(7, None))");
    expect(String(new nn.AdaptiveMaxPool2d(1))).toBe("AdaptiveMaxPool2d(output_size=1)");
    expect(String(new nn.Upsample({ size: 8 }))).toBe("Upsample(size=8, mode=nearest)");
    expect(String(new nn.Upsample({ scaleFactor: [2, 3] }))).toBe("Upsample(scale_factor=(2.0, 3.0), mode=nearest)");
    expect(String(new nn.PixelShuffle(3))).toBe("PixelShuffle(upscale_factor=3)");
    expect(String(new nn.PixelUnshuffle(3))).toBe("PixelUnshuffle(downscale_factor=3)");
    expect(String(new nn.ReflectionPad2d(1))).toBe("ReflectionPad2d((1, 1, 1, 1))");
    expect(String(new nn.ConstantPad2d(1, 0.5))).toBe("ConstantPad2d(padding=(1, 1, 1, 1), value=0.5)");
    expect(String(new nn.Dropout2d(0.2))).toBe("Dropout2d(p=0.2, inplace=False)");
  });
});

describe("dropout2d", () => {
  test("drops whole channels, scales the others, and does it again under the same seed", () => {
    const drop = new nn.Dropout2d(0.25);
    for (const shape of [
      [8, 16, 3, 5],
      [64, 3, 5],
    ]) {
      manualSeed(3);
      const x = ones(shape, { requiresGrad: true });
      const out = drop(x);
      const channels = values(out.flatten(-2).amax(-1));
      expect(channels).toEqual(values(out.flatten(-2).amin(-1)));
      expect(new Set(channels)).toEqual(new Set([0, Math.fround(1 / 0.75)]));
      const dropped = channels.filter((v) => v === 0).length / channels.length;
      expect(dropped).toBeGreaterThan(0.1);
      expect(dropped).toBeLessThan(0.4);
      out.sum().backward();
      same(x.grad as Tensor, out.detach());
      manualSeed(3);
      same(drop(x).detach(), out.detach());
      expect(drop.eval()(x)).toBe(x);
      drop.train();
    }
  });
});

describe("gradients", () => {
  test("of windows that leave something out are zero there", () => {
    const x = randn([1, 9, 11], { requiresGrad: true });
    F.maxPool2d(x, 2).sum().backward();
    const grad = x.grad as Tensor;
    expect(values(grad.at(0, 8))).toEqual(new Array(11).fill(0));
    expect(values(grad.at(0, ":", 10))).toEqual(new Array(9).fill(0));
    expect(grad.sum().item()).toBe(20);
  });

  test("go to the first of equal values, and to the NaN", () => {
    const x = tensor([[...[1, 1, 0, 0, 5, 5, Number.NaN, 9], ...[1, 1, 0, 0, 5, 5, 8, 7]]], {
      shape: [1, 2, 8],
      requiresGrad: true,
    });
    F.maxPool2d(x, 2).backward(ones(1, 1, 4));
    expect(values(x.grad as Tensor)).toEqual([1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  test("of many that came from one keep their digits", () => {
    const x = ones([1, 1, 1, 1], { requiresGrad: true });
    F.interpolate(x, { size: 1500 }).mul(1.1).sum().backward();
    const expected = 1500 * 1500 * Math.fround(1.1);
    expect(Math.abs((x.grad?.item() as number) / expected - 1)).toBeLessThan(1e-7);
  });

  test("need nothing of x: it may change", () => {
    const x = randn([1, 1, 64, 64], { requiresGrad: true });
    const out = F.maxPool2d(x, 2);
    noGrad(() => x.zero_());
    out.sum().backward();
    expect(x.grad?.sum().item()).toBe(32 * 32);
  });
});

const image = zeros(2, 3, 8, 8);
describe("refuses", () => {
  test.each([
    ["too large a kernel", () => F.maxPool2d(image, 9), ShapeError, ["maxPool2d", "[8, 8]", "[9, 9]", "[0, 0]"]],
    ["a dilated one", () => F.maxPool2d(image, 3, { dilation: 4 }), ShapeError, ["[3, 3]", "dilated by [4, 4]"]],
    [
      "a padded image",
      () => F.avgPool2d(zeros(1, 1, 9), 4, 1, 1),
      ShapeError,
      ["avgPool2d", "padded by [1, 1]", "[1, 9]"],
    ],
    ["wide padding", () => F.maxPool2d(image, 2, 2, [0, 2]), ArgumentError, ["padding [0, 2]", "half", "[2, 2]"]],
    ["wide padding of means", () => F.avgPool2d(image, 3, 2, 2), ArgumentError, ["avgPool2d", "padding [2, 2]"]],
    ["no kernel", () => F.maxPool2d(image, 0), ArgumentError, ["kernelSize", "found 0"]],
    ["no stride", () => F.maxPool2d(image, 2, 0), ArgumentError, ["stride", "found 0"]],
    ["half a stride", () => F.avgPool2d(image, 2, [1, 0.5]), ArgumentError, ["stride", "[1, 0.5]"]],
    ["three numbers", () => new nn.MaxPool2d([2, 2, 2]), ArgumentError, ["MaxPool2d: kernelSize", "[2, 2, 2]"]],
    ["text", () => F.maxPool2d(image, "2" as never), ArgumentError, ["kernelSize", '"2"']],
    ["no dilation", () => F.maxPool2d(image, 2, { dilation: 0 }), ArgumentError, ["dilation"]],
    ["negative padding", () => F.maxPool2d(image, 2, 2, -1), ArgumentError, ["padding", "-1"]],
    ["other options", () => F.maxPool2d(image, 2, { ceil_mode: true } as never), ArgumentError, ["ceilMode"]],
    ["two dims", () => F.maxPool2d(zeros(8, 8), 2), ShapeError, ["maxPool2d", "[C, H, W]", "[8, 8]"]],
    ["no columns", () => F.avgPool2d(zeros(2, 3, 4, 0), 2), ShapeError, ["[2, 3, 4, 0]"]],
    ["no channels", () => F.adaptiveAvgPool2d(zeros(2, 0, 4, 4), 2), ShapeError, ["[2, 0, 4, 4]"]],
    ["integers", () => F.maxPool2d(image.int(), 2), DTypeError, ["maxPool2d", "int32", "float()"]],
    ["a divisor of 0", () => F.avgPool2d(image, 2, { divisorOverride: 0 }), ArgumentError, ["divisorOverride", "0"]],
    ["a size of -1", () => F.adaptiveAvgPool2d(image, [2, -1]), ArgumentError, ["outputSize", "[2, -1]"]],
    ["sizes", () => F.adaptiveMaxPool2d(image, [1, 2, 3]), ArgumentError, ["adaptiveMaxPool2d", "[1, 2, 3]"]],
    ["no size", () => F.interpolate(image), ArgumentError, ["interpolate", "size or scaleFactor", "neither"]],
    ["both", () => F.interpolate(image, { size: 4, scaleFactor: 2 }), ArgumentError, ["both"]],
    ["both in a layer", () => new nn.Upsample({ size: 4, scaleFactor: 2 }), ArgumentError, ["Upsample", "both"]],
    ["a mode", () => F.interpolate(image, { size: 4, mode: "cubic" as never }), ArgumentError, ["cubic", "bilinear"]],
    [
      "corners",
      () => F.interpolate(image, { size: 4, alignCorners: false }),
      ArgumentError,
      ["alignCorners", "nearest"],
    ],
    [
      "recompute",
      () => F.interpolate(image, { size: 4, recomputeScaleFactor: true }),
      ArgumentError,
      ["recomputeScale"],
    ],
    ["nothing left", () => F.interpolate(image, { scaleFactor: 0.1 }), ShapeError, ["0.1", "[8, 8]", "[0, 0]"]],
    ["a factor of 0", () => F.interpolate(image, { scaleFactor: 0 }), ArgumentError, ["scaleFactor", "found 0"]],
    ["a size of 0", () => F.interpolate(image, { size: [4, 0] }), ArgumentError, ["size", "[4, 0]"]],
    ["one image", () => F.interpolate(zeros(3, 8, 8), 4), ShapeError, ["[3, 8, 8]", "unsqueeze(0)"]],
    ["integers to blend", () => F.interpolate(image.int(), 4), DTypeError, ["interpolate", "int32"]],
    ["channels", () => F.pixelShuffle(image, 2), ShapeError, ["[2, 3, 8, 8]", "3 channels", "4"]],
    ["rows", () => F.pixelUnshuffle(image, 3), ShapeError, ["pixelUnshuffle", "[2, 3, 8, 8]", "3"]],
    ["a factor", () => new nn.PixelShuffle(0.5), ArgumentError, ["PixelShuffle: upscaleFactor", "0.5"]],
    ["dims to shuffle", () => F.pixelShuffle(zeros(4, 4), 2), ShapeError, ["[4, 4]"]],
    ["pads", () => new nn.ReflectionPad2d([1, 2]), ArgumentError, ["ReflectionPad2d: padding", "[1, 2]"]],
    ["wide mirrors", () => new nn.ReflectionPad2d(8)(image), ShapeError, ["reflect", "at most 7"]],
    ["no value", () => new nn.ConstantPad2d(1, undefined as never), ArgumentError, ["ConstantPad2d: value"]],
    ["rows to drop", () => F.dropout2d(zeros(4, 4)), ShapeError, ["dropout2d", "[4, 4]", "dropout()"]],
    ["a probability", () => new nn.Dropout2d(1.5), ArgumentError, ["Dropout2d: p", "1.5"]],
    ["integers to drop", () => F.dropout2d(image.int()), DTypeError, ["dropout2d", "int32"]],
  ] as [string, () => unknown, new () => Error, string[]][])("%s", (_, call, type, parts) => {
    let error: unknown;
    try {
      call();
    } catch (e) {
      error = e;
    }
    expect(error).toBeInstanceOf(type);
    for (const part of parts) expect((error as Error).message).toContain(part);
  });
});
