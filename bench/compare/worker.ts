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
import { responder } from "./responder.js";
import type { Peer } from "./work.js";

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

const answer = responder(peer);
for await (const line of createInterface({ input: process.stdin })) say(await answer(JSON.parse(line)));
process.exit(0);
