/** The page that scripts/test-browser.mjs opens once for each test file: `runTests` runs it here or in a worker. */
import { announce } from "./desk.js";
import { type Outcome, runFile } from "./harness.js";

Object.assign(globalThis, {
  runTests(url: string, inWorker: boolean): Promise<Outcome> {
    if (!inWorker) return runFile(url);
    return new Promise((resolve, reject) => {
      // The address carries the setting, to the server and to environment.browser.ts.
      const worker = new Worker(new URL(`./worker.js${location.search}`, import.meta.url), { type: "module" });
      worker.onerror = (event) => reject(new Error(`the worker failed: ${event.message}`));
      worker.onmessage = ({ data }) => resolve(data);
      worker.postMessage(url);
    });
  },
});
announce();
