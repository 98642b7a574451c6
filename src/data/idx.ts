/**
 * IDX, the format of MNIST's files (described on Yann LeCun's MNIST page): two zero bytes, a code of the element type,
 * the number of dims, the sizes as 32-bit big-endian numbers, and the elements in row-major order.
 */
import { DataError } from "../errors.js";
import { gunzip, isGzip } from "./gzip.js";

const TYPES: Record<number, string> = {
  8: "unsigned bytes",
  9: "signed bytes",
  11: "16-bit integers",
  12: "32-bit integers",
  13: "float32",
  14: "float64",
};
const UNSIGNED_BYTES = 0x08;
/** What files of so many dims hold. */
const CONTENT: Record<number, string> = { 1: "labels", 3: "images" };

/** An IDX file's content; `data` is a view of the bytes given, or of what they unpack to. */
export interface IdxArray {
  shape: number[];
  data: Uint8Array;
  /** Where data begins in the (unpacked) file. */
  offset: number;
}

/**
 * Parses an IDX file of unsigned bytes, plain or gzipped, which must have this many dims.
 *
 * @param name the file's name for error messages
 * @throws DataError naming the file, the byte offset, what was expected there and what was found
 */
export function parseIdx(file: Uint8Array, name: string, dims: number): IdxArray {
  const packed = isGzip(file);
  const bytes = packed ? gunzip(file, name) : file;
  const fail = (offset: number, expected: string, found: string, hint = ""): never => {
    throw new DataError(
      `${name}: at byte ${offset}${packed ? " of the unpacked content" : ""}: expected ${expected}, found ${found}${hint}`,
    );
  };
  const end = (count: number) => `the end of the file: it has ${count} byte${count === 1 ? "" : "s"}`;
  if (bytes.length < 4) fail(bytes.length, "the 4 bytes of an IDX file's magic number", end(bytes.length));
  if (bytes[0] !== 0 || bytes[1] !== 0) {
    fail(
      0,
      `an IDX file's magic number 0x0000080${dims}`,
      `0x${hex(bytes[0])}${hex(bytes[1])}${hex(bytes[2])}${hex(bytes[3])}`,
    );
  }
  if (bytes[2] !== UNSIGNED_BYTES) {
    fail(2, "type code 0x08 (unsigned bytes)", `0x${hex(bytes[2])} (${TYPES[bytes[2]] ?? "not a type of IDX"})`);
  }
  if (bytes[3] !== dims) {
    const [expected, found] = [CONTENT[dims], CONTENT[bytes[3]]];
    fail(
      3,
      `${dims} dim${dims === 1 ? "" : "s"}${expected ? ` (a file of ${expected})` : ""}`,
      `${bytes[3]}${found ? ` (a file of ${found})` : ""}`,
      found && expected ? "; are images and labels swapped?" : "",
    );
  }
  const offset = 4 + 4 * dims;
  if (bytes.length < offset) fail(bytes.length, `the sizes of ${dims} dims, up to byte ${offset}`, end(bytes.length));
  const view = new DataView(bytes.buffer, bytes.byteOffset, offset);
  const shape = Array.from({ length: dims }, (_, i) => view.getUint32(4 + 4 * i));
  const size = shape.reduce((a, b) => a * b, 1);
  const body = `${size} bytes of elements for shape [${shape.join(", ")}]`;
  if (bytes.length < offset + size)
    fail(bytes.length, `${body}, up to byte ${offset + size}`, `${end(bytes.length)} (truncated)`);
  if (bytes.length > offset + size) {
    fail(offset + size, `the end of the file after ${body}`, `${bytes.length - offset - size} more bytes`);
  }
  return { shape, data: bytes.subarray(offset), offset };
}

const hex = (byte: number): string => byte.toString(16).padStart(2, "0");
