/** Text in both languages, and numbers as both write them. Text is HTML. */

export const LANGUAGES = ["en", "zh"] as const;
export type Language = (typeof LANGUAGES)[number];

export interface Text {
  en: string;
  zh: string;
}

export const t = (en: string, zh: string): Text => ({ en, zh });

/** The same in both. */
export const same = (text: string): Text => ({ en: text, zh: text });

export const escapeText = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c] as string);

const minus = (text: string): string => text.replace("-", "−");

/** 0.8755 → 87.6%. */
export const percent = (share: number, digits = 1): string => minus(`${(100 * share).toFixed(digits)}%`);

/** Three digits; very large and small ones as powers of ten; what is no number by its name. */
export function number(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e4) {
    return minus(Number(value.toPrecision(3)).toLocaleString("en", { maximumFractionDigits: 6 }));
  }
  const [digits, exponent] = value.toExponential(1).split("e");
  const power = `10<sup>${minus(String(Number(exponent)))}</sup>`;
  return digits === "1.0" ? power : `${minus(digits.replace(/\.0$/, ""))}\u00a0×\u00a0${power}`;
}

/** Always with three decimals, for columns of losses. */
export const loss = (value: number): string =>
  Number.isFinite(value) && Math.abs(value) < 1e4 ? value.toFixed(3) : number(value);

export const count = (value: number): string => value.toLocaleString("en");

const SUPERSCRIPTS: Record<string, string> = { "-": "⁻" };
for (const [digit, sign] of [..."⁰¹²³⁴⁵⁶⁷⁸⁹"].entries()) SUPERSCRIPTS[String(digit)] = sign;

/** A power of ten as plain text, for the axes: 10⁻⁶; 0.01 to 1000 as they are. */
export function powerOfTen(exponent: number): string {
  if (exponent >= -2 && exponent <= 3) return String(Number((10 ** exponent).toPrecision(1)));
  return `10${[...String(exponent)].map((c) => SUPERSCRIPTS[c]).join("")}`;
}
