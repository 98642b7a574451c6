/**
 * Chooses the wasm build, instantiates it, and gives it out as `k`.
 *
 * Nothing happens at import: the first allocation loads the kernels, so that importing lanegrad costs nothing where
 * it is not used and bundlers may drop it.
 */
import { instantiateSync } from "@assemblyscript/loader";
import { inflateSync } from "fflate";
import { blob } from "./binaries.generated.js";
import type { Kernels } from "./kernels.generated.js";
import { unpack } from "./unpack.js";

/** Which build runs: fixed-width SIMD, or the same kernels with fused multiply-add. */
export type Build = "simd128" | "relaxed";

/** 64 KiB pages; asconfig.json declares the same limits, and the memory handed in must lie within them. */
const INITIAL_PAGES = 16;
const MAXIMUM_PAGES = 65536;

/** The raw wasm exports. Set by `load()`, which every allocation has called before a kernel can need it. */
export let k: Kernels;
export let memory: WebAssembly.Memory;

let build: Build | undefined;
const shared = false;
let handedIn: { module: WebAssembly.Module; build: Build } | undefined;

/** A module of one function that does `f32x4.relaxed_madd`: valid only where relaxed SIMD is. */
function relaxedProbe(): Uint8Array<ArrayBuffer> {
  // i32.const 0; i32x4.splat (three times); f32x4.relaxed_madd; end
  const splat = [0x41, 0x00, 0xfd, 0x11];
  const body = [0x00, ...splat, ...splat, ...splat, 0xfd, 0x85, 0x02, 0x0b];
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...[0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b], // type: () → v128
    ...[0x03, 0x02, 0x01, 0x00], // one function of that type
    ...[0x0a, body.length + 2, 0x01, body.length, ...body],
  ]);
}

function chooseBuild(): Build {
  const wanted = typeof process === "undefined" ? undefined : process.env?.LANEGRAD_BUILD;
  const relaxed = WebAssembly.validate(relaxedProbe());
  if (wanted === "simd" || wanted === "simd128") return "simd128";
  if (wanted === "relaxed" && !relaxed) throw new Error("LANEGRAD_BUILD=relaxed, but this engine has no relaxed SIMD");
  if (wanted !== undefined && wanted !== "" && wanted !== "relaxed") {
    throw new Error(`LANEGRAD_BUILD=${wanted}: expected "simd" or "relaxed"`);
  }
  return relaxed ? "relaxed" : "simd128";
}

/** The embedded bytes of a build. Node's own decoders are used where they are, as ours run cold at this moment. */
function moduleBytes(relaxed: boolean): Uint8Array<ArrayBuffer> {
  const { Buffer } = globalThis;
  const zlib = typeof process === "undefined" ? undefined : process.getBuiltinModule?.("node:zlib");
  const deflated =
    Buffer === undefined ? Uint8Array.from(atob(blob), (c) => c.charCodeAt(0)) : Buffer.from(blob, "base64");
  return unpack(zlib === undefined ? inflateSync(deflated) : zlib.inflateRawSync(deflated), relaxed);
}

/**
 * Use an already compiled module instead of the embedded bytes: for platforms that forbid compiling at run time.
 * Must be called before the first tensor is made.
 *
 * @throws Error when the kernels are already running.
 */
export function setModule(module: WebAssembly.Module, options: { build?: Build } = {}): void {
  if (build !== undefined) throw new Error("setModule: the kernels are loaded already; call it before making a tensor");
  handedIn = { module, build: options.build ?? "simd128" };
}

/** Loads the kernels unless they are loaded. */
export function load(): void {
  if (build !== undefined) return;
  const chosen = handedIn?.build ?? chooseBuild();
  const module = handedIn?.module ?? new WebAssembly.Module(moduleBytes(chosen === "relaxed"));
  memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAXIMUM_PAGES });
  // The loader mutates its imports, so they are made afresh; its wrappers cost a call, so the raw exports are used.
  const { instance } = instantiateSync(module, { env: { memory } });
  k = instance.exports as unknown as Kernels;
  build = chosen;
}

/** What runs: the build, the number of threads, and whether the memory is shared between them. */
export function backend(): { simd: Build; threads: number; shared: boolean } {
  load();
  return { simd: build as Build, threads: 1, shared };
}
