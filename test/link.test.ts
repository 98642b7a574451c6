/** The embedded pieces, linked: to the byte what the compiler made. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { decode } from "../src/wasm/embedded.js";
import { core } from "../src/wasm/families/core.generated.js";
import { link } from "../src/wasm/link.js";

const file = (name: string): Uint8Array => readFileSync(new URL(`../build/${name}`, import.meta.url));
const FAMILIES = [
  "activation",
  "batch-norm",
  "bench",
  "conv",
  "doctor",
  "images",
  "interpolate",
  "loss",
  "norm",
  "optim",
  "pool",
];
const pieces = (...names: string[]) => ["core", ...names].map((name) => file(`${name}.piece`));

/** The bodies of a module's functions. */
function bodies(bytes: Uint8Array): Uint8Array[] {
  let at = 8;
  const number = () => {
    for (let [value, shift] = [0, 0]; ; shift += 7) {
      value |= (bytes[at] & 127) << shift;
      if (bytes[at++] < 128) return value;
    }
  };
  for (;;) {
    const id = bytes[at++];
    const end = number() + at;
    if (id === 10) {
      return Array.from({ length: number() }, () => {
        const length = number();
        at += length;
        return bytes.subarray(at - length, at);
      });
    }
    at = end;
  }
}

test("the embedded texts are the pieces", async () => {
  const texts = FAMILIES.map((name) => {
    const source = readFileSync(new URL(`../src/wasm/families/${name}.generated.ts`, import.meta.url), "utf8");
    return (/"([\w+/=]{100,})"/.exec(source) as RegExpExecArray)[1];
  });
  decode([core, ...texts]).forEach((piece, i) => {
    expect(Buffer.from(piece).equals(pieces(...FAMILIES)[i]), ["core", ...FAMILIES][i]).toBe(true);
  });
});

describe.each([
  ["simd", false],
  ["relaxed", true],
] as const)("%s", (name, relaxed) => {
  const made = file(`${name}.wasm`);

  test("all families together have the compiler's functions and exports", () => {
    const linked = link(pieces(...FAMILIES), relaxed);
    const [own, theirs] = [bodies(linked), bodies(made)];
    expect(own.length).toBe(theirs.length);
    own.forEach((body, i) => {
      expect(Buffer.from(body).equals(theirs[i]), `function ${i}`).toBe(true);
    });
    if (name === "relaxed" && !WebAssembly.validate(made as BufferSource)) return;
    const exportsOf = (bytes: Uint8Array) =>
      WebAssembly.Module.exports(new WebAssembly.Module(bytes as BufferSource)).filter(
        ({ kind }) => kind === "function",
      );
    const sorted = (bytes: Uint8Array) =>
      exportsOf(bytes)
        .map((e) => e.name)
        .sort();
    expect(sorted(linked)).toEqual(sorted(made));
  });

  test("core alone has no others' kernels, and one family adds its own", () => {
    if (name === "relaxed" && !WebAssembly.validate(made as BufferSource)) return;
    const names = (...families: string[]) =>
      WebAssembly.Module.exports(new WebAssembly.Module(link(pieces(...families), relaxed))).map((e) => e.name);
    expect(names()).toContain("matmul");
    expect(names()).not.toContain("conv2d");
    expect(names("conv")).toEqual([...names(), ...names("conv").slice(names().length)]);
    expect(names("conv")).toContain("conv2d_backward_weight");
  });
});
