/**
 * Values as torch.save takes them (objects and lists of tensors, numbers, text) as named tensors and JSON, and back.
 *
 * In the JSON a tensor stands as { "$tensor": name }, bytes as { "$bytes": name }, a number that JSON lacks as
 * { "$number": "NaN" | "Infinity" | "-Infinity" | "-0" }, undefined as { "$undefined": true }, and an object whose keys could be taken
 * for one of these as { "$object": … }.
 */
import { show } from "../arguments.js";
import { ArgumentError, DataError } from "../errors.js";
import { Tensor } from "../tensor.js";
import type { Contents, Writable } from "./safetensors.js";

/** What `save` takes: tensors, numbers, booleans, text, null, bytes, and lists and plain objects of these. */
export type Saved =
  | Tensor
  | Uint8Array
  | number
  | boolean
  | string
  | null
  | undefined
  | readonly Saved[]
  | { readonly [name: string]: Saved };

const NUMBERS = ["NaN", "Infinity", "-Infinity", "-0"];

/** The JSON of a value; its tensors and bytes are added to `tensors`, named by their path. @throws ArgumentError */
export function flatten(
  value: unknown,
  tensors: Map<string, Writable>,
  path = "",
  within: readonly object[] = [],
): unknown {
  const here = path === "" ? "the value" : path;
  if (value instanceof Tensor) return { $tensor: claim(tensors, path, value) };
  if (value instanceof Uint8Array) return { $bytes: claim(tensors, path, value) };
  if (typeof value === "number") {
    const text = Object.is(value, -0) ? "-0" : String(value);
    return NUMBERS.includes(text) ? { $number: text } : value;
  }
  if (value === undefined) return { $undefined: true };
  if (value === null) return null;
  if (typeof value === "string" || typeof value === "boolean") return value;
  const prototype = typeof value === "object" ? Object.getPrototypeOf(value) : undefined;
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) {
    const hint =
      typeof (value as { stateDict?: unknown } | null | undefined)?.stateDict === "function"
        ? "; save what its stateDict() gives"
        : "";
    throw new ArgumentError(
      `save: ${here} is ${show(value)}, expected tensors, numbers, booleans, strings, null, bytes (Uint8Array), and lists ` +
        `and plain objects of them${hint}`,
    );
  }
  if (within.includes(value as object)) throw new ArgumentError(`save: ${here} contains itself`);
  const inner = (key: string | number, item: unknown) =>
    flatten(item, tensors, path === "" ? String(key) : `${path}.${key}`, [...within, value as object]);
  if (Array.isArray(value)) return value.map((item, i) => inner(i, item));
  const entries = Object.entries(value as object);
  const object = Object.fromEntries(entries.map(([key, item]) => [key, inner(key, item)]));
  return entries.some(([key]) => key.startsWith("$")) ? { $object: object } : object;
}

/** The name for a path: two paths may read alike where keys have dots. */
function claim(tensors: Map<string, Writable>, path: string, value: Writable): string {
  let name = path === "" ? "tensor" : path;
  while (tensors.has(name) || name === "__metadata__") name += "_";
  tensors.set(name, value);
  return name;
}

/** The value that `flatten` made the JSON of. @throws DataError where a tensor is missing */
export function unflatten(json: unknown, contents: Contents): unknown {
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map((item) => unflatten(item, contents));
  const [[key, value] = [], ...others] = Object.entries(json);
  if (key?.startsWith("$") && others.length === 0) {
    if (key === "$tensor") return contents.tensor(String(value));
    if (key === "$bytes") return contents.bytes(String(value));
    if (key === "$undefined") return undefined;
    if (key === "$number" && NUMBERS.includes(value)) return Number(value);
    if (key === "$object" && typeof value === "object" && value !== null) return inner(value, contents);
    throw new DataError(
      `load: the description of the saved value has an unknown entry ${key}; was it written by a later version?`,
    );
  }
  return inner(json, contents);
}

const inner = (object: object, contents: Contents): Record<string, unknown> =>
  Object.fromEntries(Object.entries(object).map(([key, item]) => [key, unflatten(item, contents)]));
