/** The side of a peer: answers the commands that worker.ts lists, in a process as in a page. */
import { sampled } from "./agree.js";
import type { Job, Peer } from "./work.js";

/** At least so long, and at least twice where a call takes less. */
const WARM_UP_SECONDS = 0.25;

/** Seconds a call. */
async function time(job: Job, calls: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < calls; i++) {
    const done = job.run();
    if (done instanceof Promise) await done;
  }
  return (performance.now() - start) / calls / 1000;
}

/** Runs until the engine has compiled what it will compile; returns seconds a call. */
async function warmUp(job: Job): Promise<number> {
  let last = await time(job, 1);
  for (let spent = last; spent < WARM_UP_SECONDS; ) {
    // A browser's clock may not have moved.
    const calls = Math.max(1, Math.min(1000, Math.floor(0.05 / Math.max(last, 1e-6))));
    last = await time(job, calls);
    spent += Math.max(last * calls, 1e-4);
  }
  return Math.max(last, 1e-6);
}

function base64(values: Float32Array): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  let text = "";
  for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return btoa(text);
}

const reason = (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));

/** One command, one answer: an object, { error } where the peer cannot. */
export function responder(peer: Peer): (command: any) => Promise<object> {
  let job: Job | null = null;
  return async (command) => {
    try {
      if (command.open) {
        job = await peer.open(command.open);
        const values = sampled(await job.check(), command.all);
        return { values: base64(values), seconds: await warmUp(job) };
      }
      if (command.time) return { seconds: await time(job!, command.time) };
      job?.dispose?.();
      job = null;
      return {};
    } catch (error) {
      return { error: reason(error) };
    }
  };
}
