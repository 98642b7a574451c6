/** Gzip with its checks: a file that was cut or damaged is refused, and said where. */
import { gunzipSync } from "fflate";
import { DataError } from "../errors.js";

/** No byte of deflate becomes more than 1032 bytes. */
const MAX_RATIO = 1032;
/** Bytes of the header and the trailer. */
const OVERHEAD = 18;

export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/**
 * The content of a gzip file of one member.
 *
 * @throws DataError naming the file, the offset in it, what was expected and what was found
 */
export function gunzip(bytes: Uint8Array, name: string): Uint8Array {
  const n = bytes.length;
  if (n < OVERHEAD) throw corrupt(name, n, "a gzip stream of at least 18 bytes", "the end of the file");
  const trailer = new DataView(bytes.buffer, bytes.byteOffset + n - 8, 8);
  const [checksum, length] = [trailer.getUint32(0, true), trailer.getUint32(4, true)];
  // Cut files end in arbitrary bytes, which must not be taken for a length and allocated.
  if (length > MAX_RATIO * n) {
    throw corrupt(name, n - 4, `the length of the content (at most ${MAX_RATIO * n})`, `${length}`);
  }
  let content: Uint8Array;
  try {
    content = gunzipSync(bytes);
  } catch (error) {
    throw corrupt(name, n, "a complete gzip stream", `that it cannot be unpacked: ${(error as Error).message}`);
  }
  if (content.length !== length)
    throw corrupt(name, n - 4, `the length of the content, ${content.length}`, `${length}`);
  const found = crc32(content);
  if (found !== checksum) throw corrupt(name, n - 8, `checksum ${hex(found)} of the content`, hex(checksum));
  return content;
}

const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;

const corrupt = (name: string, offset: number, expected: string, found: string): DataError =>
  new DataError(`${name}: at byte ${offset}: expected ${expected}, found ${found} (gzip; is the file cut or damaged?)`);

/** CRC-32 as gzip has it, of 4 bytes at a time ("slicing by 4"). */
function crc32(bytes: Uint8Array): number {
  tables ??= makeTables();
  const [t0, t1, t2, t3] = tables;
  let crc = -1;
  let i = 0;
  for (; i + 4 <= bytes.length; i += 4) {
    crc ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    crc = t3[crc & 255] ^ t2[(crc >>> 8) & 255] ^ t1[(crc >>> 16) & 255] ^ t0[crc >>> 24];
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[i]) & 255];
  return ~crc >>> 0;
}

let tables: Int32Array[] | undefined;

function makeTables(): Int32Array[] {
  const made = Array.from({ length: 4 }, () => new Int32Array(256));
  for (let i = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    made[0][i] = crc;
  }
  for (let i = 0; i < 256; i++) {
    for (let t = 1; t < 4; t++) made[t][i] = (made[t - 1][i] >>> 8) ^ made[0][made[t - 1][i] & 255];
  }
  return made;
}
