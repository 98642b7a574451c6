/** A new user's path: pack the package, install the tarball in an empty folder, run and type-check the README's code. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
let folder: string;

/** The Node that runs the tests, with npm from the PATH. */
const npm = (args: string[], cwd: string) =>
  execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
const node = (args: string[]) => execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8" });

/** The code blocks of a language in a Markdown file. */
function codeBlocks(file: string, language: string): string[] {
  const text = readFileSync(join(root, file), "utf8");
  return Array.from(text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm")), ([, code]) => code);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lanegrad-user-"));
  const [packed] = JSON.parse(npm(["pack", "--json", "--ignore-scripts", "--pack-destination", folder], root));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "user", private: true, type: "module" }));
  npm(["install", "--offline", "--no-audit", "--no-fund", join(folder, packed.filename)], folder);
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the installed package", () => {
  test("brings no other package along", () => {
    const lock = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8"));
    expect(Object.keys(lock.packages).filter((name) => name !== "")).toEqual(["node_modules/lanegrad"]);
  });

  test("runs the README's code", () => {
    const blocks = codeBlocks("README.md", "js");
    const printed = blocks.map((code) => {
      writeFileSync(join(folder, "readme.mjs"), code);
      return node(["readme.mjs"]);
    });
    expect(printed).toHaveLength(4);
    const [learned, diagnosed, ...right] = printed;
    expect(Number(/≈ (-?[\d.]+)/.exec(learned)?.[1])).toBeCloseTo(0.25, 1);
    // What the README shows of the report is what it prints.
    const [shown] = codeBlocks("README.md", "text");
    for (const line of shown.split("\n").filter((text) => !/evidence|0\.2476|…/.test(text)))
      expect(diagnosed).toContain(line);
    for (const output of right) expect(Number(/(\d+) % right/.exec(output)?.[1])).toBeGreaterThan(90);
  });

  test("runs the code of docs/fit.md, and goes on from its checkpoint", () => {
    const run = (code: string) => {
      writeFileSync(join(folder, "fit.mjs"), code);
      return node(["fit.mjs"]);
    };
    const [bare, fitted, saved] = codeBlocks("docs/fit.md", "js");
    expect(run(bare)).toBe("");
    const first = run(fitted);
    expect(Number(/^epoch \d+ of \d+: (0\.\d+|1)\n$/.exec(first)?.[1])).toBeGreaterThan(0.9);
    expect(run(fitted)).toBe(first);
    expect(run(saved)).toBe("3\n");
  });

  test("has types that TypeScript 5.5 reads: arrays of bytes have a parameter from 5.7 on", () => {
    const types = join(folder, "node_modules/lanegrad/dist");
    const files = readdirSync(types, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".d.ts"));
    expect(files.length).toBeGreaterThan(100);
    const newer = /\b(Uint8|Uint8Clamped|Int32|Float32|Float64)Array<|\bWebAssembly\.(Module|Memory)\b(?! :)/;
    for (const file of files) {
      const code = readFileSync(join(types, file), "utf8").replace(/\/\*.*?\*\//gs, "");
      expect(newer.exec(code)?.[0], file).toBeUndefined();
    }
  });

  test("has types that a strict TypeScript project accepts", () => {
    const code = `
      import { type Finding, watch } from "lanegrad/doctor";
      import { SGD } from "lanegrad/optim";
      import * as layers from "lanegrad/nn";
      import { autograd, data, F, type MemoryInfo, memory, nn, optim, type Tensor, tensor } from "lanegrad";
      class Net extends nn.Module {
        fc1 = new nn.Linear(2, 3, { bias: false });
        forward(x: Tensor): Tensor { return F.relu(this.fc1(x)); }
      }
      class Double extends autograd.Function {
        static override forward(ctx: autograd.Context, x: Tensor) { ctx.saveForBackward(x); return x.mul(2); }
        static override backward(_ctx: autograd.Context, g: Tensor) { return g.mul(2); }
      }
      const net = new Net();
      const y: Tensor = Double.apply(net(tensor([[1, 2]])));
      const loss: Tensor = new nn.MSELoss()(y, y.detach());
      const optimizer: SGD = new optim.SGD(net.parameters(), { lr: 0.1 });
      const linear: nn.Linear = new layers.Linear(2, 3);
      optimizer.paramGroups[0].lr = 0.01;
      const findings: Finding[] = watch(net, optimizer, { rules: { "dead-relu": { layer: 0.8 } } }).findings();
      const { values, indices } = y.max(1);
      const [top] = y.topk(1);
      const loader = new data.DataLoader(new data.TensorDataset(y, indices), { batchSize: 2 });
      for (const [inputs, labels] of loader) { const sum: Tensor = inputs.add(labels); void sum; }
      const info: MemoryInfo = memory();
      const shape: readonly number[] = y.T.shape;
      const tied = new nn.Linear(2, 3);
      tied.weight = net.fc1.weight;
      void [findings, linear, loss, values, top, info, shape];
      // @ts-expect-error a shape is made of numbers
      y.reshape("2");
      // @ts-expect-error no such option
      new optim.SGD(net.parameters(), { learningRate: 1 });
    `;
    writeFileSync(join(folder, "strict.ts"), code);
    const options = {
      strict: true,
      noEmit: true,
      target: "es2022",
      module: "nodenext",
      lib: ["es2023", "esnext.disposable", "dom"],
      types: [],
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files: ["strict.ts"] }));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    let problems = "";
    try {
      node([tsc, "-p", "."]);
    } catch (error) {
      problems = (error as { stdout: string }).stdout;
    }
    expect(problems).toBe("");
  }, 60_000);

  test("has the doctor as an entry of its own, over the same engine", () => {
    const code = `
      import { F, nn, optim, randn, manualSeed } from "lanegrad";
      import { watch } from "lanegrad/doctor";
      manualSeed(0);
      const net = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2));
      const optimizer = new optim.SGD(net.parameters(), { lr: 0.1 });
      const doctor = watch(net, optimizer);
      for (let i = 0; i < 30; i++) {
        const loss = F.mseLoss(net(randn(16, 4)), randn(16, 2));
        loss.backward();
        optimizer.step();
        doctor.step(loss);
      }
      doctor.stop();
      console.log(doctor.findings().map((f) => f.rule).includes("missing-zero-grad"));
    `;
    writeFileSync(join(folder, "doctor.mjs"), code);
    expect(node(["doctor.mjs"]).trim()).toBe("true");
  });

  test("has the members of its namespaces as entries of their own, the same objects", () => {
    const code = `
      import * as lanegrad from "lanegrad";
      import * as data from "lanegrad/data";
      import * as nn from "lanegrad/nn";
      import * as F from "lanegrad/nn/functional";
      import * as optim from "lanegrad/optim";
      import * as transforms from "lanegrad/transforms";
      for (const [name, entry] of Object.entries({ data, nn, F, optim, transforms })) {
        const names = Object.keys(lanegrad[name]);
        console.log(name, names.length > 5 && names.join() === Object.keys(entry).join()
          && names.every((member) => entry[member] === lanegrad[name][member]));
      }
    `;
    writeFileSync(join(folder, "entries.mjs"), code);
    expect(node(["entries.mjs"]).trim().split("\n")).toEqual(
      ["data", "nn", "F", "optim", "transforms"].map((name) => `${name} true`),
    );
  });

  test("does nothing at import", () => {
    const code =
      'const before = WebAssembly.Module; let compiled = 0; WebAssembly.Module = class extends before { constructor(b) { super(b); compiled++; } }; const m = await import("lanegrad"); const none = compiled; m.zeros(1); console.log(none, compiled);';
    expect(node(["--input-type=module", "-e", code]).trim()).toBe("0 1");
  });
});
