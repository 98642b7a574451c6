/** What the garbage collector gives back: programs of their own, in Node with --expose-gc (docs/memory.md). */
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";

describe("finalizers", () => {
  test("give data back that nobody holds, once the program yields", () => {
    const program = `
      import { tensor, memory } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
      const start = memory().liveBytes;
      for (let i = 0; i < 20; i++) tensor(new Float32Array(250000));
      const held = tensor([1, 2, 3]);
      const w = tensor([1], { requiresGrad: true });
      for (let i = 0; i < 5; i++) tensor(new Float32Array(250000)).mul(w); // a tape that is never run
      const during = memory().liveBytes;
      for (let i = 0; i < 10 && memory().liveBytes > during / 2; i++) {
        gc();
        await new Promise((done) => setTimeout(done, 10));
      }
      console.log(JSON.stringify({ during: during - start, after: memory().liveBytes - start, held: held.toArray() }));
    `;
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ["--expose-gc", "--import", "tsx", "--input-type=module", "-e", program],
      { encoding: "utf8" },
    );
    expect(stderr).toBe("");
    const { during, after, held } = JSON.parse(stdout);
    expect(during).toBeGreaterThan(25e6);
    // What remains are results, which only pressure takes, and perhaps one last tensor in a register.
    expect(after).toBeLessThan(7e6);
    expect(held).toEqual([1, 2, 3]);
  });

  test("are not needed: a synchronous loop's spilled batches are collected", () => {
    const program = `
      import { tensor, nn, memory } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
      const net = new nn.Linear(1000, 2);
      for (let i = 0; i < 400; i++) net(tensor(new Float32Array(250000), { shape: [250, 1000] })).mean().backward();
      gc();
      gc(); // V8 frees the buffers of dead arrays on another thread, which the next collection waits for
      console.log(JSON.stringify({ outside: process.memoryUsage().arrayBuffers, heap: memory().heapBytes }));
    `;
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ["--expose-gc", "--import", "tsx", "--input-type=module", "-e", program],
      { encoding: "utf8" },
    );
    expect(stderr).toBe("");
    const { outside, heap } = JSON.parse(stdout);
    expect(heap).toBeLessThan(20e6);
    expect(outside - heap).toBeLessThan(20e6);
  });
});
