/** How near results must be to their references. */
import { expect } from "vitest";

/** How far a is from the exact r, in units of the last place of a float32; Infinity where NaN, Inf or a zero's sign differ. */
export function ulps(a: number, r: number): number {
  const rounded = Math.fround(r);
  if (Object.is(a, rounded)) return 0;
  if (Number.isNaN(r) || (a === 0 && rounded === 0)) return Number.POSITIVE_INFINITY;
  // Next to the overflow, rounding may fall on either side.
  if (!Number.isFinite(a) || !Number.isFinite(rounded)) {
    return Math.abs(r) > 3.402823e38 && Math.abs(r) < 3.402824e38 && Math.sign(a) === Math.sign(r)
      ? 1
      : Number.POSITIVE_INFINITY;
  }
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(r))), -126);
  return Math.abs(a - r) / 2 ** (exponent - 23);
}

/** Within `tolerance` of 1 and the value; NaN and infinities are the same. */
export function expectNear(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  label: string,
  tolerance = 2e-6,
): void {
  for (let i = 0; i < expected.length; i++) {
    const near =
      Object.is(actual[i], expected[i]) ||
      actual[i] === expected[i] ||
      Math.abs(actual[i] - expected[i]) <= tolerance * (1 + Math.abs(expected[i]));
    if (!near) expect.fail(`${label}, element ${i}: ${actual[i]}, expected ${expected[i]}`);
  }
}
