/** `tensor(data)`: numbers, nested arrays, typed arrays and other tensors become a tensor. */
import { checkOptions, isOptions, show } from "../arguments.js";
import { checkDType, type DType, promoteTypes, type TypedArray } from "../dtype.js";
import { ArgumentError, ShapeError } from "../errors.js";
import { formatShape, numelOf, type Shape } from "../shape.js";
import { Kind, tick } from "../storage.js";
import { type NestedArray, Tensor } from "../tensor.js";
import { U8 } from "../wasm/heap.js";
import { checkFits, checkRequiresGrad, elements, integerRange, type TensorOptions, toShape } from "./factory.js";

type BigIntArray = BigInt64Array | BigUint64Array;
type NumberArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array;
type AnyTypedArray = NumberArray | BigIntArray;

/** Nested lists whose innermost rows may be typed arrays, and whose elements may be 0-d tensors. */
type NestedData = NestedArray | AnyTypedArray | Tensor | readonly NestedData[];
/** What `tensor()` takes. */
export type TensorData = NestedData;

/**
 * A tensor with a copy of data. Its memory is never reclaimed; `dispose()` gives it back.
 *
 * The dtype is float32 for numbers, bool for booleans, that of a tensor, and of typed arrays: float32 for Float32Array
 * and Float64Array, uint8 for Uint8Array and Uint8ClampedArray, int32 for the other integers. Converting to an integer
 * dtype truncates toward zero; to bool, whatever is not 0 is true.
 *
 * @param data a number or boolean (0-d), nested arrays, a typed array (1-d), or a tensor
 * @param options.shape the shape to give the elements, in row-major order
 * @throws ShapeError when rows differ in length, or the shape needs another number of elements
 * @throws TypeError when an element is no number
 * @throws ArgumentError when a value is outside the range of an integer dtype
 */
export function tensor(data: TensorData, options: TensorOptions & { shape?: Shape | number } = {}): Tensor {
  if (!isOptions(options)) {
    throw new ArgumentError(
      `tensor: the second argument is the options, as in { dtype: "int32" }; found ${show(options)}`,
    );
  }
  checkOptions("tensor", options, ["shape", "dtype", "requiresGrad"]);
  const wanted = options.dtype === undefined ? null : checkDType(options.dtype, "tensor");
  const layout = measure(data);
  const shape = options.shape === undefined ? layout.shape : toShape([options.shape], "tensor");
  if (numelOf(shape) !== numelOf(layout.shape)) {
    throw new ShapeError(
      `tensor: data has ${numelOf(layout.shape)} elements (shape ${formatShape(layout.shape)}), but shape ` +
        `${formatShape(shape)} needs ${numelOf(shape)}`,
    );
  }
  const dtype = wanted ?? layout.dtype;
  checkRequiresGrad(dtype, options, "tensor");
  const source = data instanceof Tensor && data.dtype !== dtype ? data.toTypedArray() : data;
  checkRange(source, dtype, []);

  if (source instanceof Tensor) {
    const from = source.contiguousData();
    const out = allocate(shape, dtype, options);
    const { ptr } = from;
    U8.copyWithin(out.ptr, ptr, ptr + from.numel() * elements(from).BYTES_PER_ELEMENT);
    return out;
  }
  // Elements that are tensors may have to come back to the heap, which must not move once it is written to.
  const values = layout.hasTensors ? withoutTensors(source) : source;
  const out = allocate(shape, dtype, options);
  if (out.numel() > 0) write(elements(out), 0, values, dtype);
  return out;
}

function allocate(shape: Shape, dtype: DType, options: TensorOptions): Tensor {
  tick();
  const out = Tensor.allocateDurable(shape, dtype, "tensor", options.requiresGrad ? Kind.State : Kind.Data);
  if (options.requiresGrad) out.requiresGrad = true;
  return out;
}

// Shape and dtype of the data ----------------------------------------------------------------------------------------

interface Layout {
  shape: number[];
  dtype: DType;
  hasTensors: boolean;
}

/** Shape and dtype of data. @throws ShapeError, TypeError naming the element that does not fit. */
function measure(data: unknown): Layout {
  if (data instanceof Tensor) return { shape: [...data.shape], dtype: data.dtype, hasTensors: false };
  const shape: number[] = [];
  let level = data;
  while (Array.isArray(level)) {
    shape.push(level.length);
    level = level[0];
  }
  if (isTypedArray(level)) shape.push(level.length);
  const found: Found = { dtype: null, numbers: false, hasTensors: false };
  visit(data, shape, [], found);
  if (found.numbers) note(found, "float32");
  return { shape, dtype: found.dtype ?? "float32", hasTensors: found.hasTensors };
}

interface Found {
  dtype: DType | null;
  numbers: boolean;
  hasTensors: boolean;
}

function note(found: Found, dtype: DType): void {
  found.dtype = found.dtype === null ? dtype : promoteTypes(found.dtype, dtype);
}

/** Walks through data at path, of which the sizes from path.length on must be those of shape. */
function visit(data: unknown, shape: Shape, path: number[], found: Found): void {
  const depth = path.length;
  if (depth === shape.length) {
    visitElement(data, path, found);
    return;
  }
  if (isTypedArray(data)) {
    if (depth !== shape.length - 1) throw ragged(data, shape, path);
    checkLength(data, shape, path);
    note(found, typeOf(data));
    return;
  }
  if (!Array.isArray(data)) throw ragged(data, shape, path);
  checkLength(data, shape, path);
  if (depth === shape.length - 1) {
    for (let i = 0; i < data.length; i++) {
      if (typeof data[i] === "number") found.numbers = true;
      else visitElement(data[i], [...path, i], found);
    }
    return;
  }
  for (let i = 0; i < data.length; i++) {
    path[depth] = i;
    visit(data[i], shape, path, found);
    path.length = depth;
  }
}

function visitElement(value: unknown, path: readonly number[], found: Found): void {
  if (typeof value === "number") {
    found.numbers = true;
  } else if (typeof value === "boolean") {
    note(found, "bool");
  } else if (value instanceof Tensor && value.ndim === 0) {
    note(found, value.dtype);
    found.hasTensors = true;
  } else if (Array.isArray(value) || isTypedArray(value)) {
    throw new ShapeError(
      `tensor: ${place(path)} is a list of ${value.length} elements, but a number stands in its place at the beginning`,
    );
  } else if (value instanceof Tensor) {
    throw new TypeError(
      `tensor: ${place(path)} is a tensor of shape ${formatShape(value.shape)}; only 0-d tensors can be elements ` +
        "(use stack or cat)",
    );
  } else {
    throw new TypeError(`tensor: ${place(path)} is ${describe(value)}, expected a number or a boolean`);
  }
}

function checkLength(row: ArrayLike<unknown>, shape: Shape, path: readonly number[]): void {
  const size = shape[path.length];
  if (row.length === size) return;
  throw new ShapeError(
    `tensor: ${place(path)} has ${row.length} elements, expected ${size} as in ${place(path.map(() => 0))}; ` +
      "all lists of one depth must have the same length",
  );
}

function ragged(value: unknown, shape: Shape, path: readonly number[]): Error {
  const expected = `a list of ${shape[path.length]} as ${place(path.map(() => 0))}`;
  if (isTypedArray(value)) {
    return new ShapeError(
      `tensor: ${place(path)} is a ${value.constructor.name}, expected ${expected} (lists of lists)`,
    );
  }
  if (typeof value === "number" || typeof value === "boolean" || value instanceof Tensor) {
    return new ShapeError(`tensor: ${place(path)} is ${describe(value)}, expected ${expected}`);
  }
  return new TypeError(`tensor: ${place(path)} is ${describe(value)}, expected ${expected}`);
}

/** [1][0] for the path 1, 0. */
const place = (path: readonly number[]): string => (path.length === 0 ? "data" : path.map((i) => `[${i}]`).join(""));

function describe(value: unknown): string {
  if (typeof value === "string") return `the string ${JSON.stringify(value)}`;
  if (typeof value === "bigint") return `the bigint ${value}n`;
  if (typeof value === "number" || typeof value === "boolean") return `the ${typeof value} ${value}`;
  if (value instanceof Tensor) return `a tensor of shape ${formatShape(value.shape)}`;
  if (value === null || value === undefined) return String(value);
  return typeof value === "object" ? `a ${value.constructor?.name ?? "object"}` : `a ${typeof value}`;
}

const isTypedArray = (value: unknown): value is AnyTypedArray =>
  ArrayBuffer.isView(value) && !(value instanceof DataView);

const isBigIntArray = (value: AnyTypedArray): value is BigIntArray =>
  value instanceof BigInt64Array || value instanceof BigUint64Array;

function typeOf(array: AnyTypedArray): DType {
  if (array instanceof Uint8Array || array instanceof Uint8ClampedArray) return "uint8";
  const isInteger =
    array instanceof Int32Array ||
    array instanceof Int8Array ||
    array instanceof Int16Array ||
    array instanceof Uint16Array ||
    array instanceof Uint32Array ||
    isBigIntArray(array);
  return isInteger ? "int32" : "float32";
}

// Values -------------------------------------------------------------------------------------------------------------

/** @throws ArgumentError naming the first value that an integer dtype cannot hold. */
function checkRange(data: unknown, dtype: DType, path: readonly number[]): void {
  const range = integerRange(dtype);
  if (range === null || (data instanceof Tensor && data.dtype === dtype)) return;
  if (isTypedArray(data) && alwaysFits(data, dtype)) return;
  if (Array.isArray(data) || isTypedArray(data)) {
    const [low, high] = range;
    for (let i = 0; i < data.length; i++) {
      const value: unknown = data[i];
      // Truncation brings −0.9 and 255.9 within 0 to 255.
      if (typeof value === "number" && value > low - 1 && value < high + 1) continue;
      checkRange(value, dtype, [...path, i]);
    }
  } else {
    const value = data instanceof Tensor ? data.item() : Number(data);
    checkFits(value, dtype, `tensor: the value of ${place(path)}`);
  }
}

function alwaysFits(array: AnyTypedArray, dtype: DType): boolean {
  if (typeOf(array) === "uint8") return true;
  if (dtype !== "int32") return false;
  return (
    array instanceof Int32Array ||
    array instanceof Int16Array ||
    array instanceof Uint16Array ||
    array instanceof Int8Array
  );
}

function withoutTensors(data: unknown): unknown {
  if (Array.isArray(data)) return data.map(withoutTensors);
  return data instanceof Tensor ? data.item() : data;
}

/** Writes data from position on, and returns the position after it. */
function write(to: TypedArray, position: number, data: unknown, dtype: DType): number {
  if (isTypedArray(data)) {
    if (isBigIntArray(data) || dtype === "bool") {
      for (let i = 0; i < data.length; i++) to[position + i] = convert(Number(data[i]), dtype);
    } else {
      to.set(data, position);
    }
    return position + data.length;
  }
  if (!Array.isArray(data)) {
    to[position] = convert(Number(data), dtype);
    return position + 1;
  }
  if (typeof data[0] === "object") {
    for (const row of data) position = write(to, position, row, dtype);
    return position;
  }
  if (dtype === "bool") for (let i = 0; i < data.length; i++) to[position + i] = convert(Number(data[i]), dtype);
  // A boolean in an array of numbers becomes 0 or 1 as it is stored.
  else for (let i = 0; i < data.length; i++) to[position + i] = data[i];
  return position + data.length;
}

/** Storing into an integer array truncates by itself; what is left to do is bool. */
const convert = (value: number, dtype: DType): number => (dtype === "bool" ? Number(value !== 0) : value);
