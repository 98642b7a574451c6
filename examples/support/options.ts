/** The examples' command lines. */
import { parseArgs } from "node:util";

/** An option: what its text means, what is accepted, and what it is without being given. */
export interface Rule<T> {
  /** undefined for what is not acceptable. */
  parse(text: string): T | undefined;
  expected: string;
  default: T;
  /** Given by its name alone. */
  flag?: boolean;
  /** What stands for the value in the help: N, X, NAME. */
  placeholder: string;
  help: string;
}

/** @param otherwise the default; its text for the help may be given where it depends on something */
export function whole(least: number, otherwise: number, help: string): Rule<number> {
  const accepts = (value: number) => Number.isSafeInteger(value) && value >= least;
  return number("N", accepts, `a whole number from ${least}`, otherwise, help);
}

export const positive = (otherwise: number, help: string): Rule<number> =>
  number("X", (value) => Number.isFinite(value) && value > 0, "a number above 0", otherwise, help);

export const atLeastZero = (otherwise: number, help: string): Rule<number> =>
  number("X", (value) => Number.isFinite(value) && value >= 0, "a number from 0", otherwise, help);

function number(
  placeholder: string,
  accepts: (value: number) => boolean,
  expected: string,
  otherwise: number,
  help: string,
): Rule<number> {
  const parse = (text: string) => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    return accepts(value) ? value : undefined;
  };
  return { parse, expected, default: otherwise, placeholder, help };
}

export function oneOf<const T extends string>(names: readonly T[], otherwise: NoInfer<T>, help: string): Rule<T> {
  const parse = (text: string) => names.find((name) => name === text);
  return { parse, expected: `one of ${names.join(", ")}`, default: otherwise, placeholder: "NAME", help };
}

export const text = (placeholder: string, help: string, otherwise = ""): Rule<string> => ({
  parse: (given) => (given === "" ? undefined : given),
  expected: "not empty",
  default: otherwise,
  placeholder,
  help,
});

/** Given by its name alone, `--quick`; false where it is not. */
export const flag = (help: string): Rule<boolean> => ({
  parse: (given) => given === "true",
  expected: "given without a value",
  default: false,
  flag: true,
  placeholder: "",
  help,
});

/** The rule, but not given means undefined: for a default that depends on other options. */
export const optional = <T>(rule: Rule<T>): Rule<T | undefined> => ({ ...rule, default: undefined });

/** camelCase as options are written: batchSize → batch-size. */
const dashed = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** `--lr -1` as `--lr=-1`: parseArgs would take the value for an option and say nothing of what is wrong with it. */
function joinNegative(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const last = joined.at(-1);
    if (last?.startsWith("--") && /^-[\d.]/.test(arg)) joined[joined.length - 1] = `${last}=${arg}`;
    else joined.push(arg);
  }
  return joined;
}

/**
 * What the user asks for. Shows the help, or says what is wrong and ends with exit code 2.
 *
 * @param what the example does, and how it is called
 */
export function readOptions<Values extends object>(
  { name, does, usage }: { name: string; does: string; usage: string },
  rules: { [K in keyof Values]: Rule<Values[K]> },
): Values {
  const entries = Object.entries(rules) as [string, Rule<unknown>][];
  const refuse = (message: string): never => {
    console.error(`${name}: ${message}; --help shows the options`);
    process.exit(2);
  };
  let given: Record<string, string | boolean | undefined> = {};
  try {
    given = parseArgs({
      args: joinNegative(process.argv.slice(2)),
      options: {
        ...Object.fromEntries(
          entries.map(([key, rule]) => [dashed(key), { type: rule.flag ? ("boolean" as const) : ("string" as const) }]),
        ),
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    refuse((error as Error).message.split(/[.\n]/)[0]);
  }
  if (given.help) {
    console.log(help(does, usage, entries));
    process.exit(0);
  }
  const values = entries.map(([key, rule]) => {
    const found = given[dashed(key)];
    if (found === undefined) return [key, rule.default];
    const value = rule.parse(String(found));
    return [key, value ?? refuse(`--${dashed(key)} must be ${rule.expected}, found ${JSON.stringify(found)}`)];
  });
  return Object.fromEntries(values) as Values;
}

function help(does: string, usage: string, entries: readonly [string, Rule<unknown>][]): string {
  const lines = entries.map(([key, rule]): [string, string] => {
    const { default: otherwise } = rule;
    const shown = rule.flag || otherwise === undefined || otherwise === "" ? "" : ` (default ${otherwise})`;
    return [`--${dashed(key)} ${rule.placeholder}`.trimEnd(), `${rule.help}${shown}`];
  });
  lines.push(["--help", "show this"]);
  const width = Math.max(...lines.map(([left]) => left.length));
  const table = lines.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
  return `${does}\n\nUsage: ${usage} [options]\n\n${table}\n`;
}
