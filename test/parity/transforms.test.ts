/** Transforms against torchvision's, the random ones from the same seed (make_transforms.py). */
import { describe, expect, test } from "vitest";
import { cat, type DType, data, manualSeed, randint, type Tensor, transforms } from "../../src/index.js";
import { idxFile } from "../data/idx.js";
import { EXACT, expectTensor } from "../support/compare.js";
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

const all = loadFixture<TransformRecord>("transforms").records;

describe("torchvision", () => {
  const records = all.filter(({ name }) => name !== "DataLoader");
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

test("a shuffled DataLoader over augmented images gives PyTorch's batches", () => {
  const { Compose, ColorJitter, RandomCrop, RandomHorizontalFlip } = transforms;
  const record = all.find(({ name }) => name === "DataLoader") as TransformRecord & { labels: Recorded };
  const { shape, data: bytes } = record.input;
  const labels = Array.from({ length: shape[0] }, (_, i) => i % 10);
  const transform = new Compose([
    new RandomCrop(6, { padding: 2, paddingMode: "reflect" }),
    new RandomHorizontalFlip(),
    new ColorJitter(0.5, 0.5),
  ]);
  const files = { images: idxFile(shape, bytes as number[]), labels: idxFile([shape[0]], labels) };
  const loader = new data.DataLoader(new data.MNIST(files, { transform }), { batchSize: 4, shuffle: true });
  manualSeed(record.seed as number);
  const batches = [...loader, ...loader];
  const [images, targets] = [0, 1].map((part) => cat(batches.map((batch) => batch[part])));
  expectTensor(images, { ...record.output, data: elementsOf(record.output) }, EXACT, "images");
  expect(Array.from(targets.toTypedArray())).toEqual(elementsOf(record.labels));
});
