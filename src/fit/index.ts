/** `fit` and what goes with it. */
export { fit } from "./fit.js";
export * as metrics from "./metrics.js";
export type {
  Batches,
  BatchesSource,
  Callbacks,
  CheckpointOptions,
  DoctorLike,
  EarlyStoppingOptions,
  EpochLog,
  Finding,
  FitOptions,
  FitState,
  History,
  Means,
  Metric,
  ScheduleOptions,
  Scheduler,
  StopReason,
} from "./types.js";
