/** What all losses share: their options, the reduction, and how a position in a tensor is named. */

import { optionsOf } from "../arguments.js";
import { ArgumentError } from "../errors.js";
import type { Shape } from "../shape.js";

/** What becomes of the losses of the samples (or elements): kept, averaged, or summed. */
export type Reduction = "none" | "mean" | "sum";

export interface ReductionOption {
  /** "mean" (default), "sum", or "none": a loss for each sample or element. */
  reduction?: Reduction;
}

/**
 * The options of a loss, given by name or (those PyTorch has not deprecated) by position.
 *
 * @throws ArgumentError for options there are none of
 */
export function lossOptions<O extends object>(where: string, args: readonly unknown[], names: readonly string[]): O {
  return args.length === 0 ? (NO_OPTIONS as O) : optionsOf<O>(where, args, names as (keyof O)[]);
}
const NO_OPTIONS = /* @__PURE__ */ Object.freeze({});

/** @throws ArgumentError unless value (absent: "mean") is the name of a reduction. */
export function checkReduction<R extends string = Reduction>(value: unknown, where: string, extra?: R): Reduction | R {
  if (value === undefined) return "mean";
  if (value === "mean" || value === "sum" || value === "none" || (extra !== undefined && value === extra)) {
    return value as Reduction | R;
  }
  const names = ["none", "mean", "sum", ...(extra === undefined ? [] : [extra])].map((name) => `"${name}"`);
  throw new ArgumentError(`${where}: reduction must be one of ${names.join(", ")}, found ${JSON.stringify(value)}`);
}

/** The index in each dim of the element at a place in row-major order, as text. */
export function formatPosition(flat: number, shape: Shape): string {
  const position: number[] = [];
  for (let dim = shape.length - 1; dim >= 0; dim--) {
    position.unshift(flat % shape[dim]);
    flat = Math.floor(flat / shape[dim]);
  }
  return `[${position.join(", ")}]`;
}
