/** Bundles bench/compare and runs it; bench/compare/main.ts tells what it takes. Wants a finished build (scripts/build.mjs). */
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

process.chdir(join(dirname(fileURLToPath(import.meta.url)), ".."));
await build({
  entryPoints: { main: "bench/compare/main.ts", worker: "bench/compare/worker.ts" },
  // Below bench/, so that the peers are found in its node_modules.
  outdir: "bench/.cache",
  outExtension: { ".js": ".mjs" },
  bundle: true,
  // A peer's process loads its own module and no other's.
  splitting: true,
  format: "esm",
  platform: "node",
  packages: "external",
  logLevel: "warning",
  plugins: [
    {
      name: "lanegrad as its users get it",
      setup({ onResolve }) {
        const path = import.meta.resolve("lanegrad");
        onResolve({ filter: /^lanegrad$/ }, () => ({ path, external: true }));
      },
    },
  ],
});
const { status } = spawnSync(process.execPath, ["bench/.cache/main.mjs", ...process.argv.slice(2)], {
  stdio: "inherit",
});
process.exit(status ?? 1);
