/**
 * The bytes of the kernels' module, of what the package carries. In the form of the package that Node gets, that is both builds
 * whole, and zlib does this (scripts/build.mjs).
 */
import { link } from "./link.js";
import { decompress } from "./lzma.js";

const bytes = (text: string): Uint8Array => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/** The families' pieces (link.ts) of their texts: LZMA in base64. The others go on from the first, which is core's. */
export function decode([first, ...others]: readonly string[]): Uint8Array[] {
  const core = decompress(bytes(first));
  const length = core.content.length;
  return [core.content, ...others.map((text) => decompress(bytes(text), core).content.subarray(length))];
}

/** The module of a build, with the families whose texts are given. */
export const moduleBytes = (texts: readonly string[], relaxed: boolean): Uint8Array<ArrayBuffer> =>
  link(decode(texts), relaxed);
