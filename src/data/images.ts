/** Datasets of labelled images that are held as bytes, and how they make transformed batches. */
import { ArgumentError } from "../errors.js";
import { tick } from "../storage.js";
import { Tensor } from "../tensor.js";
import { stepsOf } from "../transforms/compose.js";
import { ToTensor } from "../transforms/convert.js";
import { drawBySample, fusedLength, runFused } from "../transforms/fuse.js";
import type { ImageShape } from "../transforms/image.js";
import type { RandomTransform } from "../transforms/random.js";
import { type TransformFn, takesBatches } from "../transforms/transform.js";
import { k } from "../wasm/families/images.generated.js";
import { I32, U8 } from "../wasm/heap.js";
import { collateAs } from "./collate.js";
import { Dataset, normalizeIndex } from "./dataset.js";
import { gatherRows, withIndices } from "./rows.js";

/** Options of datasets of images. */
export interface ImageOptions {
  /** What an image (uint8 [C, H, W]) goes through. */
  transform?: TransformFn | null;
  /** What a label (a number) goes through. */
  targetTransform?: ((label: number) => any) | null;
}

/** Base of datasets of labelled uint8 images: samples are `[image, label]`, the image uint8 [C, H, W] or transformed. */
export abstract class ImageDataset extends Dataset<[image: any, label: any]> {
  /** The images as they are held; [N, …] uint8. */
  readonly data: Tensor;
  /** The labels, int32 [N]. */
  readonly targets: Tensor;
  /** Names of the classes. */
  abstract readonly classes: readonly string[];
  readonly transform: TransformFn | null;
  readonly targetTransform: ((label: number) => any) | null;

  /** @param imageShape [C, H, W]; with the number of images it has as many elements as data */
  protected constructor(
    data: Tensor,
    targets: Tensor,
    private readonly imageShape: readonly [number, number, number],
    private readonly where: string,
    options: ImageOptions,
  ) {
    super();
    for (const name of ["transform", "targetTransform"] as const) {
      const value = options[name] ?? null;
      if (value !== null && typeof value !== "function") {
        throw new ArgumentError(`${where}: ${name} must be a transform or a function, found ${typeof value}`);
      }
    }
    this.data = data;
    this.targets = targets;
    this.transform = options.transform ?? null;
    this.targetTransform = options.targetTransform ?? null;
  }

  get length(): number {
    return this.targets.shape[0];
  }

  get(index: number): [image: any, label: any] {
    const i = normalizeIndex(index, this.length, this.where);
    const [channels, height, width] = this.imageShape;
    const size = channels * height * width;
    const image = this.data.stridedView(this.imageShape, [height * width, width, 1], i * size);
    const label = this.labelAt(i);
    const { transform, targetTransform } = this;
    return [transform === null ? image : transform(image), targetTransform === null ? label : targetTransform(label)];
  }

  /** @internal */
  override getBatch(indices: Int32Array): unknown[] | null {
    if (this.get !== ImageDataset.prototype.get) return null;
    const [channels, height, width] = this.imageShape;
    const pixels = height * width;
    const strides = [channels * pixels, pixels, width, 1];
    const images = this.data.stridedView([this.length, ...this.imageShape], strides, 0);
    const inputs = transformRows(images, indices, this.transform);
    return inputs === null ? null : [inputs, this.labels(indices)];
  }

  private labelAt(i: number): number {
    // The address first: bringing the targets back may grow the heap, and then I32 is another view.
    const { ptr } = this.targets;
    return I32[(ptr >>> 2) + i];
  }

  private labels(indices: Int32Array): any {
    const { targetTransform } = this;
    if (targetTransform === null) return gatherRows(this.targets, indices);
    const labels = Array.from(indices, (i) => targetTransform(this.labelAt(i)));
    return collateAs(labels, (i) => `the label of sample ${indices[i]}`);
  }
}

/** A data tensor of bytes, which no scope() frees: the dataset is used as long as it is held. */
export function bytesTensor(
  bytes: Uint8Array,
  shape: readonly number[],
  dtype: "uint8" | "int32",
  where: string,
): Tensor {
  tick();
  const out = Tensor.allocateDurable(shape, dtype, where).keep();
  const { ptr } = out;
  if (dtype === "uint8") U8.set(bytes, ptr);
  else I32.set(bytes, ptr >>> 2);
  return out;
}

/**
 * The images of these indices, transformed: what stacking `transform(image)` of each gives, bit for bit, with the same
 * random draws. Null when some step must see one image at a time.
 *
 * Steps in front that can be fused are one kernel call together with the gathering; those behind get the batch.
 *
 * @param images uint8 [N, C, H, W], contiguous
 * @param indices in [0, N)
 */
function transformRows(images: Tensor, indices: Int32Array, transform: TransformFn | null): Tensor | null {
  const steps = transform === null ? [] : stepsOf(transform);
  if (!steps.every(takesBatches)) return null;
  const shape = images.shape.slice(1) as unknown as ImageShape;
  let draws = drawBySample(steps, indices.length, shape);
  let done = draws.length === 0 ? 0 : fusedLength(steps.slice(0, draws.length), 0, shape);
  let batch: Tensor;
  if (done > 0) {
    const source = { data: images, count: indices.length, shape, batch: true };
    batch = runFused(steps.slice(0, done), draws, source, indices, "DataLoader");
  } else if (steps[0]?.constructor === ToTensor) {
    batch = gatherFloats(images, indices);
    done = 1;
  } else {
    batch = gatherRows(images, indices);
  }
  let from = 0;
  for (let s = done; s < steps.length; s++) {
    if (s >= from + draws.length) {
      from = s;
      draws = batch.ndim === 4 ? drawBySample(steps.slice(s), batch.shape[0], batch.shape.slice(1) as never) : [];
    }
    const drawn = draws[s - from] ?? null;
    const step = steps[s];
    batch = drawn === null ? step(batch) : (step as unknown as RandomTransform).applyTo(batch, drawn);
  }
  return batch;
}

/** ToTensor of images of a dataset. */
function gatherFloats(images: Tensor, indices: Int32Array): Tensor {
  const [, channels, height, width] = images.shape;
  tick();
  const out = Tensor.allocateDurable([indices.length, channels, height, width], "float32", "DataLoader");
  withIndices(indices, (idx) =>
    k.gather_normalize_u8(out.ptr, images.ptr, idx, indices.length, channels, height * width, 0, 0),
  );
  return out;
}
