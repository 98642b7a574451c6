/**
 * What the package weighs, against the figures committed in size.json.
 *
 *   node scripts/size.mjs          prints the sizes; fails when one is more than 1 % over its committed figure
 *   node scripts/size.mjs --write  commits to today's figures (say why in the commit)
 *
 * Wants a finished build (scripts/build.mjs).
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

process.chdir(join(dirname(fileURLToPath(import.meta.url)), ".."));
const MANIFEST = "size.json";
const SLACK = 1.01;

/** A page that trains one layer: what a bundler keeps of the package for it. */
const SMALL_PAGE = `
  import { F, nn, optim } from "./dist/index.js";
  const layer = new nn.Linear(2, 1);
  const optimizer = new optim.SGD(layer.parameters(), { lr: 0.1 });
  export function step(x, y) {
    optimizer.zeroGrad();
    F.mseLoss(F.relu(layer(x)), y).backward();
    optimizer.step();
  }
`;

const gzip = (bytes) => gzipSync(bytes, { level: 9 }).length;

/** Bundled and minified as a user's bundler does it. */
async function bundle(contents) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: "." },
    bundle: true,
    minify: true,
    format: "esm",
    external: ["node:*"],
    write: false,
    logLevel: "error",
  });
  return outputFiles[0].contents;
}

/** The longest string of the bundle: the embedded kernels. */
const embedded = (code) =>
  Buffer.from(code)
    .toString()
    .match(/[A-Za-z0-9+/=]{10000,}/g)
    ?.join("") ?? "";

const all = await bundle('export * from "./dist/index.js"');
const sizes = {
  "simd.wasm, raw": readFileSync("build/simd.wasm").length,
  "relaxed.wasm, raw": readFileSync("build/relaxed.wasm").length,
  "embedded kernels, gzip": gzip(embedded(all)),
  "everything, minified": all.length,
  "everything, gzip": gzip(all),
  "a small page, gzip": gzip(await bundle(SMALL_PAGE)),
};

if (process.argv.includes("--write")) writeFileSync(MANIFEST, `${JSON.stringify(sizes, null, 2)}\n`);
const committed = JSON.parse(readFileSync(MANIFEST, "utf8"));
for (const [name, bytes] of Object.entries(sizes)) {
  const budget = committed[name] ?? 0;
  const over = bytes > budget * SLACK;
  if (over) process.exitCode = 1;
  const change = `${bytes < budget ? "−" : "+"}${Math.abs((bytes / budget - 1) * 100).toFixed(1)} %`;
  console.log(
    `${name.padEnd(24)}${String(bytes).padStart(8)}  committed ${String(budget).padStart(7)}  ${change}${over ? "  TOO LARGE" : ""}`,
  );
}
if (process.exitCode)
  console.error("size: make it smaller, or commit the new figures with node scripts/size.mjs --write");
