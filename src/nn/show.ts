/** Numbers, pairs and truth values in a module's text, as Python writes them. */

export const showBool = (value: boolean): string => (value ? "True" : "False");

/** "(3,)", "(2, 3)" */
export const showTuple = (list: readonly unknown[]): string =>
  `(${list.map((value) => value ?? "None").join(", ")}${list.length === 1 ? "," : ""})`;

/** A number, or numbers one a dim. */
export const showSize = (size: unknown): string => (Array.isArray(size) ? showTuple(size) : String(size ?? "None"));

/** As Python's repr of a float: "2.0", "1e-05". */
export function showFloat(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e16) return `${value}.0`;
  return value !== 0 && Math.abs(value) < 1e-4 ? value.toExponential().replace(/e-(\d)$/, "e-0$1") : String(value);
}
