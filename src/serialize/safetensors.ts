/**
 * The safetensors format (https://github.com/huggingface/safetensors): named tensors in one run of bytes.
 *
 *     8 bytes    N, the length of the header, as a little-endian unsigned 64-bit integer
 *     N bytes    JSON: { "name": { "dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24] }, …, "__metadata__": { … } }
 *     the rest   the elements, row-major and little-endian; offsets count from here, without holes or overlaps
 *
 * Nothing in it is executed, and reading a tensor is a copy of its bytes.
 */
import type { Bytes, DType, TypedArray } from "../dtype.js";
import { itemSize } from "../dtype.js";
import { DataError } from "../errors.js";
import { formatShape, numelOf, type Shape } from "../shape.js";
import { tick } from "../storage.js";
import { Tensor } from "../tensor.js";
import { F32, I32, U8 } from "../wasm/heap.js";

/** Text by name, beside the tensors. */
export type Metadata = Record<string, string>;

const METADATA = "__metadata__";
/** The reference implementation's bound: a longer header is a file of another kind. */
const MAX_HEADER = 100_000_000;

const NAMES: Record<DType, string> = { float32: "F32", int32: "I32", uint8: "U8", bool: "BOOL" };

/** The dtypes that are read: what becomes of an element, and how. Wider ones are converted, as there is no such dtype here. */
interface Reader {
  dtype: DType;
  /** Bytes an element in the file. */
  bytes: number;
  /** The element at a byte of the file; left out where the bytes are copied as they are. */
  at?: (view: DataView, byte: number) => number;
}

const READERS: Record<string, Reader> = {
  F32: { dtype: "float32", bytes: 4 },
  I32: { dtype: "int32", bytes: 4 },
  U8: { dtype: "uint8", bytes: 1 },
  BOOL: { dtype: "bool", bytes: 1 },
  F64: { dtype: "float32", bytes: 8, at: (view, byte) => view.getFloat64(byte, true) },
  F16: { dtype: "float32", bytes: 2, at: (view, byte) => halfToFloat(view.getUint16(byte, true)) },
  BF16: { dtype: "float32", bytes: 2, at: (view, byte) => bfloatToFloat(view.getUint16(byte, true)) },
  I64: { dtype: "int32", bytes: 8, at: (view, byte) => Number(view.getBigInt64(byte, true)) },
  U64: { dtype: "int32", bytes: 8, at: (view, byte) => Number(view.getBigUint64(byte, true)) },
  U32: { dtype: "int32", bytes: 4, at: (view, byte) => view.getUint32(byte, true) },
  I16: { dtype: "int32", bytes: 2, at: (view, byte) => view.getInt16(byte, true) },
  U16: { dtype: "int32", bytes: 2, at: (view, byte) => view.getUint16(byte, true) },
  I8: { dtype: "int32", bytes: 1, at: (view, byte) => view.getInt8(byte) },
};

function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 0x3ff;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

const bits = new DataView(new ArrayBuffer(4));
function bfloatToFloat(half: number): number {
  bits.setUint32(0, half << 16);
  return bits.getFloat32(0);
}

/** What can be written: tensors, and bytes that are no tensor (a generator's state), as one of uint8. */
export type Writable = Tensor | Uint8Array;

/**
 * The bytes of a safetensors file. Tensors of one memory (tied weights) are written once for each name, as the format has it.
 *
 * Four-byte elements stand before single bytes, and the header is filled up with blanks, so that every element is aligned.
 */
export function encode(tensors: ReadonlyMap<string, Writable>, metadata: Metadata): Bytes {
  const sizeOf = (value: Writable) => (value instanceof Tensor ? itemSize(value.dtype) : 1);
  const order = [...tensors].sort(([, a], [, b]) => sizeOf(b) - sizeOf(a));
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header[METADATA] = metadata;
  let end = 0;
  for (const [name, value] of order) {
    const shape = value instanceof Tensor ? [...value.shape] : [value.length];
    const begin = end;
    end += numelOf(shape) * sizeOf(value);
    // Defined, not assigned: a tensor may be called __proto__.
    const entry = { dtype: NAMES[value instanceof Tensor ? value.dtype : "uint8"], shape, data_offsets: [begin, end] };
    Object.defineProperty(header, name, { value: entry, enumerable: true });
  }
  let text = new TextEncoder().encode(JSON.stringify(header));
  const padded = new Uint8Array(Math.ceil(text.length / 8) * 8).fill(0x20);
  padded.set(text);
  text = padded;
  const out = new Uint8Array(8 + text.length + end);
  new DataView(out.buffer).setBigUint64(0, BigInt(text.length), true);
  out.set(text, 8);
  let at = 8 + text.length;
  for (const [, value] of order) {
    const size = value instanceof Tensor ? value.numel() * itemSize(value.dtype) : value.length;
    if (value instanceof Tensor) {
      const { ptr } = value.contiguousData();
      out.set(U8.subarray(ptr, ptr + size), at);
    } else {
      out.set(value, at);
    }
    at += size;
  }
  return out;
}

/** One tensor's line of the header, checked. */
interface Entry {
  name: string;
  reader: Reader;
  shape: Shape;
  begin: number;
  end: number;
}

/** What a file holds: nothing of it has been copied yet. */
export interface Contents {
  metadata: Metadata;
  names: string[];
  tensor(name: string): Tensor;
  /** A tensor of uint8 as bytes. */
  bytes(name: string): Uint8Array;
}

/**
 * Reads and checks the header.
 *
 * @param file what the bytes are called in messages
 * @throws DataError naming the tensor and the numbers that do not fit
 */
export function decode(bytes: Uint8Array, file: string): Contents {
  const fail = (problem: string): never => {
    throw new DataError(`load: ${file}: ${problem}`);
  };
  const { header, start } = readHeader(bytes, fail);
  const { [METADATA]: metadata = {}, ...described } = header;
  if (!isRecord(metadata) || Object.values(metadata).some((value) => typeof value !== "string")) {
    fail(`${METADATA} of the header must be an object of strings`);
  }
  const available = bytes.length - start;
  const entries = Object.entries(described).map(([name, value]) => readEntry(name, value, available, fail));
  let end = 0;
  for (const entry of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin !== end) {
      fail(
        `${JSON.stringify(entry.name)} begins at byte ${entry.begin} of the data, expected ${end}: ` +
          `there is ${entry.begin < end ? "an overlap" : "a hole"} before it`,
      );
    }
    end = entry.end;
  }
  if (end !== available) fail(`${available} bytes of data, of which the header names ${end}: what follows is not its`);
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const find = (name: string): Entry => byName.get(name) ?? fail(`has no tensor ${JSON.stringify(name)}`);
  const part = ({ begin, end }: Entry) => bytes.subarray(start + begin, start + end);
  return {
    metadata: metadata as Metadata,
    names: entries.map(({ name }) => name),
    tensor: (name) => toTensor(find(name), part(find(name)), fail),
    bytes: (name) => part(find(name)).slice(),
  };
}

type Fail = (problem: string) => never;

function readHeader(bytes: Uint8Array, fail: Fail): { header: Record<string, unknown>; start: number } {
  if (bytes.length < 8)
    fail(`${bytes.length} bytes are too few for a safetensors file, which begins with 8 for a length`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getBigUint64(0, true);
  if (length > MAX_HEADER) fail(`not a safetensors file: its header would be ${length} bytes long`);
  const start = 8 + Number(length);
  if (start > bytes.length) {
    fail(`truncated: the header ends at byte ${start}, the file at byte ${bytes.length}`);
  }
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, start)));
  } catch (error) {
    fail(`not a safetensors file: its header is no JSON: ${(error as Error).message}`);
  }
  if (!isRecord(header)) fail("not a safetensors file: its header is no object");
  return { header: header as Record<string, unknown>, start };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isCounts = (value: unknown): value is number[] => Array.isArray(value) && value.every(isCount);

function readEntry(name: string, value: unknown, available: number, fail: Fail): Entry {
  const quoted = JSON.stringify(name);
  const { dtype, shape, data_offsets: offsets } = (isRecord(value) ? value : {}) as Record<string, unknown>;
  const reader = typeof dtype === "string" && Object.hasOwn(READERS, dtype) ? READERS[dtype] : null;
  if (reader === null) {
    fail(`${quoted} has dtype ${JSON.stringify(dtype)}; those that can be read are ${Object.keys(READERS).join(", ")}`);
  }
  if (!isCounts(shape)) fail(`${quoted} has shape ${JSON.stringify(shape)}, expected a list of sizes`);
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[1] < offsets[0]) {
    fail(`${quoted} has data_offsets ${JSON.stringify(offsets)}, expected [begin, end]`);
  }
  const [begin, end] = offsets as [number, number];
  const expected = numelOf(shape as number[]) * (reader as Reader).bytes;
  if (end - begin !== expected) {
    fail(
      `${quoted} of shape ${formatShape(shape as number[])} and dtype ${dtype} needs ${expected} bytes, has ${end - begin}`,
    );
  }
  if (end > available) fail(`truncated: ${quoted} ends at byte ${end} of the data, of which there are ${available}`);
  return { name, reader: reader as Reader, shape: shape as number[], begin, end };
}

function toTensor({ name, reader, shape }: Entry, bytes: Uint8Array, fail: Fail): Tensor {
  const { dtype, at } = reader;
  const values = at === undefined ? null : convert(bytes, reader, name, fail);
  tick();
  const out = Tensor.allocateDurable(shape, dtype, "load");
  const { ptr } = out;
  if (values instanceof Int32Array) I32.set(values, ptr >>> 2);
  else if (values !== null) F32.set(values, ptr >>> 2);
  else U8.set(bytes, ptr);
  return out;
}

/** @throws DataError for an integer that int32 cannot hold. */
function convert(bytes: Uint8Array, { dtype, bytes: size, at }: Reader, name: string, fail: Fail): TypedArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.length / size;
  const values = dtype === "int32" ? new Int32Array(count) : new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const value = (at as NonNullable<typeof at>)(view, i * size);
    if (dtype === "int32" && (value | 0) !== value) {
      fail(
        `${JSON.stringify(name)} has ${value} at index ${i}, which does not fit int32, the widest integer dtype here`,
      );
    }
    values[i] = value;
  }
  return values;
}
