/** Transforms between bytes and normalised floats: ToTensor and Normalize. */

import { inPlaces, type Named, show } from "../arguments.js";
import { ArgumentError, DTypeError, ShapeError } from "../errors.js";
import { isGradEnabled } from "../grad-mode.js";
import { div, sub } from "../ops/binary.js";
import { unsqueeze } from "../ops/view.js";
import { formatShape } from "../shape.js";
import { tick } from "../storage.js";
import { Tensor } from "../tensor.js";
import { k } from "../wasm/families/images.generated.js";
import { F32 } from "../wasm/heap.js";
import { type ImageShape, requireTensor } from "./image.js";
import { planesOf, Transform } from "./transform.js";

/**
 * Bytes to floats: uint8 0…255 becomes float32 0…1 by x/255, and float32 passes as it is, as torchvision's ToTensor.
 * Tensors are planar already, so unlike torchvision's, which takes interleaved [height, width, channels] arrays, this one
 * permutes nothing: hand it `pixels.permute(2, 0, 1)` of such an array.
 *
 * Shape: [C, H, W] or [N, C, H, W] → the same; [H, W] → [1, H, W].
 *
 * @throws DTypeError for any other dtype; ShapeError for any other number of dims
 */
export class ToTensor extends Transform {
  static override readonly takesBatches = true;

  forward(image: Tensor): Tensor {
    requireTensor(image, "ToTensor");
    if (image.ndim < 2 || image.ndim > 4) {
      throw new ShapeError(
        `ToTensor: image of shape ${formatShape(image.shape)}: expected [channels, height, width], a batch ` +
          "[images, channels, height, width], or a grey [height, width]",
      );
    }
    if (image.dtype !== "uint8" && image.dtype !== "float32") {
      throw new DTypeError(
        `ToTensor: image is ${image.dtype}: expected uint8 (0…255, which becomes 0…1) or float32 (which stays as it is); ` +
          'convert it with image.to("uint8") or image.float()',
      );
    }
    const { shape } = image;
    const outShape = shape.length === 2 ? [1, ...shape] : shape;
    if (image.dtype === "float32") return shape.length === 2 ? unsqueeze(image, 0) : image;
    const x = image.contiguousData();
    tick();
    const out = Tensor.allocateDurable(outShape, "float32", "ToTensor");
    k.to_tensor_u8(out.ptr, x.ptr, out.numel());
    return out;
  }

  /** @internal */
  override outputShape(shape: ImageShape): ImageShape {
    return shape;
  }
}

function perChannel(values: number | readonly number[], name: string): Float32Array {
  const list = typeof values === "number" ? [values] : values;
  if (list === null || typeof list !== "object" || typeof list.length !== "number" || list.length === 0) {
    throw new ArgumentError(`Normalize: ${name} must be a number or a list of one a channel, found ${show(values)}`);
  }
  const floats = Float32Array.from(list);
  const bad = floats.findIndex((v) => !Number.isFinite(v));
  if (bad >= 0) {
    throw new ArgumentError(`Normalize: ${name}[${bad}] must be a finite number, found ${String(list[bad])}`);
  }
  return floats;
}

/** The table of a statistic for an image's channels: one value serves all of them. */
function spread(values: Float32Array, channels: number, name: string): Float32Array {
  if (values.length === channels) return values;
  if (values.length === 1) return new Float32Array(channels).fill(values[0]);
  throw new ShapeError(
    `Normalize: the image has ${channels} channel${channels === 1 ? "" : "s"}, ${name} has ${values.length} values; ` +
      "expected as many, or a single one for all channels",
  );
}

/**
 * (x − mean)/std, channel by channel, as torchvision's Normalize. A number, or a list of one, serves all channels.
 *
 * Shape: […, C, H, W] → the same. dtype: float32 only. Differentiable.
 *
 * @throws ArgumentError for an std of 0 and for values that are not finite; when called, DTypeError for any other dtype
 * and ShapeError for fewer than 3 dims or another number of channels
 */
export class Normalize extends Transform {
  static override readonly takesBatches = true;
  readonly mean: Float32Array;
  readonly std: Float32Array;

  constructor(mean: number | readonly number[], std: number | readonly number[]);
  constructor(...named: Named<{ mean: number | readonly number[]; std: number | readonly number[] }, ["mean", "std"]>);
  constructor(...args: any[]) {
    super();
    const [mean, std] = inPlaces(args, ["mean", "std"]);
    this.mean = perChannel(mean, "mean");
    this.std = perChannel(std, "std");
    const zero = this.std.indexOf(0);
    if (zero >= 0) {
      throw new ArgumentError(`Normalize: std[${zero}] evaluated to 0 after conversion to float32: division by zero`);
    }
  }

  forward(image: Tensor): Tensor {
    requireTensor(image, "Normalize");
    if (image.dtype !== "float32") {
      throw new DTypeError(`Normalize: image is ${image.dtype}, expected float32: put ToTensor() first`);
    }
    const { images, channels, pixels } = planesOf(image.shape, "Normalize");
    if (image.requiresGrad && isGradEnabled()) {
      const [mean, std] = [this.mean, this.std].map((values) => columnOf(values));
      this.tables(channels);
      return div(sub(image, mean), std);
    }
    const tables = this.tables(channels);
    const x = image.contiguousData();
    tick();
    const out = Tensor.allocateDurable(image.shape, "float32", "Normalize");
    withTables(tables, (mean, std) => k.normalize_f32(out.ptr, x.ptr, images, channels, pixels, mean, std));
    return out;
  }

  /** @internal Mean and std of each of so many channels, one after the other. @throws ShapeError */
  tables(channels: number): Float32Array {
    const both = new Float32Array(2 * channels);
    both.set(spread(this.mean, channels, "mean"));
    both.set(spread(this.std, channels, "std"), channels);
    return both;
  }

  /** @internal */
  override outputShape(shape: ImageShape): ImageShape {
    return shape;
  }

  override extraRepr(): string {
    const list = (values: Float32Array) => `[${Array.from(values, (v) => Number(v.toPrecision(7))).join(", ")}]`;
    return `mean=${list(this.mean)}, std=${list(this.std)}`;
  }
}

/** [channels, 1, 1], which broadcasts over images. */
function columnOf(values: Float32Array): Tensor {
  const out = Tensor.allocateDurable([values.length, 1, 1], "float32", "Normalize");
  F32.set(values, out.ptr >>> 2);
  return out;
}

/** Calls a kernel with the addresses of the means and the stds, which the heap holds just for it. */
export function withTables(tables: Float32Array, call: (mean: number, std: number) => void): void {
  const scratch = Tensor.allocate([tables.length], "float32", "Normalize");
  const { ptr } = scratch;
  F32.set(tables, ptr >>> 2);
  call(ptr, ptr + 2 * tables.length);
  scratch.dispose();
}
