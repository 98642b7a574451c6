/** The history as JSON lines. JSON has no NaN: it and the infinities are written as strings. */
import type { History } from "../history.js";
import type { Finding } from "../types.js";

const line = (value: object): string =>
  JSON.stringify(value, (_, v) => (typeof v === "number" && !Number.isFinite(v) ? String(v) : v));

/** First "run", then steps, samples and validations in their order, findings last. */
export function linesOf(title: string, history: History, findings: readonly Finding[]): string {
  const records: object[] = [{ type: "run", title, steps: history.step, layers: [...history.order.keys()] }];
  history.losses.forEach((loss, i) => {
    records.push({ type: "step", step: i + 1, loss });
  });
  for (const sample of history.samples) records.push({ type: "sample", ...sample });
  for (const validation of history.validations) records.push({ type: "validation", ...validation });
  for (const finding of findings) records.push({ type: "finding", ...finding });
  return `${records.map(line).join("\n")}\n`;
}
