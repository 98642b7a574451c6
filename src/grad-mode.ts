/** Modes in which code runs: whether ops are recorded, and whether backward passes look for NaN. */
import { show } from "./arguments.js";

let gradEnabled = true;
let anomalyMode = false;

/** Whether a backward pass looks for NaN, and ops note where they were called. */
export const isAnomalyMode = (): boolean => anomalyMode;

/** Whether ops are recorded. */
export const isGradEnabled = (): boolean => gradEnabled;

function withGradMode<T>(enabled: boolean, fn: () => T, where: string): T {
  checkFunction(fn, where);
  const before = gradEnabled;
  gradEnabled = enabled;
  try {
    const result = fn();
    refusePromise(result, where);
    return result;
  } finally {
    gradEnabled = before;
  }
}

/** @throws TypeError unless fn is a function. */
export function checkFunction(fn: unknown, where: string): void {
  if (typeof fn !== "function") {
    throw new TypeError(`${where}: expected a function, as in ${where}(() => …), found ${show(fn)}`);
  }
}

/** A function that awaits would leave a mode or scope open for whatever runs in between. */
export function refusePromise(result: unknown, where: string): void {
  if (result instanceof Promise) {
    result.catch(() => undefined);
    throw new TypeError(`${where}: the function must be synchronous; await outside and call ${where} around each part`);
  }
}

/** @internal Runs fn as it was when `isGradEnabled()` was enabled. */
export function asRecorded(enabled: boolean, fn: () => void): void {
  const before = gradEnabled;
  gradEnabled = enabled;
  try {
    fn();
  } finally {
    gradEnabled = before;
  }
}

/** Runs fn without recording ops, and returns what it returns. Frees nothing by itself. */
export const noGrad = <T>(fn: () => T): T => withGradMode(false, fn, "noGrad");

/** Runs fn with recording switched on, inside a noGrad(). */
export const enableGrad = <T>(fn: () => T): T => withGradMode(true, fn, "enableGrad");

/**
 * Runs fn with checks: when a backward pass inside it computes a NaN, it throws a NonFiniteError that names the op and
 * where its forward was called.
 */
export function detectAnomaly<T>(fn: () => T): T {
  checkFunction(fn, "detectAnomaly");
  const before = anomalyMode;
  anomalyMode = true;
  try {
    const result = fn();
    refusePromise(result, "detectAnomaly");
    return result;
  } finally {
    anomalyMode = before;
  }
}
