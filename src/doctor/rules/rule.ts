/** What a rule is. Each stands alone: adding one means writing one object and listing it in rules/index.ts. */
import type { History } from "../history.js";
import type { Evidence, RuleId, Severity } from "../types.js";

/** What a rule has found in a history. */
export interface Symptom {
  /** Default: null, the whole training. */
  layer?: string | null;
  /** Where it began; default: the last step. */
  step?: number;
  evidence: Evidence;
  /** Where it differs from the rule's own. */
  severity?: Severity;
  why?: string;
  advice?: readonly string[];
}

export interface Rule<Options extends object = any> {
  id: RuleId;
  severity: Severity;
  /** It takes the loss for something that training brings down, which it is not when two nets play against each other (`History.game`). */
  descent?: true;
  /** Thresholds, each with its default; `watch(net, optimizer, { rules: { [id]: { … } } })` changes them. */
  defaults: Options;
  /** Looks at the training so far. `found` are the ids of what has been found before. */
  check(history: History, options: Options, found: ReadonlySet<RuleId>): Symptom | readonly Symptom[] | null;
  why: string;
  advice: readonly string[];
}

/** Gives a rule the types of its own options. */
export const defineRule = <Options extends object>(rule: Rule<Options>): Rule<Options> => rule;
