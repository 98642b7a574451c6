/** How the sixth series writes down its programs: as the fourth does, with seeds of its own. */
import type { Finding, RuleId } from "lanegrad/doctor";
import { examine, type Program, type Recipe } from "../program.js";
import * as third from "../third/make.js";

export { normalWeights, validate, watched } from "../fourth/make.js";
export { adam, adamW, learn, sgd } from "../third/make.js";

/** Is added to the third series' seed. */
const APART = 140;

export const loop = (name: string, sick: readonly RuleId[], also: readonly RuleId[], run: () => Finding[]): Program => {
  const program = third.loop(name, sick, also, run);
  return { ...program, run: (shift = 0) => program.run(APART + shift) };
};
export const healthy = (name: string, recipe: () => Recipe): Program =>
  loop(`healthy: ${name}`, [], [], () => examine(recipe()));
/** Two ids are given where both are one mistake. */
export function sick(
  ids: RuleId | readonly RuleId[],
  name: string,
  also: readonly RuleId[],
  recipe: () => Recipe,
): Program {
  const all = typeof ids === "string" ? [ids] : ids;
  const others = also.filter((id) => !all.includes(id));
  return loop(`${all.join(", ")}: ${name}`, all, others, () => examine(recipe()));
}
