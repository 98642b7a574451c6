import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** With these two a page may share memory between threads. PLAYGROUND_ISOLATED=0 leaves them out: everything runs on one thread then. */
const headers: Record<string, string> =
  process.env.PLAYGROUND_ISOLATED === "0"
    ? {}
    : { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

export default defineConfig({
  root: here("."),
  // The built page works from any folder of any server.
  base: "./",
  resolve: {
    // The package as it is published, from the repository's own build.
    alias: [
      { find: /^lanegrad$/, replacement: here("../dist/index.js") },
      { find: /^lanegrad\/worker$/, replacement: here("../dist/worker/index.js") },
    ],
  },
  server: { headers, open: process.stdout.isTTY && !process.env.CI, fs: { allow: [here("..")] } },
  preview: { headers },
  worker: { format: "es" },
  build: { target: "es2022", chunkSizeWarningLimit: 1000 },
});
