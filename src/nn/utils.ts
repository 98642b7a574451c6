/** `nn.utils`: gradient clipping. All gradients are read and scaled in one kernel call each. */
import { inPlaces, type Named, optionsOf, show, type Trailing } from "../arguments.js";
import { ArgumentError, NonFiniteError } from "../errors.js";
import { observers } from "../observe.js";
import { gradEntries, withTable } from "../optim/table.js";
import { Tensor } from "../tensor.js";
import { k } from "../wasm/load.js";

function listOf(parameters: Tensor | Iterable<Tensor>, where: string): Iterable<Tensor> {
  if (parameters instanceof Tensor) return [parameters];
  if (typeof parameters?.[Symbol.iterator] === "function") return parameters;
  throw new ArgumentError(`${where}: expected a list of parameters, found ${show(parameters)}; pass net.parameters()`);
}

/** Options of `clipGradNorm_`. */
export interface ClipOptions {
  normType?: number;
  errorIfNonfinite?: boolean;
}

/**
 * Scales all gradients so that their norm, taken as one vector, is at most maxNorm: the cure for exploding gradients
 * (Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural networks", ICML 2013).
 *
 * @param options.normType the p of the norm; Infinity takes the largest absolute value. Default 2
 * @param options.errorIfNonfinite throw, and scale nothing, when the norm is NaN or infinite. Default false
 * @returns the norm before clipping
 * @throws NonFiniteError as said; ArgumentError for a negative maxNorm or a normType that is not positive
 */
export function clipGradNorm_(
  parameters: Tensor | Iterable<Tensor>,
  maxNorm: number,
  ...rest: Trailing<ClipOptions, ["normType", "errorIfNonfinite"]>
): number;
export function clipGradNorm_(
  parameters: Tensor | Iterable<Tensor>,
  ...named: Named<{ maxNorm: number }, ["maxNorm"], ClipOptions>
): number;
export function clipGradNorm_(parameters: Tensor | Iterable<Tensor>, ...args: any[]): number {
  const [maxNorm, ...rest] = inPlaces(args, ["maxNorm"]);
  const options = optionsOf<ClipOptions>("clipGradNorm_", rest, ["normType", "errorIfNonfinite"]);
  const { normType = 2, errorIfNonfinite = false } = options;
  if (typeof maxNorm !== "number" || !(maxNorm >= 0))
    throw new ArgumentError(`clipGradNorm_: maxNorm must be a number ≥ 0, found ${show(maxNorm)}`);
  if (!(normType > 0)) throw new ArgumentError(`clipGradNorm_: normType must be a number > 0, found ${normType}`);
  const entries = gradEntries(listOf(parameters, "clipGradNorm_"));
  if (entries.length === 0) return 0;
  return withTable(entries, (table, count) => {
    const norm = k.grad_norm(table, count, normType);
    if (errorIfNonfinite && !Number.isFinite(norm)) {
      throw new NonFiniteError(
        `clipGradNorm_: the norm (p = ${normType}) of the gradients is ${norm}: some gradient is NaN or infinite; ` +
          "run the step inside autograd.detectAnomaly() to see where it comes from",
      );
    }
    if (observers.length > 0) for (const observer of observers) observer.clipped(norm, maxNorm);
    // As PyTorch: the small constant keeps the quotient finite for gradients of 0.
    const factor = Math.min(1, maxNorm / (norm + 1e-6));
    if (factor !== 1) k.grad_scale(table, count, factor);
    return norm;
  });
}

/** Clamps every element of every gradient to [−clipValue, clipValue]. @throws ArgumentError for a negative clipValue. */
export function clipGradValue_(parameters: Tensor | Iterable<Tensor>, given: number | { clipValue: number }): void {
  const [clipValue] = inPlaces([given as number], ["clipValue"]);
  if (!(clipValue >= 0))
    throw new ArgumentError(`clipGradValue_: clipValue must be a number ≥ 0, found ${show(clipValue)}`);
  const entries = gradEntries(listOf(parameters, "clipGradValue_"));
  if (entries.length > 0) withTable(entries, (table, count) => k.grad_clamp(table, count, clipValue));
}
