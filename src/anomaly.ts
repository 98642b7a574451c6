/**
 * Anomaly mode's examination of results: where the first value that is not finite appeared, in which layer, out of what. All of
 * it runs within `detectAnomaly` only; outside, ops and modules ask one boolean.
 */
import { NonFiniteError } from "./errors.js";
import { type AnomalyChecks, anomalyChecks, withoutAnomalyMode } from "./grad-mode.js";
import { formatShape, type Shape } from "./shape.js";
import type { Tensor } from "./tensor.js";

/** What a tensor held when the anomaly was found. */
export interface ValueRange {
  /** "input 1 (layers.3.conv1.weight)", "result", "gradient of the result". */
  name: string;
  shape: Shape;
  /** Of the finite values; NaN when there are none. */
  min: number;
  max: number;
  /** How many values are NaN, and how many ±Infinity. */
  nan: number;
  inf: number;
}

/** Where the first value that is not finite appeared. */
export interface Anomaly {
  op: string;
  phase: "forward" | "backward";
  /** The path of the module whose forward called the op, as `layers.3.conv1`: "" for the outermost one, null outside of any. */
  layer: string | null;
  /** The class of that module. */
  layerType: string | null;
  /** What the op computed that is not finite. */
  result: ValueRange;
  /** What it was computed from. */
  inputs: ValueRange[];
}

/** What is needed of a Module, which imports this file. */
interface ModuleLike {
  namedModules(): Iterable<[string, ModuleLike]>;
  namedParameters(): Iterable<[string, object]>;
}

/** The modules whose forward is under way, outermost first. */
const modules: ModuleLike[] = [];

/** Runs a module's forward with the module on the list. */
export function withinModule<T>(module: ModuleLike, fn: () => T): T {
  modules.push(module);
  try {
    return fn();
  } finally {
    modules.pop();
  }
}

/** A module and its path in the outermost module that has it. */
export interface Place {
  layer: string;
  layerType: string;
}

/** The module whose forward is under way; null outside of any. */
export function currentPlace(): Place | null {
  const inner = modules.at(-1);
  if (inner === undefined) return null;
  const layerType = inner.constructor.name;
  for (const outer of modules) {
    for (const [layer, module] of outer.namedModules()) if (module === inner) return { layer, layerType };
  }
  return { layer: "", layerType };
}

const describePlace = (place: Place | null): string => {
  if (place === null) return "outside any module";
  return place.layer === "" ? `in ${place.layerType}` : `in ${place.layer} (${place.layerType})`;
};

function parameterName(t: Tensor): string | null {
  const [outermost] = modules;
  if (outermost === undefined) return null;
  for (const [name, parameter] of outermost.namedParameters()) if (parameter === t) return name;
  return null;
}

/** @throws DisposedError when the tensor's memory has been given back. */
function rangeOf(name: string, t: Tensor): ValueRange {
  const values = t.toTypedArray();
  const range: ValueRange = { name, shape: t.shape, min: Number.NaN, max: Number.NaN, nan: 0, inf: 0 };
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const v of values) {
    if (Number.isNaN(v)) range.nan++;
    else if (v - v !== 0) range.inf++;
    else {
      if (v < min) min = v;
      if (v > max) max = v;
    }
  }
  return min <= max ? { ...range, min, max } : range;
}

/** Ranges of the tensors that can still be read: a backward pass may have given some back. */
function rangesOf(named: readonly (readonly [name: string, t: Tensor | null | undefined])[]): ValueRange[] {
  return named.flatMap(([name, t]) => {
    if (!t) return [];
    try {
      return [rangeOf(name, t)];
    } catch {
      return [];
    }
  });
}

const counts = ({ nan, inf }: ValueRange): string =>
  [nan > 0 ? `${nan} NaN` : "", inf > 0 ? `${inf} ±Infinity` : ""].filter((part) => part !== "").join(" and ");

const number = (value: number): string => String(Number(value.toPrecision(6)));

function describeRange(range: ValueRange): string {
  const finite = Number.isNaN(range.min) ? "no finite value" : `from ${number(range.min)} to ${number(range.max)}`;
  const others = counts(range);
  return `  ${range.name}, ${formatShape(range.shape)}: ${finite}${others === "" ? "" : `, ${others}`}`;
}

/**
 * Whether a result is one to stop at. NaN always is: an op before would have been stopped at if it had made it. Infinity is,
 * where it is new: masks of −Infinity are data, and what is added to them stays infinite on purpose.
 */
function isAnomalous(checks: AnomalyChecks, result: ValueRange, inputs: readonly ValueRange[]): boolean {
  if (checks.checkNan && result.nan > 0) return true;
  return checks.checkInf && result.inf > 0 && inputs.every(({ nan, inf }) => nan + inf === 0);
}

const allFinite = (values: Iterable<number>): boolean => {
  for (const v of values) if (v - v !== 0) return false;
  return true;
};

/** Whether an argument is itself infinite or NaN: then the result is so on purpose (`maskedFill(mask, -Infinity)`). */
const isIntended = (attribute: unknown): boolean => typeof attribute === "number" && attribute - attribute !== 0;

/**
 * Examines the result of an op's forward.
 *
 * @throws NonFiniteError when NaN or Infinity appeared in it, with the layer and the ranges of its inputs
 */
export function checkForward(
  op: string,
  out: Tensor,
  inputs: readonly (Tensor | null | undefined)[],
  attributes: readonly unknown[],
): void {
  const checks = anomalyChecks();
  if (checks === null || out.dtype !== "float32" || attributes.some(isIntended)) return;
  withoutAnomalyMode(() => {
    if (allFinite(out.toTypedArray())) return;
    const result = rangeOf("result", out);
    const named = inputs.map((t, i) => {
      const parameter = t ? parameterName(t) : null;
      return [`input ${i}${parameter === null ? "" : ` (${parameter})`}`, t] as const;
    });
    const ranges = rangesOf(named);
    if (!isAnomalous(checks, result, ranges)) return;
    const place = currentPlace();
    const numbers = attributes.filter((value) => typeof value === "number");
    const lines = [
      `${op}: its forward gave ${counts(result)} among ${out.numel()} values, ${describePlace(place)}`,
      ...ranges.map(describeRange),
      ...(numbers.length > 0 ? [`  with ${numbers.join(", ")}`] : []),
      ...(ranges.some(({ nan }) => nan > 0)
        ? ["an input has NaN that no op has made: look at the data and the weights"]
        : []),
    ];
    throw new NonFiniteError(lines.join("\n"), {
      op,
      phase: "forward",
      layer: place?.layer ?? null,
      layerType: place?.layerType ?? null,
      result,
      inputs: ranges,
    });
  });
}

/** What is needed of a tape's node. */
interface NodeLike {
  name: string;
  inputs: readonly (Tensor | null)[];
  saved: readonly (Tensor | null | undefined)[] | null;
  trace: string | undefined;
  place: Place | null;
}

/**
 * Examines the gradients that a node's backward has computed from those of its results.
 *
 * @throws NonFiniteError when NaN or Infinity appeared in them, with the layer and where its forward was called
 */
export function checkBackward(node: NodeLike, dX: readonly (Tensor | null)[], dOut: readonly (Tensor | null)[]): void {
  const checks = anomalyChecks();
  if (checks === null) return;
  withoutAnomalyMode(() => {
    for (let i = 0; i < dX.length; i++) {
      const grad = dX[i];
      if (!grad || allFinite(grad.toTypedArray())) continue;
      const result = rangeOf(`gradient of input ${i}`, grad);
      const arriving = rangesOf(dOut.map((t) => ["gradient of the result", t] as const));
      if (!isAnomalous(checks, result, arriving)) continue;
      const saved = node.saved?.filter((t) => t && !node.inputs.includes(t)) ?? [];
      const inputs = [
        ...arriving,
        ...rangesOf(node.inputs.map((t, j) => [`input ${j}`, t] as const)),
        ...rangesOf(saved.map((t) => ["saved by forward", t] as const)),
      ];
      const known = node.trace !== undefined;
      const what = result.nan > 0 ? "NaN" : "±Infinity";
      const lines = [
        `${node.name}: its backward returned ${what} in the gradient of input ${i} (${counts(result)} among ${grad.numel()} values)` +
          (known ? `, ${describePlace(node.place)}` : ""),
        ...inputs.map(describeRange),
        known ? `its forward was called\n${node.trace}` : "(made outside detectAnomaly, so where is not known)",
      ];
      throw new NonFiniteError(lines.join("\n"), {
        op: node.name,
        phase: "backward",
        layer: node.place?.layer ?? null,
        layerType: node.place?.layerType ?? null,
        result,
        inputs,
      });
    }
  });
}
