/** conv2d, convTranspose2d and their layers against float64, and what they refuse. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { F, manualSeed, nn, noGrad, scope, type Tensor, tensor, zeros } from "../src/index.js";
import { type ConvMethod, setConvMethod } from "../src/ops/conv-passes.js";
import { randomSource } from "./support/case.js";
import { EXACT, expectClose, expectTensor, type Tolerance } from "./support/compare.js";
import * as ref from "./support/conv.js";
import { decode, elementsOf, loadFixture, type OpRecord, type Recorded, tensorOf } from "./support/fixtures.js";
import { type Nd, nd, sizeOf } from "./support/nd.js";

/** n products within 1, added up in float32 in any order: γ_n·n (Higham, §3.1), and as much again for Winograd. */
const sumsOf = (n: number): Tolerance => ({ atol: 2 ** -22 * (n + 4), rtol: 2 ** -22 });

const uniform = (shape: readonly number[], random: () => number): Nd =>
  nd(
    shape,
    Array.from({ length: sizeOf(shape) }, () => Math.fround(2 * random() - 1)),
  );
const whole = (shape: readonly number[], random: () => number): Nd =>
  nd(
    shape,
    Array.from({ length: sizeOf(shape) }, () => Math.floor(7 * random()) - 3),
  );
const asTensor = (x: Nd, requiresGrad = true): Tensor =>
  tensor(Float32Array.from(x.data), { shape: [...x.shape], requiresGrad });
const expectNd = (found: Tensor | null, expected: Nd, tolerance: Tolerance, what: string): void => {
  expect(found, what).not.toBeNull();
  expectTensor(found as Tensor, { ...expected, dtype: "float32" }, tolerance, what);
};

describe("the reference agrees with PyTorch", () => {
  const { records } = loadFixture<OpRecord>("conv");
  // PyTorch's own float32 sums are off by some 1e-6.
  const rounding: Tolerance = { atol: 1e-5, rtol: 1e-5 };
  const batch = (t: Recorded): Nd => nd(t.shape.length === 3 ? [1, ...t.shape] : t.shape, elementsOf(t));
  const byName = records.filter((r) => (r.args?.length ?? 0) <= 3);
  test("in all values and gradients", () => {
    expect(byName.length).toBeGreaterThan(100);
    for (const [i, r] of byName.entries()) {
      const options = (r.options ?? {}) as ref.ConvOptions;
      const [x, w] = [batch(r.inputs[0]), nd(r.inputs[1].shape, elementsOf(r.inputs[1]))];
      const b = r.inputs[2] ? nd(r.inputs[2].shape, elementsOf(r.inputs[2])) : null;
      const dOut = batch(r.gradOutputs?.[0] as Recorded);
      const out = (r.op === "conv2d" ? ref.conv2d : ref.convTranspose2d)(x, w, b, options);
      const { dX, dW, dB } = (r.op === "conv2d" ? ref.conv2dGradients : ref.convTranspose2dGradients)(
        x,
        w,
        dOut,
        options,
      );
      const what = `record ${i} ${r.op} [${x.shape}] * [${w.shape}] ${JSON.stringify(options)}`;
      expect(out.shape, what).toEqual(batch(r.outputs[0]).shape);
      expectClose(out.data, elementsOf(r.outputs[0]), rounding, what);
      [dX, dW, ...(b ? [dB] : [])].forEach((found, j) => {
        expectClose(found.data, elementsOf(r.grads?.[j] as Recorded), rounding, `${what}, gradient ${j}`);
      });
    }
  });
});

// Random shapes ------------------------------------------------------------------------------------------------------

const size = (least: number, most: number) => fc.integer({ min: least, max: most });
const pairs = (least: number, most: number) =>
  fc.oneof(size(least, most), fc.tuple(size(least, most), size(least, most)));

/** A convolution of some shape; kernels that do not fit are left out. */
const problems = fc
  .record({
    images: size(1, 3),
    groups: size(1, 3),
    perGroup: size(1, 7),
    outPerGroup: size(1, 7),
    image: fc.tuple(size(1, 13), size(1, 13)),
    kernel: fc.tuple(size(1, 4), size(1, 4)),
    stride: pairs(1, 3),
    padding: pairs(0, 2),
    dilation: pairs(1, 2),
    seed: size(0, 1e6),
  })
  .map(({ images, groups, perGroup, outPerGroup, image, kernel, stride, padding, dilation, seed }) => ({
    x: [images, groups * perGroup, ...image],
    w: [groups * outPerGroup, perGroup, ...kernel],
    options: { stride, padding, dilation, groups },
    seed,
  }));
type Problem = { x: number[]; w: number[]; options: ref.ConvOptions; seed: number };

/** 3×3, stride 1, 16 channels and more: where Winograd is used, around the ends of its tiles and blocks. */
const winogradProblems = fc
  .record({
    images: size(1, 3),
    channels: size(16, 21),
    outChannels: size(1, 21),
    image: fc.tuple(size(1, 11), size(1, 11)),
    padding: pairs(0, 2),
    seed: size(0, 1e6),
  })
  .map(({ images, channels, outChannels, image, padding, seed }) => ({
    x: [images, channels, ...image],
    w: [outChannels, channels, 3, 3],
    options: { padding },
    seed,
  }));

function checkConv({ x: xShape, w: wShape, options, seed }: Problem): void {
  const outShape = ref.convShape(xShape, wShape, options);
  fc.pre(outShape.every((n) => n > 0));
  scope(() => {
    const random = randomSource(seed);
    const [x, w, b] = [xShape, wShape, [wShape[0]]].map((shape) => uniform(shape, random));
    const dOut = uniform(outShape, random);
    const leaves = [x, w, b].map((v) => asTensor(v));
    const out = F.conv2d(leaves[0], leaves[1], leaves[2], options as any);
    out.backward(asTensor(dOut, false));
    const { dX, dW, dB } = ref.conv2dGradients(x, w, dOut, options);
    const terms = (shape: readonly number[]) => sizeOf(shape.slice(1));
    expectNd(out, ref.conv2d(x, w, b, options), sumsOf(terms(wShape)), "output");
    expectNd(leaves[0].grad, dX, sumsOf((wShape[0] / (options.groups ?? 1)) * wShape[2] * wShape[3]), "input gradient");
    const pixels = outShape[0] * outShape[2] * outShape[3];
    expectNd(leaves[1].grad, dW, sumsOf(pixels), "weight gradient");
    expectNd(leaves[2].grad, dB, sumsOf(pixels), "bias gradient");
  });
}

describe("random shapes against float64", () => {
  test("conv2d", () => {
    fc.assert(fc.property(problems, checkConv), { numRuns: 250 });
  });

  test("conv2d of 3×3 over 16 channels and more", () => {
    fc.assert(fc.property(winogradProblems, checkConv), { numRuns: 60 });
  });

  test("convTranspose2d", () => {
    const transposedProblems = problems.chain((problem) =>
      fc.tuple(size(0, 2), size(0, 2)).map((outputPadding) => ({ ...problem, outputPadding })),
    );
    fc.assert(
      fc.property(transposedProblems, ({ x: xShape, w, options, seed, outputPadding: extra }) => {
        const groups = options.groups as number;
        // [inChannels, outChannels / groups, …], and an outputPadding smaller than stride or dilation.
        const wShape = [xShape[1], w[0] / groups, w[2], w[3]];
        const largest = (d: number) =>
          Math.max(...[options.stride, options.dilation].map((v: any) => (typeof v === "number" ? v : v[d]))) - 1;
        const all = { ...options, outputPadding: extra.map((n, d) => Math.min(n, largest(d))) };
        const outShape = ref.convTransposeShape(xShape, wShape, all);
        fc.pre(outShape.every((n) => n > 0));
        scope(() => {
          const random = randomSource(seed);
          const [x, k, b] = [xShape, wShape, [outShape[1]]].map((shape) => uniform(shape, random));
          const dOut = uniform(outShape, random);
          const leaves = [x, k, b].map((v) => asTensor(v));
          const out = F.convTranspose2d(leaves[0], leaves[1], leaves[2], all as any);
          out.backward(asTensor(dOut, false));
          const { dX, dW, dB } = ref.convTranspose2dGradients(x, k, dOut, all);
          const area = wShape[2] * wShape[3];
          expectNd(out, ref.convTranspose2d(x, k, b, all), sumsOf((xShape[1] / groups) * area), "output");
          expectNd(leaves[0].grad, dX, sumsOf(wShape[1] * area), "input gradient");
          expectNd(leaves[1].grad, dW, sumsOf(xShape[0] * xShape[2] * xShape[3]), "weight gradient");
          expectNd(leaves[2].grad, dB, sumsOf(outShape[0] * outShape[2] * outShape[3]), "bias gradient");
        });
      }),
      { numRuns: 200 },
    );
  });

  test("whole numbers come out exactly: nothing is added twice, left out or rounded", () => {
    fc.assert(
      fc.property(winogradProblems, ({ x: xShape, w: wShape, options, seed }) => {
        const outShape = ref.convShape(xShape, wShape, options);
        fc.pre(outShape.every((n) => n > 0));
        scope(() => {
          const random = randomSource(seed);
          const [x, w, dOut] = [xShape, wShape, outShape].map((shape) => whole(shape, random));
          const [tx, tw] = [asTensor(x), asTensor(w)];
          const out = F.conv2d(tx, tw, null, options as any);
          out.backward(asTensor(dOut, false));
          const { dX, dW } = ref.conv2dGradients(x, w, dOut, options);
          expectNd(out, ref.conv2d(x, w, null, options), EXACT, "output");
          expectNd(tx.grad, dX, EXACT, "input gradient");
          expectNd(tw.grad, dW, EXACT, "weight gradient");
        });
      }),
      { numRuns: 40 },
    );
  });
});

// Rows of tiles that fill vectors, images padded by one: one group of four tiles a row, some, with blocks that end within a row.
test.each([
  [1, 8],
  [2, 16],
  [5, 24],
  [9, 16],
  [32, 32],
  [33, 40],
])("whole numbers come out exactly of images of %i×%i", (h, w) => {
  const random = randomSource(h);
  const [x, weight, dOut] = [
    [5, 16, h, w],
    [17, 16, 3, 3],
    [5, 17, h, w],
  ].map((shape) => whole(shape, random));
  const [tx, tw] = [asTensor(x), asTensor(weight)];
  F.conv2d(tx, tw, null, { padding: 1 }).backward(asTensor(dOut, false));
  const { dX, dW } = ref.conv2dGradients(x, weight, dOut, { padding: 1 });
  expectNd(
    noGrad(() => F.conv2d(tx, tw, null, { padding: 1 })),
    ref.conv2d(x, weight, null, { padding: 1 }),
    EXACT,
    "output",
  );
  expectNd(tx.grad, dX, EXACT, "input gradient");
  expectNd(tw.grad, dW, EXACT, "weight gradient");
});

// Laws ---------------------------------------------------------------------------------------------------------------

describe("laws", () => {
  const shapes: [name: string, x: number[], w: number[], options: any][] = [
    ["direct", [2, 3, 9, 7], [5, 3, 3, 3], { padding: 1 }],
    ["stride 2", [2, 6, 9, 8], [5, 6, 3, 3], { padding: 1, stride: 2 }],
    ["Winograd", [2, 16, 9, 7], [17, 16, 3, 3], { padding: 1 }],
    ["depthwise", [2, 6, 9, 7], [6, 1, 3, 3], { padding: 1, groups: 6 }],
    ["1×1", [2, 6, 9, 7], [5, 6, 1, 1], {}],
  ];

  test.each(shapes)("%s: linear in the image and in the weight", (_, xShape, wShape, options) => {
    const random = randomSource(3);
    const [a, b] = [1, 2].map(() => asTensor(whole(xShape, random), false));
    const [v, w] = [1, 2].map(() => asTensor(whole(wShape, random), false));
    const conv = (x: Tensor, w: Tensor) => F.conv2d(x, w, null, options);
    // Whole numbers: no rounding, so the two sides are the same.
    const found = conv(a.mul(3).add(b), v.sub(w)).toTypedArray();
    const expected = conv(a, v).mul(3).sub(conv(a, w).mul(3)).add(conv(b, v)).sub(conv(b, w));
    expectClose(found, expected.toTypedArray(), EXACT, "conv(3a + b, v − w)");
  });

  test.each(shapes)("%s: the transposed convolution is the adjoint", (_, xShape, wShape, options) => {
    const random = randomSource(4);
    const [x, w] = [asTensor(whole(xShape, random)), asTensor(whole(wShape, random), false)];
    const out = F.conv2d(x, w, null, options);
    const y = asTensor(whole([...out.shape], random), false);
    out.backward(y);
    // An odd or even height can come of one stride-2 output: outputPadding says which.
    const { stride = 1, padding = 0, groups = 1 } = options;
    const outputPadding = [2, 3].map((d) => (xShape[d] + 2 * padding - wShape[d]) % stride);
    const back = F.convTranspose2d(y, w, null, { stride, padding, groups, outputPadding: outputPadding as any });
    expectClose(back.toTypedArray(), (x.grad as Tensor).toTypedArray(), EXACT, "convTranspose2d(y, w)");
  });

  test.each(shapes)("%s: an image alone is as in a batch, and as a view", (_, xShape, wShape, options) => {
    const random = randomSource(5);
    const [x, w] = [asTensor(uniform(xShape, random), false), asTensor(uniform(wShape, random), false)];
    const out = F.conv2d(x, w, null, options);
    const alone = F.conv2d(x.select(0, 1), w, null, options);
    expect(alone.shape).toEqual(out.shape.slice(1));
    expectClose(alone.toTypedArray(), out.select(0, 1).toTypedArray(), EXACT, "unbatched");
    const channelsLast = x.permute(0, 2, 3, 1).clone().permute(0, 3, 1, 2);
    expectClose(F.conv2d(channelsLast, w, null, options).toTypedArray(), out.toTypedArray(), EXACT, "a view");
  });

  test("the same call gives the same bits", () => {
    const random = randomSource(6);
    const [x, w] = [asTensor(uniform([3, 16, 13, 11], random)), asTensor(uniform([20, 16, 3, 3], random))];
    const run = () => {
      x.grad = w.grad = null;
      const out = F.conv2d(x, w, null, { padding: 1 });
      out.backward(out.detach());
      return [out, x.grad, w.grad].map((t) => (t as unknown as Tensor).toTypedArray());
    };
    const first = run();
    run().forEach((values, i) => {
      expectClose(values, first[i], EXACT, `result ${i}`);
    });
  });

  test.each(shapes)("%s: NaN reaches all outputs that see it, and none far away", (_, xShape, wShape, options) => {
    const x = uniform(xShape, randomSource(7));
    x.data[0] = Number.NaN;
    const out = F.conv2d(asTensor(x, false), asTensor(uniform(wShape, randomSource(8)), false), null, options);
    expect(out.at(0, 0, 0, 0).item()).toBeNaN();
    // Winograd's tiles are 4×4: a pixel reaches at most 3 further.
    expect(out.at(0, ":", "5:", ":").isnan().any().item()).toBe(false);
    expect(out.at(1).isnan().any().item()).toBe(false);
  });

  test("no image gives no image, and gradients of 0", () => {
    const [x, w, b] = [zeros([0, 3, 8, 8], { requiresGrad: true }), zeros([4, 3, 3, 3]), zeros([4])];
    w.requiresGrad = b.requiresGrad = true;
    const out = F.conv2d(x, w, b, { padding: 1 });
    expect(out.shape).toEqual([0, 4, 8, 8]);
    out.sum().backward();
    expect(x.grad?.shape).toEqual([0, 3, 8, 8]);
    for (const grad of [w.grad, b.grad]) expect(grad?.toTypedArray().every((v) => v === 0)).toBe(true);
  });

  test("arguments go by position, and the bias may be left out", () => {
    const random = randomSource(9);
    const [x, w] = [asTensor(uniform([1, 4, 7, 7], random), false), asTensor(uniform([4, 2, 3, 3], random), false)];
    const expected = F.conv2d(x, w, null, { stride: 2, padding: 1, dilation: 2, groups: 2 }).toTypedArray();
    for (const out of [
      F.conv2d(x, w, null, 2, 1, 2, 2),
      F.conv2d(x, w, undefined, 2, { groups: 2, padding: [1, 1], dilation: 2 }),
      F.conv2d(x, w, { stride: [2, 2], padding: 1, dilation: 2, groups: 2 }),
    ]) {
      expectClose(out.toTypedArray(), expected, EXACT, "conv2d");
    }
    expect(() => F.conv2d(x, w, null, { strides: 2, groups: 2 } as any)).toThrow(
      /strides.*stride, padding, dilation, groups/,
    );
  });
});

// Winograd -----------------------------------------------------------------------------------------------------------

describe("Winograd's rounding is at most twice the direct method's", () => {
  /** The stride-1 3×3 layers of the CNN and of ResNet-20, on eight images. */
  const layers: [name: string, x: number[], w: number[]][] = [
    ["32 → 64, 14 × 14", [8, 32, 14, 14], [64, 32, 3, 3]],
    ["16 → 16, 32 × 32", [8, 16, 32, 32], [16, 16, 3, 3]],
    ["32 → 32, 16 × 16", [8, 32, 16, 16], [32, 32, 3, 3]],
    ["64 → 64, 8 × 8", [8, 64, 8, 8], [64, 64, 3, 3]],
  ];
  /** Root mean square of the differences: the largest of them scatters from one draw to the next. */
  const error = (found: Tensor, expected: Nd): number => {
    const values = found.toTypedArray();
    let squares = 0;
    expected.data.forEach((v, i) => {
      squares += (values[i] - v) ** 2;
    });
    return Math.sqrt(squares / values.length);
  };

  test.each(layers)("%s", (_, xShape, wShape) => {
    const random = randomSource(10);
    // Activations behind a ReLU, weights as layers start with them.
    const x = uniform(xShape, random);
    x.data.forEach((v, i) => {
      x.data[i] = Math.max(v, 0);
    });
    const w = uniform(wShape, random);
    const bound = 1 / Math.sqrt(wShape[1] * 9);
    w.data.forEach((v, i) => {
      w.data[i] = Math.fround(v * bound);
    });
    const dOut = uniform(ref.convShape(xShape, wShape, { padding: 1 }), random);
    const { dX, dW } = ref.conv2dGradients(x, w, dOut, { padding: 1 });
    const out = ref.conv2d(x, w, null, { padding: 1 });
    const by = (method: ConvMethod) => {
      setConvMethod(method);
      const leaves = [asTensor(x), asTensor(w)];
      const found = F.conv2d(leaves[0], leaves[1], null, { padding: 1 });
      found.backward(asTensor(dOut, false));
      return {
        output: error(found, out),
        "input gradient": error(leaves[0].grad as Tensor, dX),
        "weight gradient": error(leaves[1].grad as Tensor, dW),
      };
    };
    try {
      const [direct, winograd] = [by("direct"), by("winograd")];
      for (const pass of ["output", "input gradient", "weight gradient"] as const) {
        expect(direct[pass], `${pass} by the direct method`).toBeGreaterThan(0);
        expect(winograd[pass], `${pass} is another method's`).not.toBe(direct[pass]);
        expect(winograd[pass] / direct[pass], pass).toBeLessThanOrEqual(2);
      }
    } finally {
      setConvMethod("auto");
    }
  });
});

// Bad input ----------------------------------------------------------------------------------------------------------

describe("refuses, by name and numbers", () => {
  const x = zeros(2, 4, 5, 6);
  const w = zeros(6, 4, 3, 3);
  const refused: [what: string, call: () => unknown, ...messages: RegExp[]][] = [
    ["a kernel larger than the padded image", () => F.conv2d(zeros(1, 4, 2, 6), w), /conv2d/, /3/, /2/],
    [
      "a dilated kernel larger than the image",
      () => F.conv2d(x, w, null, { dilation: 3 }),
      /conv2d/,
      /dilated/,
      /\[3, 3\]/,
      /\[5, 6\]/,
    ],
    ["other channels", () => F.conv2d(zeros(2, 3, 5, 6), w), /conv2d/, /3 channels|channels.*3/, /4/],
    ["groups that do not divide the channels", () => F.conv2d(x, w, null, { groups: 3 }), /conv2d/, /groups?/, /3/],
    ["groups that do not divide the outputs", () => F.conv2d(x, zeros(5, 2, 3, 3), null, { groups: 2 }), /5/, /2/],
    ["a group of other channels", () => F.conv2d(x, w, null, { groups: 2 }), /conv2d/, /groups?/],
    ['"same" with a stride', () => F.conv2d(x, w, null, { padding: "same", stride: 2 }), /same/, /stride/, /2/],
    ["an unknown padding", () => F.conv2d(x, w, null, { padding: "full" as any }), /padding/, /full/],
    ["a weight of 3 dims", () => F.conv2d(x, zeros(6, 4, 3)), /weight/, /\[6, 4, 3\]/],
    ["an image of 2 dims", () => F.conv2d(zeros(5, 6), w), /conv2d/, /\[5, 6\]/],
    ["a bias of another size", () => F.conv2d(x, w, zeros(4)), /bias/, /4/, /6/],
    ["a stride of 0", () => F.conv2d(x, w, null, { stride: 0 }), /stride/, /0/],
    ["half a stride", () => F.conv2d(x, w, null, { stride: 1.5 }), /stride/, /1.5/],
    ["negative padding", () => F.conv2d(x, w, null, { padding: -1 }), /padding/, /-1/],
    ["three paddings", () => F.conv2d(x, w, null, { padding: [1, 1, 1] as any }), /padding/],
    ["groups of 0", () => F.conv2d(x, w, null, { groups: 0 }), /groups/, /0/],
    ["bytes", () => F.conv2d(zeros([2, 4, 5, 6], { dtype: "uint8" }), w), /conv2d/, /uint8/],
    ["a number", () => F.conv2d(3 as any, w), /conv2d/],
    ["transposed: other channels", () => F.convTranspose2d(x, zeros(3, 4, 3, 3)), /convTranspose2d/, /4/, /3/],
    [
      "transposed: groups that do not divide",
      () => F.convTranspose2d(x, zeros(4, 2, 3, 3), null, { groups: 3 }),
      /convTranspose2d/,
      /groups?/,
      /3/,
    ],
    [
      "transposed: outputPadding as large as the stride",
      () => F.convTranspose2d(x, zeros(4, 2, 3, 3), null, { stride: 2, outputPadding: 2 }),
      /outputPadding/,
      /2/,
    ],
    [
      "transposed: nothing left",
      () => F.convTranspose2d(zeros(1, 4, 1, 1), zeros(4, 2, 3, 3), null, { padding: 2 }),
      /convTranspose2d/,
    ],
    ["transposed: a weight of 3 dims", () => F.convTranspose2d(x, zeros(4, 4, 3)), /weight/, /\[4, 4, 3\]/],
    ["transposed: a bias of another size", () => F.convTranspose2d(x, zeros(4, 6, 3, 3), zeros(4)), /bias/, /4/, /6/],
    // The layers.
    [
      "layer: groups that do not divide inChannels",
      () => new nn.Conv2d(4, 6, 3, { groups: 3 }),
      /inChannels 4/,
      /3 groups/,
    ],
    [
      "layer: groups that do not divide outChannels",
      () => new nn.Conv2d(6, 4, 3, { groups: 3 }),
      /outChannels 4/,
      /3 groups/,
    ],
    ["layer: no channels", () => new nn.Conv2d(0, 4, 3), /Conv2d: inChannels/, /0/],
    ["layer: half a channel", () => new nn.Conv2d(3, 4.5, 3), /Conv2d: outChannels/, /4.5/],
    ["layer: kernelSize 0", () => new nn.Conv2d(3, 4, 0), /kernelSize.*≥ 1.*0/],
    ["layer: three kernel sizes", () => new nn.Conv2d(3, 4, [3, 3, 3] as any), /kernelSize.*\[3, 3, 3\]/],
    [
      'layer: "same" with a stride',
      () => new nn.Conv2d(3, 4, 3, { stride: 2, padding: "same" }),
      /same.*stride \[2, 2\]/,
    ],
    ["layer: an unknown padding", () => new nn.Conv2d(3, 4, 3, { padding: "full" as any }), /"full"/],
    ["layer: an unknown mode", () => new nn.Conv2d(3, 4, 3, { paddingMode: "mirror" as any }), /"mirror".*reflect/],
    ["layer: an unknown option", () => new nn.Conv2d(3, 4, 3, { kernel: 2 } as any), /kernel.*stride/],
    ["layer: an image of other channels", () => new nn.Conv2d(3, 4, 3)(zeros(1, 2, 8, 8)), /conv2d/, /3/, /2/],
    [
      "layer: a mirrored border wider than the image",
      () => new nn.Conv2d(1, 1, 3, { padding: 3, paddingMode: "reflect" })(zeros(1, 1, 3, 3)),
      /pad/,
      /reflect/,
    ],
    [
      "transposed layer: groups",
      () => new nn.ConvTranspose2d(4, 6, 3, { groups: 4 }),
      /ConvTranspose2d: outChannels 6/,
    ],
    [
      "transposed layer: a string",
      () => new nn.ConvTranspose2d(4, 6, 3, { padding: "same" as any }),
      /padding.*"same"/,
    ],
    [
      "transposed layer: a size that cannot come out",
      () => new nn.ConvTranspose2d(1, 1, 3, 2)(zeros(1, 1, 4, 4), [11, 10]),
      /outputSize \[11, 10\].*\[9, 9\] to \[10, 10\]/,
    ],
    [
      "transposed layer: a size of three dims",
      () => new nn.ConvTranspose2d(1, 1, 3, 2)(zeros(1, 1, 4, 4), [1, 9, 9]),
      /outputSize \[1, 9, 9\]/,
    ],
  ];
  test.each(refused)("%s", (_, call, ...messages) => {
    let error: any;
    try {
      call();
    } catch (caught) {
      error = caught;
    }
    expect(error, "throws").toBeInstanceOf(Error);
    for (const message of messages) expect(error.message).toMatch(message);
  });
});

// Layers -------------------------------------------------------------------------------------------------------------

describe("layers (test/parity/fixtures/conv-modules.json)", () => {
  const { records } = loadFixture("conv-modules");
  const title = (r: any) => `${r.op}(${[...r.args, r.options].map((a) => JSON.stringify(a)).join(", ")})`;
  test.each(records.map((r: any) => [title(r), r] as const))("%s", (_, r) => {
    manualSeed(r.seed);
    const layer = new (nn as any)[r.op](...decode(r.args), decode(r.options));
    expect(String(layer)).toBe(r.text);
    const state = layer.stateDict() as Record<string, Tensor>;
    expect(Object.keys(state)).toEqual(Object.keys(r.stateDict));
    for (const [name, expected] of Object.entries<Recorded>(r.stateDict)) {
      expectTensor(state[name], { ...expected, data: elementsOf(expected) }, EXACT, name);
    }
    if (!r.input) return;
    const args = r.outputSize ? [r.outputSize] : [];
    const out = noGrad(() => layer(tensorOf(r.input), ...args));
    expectTensor(out, { ...r.output, data: elementsOf(r.output) }, { atol: 4e-6, rtol: 1e-5 }, "output");
  });

  test("options by position, by name, and as fields", () => {
    const a = new nn.Conv2d(4, 8, 3, 2, 1, 2, 4, false);
    const b = new nn.Conv2d(4, 8, [3, 3], { stride: 2, padding: [1, 1], dilation: 2, groups: 4, bias: false });
    expect(String(a)).toBe(String(b));
    expect([a.inChannels, a.outChannels, a.kernelSize, a.stride, a.padding, a.dilation, a.groups, a.bias]).toEqual([
      4,
      8,
      [3, 3],
      [2, 2],
      [1, 1],
      [2, 2],
      4,
      null,
    ]);
    expect(a.weight.shape).toEqual([8, 1, 3, 3]);
    const c = new nn.ConvTranspose2d(4, 8, 3, 2, 1, 1, 2, false, 1);
    expect([c.stride, c.padding, c.outputPadding, c.dilation, c.groups]).toEqual([[2, 2], [1, 1], [1, 1], [1, 1], 2]);
    expect(c.weight.shape).toEqual([4, 4, 3, 3]);
    expect(new nn.Conv2d(1, 1, 3, { padding: "same" }).padding).toBe("same");
  });

  test("an odd border is made as PyTorch makes it, and gradients go through it", () => {
    const layer = new nn.Conv2d(1, 1, 3, { padding: 1, paddingMode: "circular", bias: false });
    const x = zeros([1, 1, 4, 4], { requiresGrad: true });
    layer(x).sum().backward();
    // Every pixel is seen by nine outputs, once with each weight.
    const sum = noGrad(() => layer.weight.sum().item());
    for (const v of (x.grad as Tensor).toTypedArray()) expect(v).toBeCloseTo(sum, 5);
  });
});
