/** Writing a tensor's elements from JavaScript, as random draws and initialisation do. */
import type { TypedArray } from "../dtype.js";
import { defaultGenerator, type Generator } from "../generator.js";
import { fillNormal, fillUniform } from "../random.js";
import { free, tick } from "../storage.js";
import { Tensor } from "../tensor.js";
import { copyInto } from "./convert.js";
import { elements } from "./factory.js";

/**
 * Gives fill the elements of t to write: in row-major order, or with `inMemoryOrder` in the order in which they lie in the
 * memory, which is how PyTorch draws for a view (a transposed matrix gets its numbers column by column).
 */
export function writeInPlace(t: Tensor, fill: (values: TypedArray) => void, inMemoryOrder = false): Tensor {
  if (t.numel() === 0) return t;
  const target = inMemoryOrder ? asItLies(t) : t;
  if (target.isContiguous()) {
    fill(elements(target));
  } else {
    tick();
    const values = Tensor.allocate(target.shape, t.dtype, "write");
    fill(elements(values));
    copyInto(target, values);
    free(values.block, "consumed");
  }
  t.block.version++;
  return t;
}

/** t with its dims ordered by their strides. */
function asItLies(t: Tensor): Tensor {
  const dims = t.shape.map((size, i) => ({ size, stride: t.strides[i] })).sort((a, b) => b.stride - a.stride);
  return t.stridedView(
    dims.map((d) => d.size),
    dims.map((d) => d.stride),
    t.offset,
  );
}

/** Draws for the elements of t from the uniform distribution over [from, to). Checks nothing. */
export const drawUniform = (t: Tensor, from: number, to: number, generator?: Generator): Tensor =>
  writeInPlace(t, (values) => fillUniform(values as Float32Array, from, to, generator), true);

/** Draws for the elements of t from the normal distribution. Checks nothing. */
export function drawNormal(t: Tensor, mean: number, std: number, generator = defaultGenerator()): Tensor {
  if (t.isContiguous()) return writeInPlace(t, (values) => fillNormal(values as Float32Array, mean, std, generator));
  // PyTorch draws sixteen at a time only for contiguous memory.
  const drawSingly = (values: TypedArray) => {
    for (let i = 0; i < values.length; i++) values[i] = generator.normal64() * std + mean;
  };
  return writeInPlace(t, drawSingly, true);
}
