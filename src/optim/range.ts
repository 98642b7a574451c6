/** The ranges that options of optimizers must lie in. */
import { show } from "../arguments.js";
import { ArgumentError } from "../errors.js";
import { checkNumber } from "../shape.js";

/** @throws ArgumentError unless each of these options is a finite number ≥ 0. */
export function checkNonNegative<O>(where: string, options: O, names: readonly (keyof O & string)[]): void {
  for (const name of names) {
    if (checkNumber(options[name], `${where}: ${name}`) < 0) {
      throw new ArgumentError(`${where}: ${name} must not be negative, found ${options[name]}`);
    }
  }
}

/** @throws ArgumentError unless betas is two numbers of [0, 1). */
export function checkBetas(where: string, betas: unknown): void {
  const right =
    Array.isArray(betas) && betas.length === 2 && betas.every((b) => typeof b === "number" && b >= 0 && b < 1);
  if (right) return;
  const found = Array.isArray(betas) ? `[${betas.map(show).join(", ")}]` : show(betas);
  throw new ArgumentError(`${where}: betas must be two numbers, each at least 0 and less than 1, found ${found}`);
}
