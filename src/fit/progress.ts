/** A bar in the terminal and a line an epoch. Nothing but text: other displays are callbacks. */
import type { Callbacks, EpochLog, FitState, Means } from "./types.js";

/** Where text goes, and whether the bar's line can be written over there. */
export interface TextStream {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

/** Milliseconds from one drawing of the bar to the next. */
const INTERVAL = 100;
const WIDTH = 24;

const number = (value: number): string =>
  Math.abs(value) >= 1e-3 && Math.abs(value) < 1e5 ? value.toFixed(4) : value.toPrecision(3);
const describe = (means: Means): string =>
  Object.entries(means)
    .map(([name, value]) => `${name} ${number(value)}`)
    .join(", ");

function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${Math.round(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** An epoch in a line: `epoch 3/10: loss 0.1234 | validation loss 0.1300 | 1.2 s`. */
export function epochLine(log: EpochLog, epochs: number): string {
  const parts = [describe(log.train)];
  if (log.validation !== null) parts.push(`validation ${describe(log.validation)}`);
  parts.push(duration(log.seconds));
  return `epoch ${log.epoch}/${epochs}: ${parts.join(" | ")}`;
}

/** The epoch under way in a line, with a bar where the number of batches is known. */
export function barLine(state: FitState, secondsSoFar: number): string {
  const { epoch, epochs, batch, batches, train } = state;
  const parts = [`epoch ${epoch}/${epochs}`];
  if (batches !== undefined && batches > 0) {
    const done = Math.round((WIDTH * batch) / batches);
    parts[0] += ` ${"█".repeat(done)}${"░".repeat(WIDTH - done)} ${Math.floor((100 * batch) / batches)} %`;
    parts.push(describe(train), `${duration((secondsSoFar / batch) * (batches - batch))} left`);
  } else {
    parts.push(`batch ${batch}`, describe(train));
  }
  return parts.join(" | ");
}

/** Shows how training goes on a stream: the bar only on a terminal. */
export function showProgress(stream: TextStream): Callbacks {
  let began = 0;
  let first = 0;
  let drawn = 0;
  const clear = stream.isTTY ? "\r\x1b[K" : "";
  const print = (text: string) => stream.write(`${clear}${text}\n`);
  return {
    onEpochBegin: (state) => {
      began = performance.now();
      first = state.batch;
    },
    onBatchEnd: (state) => {
      const now = performance.now();
      if (!stream.isTTY || now - drawn < INTERVAL) return;
      drawn = now;
      // Of a resumed epoch, this run has done only a part.
      const seconds = ((now - began) / 1000) * (state.batch / Math.max(1, state.batch - first));
      stream.write(`${clear}${barLine(state, seconds).slice(0, (stream.columns ?? 120) - 1)}`);
    },
    onEpochEnd: ({ history, epochs }) => {
      print(epochLine(history[history.length - 1], epochs));
    },
    onFitEnd: ({ stopReason, epoch, step }) => {
      if (stopReason !== "finished") print(`stopped in epoch ${epoch}, after ${step} steps: ${stopReason}`);
    },
  };
}

/** Standard output, where there is one. */
export const terminal = (): TextStream | null => (globalThis.process?.stdout as TextStream | undefined) ?? null;

/** For consoles without a stream, as in browsers: whole lines only. */
export const consoleStream: TextStream = { write: (text) => console.log(text.trimEnd()) };
