/**
 * The package as its users get it: packs it, installs the tarball in an empty folder, and builds and runs the README's code
 * under the bundlers and runtimes. The last line is "N passed, N failed".
 *
 *   npm run test:bundlers             everything
 *   node test/bundlers/run.mjs Vite   what has a word in its name
 *
 * Installs its own tools (package.json beside this file) at the first run. NODE_CURRENT names a current Node to try as well.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const words = process.argv.slice(2);
const tool = (name) => join(here, "node_modules/.bin", name);
const run = (command, args, cwd, env = {}) =>
  execFileSync(command, args, {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });

function installTools() {
  const lock = join(here, "package-lock.json");
  const installed = join(here, "node_modules/.package-lock.json");
  if (existsSync(installed) && statSync(installed).mtimeMs > statSync(lock).mtimeMs) return;
  run("npm", ["ci", "--no-audit", "--no-fund"], here);
  // Bun's package puts its binary in place in an install script, which npm may have been told not to run.
  run(process.execPath, ["install.js"], join(here, "node_modules/bun"));
}
installTools();
const { bundlers } = await import("./bundlers.mjs");
const { openBrowser } = await import("./pages.mjs");
const { answerOf } = await import("./workerd.mjs");

const user = mkdtempSync(join(tmpdir(), "lanegrad-user-"));
const [packed] = JSON.parse(run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", user], root));
const tarball = join(user, packed.filename);
writeFileSync(join(user, "package.json"), JSON.stringify({ name: "user", private: true, type: "module" }));
run("npm", ["install", "--offline", "--no-audit", "--no-fund", tarball], user);

/** The README's blocks of JavaScript: the first runs anywhere, the third saves and reads files. */
const readme = readFileSync(join(root, "README.md"), "utf8");
const [learn, , batches] = Array.from(readme.matchAll(/^```js\n([\s\S]*?)^```/gm), ([, code]) => code);
const LEARNED = /≈ (-?[\d.]+)/;
/** @throws Error unless the output is what the README's code prints: an answer near 0.25 (learn), nearly all right (batches). */
function expectLearned(output) {
  const answer = Number(LEARNED.exec(output)?.[1]);
  if (!(Math.abs(answer - 0.25) < 0.05))
    throw new Error(`expected "0.5 · 0.5 ≈ 0.25" or near, found ${JSON.stringify(output)}`);
}
function expectRight(output) {
  const right = Number(/(\d+) % right/.exec(output)?.[1]);
  if (!(right > 90)) throw new Error(`expected more than 90 % right, found ${JSON.stringify(output)}`);
}
const write = (name, code) => {
  writeFileSync(join(user, name), code);
  return join(user, name);
};
const learnFile = write("learn.mjs", learn);
const batchesFile = write("batches.mjs", batches);
const asCommonJs = (code) => code.replace(/^import (\{[^}]*\}) from ("[^"]*");/gm, "const $1 = require($2);");
const commonJsFile = write("learn.cjs", asCommonJs(learn));

const tests = [];
const test = (name, fn) =>
  words.every((word) => name.toLowerCase().includes(word.toLowerCase())) && tests.push([name, fn]);

/** What the issue calls a small page: Linear, ReLU, SGD and MSE. */
const SMALL = `import { manualSeed, nn, optim, tensor } from "lanegrad";
manualSeed(0);
const net = new nn.Sequential(new nn.Linear(2, 8), new nn.ReLU(), new nn.Linear(8, 1));
const criterion = new nn.MSELoss();
const optimizer = new optim.SGD(net.parameters(), { lr: 0.1 });
const [x, y] = [tensor([[0, 1], [2, 3]]), tensor([[1], [5]])];
for (let i = 0; i < 100; i++) {
  optimizer.zeroGrad();
  const loss = criterion(net(x), y);
  loss.backward();
  optimizer.step();
  if (i === 99) console.log("loss " + loss.item());
}
`;
/** The same, with the entry points that every bundler can leave things out of. */
const BY_ENTRIES = SMALL.replace(
  /^import .*$/m,
  `import { manualSeed, tensor } from "lanegrad";
import * as nn from "lanegrad/nn";
import * as optim from "lanegrad/optim";`,
);
const ALL =
  'export * from "lanegrad";\nimport * as everything from "lanegrad";\nconsole.log(Object.keys(everything).length);\n';
const smallFile = write("small.mjs", SMALL);
const entriesFile = write("entries.mjs", BY_ENTRIES);
const allFile = write("all.mjs", ALL);
const sizes = [];

const browser = await openBrowser();
const page = '<!doctype html><meta charset="utf-8"><script type="module" src="./page.js"></script>';
for (const [name, bundle] of Object.entries(bundlers)) {
  const folderFor = (what) => {
    const folder = join(user, `${name}-${what}`);
    mkdirSync(folder, { recursive: true });
    return folder;
  };
  test(`${name}: the README's code, built, in Chromium`, async () => {
    const folder = folderFor("learn");
    await bundle(learnFile, folder);
    expectLearned((await browser.printed(folder, page, LEARNED)).join("\n"));
  });
  test(`${name}: a small page works, and is smaller than everything`, async () => {
    const bytes = {};
    for (const [what, entry] of Object.entries({ small: smallFile, entries: entriesFile, all: allFile })) {
      const folder = folderFor(what);
      await bundle(entry, folder);
      bytes[what] = gzipSync(readFileSync(join(folder, "page.js")), { level: 9 }).length;
    }
    sizes.push([name, bytes]);
    for (const what of ["small", "entries"]) {
      const [line] = await browser.printed(folderFor(what), page, /loss/);
      if (!(Number(line.slice(5)) < 0.1)) throw new Error(`${what}: expected a loss below 0.1, found ${line}`);
    }
    if (!(bytes.small < 0.9 * bytes.all && bytes.entries < 0.5 * bytes.all)) {
      throw new Error(`found ${JSON.stringify(bytes)}`);
    }
  });
}

/** The guide's training in a worker (docs/worker.md): the worker's module, the page's and Node's. */
const guide = readFileSync(join(root, "docs/worker.md"), "utf8");
const [training, onPage, inNode] = Array.from(guide.matchAll(/^```ts\n([\s\S]*?)^```/gm), ([, code]) => code);
/** TypeScript as it is written, or the JavaScript that it becomes. */
async function writeGuide(name, main, language) {
  const folder = join(user, name);
  mkdirSync(folder, { recursive: true });
  const { transform } = await import("esbuild");
  for (const [file, code] of Object.entries({ training, main })) {
    const script = language === "ts" ? code : (await transform(code, { loader: "ts" })).code.replace(".ts", ".js");
    writeFileSync(join(folder, `${file}.${language}`), script);
  }
  return join(folder, `main.${language}`);
}
const TRAINED = /^learned 0\.weight, 0\.bias, 2\.weight, 2\.bias$/m;
/** @throws Error unless twenty epochs are told, and the loss falls */
function expectTrained(output) {
  const losses = Array.from(output.matchAll(/^epoch \d+: loss ([\d.]+)$/gm), ([, loss]) => Number(loss));
  if (!(losses.length === 20 && losses[19] < losses[0] / 3 && TRAINED.test(output)))
    throw new Error(`expected 20 epochs of a falling loss, and weights; found ${JSON.stringify(output)}`);
}
for (const [name, language] of [
  ["Vite", "ts"],
  ["webpack", "js"],
]) {
  test(`${name}: docs/worker.md, built, in Chromium`, async () => {
    const folder = join(user, `${name}-worker`);
    await bundlers[name](await writeGuide(`${name}-worker-source`, onPage, language), folder);
    expectTrained((await browser.printed(folder, page, TRAINED)).join("\n"));
  });
}
test("Node: docs/worker.md", async () => {
  expectTrained(run(process.execPath, [await writeGuide("node-worker", inNode, "js")], user));
});

test("an import map and <script type=module>, nothing built", async () => {
  const imports = { lanegrad: "/node_modules/lanegrad/dist/index.js" };
  const html = `<!doctype html><meta charset="utf-8"><script type="importmap">${JSON.stringify({ imports })}</script>
    <script type="module" src="./learn.mjs"></script>`;
  write("learn.js", learn);
  expectLearned((await browser.printed(user, html.replace("learn.mjs", "learn.js"), LEARNED)).join("\n"));
});

const nodes = [process.execPath, process.env.NODE_CURRENT].filter(Boolean);
for (const node of nodes) {
  const version = run(node, ["--version"], user).trim();
  test(`Node ${version}: ES module`, () => {
    expectLearned(run(node, [learnFile], user));
    expectRight(run(node, [batchesFile], user));
  });
  test(`Node ${version}: require(esm)`, () => expectLearned(run(node, [commonJsFile], user)));
  test(`Node ${version}: bundled into one file by esbuild, with Node's conditions`, async () => {
    const { build } = await import("esbuild");
    const outfile = join(user, "bundled.mjs");
    await build({
      entryPoints: [batchesFile],
      outfile,
      bundle: true,
      format: "esm",
      platform: "node",
      logLevel: "error",
    });
    expectRight(run(node, [outfile], user));
  });
}
test("Deno", () => {
  const env = { DENO_NO_UPDATE_CHECK: "1", DENO_DIR: join(user, ".deno") };
  const flags = ["run", "--node-modules-dir=manual", "--cached-only", "--allow-env", "--allow-read", "--allow-write=."];
  expectLearned(run(tool("deno"), [...flags, learnFile], user, env));
  expectRight(run(tool("deno"), [...flags, batchesFile], user, env));
});
test("Deno without permissions", () => {
  const env = { DENO_NO_UPDATE_CHECK: "1", DENO_DIR: join(user, ".deno") };
  expectLearned(
    run(tool("deno"), ["run", "--no-prompt", "--node-modules-dir=manual", "--cached-only", learnFile], user, env),
  );
});
test("Bun", () => {
  expectLearned(run(tool("bun"), [learnFile], user));
  expectRight(run(tool("bun"), [batchesFile], user));
});

/** A worker that answers with what the README's code prints; `before` is what it does first. */
const worker = (before) => `
  ${before}
  ${learn.match(/^import .*$/m)[0]}
  export default {
    fetch() {
      let printed = "";
      const console = { log: (line) => { printed += line; } };
      try {
        start();
        ${learn.replace(/^import .*$/m, "")}
      } catch (error) {
        printed = error.name + ": " + error.message;
      }
      return new Response(printed);
    },
  };`;
for (const name of ["simd", "relaxed"]) {
  test(`workerd: ${name}.wasm handed in compiled`, async () => {
    const before = `import { setModule } from "lanegrad"; import module from "lanegrad/${name}.wasm";
      let started = false; const start = () => { if (!started) setModule(module); started = true; };`;
    expectLearned(await answerOf(worker(before), user, tool("workerd")));
  });
}
test("workerd: without it, the error says how", async () => {
  const said = await answerOf(worker("const start = () => {};"), user, tool("workerd"));
  if (!/LanegradError.*setModule\(module\)/.test(said)) throw new Error(`found ${said}`);
});

test("publint has nothing to say", async () => {
  const { publint } = await import("publint");
  const { messages, pkg } = await publint({ pkgDir: join(user, "node_modules/lanegrad"), strict: true, pack: false });
  const { formatMessage } = await import("publint/utils");
  if (messages.length > 0) throw new Error(messages.map((m) => formatMessage(m, pkg)).join("\n"));
});
test("are the types wrong? finds no problem", () => {
  // The package is ESM: what CommonJS would see without require(esm) is not asked for. Wasm files have no types.
  const flags = ["--profile", "esm-only", "--exclude-entrypoints", "./simd.wasm", "./relaxed.wasm", "./package.json"];
  run(tool("attw"), [tarball, ...flags], user);
});

let [passed, failed] = [0, 0];
for (const [name, fn] of tests) {
  const from = performance.now();
  try {
    await fn();
    passed++;
    console.log(`ok   ${name} (${((performance.now() - from) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed++;
    console.log(
      `FAIL ${name}\n${[error.message, error.stdout, error.stderr].filter(Boolean).join("\n").replace(/^/gm, "  ")}`,
    );
  }
}
await browser.close();
rmSync(user, { recursive: true, force: true });
for (const [name, { small, entries, all }] of sizes) {
  const page = `a page of Linear, ReLU, SGD and MSE ${small}, by the entry points ${entries}`;
  console.log(`${name.padEnd(9)} minified, gzip: everything ${all}, ${page}`);
}
console.log(
  `${basename(tarball)}: ${(packed.size / 1024).toFixed(0)} KB, ${(packed.unpackedSize / 1024).toFixed(0)} KB unpacked`,
);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
