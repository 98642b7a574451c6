/** `lanegrad/doctor`: watches a training and says what is wrong with it, why, and what to do. Re-exports only. */
export { Doctor, type DoctorOptions, type Metrics, watch } from "./doctor/doctor.js";
export type { RuleOptions } from "./doctor/rules/index.js";
export { type Evidence, type Finding, RULE_IDS, type RuleId, type Severity } from "./doctor/types.js";
