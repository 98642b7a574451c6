/**
 * Arguments as the whole API takes them: PyTorch's in its order up to any point, the rest in one trailing options object. A
 * name there is none of is refused: PyTorch's Python raises, and a misspelt option that is ignored is a bug nobody sees.
 */
import { ArgumentError } from "./errors.js";

/** Positional arguments after the first: a leading part of Names' values, then perhaps the options. */
export type Trailing<Options, Names extends readonly (keyof Options)[]> = Names extends readonly [
  infer First extends keyof Options,
  ...infer Rest extends readonly (keyof Options)[],
]
  ? [options?: Options] | [Options[First], ...Trailing<Options, Rest>]
  : [options?: Options];

/**
 * Arguments of which an object names all from some place on, options behind them included: the forms that PyTorch's keywords
 * have beside the plain one. Of Names [a, b]: `(a, { b, … })` and `({ a, b, … })`.
 */
export type Named<
  Required,
  Names extends readonly (keyof Required)[],
  Options = Record<never, never>,
> = Names extends readonly [infer First extends keyof Required, ...infer Rest extends readonly (keyof Required)[]]
  ?
      | [named: Pick<Required, Names[number]> & Options]
      | (Rest extends readonly [] ? never : NamedAfter<Required, First, Rest, Options>)
  : never;
type NamedAfter<Required, First extends keyof Required, Rest extends readonly (keyof Required)[], Options> = [
  Required[First],
  ...Named<Required, Rest, Options>,
];

/**
 * Arguments in their places, where an object among the first ones names the rest: with names a, b and c
 * `(1, { b: 2, c: 3, bias: false })` is `(1, 2, 3, { bias: false })`. Anything else stays as it is.
 *
 * @param names of the arguments that are no options, in their order
 * @typeParam Places of the result, where the type of `args` does not tell it
 */
export function inPlaces<Arguments extends readonly unknown[]>(args: Arguments, names: readonly string[]): Arguments;
export function inPlaces<Places extends readonly unknown[]>(args: readonly unknown[], names: readonly string[]): Places;
export function inPlaces(args: readonly unknown[], names: readonly string[]): readonly unknown[] {
  const at = args.findIndex(isOptions);
  if (at < 0 || at >= names.length || args.slice(at + 1).some((value) => value !== undefined)) return args;
  const rest: Record<string, unknown> = { ...(args[at] as object) };
  const list = args.slice(0, at);
  for (const name of names.slice(at)) {
    list.push(rest[name]);
    delete rest[name];
  }
  if (Object.keys(rest).length > 0) list.push(rest);
  return list;
}

/** Whether value is an object literal: no list, tensor, typed array or other class's instance. */
export function isOptions(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** What names of all conventions come down to: `T_max`, `TMax` and `tMax` are one. */
const plain = (name: PropertyKey): string => String(name).replaceAll("_", "").toLowerCase();

/** @throws ArgumentError for an option that is not among names, saying which there are. */
export function checkOptions(where: string, options: object, names: readonly PropertyKey[]): void {
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue;
    const near = names.find((known) => plain(known) === plain(name));
    const meant = near === undefined ? "" : ` (did you mean ${String(near)}?)`;
    throw new ArgumentError(
      `${where}: unknown option ${name}${meant}; expected one of: ${names.map(String).join(", ")}`,
    );
  }
}

/**
 * The options that arguments mean.
 *
 * @param names of the positional arguments, in their order
 * @param others names that can only be given in the options object
 * @throws ArgumentError for an unknown option, or more arguments than there are names
 */
export function optionsOf<Options extends object>(
  where: string,
  args: readonly unknown[],
  names: readonly (keyof Options)[],
  others: readonly (keyof Options)[] = [],
): Options {
  if (args.length === 0 || (args.length === 1 && args[0] === undefined)) return {} as Options;
  const last = args.at(-1);
  const trailing = isOptions(last);
  const positional = trailing ? args.slice(0, -1) : args;
  const options = (trailing ? { ...last } : {}) as Options;
  if (trailing) checkOptions(where, options, [...names, ...others]);
  positional.forEach((value, i) => {
    if (value === undefined) return;
    if (i >= names.length) {
      throw new ArgumentError(
        `${where}: argument ${show(value)} is one too many; by position it takes ${names.length === 0 ? "none of its options" : names.map(String).join(", ")}`,
      );
    }
    options[names[i]] = value as Options[keyof Options];
  });
  return options;
}

/** A value as error messages show it: strings in quotes, objects by what they are. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return "an array";
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null) return `a ${value.constructor?.name ?? "object"}`;
  return String(value);
}
