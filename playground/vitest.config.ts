import { defineConfig } from "vitest/config";

/** The playground in Chromium. Its tests share the machine's cores with the page they look at, so files run one after the other. */
export default defineConfig({
  test: {
    include: ["playground/test/**/*.test.ts"],
    pool: "forks",
    fileParallelism: false,
    reporters: ["default", "./test/support/summary-reporter.ts"],
    testTimeout: 120_000,
    hookTimeout: 240_000,
  },
});
