/** Loading the kernels: platforms that refuse to compile them, and modules that are handed in. The tests share one load. */
import { expect, test, vi } from "vitest";
import { backend, LanegradError, setModule, tensor } from "../src/index.js";
import { version } from "../src/wasm/kernels.generated.js";

/** The smallest module, with a custom section "lanegrad" of these texts. */
function labelled(...texts: string[]): WebAssembly.Module {
  const bytes = ["lanegrad", ...texts].flatMap((text) => [text.length, ...new TextEncoder().encode(text)]);
  const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  return new WebAssembly.Module(Uint8Array.of(...header, 0, bytes.length, ...bytes));
}

test("what is no module of this package is refused", () => {
  expect(() => setModule(new Uint8Array(8) as unknown as WebAssembly.Module)).toThrow(TypeError);
  expect(() => setModule(new Uint8Array(8) as unknown as WebAssembly.Module)).toThrow(
    /^setModule: expected a WebAssembly.Module, found Uint8Array; compile lanegrad\/simd.wasm/,
  );
  const other = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  expect(() => setModule(other)).toThrow(LanegradError);
  expect(() => setModule(other)).toThrow(`expected the kernels of this lanegrad (${version}), found another module`);
  expect(() => setModule(labelled("simd", "0123456789ab"))).toThrow(/those of another version \(0123456789ab\)/);
});

test("where bytes may not be compiled, the error names the ways out", () => {
  const refusal = new EvalError("compiling is refused");
  const spy = vi.spyOn(WebAssembly, "Module").mockImplementation(function refuse() {
    throw refusal;
  } as never);
  let found: unknown;
  try {
    tensor([1]);
  } catch (error) {
    found = error;
  } finally {
    spy.mockRestore();
  }
  expect(found).toBeInstanceOf(LanegradError);
  const { message, cause } = found as Error;
  expect(cause).toBe(refusal);
  expect(message).toMatch(/\d+ KB\): compiling is refused\./);
  for (const way of ["'wasm-unsafe-eval'", "in a worker", "setModule(module)"]) expect(message).toContain(way);
});

test("a refusal is not remembered: the kernels load when they may", () => {
  expect(tensor([1, 2]).add(1).toArray()).toEqual([2, 3]);
  expect(["simd128", "relaxed"]).toContain(backend().simd);
  expect(() => setModule(labelled("simd", version))).toThrow(/^setModule: the kernels are loaded already/);
});
