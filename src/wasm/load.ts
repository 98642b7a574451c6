/**
 * Chooses the wasm build, makes it of the families of kernels that the program has, instantiates it, and gives it out as `k`.
 *
 * Nothing happens at import: the first allocation loads the kernels, so that importing lanegrad costs nothing where
 * it is not used and bundlers may drop it.
 */
import { instantiateSync } from "@assemblyscript/loader";
import { LanegradError } from "../errors.js";
import { moduleBytes } from "./embedded.js";
import { type CoreKernels, core } from "./families/core.generated.js";
import { type Kernels, version } from "./kernels.generated.js";

/** `WebAssembly.Module`, where TypeScript knows it: without the DOM's types it does not. */
export type CompiledModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer Module } } }
  ? Module
  : object;

/** Which build runs: fixed-width SIMD, or the same kernels with fused multiply-add. */
export type Build = "simd128" | "relaxed";

/** 64 KiB pages; asconfig.json declares the same limits, and the memory handed in must lie within them. */
const INITIAL_PAGES = 16;
const MAXIMUM_PAGES = 65536;
const PAGE = 65536;

/**
 * The wasm exports, or wrappers that share their work among threads (sharing.ts), as far as they are in the family that is always
 * there; the other families have a `k` of their own (families/). Set by `load()`, which every allocation has called before a kernel
 * can need it.
 */
export let k: CoreKernels;
/** @internal */
export let memory: WebAssembly.Memory;

/** The families the program has: what they embed, and what gives their modules the kernels. */
const texts: string[] = [core];
const users: ((kernels: Kernels) => void)[] = [
  (kernels) => {
    k = kernels;
  },
];

let raw: Kernels;
let build: Build | undefined;
let shared = false;
/** The module that runs; its bytes, unless it was handed in. */
let running: WebAssembly.Module;
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

/** LANEGRAD_BUILD, where there is an environment that may be read. */
function wantedBuild(): string | undefined {
  try {
    return typeof process === "undefined" ? undefined : process.env?.LANEGRAD_BUILD;
  } catch {
    return undefined; // Deno refuses it to programs without --allow-env.
  }
}

function chooseBuild(): Build {
  const wanted = wantedBuild();
  const relaxed = WebAssembly.validate(relaxedProbe());
  if (wanted === "simd" || wanted === "simd128") return "simd128";
  if (wanted === "relaxed" && !relaxed) throw new Error("LANEGRAD_BUILD=relaxed, but this engine has no relaxed SIMD");
  if (wanted !== undefined && wanted !== "" && wanted !== "relaxed") {
    throw new Error(`LANEGRAD_BUILD=${wanted}: expected "simd" or "relaxed"`);
  }
  return relaxed ? "relaxed" : "simd128";
}

/** The build and the kernels' version that the package's own .wasm files name in a custom section (scripts/build.mjs). */
function labelOf(module: WebAssembly.Module): { build: Build; version: string } | undefined {
  const [section] = WebAssembly.Module.customSections(module, "lanegrad");
  if (section === undefined) return undefined;
  const bytes = new Uint8Array(section);
  const text = (from: number) => String.fromCharCode(...bytes.subarray(from + 1, from + 1 + bytes[from]));
  return { build: text(0) === "relaxed" ? "relaxed" : "simd128", version: text(1 + bytes[0]) };
}

/**
 * Hands in the kernels as a compiled module, for platforms that forbid compiling bytes at run time: `lanegrad/simd.wasm`, which
 * runs everywhere, or `lanegrad/relaxed.wasm`, which is faster where relaxed SIMD is. Call it before making a tensor.
 *
 *     import kernels from "lanegrad/relaxed.wasm"; // a WebAssembly.Module, in Cloudflare Workers for one
 *     setModule(kernels);
 *
 * @throws TypeError when module is no WebAssembly.Module
 * @throws LanegradError when the kernels are loaded already, or the module is not this version's
 */
export function setModule(module: CompiledModule): void {
  if (!(module instanceof WebAssembly.Module)) {
    const found = Object.prototype.toString.call(module).slice(8, -1);
    throw new TypeError(
      `setModule: expected a WebAssembly.Module, found ${found}; compile lanegrad/simd.wasm, or import it where that gives a module`,
    );
  }
  if (build !== undefined) {
    throw new LanegradError("setModule: the kernels are loaded already; call it before making a tensor");
  }
  const label = labelOf(module);
  if (label?.version !== version) {
    throw new LanegradError(
      `setModule: expected the kernels of this lanegrad (${version}), found ` +
        `${label ? `those of another version (${label.version})` : "another module"}; take lanegrad/simd.wasm or ` +
        "lanegrad/relaxed.wasm of the same package",
    );
  }
  handedIn = { module, build: label.build };
}

/** A compiled module of the families there are. @throws LanegradError naming the ways out, where that is refused. */
function compile(chosen: Build): WebAssembly.Module {
  const bytes = moduleBytes(texts, chosen === "relaxed");
  if (shared) markShared(bytes);
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    throw new LanegradError(
      `lanegrad: this platform refuses to compile the WebAssembly kernels (${Math.ceil(bytes.length / 1024)} KB): ` +
        `${(error as Error).message}. A page's content security policy must have 'wasm-unsafe-eval' in its script-src; a ` +
        "browser that compiles no module of this size on the main thread (Chromium before 115) does it in a worker; and where " +
        "bytes may not be compiled at all, hand in lanegrad/simd.wasm compiled: setModule(module)",
      { cause: error },
    );
  }
}

/** Loads the kernels unless they are loaded. */
export function load(): void {
  if (build !== undefined) return;
  const chosen = handedIn?.build ?? chooseBuild();
  running = handedIn?.module ?? compile(chosen);
  memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAXIMUM_PAGES });
  // The loader mutates its imports, so they are made afresh; its wrappers cost a call, so the raw exports are used.
  const { instance } = instantiateSync(running, { env: { memory } });
  raw = instance.exports as unknown as Kernels;
  build = chosen;
  useKernels(raw);
}

/** The wasm exports themselves. */
export const rawKernels = (): Kernels => raw;

/** Sets what every family's `k` is. */
export function useKernels(kernels: Kernels): void {
  for (const use of users) use(kernels);
}

/** Told when `k` and the raw exports are others than before. */
let whenLinked: (() => void) | undefined;
export const onLinked = (listener: () => void): void => {
  whenLinked = listener;
};

/**
 * Adds a family of kernels; the generated modules in families/ do it when they are evaluated. After the kernels were loaded (a
 * module was imported later on) all are linked anew over the same memory: they have no state.
 *
 * @param text what is embedded of it (embedded.ts)
 * @param use is given the kernels, now or when they are loaded
 */
export function family(text: string, use: (kernels: Kernels) => void): void {
  texts.push(text);
  users.push(use);
  if (build === undefined) return;
  if (handedIn === undefined) instantiate(compile(build), memory);
  useKernels(raw);
  whenLinked?.();
}

function instantiate(module: WebAssembly.Module, over: WebAssembly.Memory): void {
  const instance = new WebAssembly.Instance(module, { env: { memory: over } });
  raw = instance.exports as unknown as Kernels;
  running = module;
}

/**
 * @internal
 * Moves everything into a memory that threads share, the first time; gives what a thread needs. The kernels use no atomics, so
 * the same code serves: the one difference is a bit in the memory import's limits.
 *
 * @param moved renews every view of the memory
 * @throws RangeError when the engine has no such memory; Error for a module that was handed in, whose bytes are not ours
 */
export function shareMemory(moved: () => void): { module: WebAssembly.Module; memory: WebAssembly.Memory } {
  if (shared) return { module: running, memory };
  if (handedIn !== undefined) {
    throw new Error(
      "a module that was handed in by setModule() imports a memory of its own, which threads cannot share",
    );
  }
  const next = sharedMemory(memory.buffer.byteLength / PAGE);
  shared = true;
  try {
    instantiate(compile(build as Build), next);
  } catch (error) {
    shared = false;
    throw error;
  }
  new Uint8Array(next.buffer).set(new Uint8Array(memory.buffer));
  memory = next;
  useKernels(raw);
  moved();
  return { module: running, memory };
}

/** As large as the engine allows: unlike a plain memory's, a shared one's whole range of addresses is set aside at once. */
function sharedMemory(initial: number): WebAssembly.Memory {
  for (let maximum = MAXIMUM_PAGES; ; maximum >>= 1) {
    try {
      return new WebAssembly.Memory({ initial, maximum, shared: true });
    } catch (error) {
      if (maximum >> 1 < Math.max(initial, 4096)) throw error;
    }
  }
}

/** Sets the shared flag (bit 1) of the memory import's limits; maximum is there (bit 0), as a shared memory needs. */
function markShared(bytes: Uint8Array): void {
  // The import section is the only place where "env" "memory" stands, followed by its kind (2: memory) and the flags.
  const pattern = [3, ...ascii("env"), 6, ...ascii("memory"), 2, 1];
  const end = bytes.length - pattern.length;
  for (let at = 8; at < end; at++) {
    if (pattern.every((byte, i) => bytes[at + i] === byte)) {
      bytes[at + pattern.length - 1] = 3;
      return;
    }
  }
  throw new Error("the kernels' module does not import its memory as expected");
}

const ascii = (text: string): number[] => Array.from(text, (c) => c.charCodeAt(0));

/** The build that runs, and whether its memory is shared. */
export function loaded(): { simd: Build; shared: boolean } {
  load();
  return { simd: build as Build, shared };
}
