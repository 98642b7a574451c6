/**
 * `lanegrad/worker`: training off the main thread, with progress and cancellation. docs/worker.md shows how.
 *
 * This entry point holds none of the library: a page that only starts jobs does not load the kernels.
 */
export { type EventOf, type Job, type OptionsOf, type ResultOf, run, type Serving, type WorkerLike } from "./run.js";
export { type JobContext, type JobFunction, type Jobs, serve } from "./serve.js";
export { transfer } from "./transfer.js";
