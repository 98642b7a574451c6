/** Comparing numbers: within atol + rtol·|expected|, NaN and infinities exactly. */
import { expect } from "vitest";
import type { DType, Tensor } from "../../src/index.js";

export interface Tolerance {
  atol: number;
  rtol: number;
}

/** To the bit, but that 0 and −0 are equal. */
export const EXACT: Tolerance = { atol: 0, rtol: 0 };

export function isClose(found: number, expected: number, { atol, rtol }: Tolerance): boolean {
  if (found === expected) return true;
  if (Number.isNaN(expected) || Number.isNaN(found)) return Number.isNaN(expected) && Number.isNaN(found);
  if (!Number.isFinite(expected) || !Number.isFinite(found)) return false;
  return Math.abs(found - expected) <= atol + rtol * Math.abs(expected);
}

/** Fails with the worst few elements when any is not close. */
export function expectClose(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: Tolerance,
  what: string,
): void {
  expect(found.length, `${what}: number of elements`).toBe(expected.length);
  const wrong: string[] = [];
  for (let i = 0; i < expected.length; i++) {
    if (isClose(found[i], expected[i], tolerance)) continue;
    if (wrong.length < 5) wrong.push(`[${i}] found ${found[i]}, expected ${expected[i]}`);
    else {
      wrong.push("…");
      break;
    }
  }
  if (wrong.length > 0) {
    expect.fail(`${what} (atol ${tolerance.atol}, rtol ${tolerance.rtol}):\n  ${wrong.join("\n  ")}`);
  }
}

/** Shape and dtype exactly, elements within the tolerance. */
export function expectTensor(
  found: Tensor,
  expected: { shape: readonly number[]; dtype: DType; data: ArrayLike<number> },
  tolerance: Tolerance,
  what: string,
): void {
  expect([...found.shape], `${what}: shape`).toEqual([...expected.shape]);
  expect(found.dtype, `${what}: dtype`).toBe(expected.dtype);
  expectClose(found.toTypedArray(), expected.data, tolerance, what);
}
