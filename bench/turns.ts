/**
 * One side of `npm run bench -- --against REF`: a process that times its rows only when it is asked to, so that two builds take turns.
 *
 * It writes {"row": name} when a row is ready and then answers every line "go" on standard input with {"seconds": …}, a call's time;
 * "next" moves on to the next row. {"end": true} says that there are no more, {"error": …} that one could not be run.
 */
import { createInterface } from "node:readline";
import { takeTurns } from "./measure.js";
import type { Row } from "./row.js";

export async function serve(rows: () => Promise<Row[]> | Row[]): Promise<void> {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const say = (message: object) => console.log(JSON.stringify(message));
  takeTurns(async (name, time) => {
    say({ row: name });
    for (;;) {
      const { value, done } = await lines.next();
      if (done) process.exit(0);
      if (value === "next") return;
      say({ seconds: await time() });
    }
  });
  try {
    await rows();
    say({ end: true });
  } catch (error) {
    say({ error: String(error) });
  }
  process.exit(0);
}
