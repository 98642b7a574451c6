/** How the seventh series writes down its programs: as the sixth does, with seeds of its own. */
import type { Finding, RuleId } from "lanegrad/doctor";
import { examine, type Program, type Recipe } from "../program.js";
import * as third from "../third/make.js";

export { normalWeights, validate, watched } from "../fourth/make.js";
export { adam, adamW, learn, sgd } from "../third/make.js";

/** Is added to the third series' seed. */
const APART = 190;

export const loop = (name: string, sick: readonly RuleId[], also: readonly RuleId[], run: () => Finding[]): Program => {
  const program = third.loop(name, sick, also, run);
  return { ...program, run: (shift = 0) => program.run(APART + shift) };
};
export const healthy = (name: string, recipe: () => Recipe): Program =>
  loop(`healthy: ${name}`, [], [], () => examine(recipe()));
export const sick = (id: RuleId, name: string, also: readonly RuleId[], recipe: () => Recipe): Program =>
  loop(
    `${id}: ${name}`,
    [id],
    also.filter((other) => other !== id),
    () => examine(recipe()),
  );
