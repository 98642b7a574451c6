/** What lanegrad finds in a current browser, in the setting that the page's address names (scripts/test-browser.mjs). */
import { describe, expect, test } from "vitest";
import { backend, F, manualSeed, nn, optim, randn } from "../../src/index.js";

const setting = new URLSearchParams(location.search);
const inWorker = setting.get("in") === "worker";
const isolated = setting.get("isolated") === "yes";

describe(`in ${inWorker ? "a worker" : "the page"}, ${isolated ? "isolated" : "not isolated"}`, () => {
  test("the setting is the one that was asked for", () => {
    expect(typeof document === "undefined").toBe(inWorker);
    expect(crossOriginIsolated).toBe(isolated);
    expect(typeof SharedArrayBuffer === "function").toBe(isolated);
    expect(typeof (globalThis as { process?: unknown }).process).toBe("undefined");
  });

  test("the build that is said to run does", () => {
    // Chromium has relaxed SIMD; of Firefox the server says nothing, as its version decides.
    const wanted = setting.get("build");
    if (wanted !== null) expect(backend().simd).toBe(wanted);
    else expect(["simd128", "relaxed"]).toContain(backend().simd);
  });

  test("a small network learns", () => {
    manualSeed(0);
    const net = new nn.Sequential(new nn.Linear(2, 32), new nn.ReLU(), new nn.Linear(32, 1));
    const optimizer = new optim.SGD(net.parameters(), { lr: 0.05, momentum: 0.9 });
    // On one thread: nobody has asked for more.
    expect(backend()).toMatchObject({ threads: 1, shared: false });
    const losses: number[] = [];
    for (let step = 0; step < 300; step++) {
      const x = randn(64, 2);
      optimizer.zeroGrad();
      const loss = F.mseLoss(net(x), x.at(":", 0).mul(x.at(":", 1)).unsqueeze(1));
      loss.backward();
      nn.utils.clipGradNorm_(net.parameters(), 1);
      optimizer.step();
      losses.push(loss.item());
    }
    expect(losses.at(-1)).toBeLessThan(losses[0] / 10);
  });
});
