/** Transforms that move pixels, and their fusion: against plain references, per image as per batch, fused as step by step. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type DType, F, Generator, manualSeed, randint, type Tensor, tensor, transforms } from "../src/index.js";
import { digest } from "./support/digest.js";
import { cropped, mirrored, type Planes, padded, pixels, upsideDown } from "./support/image.js";

const { CenterCrop, Compose, Lambda, Normalize, Pad, RandomCrop, RandomHorizontalFlip, RandomVerticalFlip, ToTensor } =
  transforms;
const MODES = ["constant", "edge", "reflect", "symmetric"] as const;
const DTYPES: DType[] = ["uint8", "float32", "int32", "bool"];
const bits = (x: Tensor) => [x.dtype, x.shape, digest(x)];
const numbers = (x: Tensor): any => x.to("float32").toArray();

/** What torch draws: torch.randint(0, n, (1,)), torch.rand(1) < p. */
const below = (gen: Generator, n: number) => gen.random32() % n;
const happens = (gen: Generator, p: number) => gen.uniform32() < Math.fround(p);

describe("Pad", () => {
  test.each(MODES)("%s, all dtypes, odd sizes", (paddingMode) => {
    for (const dtype of DTYPES) {
      for (const [shape, sides] of [
        [
          [3, 5, 7],
          [1, 2, 3, 4],
        ],
        [
          [1, 4, 17],
          [3, 0, 0, 1],
        ],
        [
          [2, 6, 33],
          [5, 5, 5, 5],
        ],
        [
          [1, 7, 9],
          [-2, 1, 3, -4],
        ],
      ]) {
        const x = pixels(shape, dtype);
        const out = new Pad(sides, { paddingMode, fill: 1 })(x);
        expect(out.dtype).toBe(dtype);
        expect(numbers(out)).toEqual(padded(numbers(x), sides, paddingMode, 1));
      }
    }
  });

  test("a number, two, and four; fill and mode by position", () => {
    const x = pixels([1, 3, 4]);
    expect(numbers(new Pad(2)(x))).toEqual(padded(numbers(x), [2, 2, 2, 2]));
    expect(numbers(new Pad([1, 2], 9)(x))).toEqual(padded(numbers(x), [1, 2, 1, 2], "constant", 9));
    expect(numbers(new Pad([1, 2, 0, 0], 0, "edge")(x))).toEqual(padded(numbers(x), [1, 2, 0, 0], "edge"));
    expect(String(new Pad(2))).toBe("Pad(padding=[2, 2, 2, 2], fill=0, padding_mode=constant)");
  });

  test("batches, none and many, contiguous or not", () => {
    const x = pixels([17, 3, 6, 5]);
    const pad = new Pad(2, { paddingMode: "reflect" });
    expect(numbers(pad(x))).toEqual(numbers(x).map((image: Planes) => padded(image, [2, 2, 2, 2], "reflect")));
    expect(pad(pixels([0, 3, 6, 5])).shape).toEqual([0, 3, 10, 9]);
    const interleaved = pixels([6, 5, 3]).permute(2, 0, 1);
    expect(numbers(pad(interleaved))).toEqual(padded(numbers(interleaved), [2, 2, 2, 2], "reflect"));
  });

  test("is F.pad where both are", () => {
    const x = pixels([2, 3, 5, 6], "float32");
    expect(bits(new Pad([1, 2, 3, 0], { fill: 0.5 })(x))).toEqual(bits(F.pad(x, [1, 3, 2, 0], { value: 0.5 })));
  });

  test("errors", () => {
    expect(() => new Pad([1, 2, 3])).toThrow(/Pad: padding must be .* \[left, top, right, bottom\], found \[1, 2, 3\]/);
    expect(() => new Pad(1.5)).toThrow(/found 1.5/);
    expect(() => new Pad(1, { paddingMode: "mirror" as any })).toThrow(
      /paddingMode must be one of "constant", "edge", "reflect", "symmetric", found "mirror"/,
    );
    expect(() => new Pad(1, { fill: [1, 2, 3] as any })).toThrow(/fill must be a number, the same for all channels/);
    expect(() => new Pad(1, { mode: "edge" } as any)).toThrow(/unknown option mode/);
    const x = pixels([1, 3, 4]);
    expect(() => new Pad(1, { fill: 256 })(x)).toThrow(/Pad: fill is 256, which is no uint8/);
    expect(() => new Pad([1, 3], { paddingMode: "reflect" })(x)).toThrow(
      /padding \[1, 3, 1, 3\] with paddingMode "reflect": an image of height 3 can be continued by at most 2 pixels, found 3/,
    );
    expect(() => new Pad(5, { paddingMode: "symmetric" })(x)).toThrow(
      /width 4 can be continued by at most 4 pixels, found 5/,
    );
    expect(() => new Pad(-2)(x)).toThrow(/padding \[-2, -2, -2, -2\] leaves -1×0 pixels of an image of 3×4/);
    expect(() => new Pad(1)(pixels([3, 4]))).toThrow(/shape \[3, 4\]: expected \[channels, height, width\]/);
    expect(() => new Pad(1, { paddingMode: "edge" })(tensor([], { shape: [1, 0, 3] }))).toThrow(/height 0/);
    expect(() => new Pad(1)(tensor([[[1]]], { requiresGrad: true }))).toThrow(/image requires a gradient.*detach/);
  });
});

describe("CenterCrop", () => {
  test.each([
    [
      [5, 7],
      [3, 4],
    ],
    [
      [6, 9],
      [3, 2],
    ],
    [
      [5, 7],
      [8, 8],
    ],
    [
      [4, 40],
      [6, 19],
    ],
  ])("%j to %j", ([h, w], [oh, ow]) => {
    const x = pixels([2, h, w]);
    // As in torchvision: first padded, the odd pixel behind; then cropped, round() of the half.
    const [dy, dx] = [Math.max(oh - h, 0), Math.max(ow - w, 0)];
    const big = padded(numbers(x), [Math.floor(dx / 2), Math.floor(dy / 2), Math.ceil(dx / 2), Math.ceil(dy / 2)]);
    const even = (v: number) => (v % 1 === 0.5 ? 2 * Math.round(v / 2) : Math.round(v));
    const [top, left] = [even((Math.max(h, oh) - oh) / 2), even((Math.max(w, ow) - ow) / 2)];
    expect(numbers(new CenterCrop([oh, ow])(x))).toEqual(cropped(big, top, left, oh, ow));
  });

  test("errors", () => {
    expect(() => new CenterCrop(0)).toThrow(/CenterCrop: size must be a whole number > 0, .* found 0/);
    expect(() => new CenterCrop([1, 2, 3])).toThrow(/found \[1, 2, 3\]/);
    expect(() => (new CenterCrop(2) as any)([[1]])).toThrow(/image must be a Tensor, found Array/);
  });
});

describe("RandomCrop", () => {
  test.each(MODES)(
    "%s: the drawn window of the padded image; a batch draws for one image after the other",
    (paddingMode) => {
      for (const dtype of DTYPES) {
        const x = pixels([17, 3, 7, 19], dtype);
        const crop = new RandomCrop([6, 17], { padding: [4, 2, 1, 3], paddingMode, fill: 1 });
        manualSeed(3);
        const out = crop(x);
        const gen = new Generator(3);
        const expected = numbers(x).map((image: Planes) => {
          const big = padded(image, [4, 2, 1, 3], paddingMode, 1);
          const top = below(gen, 12 - 6 + 1);
          return cropped(big, top, below(gen, 24 - 17 + 1), 6, 17);
        });
        expect(out.dtype).toBe(dtype);
        expect(numbers(out)).toEqual(expected);
        manualSeed(3);
        expect(Array.from({ length: 17 }, (_, i) => numbers(crop(x.at(i))))).toEqual(expected);
      }
    },
  );

  test("draws nothing where nothing is to be chosen, and nothing for no images", () => {
    manualSeed(5);
    const x = pixels([4, 1, 6, 6]);
    expect(bits(new RandomCrop(6)(x))).toEqual(bits(x));
    expect(new RandomCrop(4, { padding: 1 })(pixels([0, 3, 6, 6])).shape).toEqual([0, 3, 4, 4]);
    const next = randint(0, 1000, [1]).item();
    manualSeed(5);
    expect(randint(0, 1000, [1]).item()).toBe(next);
  });

  test("all places are equally likely", () => {
    manualSeed(1);
    const x = tensor(
      Uint8Array.from({ length: 12 }, (_, i) => i),
      { shape: [1, 3, 4] },
    );
    const counts = new Map<number, number>();
    const batch = x.unsqueeze(0).expand([6000, 1, 3, 4]);
    for (const v of new RandomCrop([1, 1])(batch).toTypedArray()) counts.set(v, (counts.get(v) ?? 0) + 1);
    expect(counts.size).toBe(12);
    // 500 each; σ = √(6000 · 1/12 · 11/12) ≈ 21.
    for (const count of counts.values()) expect(Math.abs(count - 500)).toBeLessThan(5 * 21.4);
  });

  test("errors", () => {
    const x = pixels([3, 32, 30]);
    expect(() => new RandomCrop(33)(x)).toThrow(
      /RandomCrop: the crop of 33×33 is larger than the image of 32×30 \(height × width\); use .*padIfNeeded/,
    );
    expect(() => new RandomCrop([32, 41], { padding: 5 })(x)).toThrow(
      /crop of 32×41 is larger than the image of 32×30, which padding \[5, 5, 5, 5\] makes 42×40/,
    );
    expect(() => new RandomCrop(40, { padIfNeeded: true })(x)).not.toThrow();
    expect(() => new RandomCrop(-1)).toThrow(/size must be a whole number > 0/);
    expect(() => new RandomCrop(4, { paddingMode: "zeros" as any })).toThrow(/paddingMode must be one of/);
    expect(() => new RandomCrop(4, { padIfNeeded: 1 as any })).toThrow(/padIfNeeded must be true or false, found 1/);
    expect(() => new RandomCrop(4)(pixels([4, 4]))).toThrow(/shape \[4, 4\]/);
    expect(() => new RandomCrop(2, { padding: 9, paddingMode: "symmetric" })(pixels([1, 8, 8]))).toThrow(
      /RandomCrop: .* height|width 8 can be continued by at most 8 pixels, found 9/,
    );
  });

  test("prints as torchvision's", () => {
    expect(String(new RandomCrop(32, { padding: 4 }))).toBe("RandomCrop(size=(32, 32), padding=[4, 4, 4, 4])");
    expect(String(new RandomHorizontalFlip())).toBe("RandomHorizontalFlip(p=0.5)");
  });
});

describe("flips", () => {
  test.each([
    ["RandomHorizontalFlip", mirrored],
    ["RandomVerticalFlip", upsideDown],
  ] as const)("%s: one draw an image", (name, flipped) => {
    for (const width of [1, 3, 15, 16, 17, 32, 37]) {
      for (const dtype of DTYPES) {
        const x = pixels([17, 2, 5, width], dtype);
        const flip = new transforms[name]({ p: 0.3 });
        manualSeed(9);
        const out = flip(x);
        const gen = new Generator(9);
        const expected = numbers(x).map((image: Planes) => (happens(gen, 0.3) ? flipped(image) : image));
        expect(numbers(out)).toEqual(expected);
        manualSeed(9);
        expect(Array.from({ length: 17 }, (_, i) => numbers(flip(x.at(i))))).toEqual(expected);
      }
    }
  });

  test("never with p 0, always with p 1, and about p of the time", () => {
    const x = tensor(Uint8Array.of(0, 1), { shape: [1, 1, 2] })
      .unsqueeze(0)
      .expand([4000, 1, 1, 2]);
    manualSeed(2);
    for (const p of [0, 0.25, 1]) {
      const first = new RandomHorizontalFlip({ p })(x).select(-1, 0).sum().item();
      // σ = √(4000 · ¼ · ¾) ≈ 27.
      expect(Math.abs(first - 4000 * p)).toBeLessThanOrEqual(p === 0.25 ? 5 * 27.4 : 0);
    }
  });

  test("errors", () => {
    for (const p of [-0.1, 1.5, Number.NaN, "1"]) {
      expect(() => new RandomHorizontalFlip({ p: p as any })).toThrow(
        /RandomHorizontalFlip: p must be a probability from 0 to 1/,
      );
      expect(() => new RandomVerticalFlip(p as any)).toThrow(/RandomVerticalFlip: p must be a probability/);
    }
  });
});

describe("fusion", () => {
  const normalize = (channels: number) =>
    new Normalize([0.4914, 0.4822, 0.4465].slice(0, channels), [0.2023, 0.1994, 0.201].slice(0, channels));
  const oneByOne = (steps: readonly ((x: any) => any)[], x: Tensor) => steps.reduce((y, step) => step(y), x);
  /** Both ways from the same seed, and the generator left in the same state. */
  function expectSame(steps: readonly ((x: any) => any)[], x: Tensor, seed = 1): void {
    manualSeed(seed);
    const fused = new Compose(steps)(x);
    const after = randint(0, 2 ** 30, [1]).item();
    manualSeed(seed);
    const plain = oneByOne(steps, x);
    expect(bits(fused)).toEqual(bits(plain));
    expect(randint(0, 2 ** 30, [1]).item()).toBe(after);
  }

  test("the article's pipeline, for all sizes of batches", () => {
    for (const count of [0, 1, 2, 17, 64]) {
      const steps = [new RandomCrop(32, { padding: 4 }), new RandomHorizontalFlip(), new ToTensor(), normalize(3)];
      expectSame(steps, pixels([count, 3, 32, 32]), count);
    }
    expectSame(
      [new RandomCrop(32, { padding: 4 }), new RandomHorizontalFlip(), new ToTensor(), normalize(3)],
      pixels([3, 32, 32]),
    );
  });

  test("is one pass: no transform in it is called", () => {
    const steps = [new RandomCrop(5), new RandomHorizontalFlip(), new ToTensor(), normalize(1)];
    for (const step of steps) {
      (step as any).forward = () => expect.fail("called");
    }
    expect(new Compose([new Compose(steps), (x: Tensor) => x.add(1)])(pixels([2, 1, 6, 6])).shape).toEqual([
      2, 1, 5, 5,
    ]);
  });

  const geometry = fc.array(
    fc.oneof(
      fc.constant(["flip"] as const),
      fc.constant(["vflip"] as const),
      fc.tuple(
        fc.constant("crop" as const),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 0, max: 4 }),
        fc.constantFrom(...MODES),
      ),
      fc.tuple(fc.constant("center" as const), fc.integer({ min: 1, max: 14 })),
      fc.tuple(fc.constant("pad" as const), fc.integer({ min: -1, max: 3 }), fc.constantFrom(...MODES)),
    ),
    { maxLength: 4 },
  );
  test("any chain, any size: to the bit what the steps make", () => {
    fc.assert(
      fc.property(
        geometry,
        fc.constantFrom(1, 3),
        fc.integer({ min: 9, max: 35 }),
        fc.integer({ min: 9, max: 37 }),
        fc.constantFrom(0, 1, 17),
        fc.boolean(),
        fc.integer({ min: 0, max: 1000 }),
        (chain, channels, height, width, count, normalized, seed) => {
          const steps: ((x: any) => any)[] = chain.map((step) => {
            if (step[0] === "flip") return new RandomHorizontalFlip();
            if (step[0] === "vflip") return new RandomVerticalFlip();
            if (step[0] === "center") return new CenterCrop(step[1]);
            // Large enough for what follows it to be reflected.
            if (step[0] === "pad") return new Pad(step[1], { paddingMode: step[2], fill: 77 });
            return new RandomCrop([step[1], 9 - step[2]], {
              padding: step[2],
              padIfNeeded: true,
              paddingMode: step[3],
              fill: 200,
            });
          });
          steps.push(new ToTensor());
          if (normalized) steps.push(normalize(channels));
          const x = pixels([count, channels, height, width], "uint8", seed);
          let failed = false;
          try {
            manualSeed(seed);
            oneByOne(steps, x);
          } catch {
            // Too small to be reflected: then both refuse.
            failed = true;
          }
          if (failed) expect(() => new Compose(steps)(x)).toThrow();
          else expectSame(steps, x, seed);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("falls back where it does not fit", () => {
    class Louder extends RandomHorizontalFlip {
      override forward(image: Tensor): Tensor {
        return super.forward(image).add(1).to("uint8");
      }
    }
    const x = pixels([5, 3, 9, 9]);
    const lists = [
      [new RandomHorizontalFlip(), new Lambda((y: Tensor) => y), new ToTensor(), normalize(3)],
      [new Louder(), new ToTensor()],
      [
        new ToTensor(),
        new RandomCrop(8, { padding: 2, paddingMode: "reflect" }),
        new RandomVerticalFlip(),
        normalize(3),
      ],
      [new CenterCrop(4), new Pad(2, { paddingMode: "edge" }), new ToTensor(), normalize(3)],
      [new RandomCrop(12, { padding: 1, padIfNeeded: true, paddingMode: "symmetric" }), new ToTensor()],
      [new RandomHorizontalFlip(), new RandomCrop(4)],
    ];
    for (const steps of lists) expectSame(steps, x);
    expectSame(lists[2], pixels([5, 3, 9, 9], "float32"));
    expectSame(lists[0], pixels([7, 9, 9, 3]).permute(0, 3, 1, 2));
  });

  test("the same seed gives the same batches, another seed others", () => {
    const transform = new Compose([new RandomCrop(8, { padding: 2 }), new RandomHorizontalFlip(), new ToTensor()]);
    const x = pixels([16, 3, 8, 8]);
    const run = (seed: number) => {
      manualSeed(seed);
      return bits(transform(x));
    };
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
  });

  test("errors are those of the steps", () => {
    expect(() => new Compose([new RandomCrop(9), new ToTensor()])(pixels([2, 3, 8, 8]))).toThrow(
      /crop of 9×9 is larger/,
    );
    expect(() => new Compose([new Pad(1, { fill: 300 }), new ToTensor()])(pixels([2, 3, 8, 8]))).toThrow(/fill is 300/);
    expect(() => new Compose([new RandomHorizontalFlip(), new ToTensor(), normalize(3)])(pixels([2, 1, 8, 8]))).toThrow(
      /Normalize: the image has 1 channel, mean has 3 values/,
    );
  });
});
