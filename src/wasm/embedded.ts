/**
 * Makes the pieces (link.ts) of the texts in which the package carries its kernels (scripts/build.mjs): the others go on from the first.
 * In the form of the package that Node gets, the texts are others and zlib does this.
 */
import { decompress } from "./lzma.js";

const bytes = (text: string): Uint8Array => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

export function decode([first, ...others]: readonly string[]): Uint8Array[] {
  const core = decompress(bytes(first));
  const length = core.content.length;
  return [core.content, ...others.map((text) => decompress(bytes(text), core).content.subarray(length))];
}
