/**
 * `npm run bench -- --against REF`: two builds of lanegrad run the same rows in turn, and each row says how much faster this one is.
 *
 * Called by scripts/bench.mjs with a JSON list of { group, ours, theirs, error }: bundles, or why the other commit has none.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { judge, spreadOf } from "./statistics.js";

interface Pair {
  group: string;
  ours: string;
  theirs?: string;
  error?: string;
}

interface Message {
  row?: string;
  seconds?: number;
  end?: boolean;
  error?: string;
}

const ROUNDS = 15;
const WORDS = { faster: "FASTER", slower: "SLOWER", even: "even", "too noisy": "too noisy to call" };

/** A process of turns.ts. */
class Side {
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;

  constructor(bundle: string) {
    this.child = spawn(process.execPath, [bundle], { stdio: ["pipe", "pipe", "inherit"] });
    this.lines = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
  }

  async hear(): Promise<Message> {
    const { value, done } = await this.lines.next();
    return done ? { error: "the process ended" } : JSON.parse(value);
  }

  say(word: "go" | "next"): void {
    this.child.stdin?.write(`${word}\n`);
  }

  async time(): Promise<number> {
    this.say("go");
    const { seconds, error } = await this.hear();
    if (seconds === undefined) throw new Error(error);
    return seconds;
  }

  stop(): void {
    this.child.stdin?.end();
  }
}

const line = (name: string, text: string) => console.log(`${name.padEnd(42)}${text}`);

async function comparePair({ ours, theirs }: { ours: string; theirs: string }): Promise<void> {
  const [mine, other] = [new Side(ours), new Side(theirs)];
  try {
    for (;;) {
      const [own, their] = [await mine.hear(), await other.hear()];
      if (own.row === undefined) {
        if (own.error) throw new Error(own.error);
        return;
      }
      if (their.row !== own.row) {
        line(own.row, `the other commit cannot: ${their.error ?? `it has "${their.row ?? "no more rows"}" here`}`);
        return;
      }
      const [times, ratios]: [number[], number[]] = [[], []];
      for (let round = 0; round < ROUNDS; round++) {
        // Who goes first changes every round: the second finds the caches and the clock as the first left them.
        const first = round % 2 === 0 ? await mine.time() : 0;
        const theirTime = await other.time();
        const time = round % 2 === 0 ? first : await mine.time();
        times.push(time);
        ratios.push(theirTime / time);
      }
      const { median, low, high } = spreadOf(ratios);
      const figures = `${median.toFixed(3)} × as fast  (${low.toFixed(3)} … ${high.toFixed(3)})`;
      line(own.row, `${figures}  ${WORDS[judge(ratios)].padEnd(18)} ${(spreadOf(times).median * 1e6).toFixed(0)} µs`);
      mine.say("next");
      other.say("next");
    }
  } finally {
    mine.stop();
    other.stop();
  }
}

const [title, pairs] = process.argv.slice(2);
console.log(`${title}\nMedian (and quartiles) of ${ROUNDS} rounds in turn; quartiles that contain 1 are noise.\n`);
for (const { group, ours, theirs, error } of JSON.parse(pairs) as Pair[]) {
  if (theirs === undefined) line(`${group}:`, `the other commit cannot: ${error}`);
  else await comparePair({ ours, theirs });
}
