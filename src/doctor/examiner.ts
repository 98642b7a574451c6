/** Asks the rules and keeps what they find: each rule once for each layer. */
import { show } from "../arguments.js";
import { ArgumentError } from "../errors.js";
import type { History } from "./history.js";
import { RULES, type RuleOptions } from "./rules/index.js";
import type { Rule, Symptom } from "./rules/rule.js";
import { type Finding, RULE_IDS, type RuleId, type Severity } from "./types.js";

const GRAVITY: Record<Severity, number> = { error: 0, warning: 1, info: 2 };

export class Examiner {
  private readonly found = new Map<string, Finding>();
  private readonly ids = new Set<RuleId>();
  private readonly rules: readonly { rule: Rule; options: object }[];

  /** @throws ArgumentError for a rule or threshold there is none of */
  constructor(
    private readonly history: History,
    options: RuleOptions,
    private readonly onFinding: ((finding: Finding) => void) | null,
  ) {
    checkRules(options);
    this.rules = RULES.filter(({ id }) => options[id] !== false).map((rule) => ({
      rule,
      options: { ...rule.defaults, ...(options[rule.id] || {}) },
    }));
  }

  /** Asks the rules about the history as it is now; one word of each is enough, but of those that speak of layers. */
  examine(): void {
    if (this.history.step === 0 && this.history.incidents.size === 0) return;
    for (const { rule, options } of this.rules) {
      if (rule.descent && this.history.game) continue;
      if (this.ids.has(rule.id) && !PER_LAYER.has(rule.id)) continue;
      const symptoms = rule.check(this.history, options, this.ids);
      if (symptoms === null) continue;
      for (const symptom of Array.isArray(symptoms) ? symptoms : [symptoms as Symptom]) this.add(rule, symptom);
    }
  }

  private add(rule: Rule, symptom: Symptom): void {
    const layer = symptom.layer ?? null;
    const key = `${rule.id}/${layer ?? ""}`;
    if (this.found.has(key)) return;
    const {
      severity = rule.severity,
      step = this.history.step,
      evidence,
      why = rule.why,
      advice = rule.advice,
    } = symptom;
    const finding: Finding = { rule: rule.id, severity, layer, step, evidence, why, advice };
    this.found.set(key, finding);
    this.ids.add(rule.id);
    try {
      this.onFinding?.(finding);
    } catch (error) {
      console.warn(`lanegrad/doctor: onFinding has thrown; the training goes on: ${String(error)}`);
    }
  }

  findings(): Finding[] {
    return [...this.found.values()].sort((a, b) => GRAVITY[a.severity] - GRAVITY[b.severity] || a.step - b.step);
  }
}

/** Rules that may find several layers sick, each by itself. */
const PER_LAYER: ReadonlySet<RuleId> = new Set([
  "dead-relu",
  "saturated-activation",
  "frozen-parameter",
  "no-gradient",
]);

function checkRules(options: RuleOptions): void {
  for (const [id, thresholds] of Object.entries(options)) {
    const rule = RULES.find((r) => r.id === id);
    if (rule === undefined) {
      throw new ArgumentError(`watch: there is no rule ${show(id)}; the rules are: ${RULE_IDS.join(", ")}`);
    }
    if (thresholds === false) continue;
    for (const [name, value] of Object.entries(thresholds as object)) {
      if (!(name in rule.defaults)) {
        throw new ArgumentError(
          `watch: rule ${id} has no threshold ${show(name)}; it has: ${Object.keys(rule.defaults).join(", ") || "none"}`,
        );
      }
      if (typeof value !== "number" || Number.isNaN(value)) {
        throw new ArgumentError(`watch: rule ${id}: ${name} must be a number, found ${show(value)}`);
      }
    }
  }
}
