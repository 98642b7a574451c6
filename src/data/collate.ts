/** Collating: samples become a batch, as torch.utils.data.default_collate. */

import { type DType, itemSize, promoteTypes } from "../dtype.js";
import { type LanegradError, ShapeError } from "../errors.js";
import { isGradEnabled } from "../grad-mode.js";
import { tensor } from "../ops/tensor.js";
import { stack } from "../ops/view.js";
import { formatShape, sameShape } from "../shape.js";
import { tick } from "../storage.js";
import { Tensor } from "../tensor.js";
import { U8 } from "../wasm/heap.js";

/** The place of a value within a sample, and where the samples come from, for error messages. */
interface Place {
  path: string;
  /** The name of the i-th sample of the batch. */
  sample(i: number): string;
}

type NumberArray = Exclude<ArrayBufferView, DataView> & ArrayLike<number>;

/**
 * Makes one batch of samples of the same structure, and durable data: it is never reclaimed.
 *
 * - tensors of one shape are stacked along a new first dim
 * - numbers become a tensor: int32 when all are whole (class labels), otherwise float32; booleans a bool tensor
 * - typed arrays of one length become a tensor [batch, length] of their dtype
 * - arrays (tuples) and plain objects are collated element by element; strings stay a list
 *
 * @throws ShapeError naming the sample when shapes or lengths differ; TypeError for anything else
 */
export function collate(samples: readonly any[]): any {
  return collateAs(samples, (i) => `sample ${i}`);
}

/** `collate` of samples that errors name after `sample(i)`. */
export function collateAs(samples: readonly any[], sample: (i: number) => string): any {
  return gather(samples, { path: "", sample });
}

function gather(values: readonly any[], place: Place): any {
  const [first] = values;
  const kind = kindOf(first);
  if (kind === "unknown") {
    throw new TypeError(
      `DataLoader: ${nameOf(place, 0)} is ${describe(first)}: samples may hold tensors, numbers, booleans, typed ` +
        "arrays, strings, and arrays or plain objects of them (or pass a collate function)",
    );
  }
  for (let i = 1; i < values.length; i++) {
    if (kindOf(values[i]) !== kind) throw differs(place, i, describe(values[i]), describe(first), TypeError);
  }
  switch (kind) {
    case "tensor":
      return stackTensors(values, place);
    case "number":
      return tensor(values, { dtype: values.every(fitsInt32) ? "int32" : "float32" });
    case "boolean":
      return tensor(values);
    case "string":
      return [...values];
    case "typed array":
      return stackArrays(values, place);
    case "array":
      checkLengths(values, place);
      return Array.from(first, (_, key) => inner(values, key, `${place.path}[${key}]`, place));
    default: {
      for (let i = 1; i < values.length; i++) {
        const [keys, expected] = [values[i], first].map((v) => Object.keys(v).sort().join(", "));
        if (keys !== expected) throw differs(place, i, `an object with keys ${keys}`, `keys ${expected}`, ShapeError);
      }
      return Object.fromEntries(
        Object.keys(first).map((key) => [key, inner(values, key, `${place.path}.${key}`, place)]),
      );
    }
  }
}

const inner = (values: readonly any[], key: string | number, path: string, { sample }: Place): any =>
  gather(
    values.map((value) => value[key]),
    { path, sample },
  );

function kindOf(value: unknown): string {
  if (value instanceof Tensor) return "tensor";
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "string") return typeof value;
  if (Array.isArray(value)) return "array";
  if (ArrayBuffer.isView(value) && !(value instanceof DataView) && typeof (value as NumberArray)[0] !== "bigint") {
    return "typed array";
  }
  const prototype = typeof value === "object" && value !== null ? Object.getPrototypeOf(value) : undefined;
  return prototype === Object.prototype || prototype === null ? "object" : "unknown";
}

const fitsInt32 = (value: number): boolean => (value | 0) === value;

function stackArrays(arrays: readonly NumberArray[], place: Place): Tensor {
  checkLengths(arrays, place);
  for (let i = 1; i < arrays.length; i++) {
    const [found, expected] = [describe(arrays[i]), describe(arrays[0])];
    if (found !== expected) throw differs(place, i, found, expected, TypeError);
  }
  return tensor(arrays as Parameters<typeof tensor>[0]);
}

function stackTensors(tensors: readonly Tensor[], place: Place): Tensor {
  const [{ shape }] = tensors;
  let dtype: DType = tensors[0].dtype;
  let needsGrad = false;
  for (let i = 0; i < tensors.length; i++) {
    const t = tensors[i];
    if (!sameShape(t.shape, shape)) {
      throw differs(place, i, `of shape ${formatShape(t.shape)}`, `of shape ${formatShape(shape)}`, ShapeError);
    }
    dtype = promoteTypes(dtype, t.dtype);
    needsGrad ||= t.requiresGrad;
  }
  if (needsGrad && isGradEnabled()) return stack([...tensors], 0);
  const rows = tensors.map((t) => t.detach().to(dtype).contiguousData());
  tick();
  const out = Tensor.allocateDurable([rows.length, ...shape], dtype, "DataLoader");
  const bytes = rows[0].numel() * itemSize(dtype);
  for (let i = 0; i < rows.length; i++) {
    const { ptr } = rows[i];
    U8.copyWithin(out.ptr + i * bytes, ptr, ptr + bytes);
  }
  return out;
}

function checkLengths(values: readonly ArrayLike<unknown>[], place: Place): void {
  for (let i = 1; i < values.length; i++) {
    if (values[i].length === values[0].length) continue;
    throw differs(place, i, `of length ${values[i].length}`, `of length ${values[0].length}`, ShapeError);
  }
}

const nameOf = ({ path, sample }: Place, i: number): string => (path === "" ? sample(i) : `${path} of ${sample(i)}`);

function differs(
  place: Place,
  i: number,
  found: string,
  expected: string,
  ErrorClass: typeof ShapeError | typeof TypeError,
): LanegradError | TypeError {
  return new ErrorClass(
    `DataLoader: ${nameOf(place, i)} is ${found}, but that of ${place.sample(0)} is ${expected}: the samples of a batch ` +
      "must be alike (resize or pad them in the dataset, use batchSize 1, or pass a collate function)",
  );
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  const name = typeof value === "object" ? (value.constructor?.name ?? "object") : typeof value;
  return `${/^[aeiou]/i.test(name) ? "an" : "a"} ${name}`;
}
