/**
 * A peer's own process. It reads commands, a JSON object a line, and answers each with one:
 *
 *   (at the start)                 { description }
 *   { open: work }                 { values: base64 of float32, all or a sample }, { seconds } after warming up; or { error }
 *   { time: calls }                { seconds } a call
 *   { close: true }                {}
 *
 * `--first` instead makes one first result and ends.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { sampled } from "./agree.js";
import type { Job, Peer } from "./work.js";

/** At least so long, and at least twice. */
const WARM_UP_SECONDS = 0.25;

/** Of a package that does not let its package.json be imported. */
function version(name: string): string {
  const folder = dirname(dirname(createRequire(import.meta.url).resolve(name)));
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version;
}

const PEERS: Record<string, () => Promise<Peer>> = {
  lanegrad: async () => (await import("./peers/lanegrad.js")).default(),
  "tfjs-cpu": async () => (await import("./peers/tfjs-cpu.js")).default(),
  "tfjs-wasm": async () => (await import("./peers/tfjs-wasm.js")).default(),
  jax: async () => (await import("./peers/jax.js")).default(version("@jax-js/jax")),
  "ort-web": async () => (await import("./peers/ort-web.js")).default(),
  "ort-node": async () => (await import("./peers/ort-node.js")).default(),
};

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
    const calls = Math.max(1, Math.min(1000, Math.floor(0.05 / last)));
    last = await time(job, calls);
    spent += last * calls;
  }
  return last;
}

const [peerName, mode] = process.argv.slice(2);
// What a peer logs must not come between the answers.
console.log = console.info = console.error;
const say = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`);
const reason = (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));

let peer: Peer;
try {
  peer = await PEERS[peerName]();
} catch (error) {
  say({ error: reason(error) });
  process.exit(1);
}
if (mode === "--first") {
  const job = await peer.open({ kind: "first" });
  const [sum] = await job.check();
  process.exit(sum === 5 ? 0 : 1);
}
say({ description: peer.description });

let job: Job | null = null;
async function answer(command: any): Promise<object> {
  if (command.open) {
    job = await peer.open(command.open);
    const values = sampled(await job.check(), command.all);
    const { buffer, byteOffset, byteLength } = values;
    return {
      values: Buffer.from(buffer, byteOffset, byteLength).toString("base64"),
      seconds: await warmUp(job),
    };
  }
  if (command.time) return { seconds: await time(job!, command.time) };
  job?.dispose?.();
  job = null;
  return {};
}

for await (const line of createInterface({ input: process.stdin })) {
  try {
    say(await answer(JSON.parse(line)));
  } catch (error) {
    say({ error: reason(error) });
  }
}
process.exit(0);
