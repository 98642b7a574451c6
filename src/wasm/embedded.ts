/**
 * The kernels that the package carries. In the form of the package that Node gets, scripts/build.mjs has zlib do this.
 */
import { blob } from "./binaries.generated.js";
import { decompress } from "./lzma.js";

/** Both builds, laid out as scripts/embed.mjs says. */
export const embedded = (): Uint8Array => decompress(Uint8Array.from(atob(blob), (c) => c.charCodeAt(0)));
