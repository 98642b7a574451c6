/** Transforms against torchvision's, the random ones from the same seed (make_transforms.py). */
import { describe, expect, test } from "vitest";
import { type DType, manualSeed, randint, type Tensor, transforms } from "../../src/index.js";
import { expectTensor } from "../support/compare.js";
import { decode, elementsOf, loadFixture, type Recorded, tensorOf } from "../support/fixtures.js";

interface TransformRecord {
  name: string;
  args: unknown[];
  options: Record<string, unknown>;
  seed: number | null;
  input: Recorded;
  output: Recorded;
  /** What torch.randint draws next. */
  next?: number;
}

const make = ({ name, args, options }: TransformRecord): ((image: Tensor) => Tensor) =>
  new (transforms as any)[name](...decode(args), decode(options));

/** Of float32 images: what they compute is in [0, 1]. */
const TOLERANCE: Record<DType, { atol: number; rtol: number }> = {
  float32: { atol: 1e-6, rtol: 0 },
  uint8: { atol: 0, rtol: 0 },
  int32: { atol: 0, rtol: 0 },
  bool: { atol: 0, rtol: 0 },
};

describe("torchvision", () => {
  const { records } = loadFixture<TransformRecord>("transforms");
  test.each(
    records.map((r) => [`${r.name} ${JSON.stringify([...r.args, r.options])} of ${r.input.dtype}, seed ${r.seed}`, r]),
  )("%s", (_, r) => {
    const image = tensorOf(r.input);
    const transform = make(r);
    if (r.seed !== null) manualSeed(r.seed);
    const out = transform(image);
    expectTensor(out, { ...r.output, data: elementsOf(r.output) }, TOLERANCE[out.dtype], r.name);
    if (r.next !== undefined) expect(randint(0, 2 ** 30, [1]).item()).toBe(r.next);
    expect(Array.from(image.toTypedArray())).toEqual(elementsOf(r.input));
  });
});
