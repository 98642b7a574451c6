/** Modes in which code runs: whether ops are recorded, and whether backward passes look for NaN. */
import { checkOptions, show } from "./arguments.js";

let gradEnabled = true;
/** What anomaly mode looks for; null when it is off. */
export interface AnomalyChecks {
  checkNan: boolean;
  checkInf: boolean;
}
let anomaly: AnomalyChecks | null = null;

/** Whether ops, modules and backward passes look for values that are not finite, and note where they were called. */
export const isAnomalyMode = (): boolean => anomaly !== null;
export const anomalyChecks = (): AnomalyChecks | null => anomaly;

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

function withAnomalyMode<T>(checks: AnomalyChecks | null, fn: () => T): T {
  const before = anomaly;
  anomaly = checks;
  try {
    return fn();
  } finally {
    anomaly = before;
  }
}

/** Runs fn without the checks: what examines results uses ops itself, and a backward pass examines its own. */
export const withoutAnomalyMode = <T>(fn: () => T): T => withAnomalyMode(null, fn);

/**
 * Runs fn with checks: when an op in it, forward or backward, makes NaN or infinity, it throws a NonFiniteError that names the
 * op, the layer (`layers.3.conv1`), the ranges of what went in, and of a backward where its forward was called. The same is
 * in the error's `anomaly`, as data.
 *
 * Infinity is an anomaly where it is new: not in what is computed from infinite inputs (a mask of −Infinity) or with an
 * infinite argument, `x.maskedFill(mask, -Infinity)`. Every result is looked through, so this is slow: for finding a fault.
 *
 * @param options.checkNan stop at NaN. Default true
 * @param options.checkInf stop at infinities. Default true
 */
export function detectAnomaly<T>(fn: () => T, options: Partial<AnomalyChecks> = {}): T {
  checkFunction(fn, "detectAnomaly");
  checkOptions("detectAnomaly", options, ["checkNan", "checkInf"]);
  const { checkNan = true, checkInf = true } = options;
  return withAnomalyMode({ checkNan, checkInf }, () => {
    const result = fn();
    refusePromise(result, "detectAnomaly");
    return result;
  });
}
