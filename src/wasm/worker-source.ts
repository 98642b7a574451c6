/**
 * The program of a worker thread, as text: so it runs from a blob in a browser and from a string in Node, and no bundler needs to
 * know a path to it. It uses nothing from outside itself.
 *
 * The control block (Int32Array; doubles where it says so) is what threads.ts writes:
 *   0 generation   raised for every job; workers wait for it
 *   1 pending      shares of the job that are not done; the main thread waits for 0
 *   2 sleepers     workers that have stopped spinning and must be woken
 *   3 failed       1 + index of a worker whose kernel threw
 *   then for each worker SLOT words: state (0 idle, 1 posted, 2 claimed), kernel, count of arguments, and from word 4 on the arguments,
 *   as doubles.
 */
export const CONTROL_WORDS = 16;
export const SLOT_WORDS = 64;
export const ARGUMENTS = 4;
export const State = { Idle: 0, Posted: 1, Claimed: 2 } as const;
export const Word = { Generation: 0, Pending: 1, Sleepers: 2, Failed: 3 } as const;

/** How long a worker looks for the next job before it sleeps: longer than JavaScript needs between two ops of a step. */
const SPIN_MILLISECONDS = 0.1;

/** Text, not a function made to text: bundlers and TypeScript runners put calls of their own into functions. */
const WORK = `({ module, memory, control, names, index }, tell) => {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const kernels = names.map((name) => exports[name]);
  const ints = new Int32Array(control);
  const doubles = new Float64Array(control);
  const slot = ${CONTROL_WORDS} + index * ${SLOT_WORDS};
  const first = (slot + ${ARGUMENTS}) / 2;
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
    // Otherwise the job has no share for this worker, or the main thread has taken it over.
    if (Atomics.compareExchange(ints, slot, ${State.Posted}, ${State.Claimed}) !== ${State.Posted}) continue;
    try {
      const args = [];
      for (let i = 0; i < ints[slot + 2]; i++) args.push(doubles[first + i]);
      kernels[ints[slot + 1]](...args);
    } catch (error) {
      Atomics.store(ints, ${Word.Failed}, index + 1);
    }
    Atomics.store(ints, slot, ${State.Idle});
    if (Atomics.sub(ints, ${Word.Pending}, 1) === 1) Atomics.notify(ints, ${Word.Pending});
  }
}`;

/** For `new Worker(source, { eval: true, workerData })` in Node. */
export const nodeSource = (): string =>
  `const { parentPort, workerData } = require("node:worker_threads");\n(${WORK})(workerData, (message) => parentPort.postMessage(message));`;

/** For a blob in a browser; the first message is the data. */
export const browserSource = (): string =>
  `onmessage = ({ data }) => (${WORK})(data, (message) => postMessage(message));`;
