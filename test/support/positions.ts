/** What tests of indexing, sorting and rearranging share: tensors whose values are their positions, and gradients that follow from these. */
import { expect } from "vitest";
import type { LanegradError } from "../../src/errors.js";
import { mul } from "../../src/ops/binary.js";
import { tensor } from "../../src/ops/create.js";
import { sum } from "../../src/ops/reduce.js";
import { scope } from "../../src/scope.js";
import { memory } from "../../src/storage.js";
import type { Tensor } from "../../src/tensor.js";

export const range = (n: number) => Array.from({ length: n }, (_, i) => i);
export const int = (data: any) => tensor(data, { dtype: "int32" });
export const bool = (data: any) => tensor(data, { dtype: "bool" });
export const cube = (options = {}) => tensor(range(24), { shape: [2, 3, 4], ...options });

/** The gradient of Σ (i + 1)·y[i] with regard to x. */
export function gradOf(x: Tensor, y: Tensor): number[] {
  const weights = tensor(
    range(y.numel()).map((i) => i + 1),
    { shape: y.shape, dtype: "float32" },
  );
  sum(mul(y, weights)).backward();
  return Array.from((x.grad as Tensor).toTypedArray());
}

/** What it is if y[i] is x[sources[i]]. */
export function gradFrom(sources: readonly number[], n: number): number[] {
  const grad = new Array<number>(n).fill(0);
  sources.forEach((from, i) => {
    grad[from] += i + 1;
  });
  return grad;
}

/** What fn makes is gone after a scope, once the passes are over for which backward() keeps small results readable. */
export function expectSteady(fn: () => void): void {
  for (let i = 0; i < 20; i++) scope(fn);
  const before = memory().liveTensors;
  for (let i = 0; i < 5; i++) scope(fn);
  expect(memory().liveTensors).toBe(before);
}

export function expectError(fn: () => unknown, type: new (...args: any[]) => LanegradError, text: string): void {
  expect(fn).toThrow(type);
  expect(fn).toThrow(text);
}
