/**
 * All programs. The first series was written with the rules; the second and the third, the latter from the documentation alone by somebody who
 * had not seen the rules, were held out when they were run for the first time, and have corrected the rules since; so has the fourth, written
 * like the third, the fifth and the sixth. The seventh, likewise, is held out.
 */
import { HEALTHY as FIFTH_HEALTHY } from "./fifth/healthy.js";
import { SICK as FIFTH_SICK } from "./fifth/sick.js";
import { HEALTHY as FOURTH_HEALTHY } from "./fourth/healthy.js";
import { SICK as FOURTH_SICK } from "./fourth/sick.js";
import { HEALTHY as FIRST_HEALTHY } from "./healthy.js";
import type { Program } from "./program.js";
import { HEALTHY as SECOND_HEALTHY } from "./second/healthy.js";
import { HEALTHY as LATER_HEALTHY, SICK as LATER_SICK } from "./second/later.js";
import { SICK as SECOND_SICK } from "./second/sick.js";
import { HEALTHY as SEVENTH_HEALTHY } from "./seventh/healthy.js";
import { SICK as SEVENTH_SICK } from "./seventh/sick.js";
import { SICK as FIRST_SICK } from "./sick.js";
import { HEALTHY as SIXTH_HEALTHY } from "./sixth/healthy.js";
import { SICK as SIXTH_SICK } from "./sixth/sick.js";
import { HEALTHY as THIRD_HEALTHY } from "./third/healthy.js";
import { SICK as THIRD_SICK } from "./third/sick.js";

/** Rules may be tuned on the one half only. */
export type Half = "tuned" | "held-out";
export interface Judged extends Program {
  half: Half;
}

const half = (half: Half, ...series: (readonly Program[])[]): Judged[] =>
  series.flat().map((program) => ({ ...program, half }));

export const HEALTHY: readonly Judged[] = [
  ...half(
    "tuned",
    FIRST_HEALTHY,
    SECOND_HEALTHY,
    LATER_HEALTHY,
    THIRD_HEALTHY,
    FOURTH_HEALTHY,
    FIFTH_HEALTHY,
    SIXTH_HEALTHY,
  ),
  ...half("held-out", SEVENTH_HEALTHY),
];
export const SICK: readonly Judged[] = [
  ...half("tuned", FIRST_SICK, SECOND_SICK, LATER_SICK, THIRD_SICK, FOURTH_SICK, FIFTH_SICK, SIXTH_SICK),
  ...half("held-out", SEVENTH_SICK),
];
