/** Numbers as people read them. */

export const percent = (part: number, digits = 1): string => `${(100 * part).toFixed(digits)} %`;

export const count = (n: number): string => Math.round(n).toLocaleString("en");

/** Three significant digits; small ones with an exponent only where they are tiny. */
export function short(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  if (Math.abs(value) < 0.001) return value.toExponential(1);
  return value.toPrecision(3);
}
