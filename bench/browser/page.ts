/** A peer in a page of its own: `start(name)` loads it, `answer(command)` is worker.ts's protocol. */
import { responder } from "../compare/responder.js";
import type { Peer } from "../compare/work.js";

declare const JAX_VERSION: string;

const PEERS: Record<string, () => Promise<Peer>> = {
  lanegrad: async () => (await import("../compare/peers/lanegrad.js")).default(),
  "tfjs-cpu": async () => (await import("../compare/peers/tfjs-cpu.js")).default(),
  "tfjs-wasm": async () => (await import("../compare/peers/tfjs-wasm.js")).default("/"),
  "tfjs-webgl": async () => (await import("../compare/peers/tfjs-webgl.js")).default(),
  jax: async () => (await import("../compare/peers/jax.js")).default(JAX_VERSION),
};

let answer: ((command: any) => Promise<object>) | null = null;

Object.assign(globalThis, {
  async start(name: string): Promise<string> {
    const peer = await PEERS[name]();
    answer = responder(peer);
    return peer.description;
  },
  answer: (command: any) => answer!(command),
});
