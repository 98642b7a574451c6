/** The example's command line. */
import { parseArgs } from "node:util";

export interface Options {
  epochs: number;
  batchSize: number;
  lr: number;
  seed: number;
  width: number;
}

const HELP = `Learns to read handwritten digits (MNIST).

Usage: npm start -- [options]

  --epochs N      passes over the 60,000 images (default 5)
  --batch-size N  images a step (default 64)
  --lr X          learning rate of the first epoch; each further one has 0.6 of the last (default 0.05)
  --seed N        seed of all random numbers: the same seed gives the same run (default 1)
  --width N       size of the first hidden layer; the second has half of it (default 256)
  --help          show this
`;

const whole = (least: number) => ({
  accepts: (value: number) => Number.isSafeInteger(value) && value >= least,
  expected: `a whole number from ${least}`,
});

const RULES = {
  epochs: whole(1),
  "batch-size": whole(1),
  lr: { accepts: (value: number) => Number.isFinite(value) && value > 0, expected: "a number above 0" },
  seed: whole(0),
  width: whole(2),
};

function refuse(message: string): never {
  console.error(`mnist: ${message}; --help shows the options`);
  process.exit(2);
}

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

/** What the user asks for. Shows the help, or says what is wrong and ends with exit code 2. */
export function readOptions(): Options {
  const text = { type: "string" } as const;
  let values: Record<string, string | boolean | undefined>;
  try {
    values = parseArgs({
      args: joinNegative(process.argv.slice(2)),
      options: {
        epochs: { ...text, default: "5" },
        "batch-size": { ...text, default: "64" },
        lr: { ...text, default: "0.05" },
        seed: { ...text, default: "1" },
        width: { ...text, default: "256" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    refuse((error as Error).message.split(/[.\n]/)[0]);
  }
  if (values.help) {
    console.log(HELP);
    process.exit(0);
  }
  const number = (name: keyof typeof RULES): number => {
    const given = String(values[name]);
    const value = given.trim() === "" ? Number.NaN : Number(given);
    const { accepts, expected } = RULES[name];
    return accepts(value) ? value : refuse(`--${name} must be ${expected}, found ${JSON.stringify(given)}`);
  };
  return {
    epochs: number("epochs"),
    batchSize: number("batch-size"),
    lr: number("lr"),
    seed: number("seed"),
    width: number("width"),
  };
}
