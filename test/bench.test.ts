/** The bench's own logic: what it refuses, when it calls a result noise, whether it notices wrong results, what it writes. */
import { describe, expect, test } from "vitest";
import { badAugmentation, disagreement, sampled } from "../bench/compare/agree.js";
import { forward, netData, permuted } from "../bench/compare/nets.js";
import { parseOptions } from "../bench/compare/options.js";
import lanegrad from "../bench/compare/peers/lanegrad.js";
import { commandOf, PEERS } from "../bench/compare/peers.js";
import { type Cell, cellOf, merged, type Results } from "../bench/compare/results.js";
import { amount, captionOf, notAhead, tableOf, withSection } from "../bench/compare/table.js";
import { type Job, TASKS, uniform, type Work } from "../bench/compare/work.js";
import { judge, median, quantile, spreadOf } from "../bench/statistics.js";

describe("statistics", () => {
  test("median and quantiles are numpy's", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(quantile([1, 2, 3, 4], 0.25)).toBe(1.75);
    expect(quantile([7], 0.9)).toBe(7);
    expect(median([])).toBeNaN();
  });

  test("of few values the spread is the whole range", () => {
    expect(spreadOf([5, 1, 3])).toEqual({ median: 3, low: 1, high: 5 });
    expect(spreadOf([1, 2, 3, 4, 100])).toEqual({ median: 3, low: 2, high: 4 });
  });

  test("a verdict needs quartiles on one side of 1", () => {
    expect(judge([1.3, 1.31, 1.29, 1.32, 1.28])).toBe("faster");
    expect(judge([0.8, 0.81, 0.79, 0.82, 0.78])).toBe("slower");
    expect(judge([0.99, 1.01, 1, 0.98, 1.02])).toBe("even");
    // One round out of line changes nothing.
    expect(judge([1.3, 1.31, 1.29, 0.2, 1.28])).toBe("faster");
    expect(judge([0.7, 1.4, 1, 0.8, 1.3])).toBe("too noisy");
  });

  test("a hair's breadth is no difference, and no rounds are no verdict", () => {
    expect(judge([1.011, 1.012, 1.01, 1.013, 1.012])).toBe("even");
    expect(judge([])).toBe("too noisy");
    expect(judge([1.5, Number.NaN, 1.5])).toBe("too noisy");
  });
});

describe("the command line", () => {
  test("everything by default, lanegrad always", () => {
    expect(parseOptions([]).rows).toHaveLength(TASKS.length);
    expect(parseOptions(["--peers", "jax"]).peers).toEqual(["lanegrad", "jax"]);
    expect(parseOptions(["--rows", "mlp-step, size"]).rows).toEqual(["mlp-step", "size"]);
  });

  test("unknown names are refused with the list", () => {
    expect(() => parseOptions(["--rows", "matmul64,matmul65"])).toThrow(
      /no row is called "matmul65"; there are: matmul64, matmul128, /,
    );
    expect(() => parseOptions(["--peers", "tfjs"])).toThrow(
      /no peer is called "tfjs"; there are: lanegrad, tfjs-wasm, tfjs-cpu, jax, /,
    );
    expect(() => parseOptions(["--peers", "ort-node"], "browser")).toThrow(
      /no peer is called "ort-node"; there are: lanegrad, /,
    );
    expect(() => parseOptions(["--rows", "startup"], "browser")).toThrow(/no row is called "startup"/);
    expect(() => parseOptions(["--colour"])).toThrow(/--colour/);
    expect(() => parseOptions(["--patience=-1"])).toThrow(/--patience must be .* found "-1"/);
  });

  test("names are told apart", () => {
    for (const list of [TASKS, PEERS]) expect(new Set(list.map(({ name }) => name)).size).toBe(list.length);
  });

  test("a peer that is not installed says how to install it", () => {
    const absent = {
      name: "absent",
      title: "",
      javascript: true,
      places: ["node" as const],
      packages: ["no-such-package-here"],
    };
    expect(() => commandOf(absent, { node: "node" })).toThrow(
      "not installed (no-such-package-here): npm run bench:install",
    );
    const pytorch = PEERS.find(({ name }) => name === "pytorch")!;
    expect(() => commandOf(pytorch, { node: "node", python: "/no/such/python" })).toThrow(
      /not installed: apt-get install/,
    );
  });
});

describe("agreement", () => {
  const task = (name: string) => TASKS.find((t) => t.name === name)!;
  const softmax = task("softmax");

  test("within the row's tolerance, NaN never", () => {
    const ours = Float32Array.of(0.001, 0.002);
    expect(disagreement(softmax, Float32Array.of(0.001, 0.0020001), ours)).toBeNull();
    expect(disagreement(softmax, Float32Array.of(0.001, 0.0021), ours)).toMatch(
      /gives 0\.0020999\d* where lanegrad gives 0\.002/,
    );
    expect(disagreement(softmax, Float32Array.of(0.001, Number.NaN), ours)).toMatch(/gives NaN/);
    expect(disagreement(softmax, Float32Array.of(0.001), ours)).toMatch(/1 values where lanegrad gives 2/);
  });

  test("large results are compared in a sample", () => {
    const values = Float32Array.from({ length: 10_000 }, (_, i) => i);
    expect(sampled(values)).toHaveLength(4096);
    expect([...sampled(values).slice(0, 3)]).toEqual([0, 7919, 15838 - 10_000]);
    expect(sampled(values, true)).toHaveLength(10_000);
  });

  test("augmented images must be crops of the originals", async () => {
    const { work } = task("augmentation");
    const job = (await lanegrad().open(work as Work)) as Job;
    const values = await job.check();
    expect(badAugmentation(values, 64)).toBeNull();
    values[5 * 3072 + 1234] += 0.01;
    expect(badAugmentation(values, 64)).toMatch(/image 5 is no crop/);
    expect(badAugmentation(values.slice(1), 64)).toMatch(/gives 196607 values, expected 196608/);
  });
});

describe("the work", () => {
  test("numbers are mulberry32's", () => {
    // The same figures come out of pytorch_peer.py.
    expect([...uniform(1, 3, 0, 1)]).toEqual([0.6270739436, 0.0027357212, 0.5274470448].map(Math.fround));
    const many = uniform(2, 10_000, -1, 1);
    expect(Math.min(...many)).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...many)).toBeLessThan(1);
    expect(Math.abs(many.reduce((a, b) => a + b) / many.length)).toBeLessThan(0.02);
  });

  test("axes are moved as PyTorch's permute", () => {
    expect([...permuted(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3], [1, 0])]).toEqual([1, 4, 2, 5, 3, 6]);
    const values = Float32Array.from({ length: 24 }, (_, i) => i);
    const there = permuted(values, [2, 3, 4], [2, 0, 1]);
    expect([...permuted(there, [4, 2, 3], [1, 2, 0])]).toEqual([...values]);
  });

  test("every net uses each of its parameters once, in order", () => {
    for (const net of ["mlp", "small", "cnn", "resnet20"] as const) {
      const used: number[] = [];
      const use = (...parameters: (number | null)[]) => {
        used.push(...parameters.filter((p) => p !== null));
        return -1;
      };
      const same = () => -1;
      const ops = {
        ...{ relu: same, maxPool: same, add: same, shrink: same, globalAverage: same, flatten: same, share: same },
        linear: (_x: number, weight: number, bias: number) => use(weight, bias),
        conv: (_x: number, weight: number, bias: number | null) => use(weight, bias),
        norm: (_x: number, weight: number, bias: number) => use(weight, bias),
      };
      const indices = netData(net).parameters.map((_, i) => i);
      forward(net, ops, indices, -1);
      expect(used, net).toEqual(indices);
    }
  });

  test("lanegrad does every kind of work", async () => {
    for (const work of [
      { kind: "matmul", m: 3, k: 4, n: 5 },
      { kind: "linear", batch: 2, inputs: 3, outputs: 4 },
      { kind: "elementwise", op: "tanh", n: 10 },
      { kind: "softmax", rows: 2, columns: 3 },
      { kind: "forward", net: "mlp" },
      { kind: "step", net: "small" },
      { kind: "first" },
    ] satisfies Work[]) {
      const job = (await lanegrad().open(work)) as Job;
      const values = await job.check();
      expect(values.length, work.kind).toBeGreaterThan(0);
      expect(values.every(Number.isFinite), work.kind).toBe(true);
      job.run();
      if (work.kind === "step") expect(values[2]).toBeLessThan(values[0]);
      if (work.kind === "first") expect([...values]).toEqual([5]);
    }
  });
});

describe("results", () => {
  const own = [1, 1.1, 0.9, 1, 1].map((ms) => ms / 1000);
  const cells: Record<string, Cell> = {
    lanegrad: cellOf(own, null),
    "tfjs-wasm": cellOf(
      own.map((s) => 2.5 * s),
      own,
    ),
    jax: cellOf(
      own.map((s) => 0.5 * s),
      own,
    ),
    "ort-web": cellOf([0.0005, 0.002, 0.001, 0.0015, 0.0007], own),
    "tfjs-cpu": { error: "Error: it | cannot `do`\nthat" },
    pytorch: cellOf(
      own.map((s) => 0.25 * s),
      own,
    ),
  };
  const machine = { cpu: "A CPU", cores: 2, system: "Linux", engine: "Node 26.0.0" };
  const results: Results = {
    ...{ date: "2026-01-02T03:04:05Z", commit: "abc1234", machine },
    peers: { lanegrad: "relaxed SIMD, 1 thread", jax: "jax-js 1" },
    rows: [{ name: "a", title: "the row", unit: "s", cells }],
  };

  test("the table shows ratios, losses in bold, and notes", () => {
    expect(tableOf(results).split("\n")).toEqual([
      "|  | lanegrad | TensorFlow.js wasm | TensorFlow.js cpu | jax-js wasm | onnxruntime-web | PyTorch (native) |",
      "|---|---:|---:|---:|---:|---:|---:|",
      "| the row | 1.00 ms | 2.5 × | – [1] | **0.50 ×** | ~1.1 × [2] | **0.25 ×** |",
      "",
      "[1] `Error: it | cannot 'do' that`  ",
      "[2] `the rounds were too noisy to call`  ",
    ]);
  });

  test("the caption names machine, commit and versions", () => {
    expect(captionOf(results)).toBe(
      "A CPU, one core, Node 26.0.0, 2026-01-02. lanegrad abc1234 (relaxed SIMD, 1 thread); jax-js 1.",
    );
  });

  test("amounts are short", () => {
    expect([5e-6, 0.012345, 1.5].map((s) => amount(s, "s"))).toEqual(["5.00 µs", "12.3 ms", "1.50 s"]);
    expect([123_456, 3_700_000].map((b) => amount(b, "bytes"))).toEqual(["123 KB", "3.70 MB"]);
  });

  test("rows where a JavaScript peer is not behind are listed", () => {
    expect(notAhead(results)).toEqual([
      "the row: jax-js wasm takes 0.50 × our time (slower)",
      "the row: onnxruntime-web takes 1.1 × our time (too noisy)",
    ]);
  });

  test("a section is written between its markers, and only there", () => {
    const file = "a\n<!-- bench:compare writes from here -->\nold\n<!-- to here -->\nb\n";
    const written = withSection(file, "new");
    expect(written).toBe("a\n<!-- bench:compare writes from here -->\nnew\n<!-- to here -->\nb\n");
    expect(withSection(written, "new")).toBe(written);
    expect(() => withSection("nothing here", "new")).toThrow(/needs the lines/);
  });

  test("a later part joins an earlier one", () => {
    const part = (rows: Results["rows"], peers: Record<string, string>): Results => ({ ...results, rows, peers });
    const [one, two] = [{ error: "one" }, { error: "two" }];
    const row = (name: string, of: Record<string, Cell>) => ({ name, title: name, unit: "s" as const, cells: of });
    const before = part([row("a", { lanegrad: one, jax: one }), row("b", { jax: one })], { jax: "1" });
    const after = part([row("c", { jax: two }), row("a", { lanegrad: two })], { pytorch: "2" });
    const both = merged(before, after);
    expect(both.rows.map(({ name }) => name)).toEqual(["a", "b", "c"]);
    expect(both.rows[0].cells).toEqual({ lanegrad: two, jax: one });
    expect(both.peers).toEqual({ jax: "1", pytorch: "2" });
  });
});
