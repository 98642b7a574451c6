/** Numbers as people read them. */

export const percent = (part: number, digits = 1): string => `${(100 * part).toFixed(digits)} %`;

export const count = (n: number): string => Math.round(n).toLocaleString("en");

/** Three significant digits; with an exponent only where they are tiny or huge. */
export function short(value: number): string {
  if (value === 0 || Number.isNaN(value)) return String(value);
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (size < 0.001 || size >= 99_950) return value.toExponential(1).replace("+", "");
  return size >= 1000 ? count(Number(value.toPrecision(3))) : value.toPrecision(3);
}
