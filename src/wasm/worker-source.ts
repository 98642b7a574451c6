/**
 * The program of a worker thread, as text: so it runs from a blob in a browser and from a string in Node, and no bundler needs to
 * know a path to it. It uses nothing from outside itself.
 *
 * The control block (Int32Array; doubles where it says so) is what threads.ts writes:
 *   0 generation   raised for every job; workers wait for it
 *   1 open         shares that nobody has claimed; a claim takes one off, and one that finds 0 or less has come too late
 *   2 pending      shares that are not done; the main thread waits for 0
 *   3 sleepers     workers that have stopped spinning and must be woken
 *   4 failed       1 + index of a worker whose kernel threw
 *   5 kernel, 6 shares of the job, 7 arguments of each
 *   8 which argument is scratch memory (−1: none), and 9 bytes of it for each thread
 *   then the arguments of one share after the other, as doubles, ARGUMENTS of them for each.
 *
 * Whoever is free claims the next share, so a thread that the system has put aside holds up one share and not its part of
 * the job. What a claim leads to was written before `open` was, and stays until `pending` is 0.
 */
export const CONTROL_WORDS = 16;
export const ARGUMENTS = 32;
/** Shares of a job for each thread, at most. */
export const SHARES_A_THREAD = 4;
export const Word = {
  Generation: 0,
  Open: 1,
  Pending: 2,
  Sleepers: 3,
  Failed: 4,
  Kernel: 5,
  Shares: 6,
  Count: 7,
  ScratchAt: 8,
  ScratchBytes: 9,
} as const;

/** How long a worker looks for the next job before it sleeps: longer than JavaScript needs between two ops of a step. */
const SPIN_MILLISECONDS = 0.1;

/** Text, not a function made to text: bundlers and TypeScript runners put calls of their own into functions. */
const WORK = `({ module, memory, control, names, index }, tell) => {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const kernels = names.map((name) => exports[name]);
  const ints = new Int32Array(control);
  const doubles = new Float64Array(control);
  tell("ready");
  let seen = 0;
  for (;;) {
    let until = 0;
    for (let n = 0; Atomics.load(ints, ${Word.Generation}) === seen; n++) {
      if (n % 64 !== 63) continue;
      const now = performance.now();
      if (until === 0) until = now + ${SPIN_MILLISECONDS};
      else if (now > until) {
        Atomics.add(ints, ${Word.Sleepers}, 1);
        Atomics.wait(ints, ${Word.Generation}, seen);
        Atomics.sub(ints, ${Word.Sleepers}, 1);
      }
    }
    seen = Atomics.load(ints, ${Word.Generation});
    for (let open; (open = Atomics.sub(ints, ${Word.Open}, 1)) > 0; ) {
      try {
        const first = ${CONTROL_WORDS / 2} + (ints[${Word.Shares}] - open) * ${ARGUMENTS};
        const args = Array.from(doubles.subarray(first, first + ints[${Word.Count}]));
        const scratch = ints[${Word.ScratchAt}];
        if (scratch >= 0) args[scratch] += (index + 1) * ints[${Word.ScratchBytes}];
        kernels[ints[${Word.Kernel}]](...args);
      } catch (error) {
        Atomics.store(ints, ${Word.Failed}, index + 1);
      }
      if (Atomics.sub(ints, ${Word.Pending}, 1) === 1) Atomics.notify(ints, ${Word.Pending});
    }
  }
}`;

/** For `new Worker(source, { eval: true, workerData })` in Node. */
export const nodeSource = (): string =>
  `const { parentPort, workerData } = require("node:worker_threads");\n(${WORK})(workerData, (message) => parentPort.postMessage(message));`;

/** For a blob in a browser; the first message is the data. */
export const browserSource = (): string =>
  `onmessage = ({ data }) => (${WORK})(data, (message) => postMessage(message));`;
