/** Arguments as the whole API takes them: PyTorch's in its order up to any point, the rest in one trailing options object. */

/** Positional arguments after the first: a leading part of Names' values, then perhaps the options. */
export type Trailing<Options, Names extends readonly (keyof Options)[]> = Names extends readonly [
  infer First extends keyof Options,
  ...infer Rest extends readonly (keyof Options)[],
]
  ? [options?: Options] | [Options[First], ...Trailing<Options, Rest>]
  : [options?: Options];

/** The options that the arguments mean. */
export function optionsOf<Options extends object>(
  args: readonly unknown[],
  names: readonly (keyof Options)[],
): Options {
  const last = args.at(-1);
  const trailing = typeof last === "object" && last !== null;
  const positional = trailing ? args.slice(0, -1) : args;
  const options = trailing ? { ...(last as Options) } : ({} as Options);
  positional.slice(0, names.length).forEach((value, i) => {
    if (value !== undefined) options[names[i]] = value as Options[keyof Options];
  });
  return options;
}
