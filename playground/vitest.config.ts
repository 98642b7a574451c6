import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** The playground in Chromium. Its tests share the machine's cores with the page they look at, so files run one after the other. */
export default defineConfig({
  resolve: {
    alias: [{ find: /^lanegrad$/, replacement: fileURLToPath(new URL("../dist/node/index.js", import.meta.url)) }],
  },
  test: {
    include: ["playground/test/**/*.test.ts"],
    pool: "forks",
    fileParallelism: false,
    reporters: ["default", "./test/support/summary-reporter.ts"],
    testTimeout: 120_000,
    hookTimeout: 240_000,
  },
});
