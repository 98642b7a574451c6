import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^lanegrad$/, replacement: source("index.ts") },
      { find: /^lanegrad\/worker$/, replacement: source("worker/index.ts") },
      { find: /^lanegrad\/doctor$/, replacement: source("doctor.ts") },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    // One process a file: each has a heap of its own, as a program has.
    pool: "forks",
    reporters: ["default", "./test/support/summary-reporter.ts"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
