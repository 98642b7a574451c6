/**
 * What an observer of a training (lanegrad/doctor) is told by the engine. With no observer each of these places costs one
 * comparison with 0. Observers read; they must neither change a tensor nor throw (src/doctor/doctor.ts sees to it).
 */
import type { LanegradError } from "./errors.js";
import type { Tensor } from "./tensor.js";

export interface Observer {
  /** An op has filled `out` from its inputs. */
  ran(op: string, out: Tensor, inputs: readonly (Tensor | null | undefined)[]): void;
  /** A backward pass is about to give a leaf a gradient, or to add to the one that it has. */
  accumulates(leaf: Tensor): void;
  /** clipGradNorm_ has found this norm and clips above maxNorm. */
  clipped(norm: number, maxNorm: number): void;
  /** A loss has been given an input and a target of different shapes, and broadcasts them. */
  unequal(input: Tensor, target: Tensor): void;
  /** A loss refuses its target with this error. */
  refused(error: LanegradError): void;
  /** Whether results are to be read as they come, so that no op should wait to be run together with the next. */
  readonly reading: boolean;
}

/** Those who watch now. */
export const observers: Observer[] = [];

/** Whether some observer reads the results of the ops that run now. */
export function isObserved(): boolean {
  for (let i = 0; i < observers.length; i++) if (observers[i].reading) return true;
  return false;
}

/** Begins to tell an observer; the function returned ends it. */
export function observe(observer: Observer): () => void {
  observers.push(observer);
  return () => {
    const i = observers.indexOf(observer);
    if (i >= 0) observers.splice(i, 1);
  };
}

/** Runs fn without telling anybody: it repeats what has been told. */
export function unobserved(fn: () => void): void {
  const watching = observers.splice(0);
  try {
    fn();
  } finally {
    observers.unshift(...watching);
  }
}
