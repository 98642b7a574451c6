/** Bundles bench/browser and runs it; bench/browser/main.ts tells what it takes. Wants a finished build (scripts/build.mjs). */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

process.chdir(join(dirname(fileURLToPath(import.meta.url)), ".."));
const JAX = "bench/node_modules/@jax-js/jax/package.json";
if (!existsSync(JAX)) {
  console.error("bench:browser: the peers are not installed: npm run bench:install");
  process.exit(2);
}
await build({
  entryPoints: ["bench/browser/page.ts"],
  outdir: "bench/.cache/browser",
  bundle: true,
  minify: true,
  splitting: true,
  format: "esm",
  platform: "browser",
  // jax-js and TensorFlow.js ask for Node's modules only where they find themselves in Node.
  external: ["node:*", "fs", "path", "os", "util", "crypto", "worker_threads", "perf_hooks", "module", "url"],
  mainFields: ["module", "browser", "main"],
  alias: { lanegrad: resolve("dist/index.js") },
  define: { JAX_VERSION: JSON.stringify(JSON.parse(readFileSync(JAX, "utf8")).version) },
  logLevel: "error",
});
await build({
  entryPoints: ["bench/browser/main.ts"],
  outfile: "bench/.cache/browser-main.mjs",
  bundle: true,
  format: "esm",
  platform: "node",
  packages: "external",
  logLevel: "warning",
});
const args = ["bench/.cache/browser-main.mjs", ...process.argv.slice(2)];
process.exit(spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1);
