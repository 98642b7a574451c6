/** A digest of a tensor's bytes, to compare large results bit for bit without printing them. */
import type { Tensor } from "../../src/index.js";

/** Two 32-bit FNV-1a sums over the elements' bytes, with different primes. */
export function digest(x: Tensor): string {
  const { buffer, byteOffset, byteLength } = x.toTypedArray();
  let [a, b] = [0x811c9dc5, 0xcbf29ce4];
  for (const byte of new Uint8Array(buffer, byteOffset, byteLength)) {
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b ^ byte, 0x85ebca6b) ^ (b >>> 15);
  }
  return `${byteLength}:${(a >>> 0).toString(16)}:${(b >>> 0).toString(16)}`;
}
