/** Threads in a browser: where the page is isolated they give the same bits, elsewhere the reason why there are none. */
import { afterAll, describe, expect, test, vi } from "vitest";
import {
  ArgumentError,
  backend,
  F,
  getNumThreads,
  manualSeed,
  nn,
  randn,
  setNumThreads,
  ThreadError,
} from "../../src/index.js";

const isolated = new URLSearchParams(location.search).get("isolated") === "yes";
afterAll(() => setNumThreads(1));

/** Gradients of a network that is large enough for its work to be shared. */
function gradients(): Float32Array[] {
  manualSeed(3);
  const net = new nn.Sequential(new nn.Linear(256, 300), new nn.ReLU(), new nn.Linear(300, 10));
  const loss = F.mseLoss(net(randn(200, 256)), randn(200, 10));
  loss.backward();
  return [...net.parameters()].map((p) => (p.grad as { toTypedArray(): Float32Array }).toTypedArray());
}

test.each([0, Number.NaN, 1.5, 10_000])("setNumThreads(%s) is refused, and nothing changes", async (n) => {
  await expect(setNumThreads(n)).rejects.toThrow(ArgumentError);
  await expect(setNumThreads(n)).rejects.toThrow(`whole number from 1 to 256, found ${n}`);
  expect(getNumThreads()).toBe(1);
});

describe.runIf(isolated)("isolated", () => {
  test("two and three threads give the bits of one", async () => {
    const expected = gradients();
    for (const n of [2, 3, 1]) {
      await setNumThreads(n);
      expect([getNumThreads(), backend().threads]).toEqual([n, n]);
      expect(gradients()).toEqual(expected);
    }
    expect(backend().shared).toBe(true);
  });

  test("auto takes what the machine has, and leaves a core to the page", async () => {
    vi.spyOn(navigator, "hardwareConcurrency", "get").mockReturnValue(4);
    await setNumThreads("auto");
    expect(getNumThreads()).toBe(3);
    vi.restoreAllMocks();
    await setNumThreads("auto");
    expect(getNumThreads()).toBe(Math.max(1, navigator.hardwareConcurrency - 1));
    await setNumThreads(1);
  });
});

describe.runIf(!isolated)("not isolated", () => {
  test("two threads are refused with the headers that are missing, and work goes on", async () => {
    const expected = gradients();
    await expect(setNumThreads(2)).rejects.toThrow(ThreadError);
    await expect(setNumThreads(2)).rejects.toThrow(/Cross-Origin-Opener-Policy: same-origin/);
    expect(getNumThreads()).toBe(1);
    expect(gradients()).toEqual(expected);
  });

  test("auto quietly stays with one", async () => {
    await setNumThreads("auto");
    expect(backend()).toMatchObject({ threads: 1, shared: false });
  });
});
