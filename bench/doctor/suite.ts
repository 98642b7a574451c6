/**
 * All programs. The first series was written with the rules, and is what their thresholds are tuned on; the second was written to
 * test them; what showed a rule to be wrong has moved to the tuned half, and others came in its place. The third and the fourth were
 * written from the documentation alone, by others who had not seen the rules.
 */
import { HEALTHY as FOURTH_HEALTHY } from "./fourth/healthy.js";
import { SICK as FOURTH_SICK } from "./fourth/sick.js";
import { HEALTHY as FIRST_HEALTHY } from "./healthy.js";
import type { Program } from "./program.js";
import { HEALTHY as SECOND_HEALTHY } from "./second/healthy.js";
import { HEALTHY as LATER_HEALTHY, SICK as LATER_SICK } from "./second/later.js";
import { SICK as SECOND_SICK } from "./second/sick.js";
import { SICK as FIRST_SICK } from "./sick.js";
import { HEALTHY as THIRD_HEALTHY } from "./third/healthy.js";
import { SICK as THIRD_SICK } from "./third/sick.js";

export const HEALTHY: readonly Program[] = [
  ...FIRST_HEALTHY,
  ...SECOND_HEALTHY,
  ...LATER_HEALTHY,
  ...THIRD_HEALTHY,
  ...FOURTH_HEALTHY,
];
export const SICK: readonly Program[] = [...FIRST_SICK, ...SECOND_SICK, ...LATER_SICK, ...THIRD_SICK, ...FOURTH_SICK];
