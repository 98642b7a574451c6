/**
 * Runs one test file in a page or a worker, with Vitest's own runner, `expect` and `vi`; scripts/test-browser.mjs bundles it and
 * starts it. Vitest's browser mode has no workers, and this needs nothing of it but three hooks.
 */
import type { File, Task, VitestRunner } from "@vitest/runner";

export interface Outcome {
  passed: number;
  skipped: number;
  failures: { name: string; message: string }[];
}

const SETTINGS = {
  root: "/",
  setupFiles: [],
  name: undefined,
  passWithNoTests: false,
  testNamePattern: undefined,
  allowOnly: true,
  sequence: { shuffle: false, concurrent: false, seed: 0, hooks: "stack", setupFiles: "list" },
  maxConcurrency: 1,
  testTimeout: 60_000,
  hookTimeout: 60_000,
  retry: 0,
  includeTaskLocation: false,
  tags: [],
  tagsFilter: undefined,
  strictTags: true,
  snapshotOptions: { expand: false },
  expect: {},
} as unknown as VitestRunner["config"];

/** The tests of the bundled file at url, run one after the other. */
export async function runFile(url: string): Promise<Outcome> {
  // What Vitest's modules ask of the process that runs them.
  Object.assign(globalThis, { __vitest_worker__: { config: SETTINGS, filepath: url, ctx: {}, providedContext: {} } });
  const [{ expect }, { startTests }] = await Promise.all([import("vitest"), import("@vitest/runner")]);
  const runner: VitestRunner = {
    config: SETTINGS,
    importFile: (path) => import(path),
    // `expect` counts assertions for expect.assertions() and hasAssertions().
    onBeforeTryTask: () =>
      expect.setState({
        assertionCalls: 0,
        isExpectingAssertions: false,
        isExpectingAssertionsError: null,
        expectedAssertionsNumber: null,
        expectedAssertionsNumberErrorGen: null,
      }),
    onAfterTryTask: () => {
      const state = expect.getState();
      const { assertionCalls, expectedAssertionsNumber } = state;
      if (expectedAssertionsNumber !== null && assertionCalls !== expectedAssertionsNumber) {
        throw state.expectedAssertionsNumberErrorGen?.();
      }
      if (state.isExpectingAssertions && assertionCalls === 0) throw state.isExpectingAssertionsError;
    },
  };
  const unhandled: string[] = [];
  addEventListener("error", (event) => unhandled.push(`${event.message}`));
  addEventListener("unhandledrejection", (event) => unhandled.push(`unhandled rejection: ${event.reason}`));
  const outcome: Outcome = { passed: 0, skipped: 0, failures: [] };
  for (const file of await startTests([url], runner)) collect(file, [], outcome);
  for (const message of unhandled) outcome.failures.push({ name: "(outside of tests)", message });
  return outcome;
}

/** Counts the tests below task, and the suites that failed by themselves (in a hook, or when the file was loaded). */
function collect(task: Task | File, path: string[], outcome: Outcome): void {
  const name = [...path, "filepath" in task ? "" : task.name].filter(Boolean);
  const failed = task.result?.state === "fail";
  const message = task.result?.errors?.map((e) => e.stack ?? e.message).join("\n") ?? "";
  if (task.type === "test") {
    if (failed) outcome.failures.push({ name: name.join(" › "), message });
    else if (task.result?.state === "pass") outcome.passed++;
    else outcome.skipped++;
    return;
  }
  if (failed && message !== "") outcome.failures.push({ name: name.join(" › ") || "(the file)", message });
  for (const child of task.tasks) collect(child, name, outcome);
}
