/** Numbers and words as all reports write them. */
import type { Evidence, Finding } from "../types.js";

/** Four digits at most: 0.0123, 1234, 3.1e-8; NaN as a dash. */
export function number(value: number): string {
  if (Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e5) return String(Number(value.toPrecision(4)));
  return value.toExponential(1);
}

export const percent = (share: number): string =>
  Number.isNaN(share) ? "–" : `${number(Number((100 * share).toFixed(1)))} %`;

/** camelCase as words. */
export const words = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** `mean abs gradient 3e-8, threshold 1e-7`. */
export const evidenceText = (evidence: Evidence): string =>
  Object.entries(evidence)
    .map(([name, value]) => `${words(name)} ${typeof value === "number" ? number(value) : value}`)
    .join(", ");

/** One sentence about all findings. */
export function verdict(findings: readonly Finding[], steps: number): string {
  if (steps === 0) return "No step has been seen yet.";
  const over = `in ${steps.toLocaleString("en")} ${steps === 1 ? "step" : "steps"}`;
  if (findings.length === 0) return `Healthy: nothing wrong was found ${over}.`;
  const count = (severity: string, one: string) => {
    const n = findings.filter((f) => f.severity === severity).length;
    return n === 0 ? [] : [`${n} ${n === 1 ? one : `${one}s`}`];
  };
  const parts = [...count("error", "error"), ...count("warning", "warning"), ...count("info", "remark")];
  const [worst] = findings;
  return `${parts.join(", ")} ${over}. First of all: ${worst.rule}${worst.layer === null ? "" : ` in ${worst.layer}`} (since step ${worst.step}).`;
}

/** Said of a training in which rules about a falling loss are not asked. */
export const GAME =
  "Another net is trained against this one or beside it, so a loss that rests or rises is no sign of anything: the rules about its fall are not asked.";
