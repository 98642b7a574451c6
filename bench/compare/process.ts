/** A peer's process: one command, one answer, within a time. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import type { Command } from "./peers.js";
import type { Session } from "./rounds.js";

/** The command, kept on one core where the system can do that. */
export function pinned({ file, args }: Command): Command {
  const { status, stdout } = spawnSync("taskset", ["-pc", String(process.pid)], { encoding: "utf8" });
  // "pid 1234's current affinity list: 0,2-3": the last core has the fewest interrupts.
  const core = /(\d+)\s*$/.exec(stdout ?? "")?.[1];
  return status === 0 && core !== undefined ? { file: "taskset", args: ["-c", core, file, ...args] } : { file, args };
}

const ONE_THREAD = { OPENBLAS_NUM_THREADS: "1", OMP_NUM_THREADS: "1", MKL_NUM_THREADS: "1" };
export const environment = () => ({ ...process.env, ...ONE_THREAD });

/** @throws Error when a promise takes longer than so many seconds */
export async function within<T>(seconds: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not finished within ${seconds} s`)), 1000 * seconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export class PeerProcess implements Session {
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;
  private complaint = "";
  private ended = false;

  constructor(command: Command) {
    const { file, args } = pinned(command);
    this.child = spawn(file, [...args], { stdio: ["pipe", "pipe", "pipe"], env: environment() });
    this.child.stderr!.on("data", (text) => {
      this.complaint = `${this.complaint}${text}`.slice(-2000);
    });
    this.child.stdin!.on("error", () => {});
    this.lines = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
  }

  get alive(): boolean {
    return !this.ended;
  }

  /**
   * The next answer.
   * @throws Error with the peer's own words where it has failed, or when it takes longer than so many seconds; it is stopped then
   */
  async hear(seconds: number): Promise<any> {
    try {
      const { value, done } = await within(seconds, this.lines.next());
      if (done) throw new Error(`the process ended: ${this.complaint.trim().split("\n").at(-1)}`);
      const answer = JSON.parse(value);
      if (answer.error !== undefined) throw new PeerError(answer.error);
      return answer;
    } catch (error) {
      if (!(error instanceof PeerError)) this.stop();
      throw error;
    }
  }

  ask(command: object, seconds: number): Promise<any> {
    this.child.stdin!.write(`${JSON.stringify(command)}\n`);
    return this.hear(seconds);
  }

  stop(): void {
    this.ended = true;
    this.child.kill("SIGKILL");
  }
}

/** What the peer itself said it cannot do; its process lives on. */
export class PeerError extends Error {}
