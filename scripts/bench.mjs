/**
 * Bundles the bench's rows and runs them; bench/main.ts tells what it takes. Here:
 *
 *   --node PATH     on another Node
 *   --against REF   beside a build of another commit, in turn
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";

process.chdir(join(dirname(fileURLToPath(import.meta.url)), ".."));
const CACHE = ".cache/bench";

/** Rows by the name that --rows takes: the file in bench/ and its function. */
const GROUPS = {
  matmul: ["kernels", "matmulRows"],
  conv: ["conv", "convRows"],
  memory: ["kernels", "memoryRows"],
  pool: ["pool", "poolRows"],
  norm: ["norm", "normRows"],
  functions: ["kernels", "functionRows"],
  augmentation: ["kernels", "augmentationRows"],
  steps: ["steps", "stepRows"],
  threads: ["threads", "threadRows"],
  peak: ["startup", "peakMemoryRows"],
  startup: ["startup", "startupRows"],
  soak: ["steps", "soakRows"],
};
/** Not times: nothing that takes turns. */
const UNTIMED = ["threads", "peak", "startup", "soak"];

function fail(message) {
  console.error(`bench: ${message}`);
  process.exit(2);
}

function readArguments() {
  const options = { rows: "string", json: "string", node: "string", against: "string", help: "boolean" };
  try {
    return parseArgs({ options: Object.fromEntries(Object.entries(options).map(([name, type]) => [name, { type }])) })
      .values;
  } catch (error) {
    return fail(`${error.message}; there are ${Object.keys(options).map((name) => `--${name}`)}`);
  }
}

/**
 * Bundles an entry of ours.
 * @param tree whose src/ is bundled
 */
async function bundle(contents, outfile, tree = ".") {
  const source = resolve(tree, "src");
  await build({
    stdin: { contents, resolveDir: ".", loader: "ts" },
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    logLevel: "silent",
    // The methods of Tensor are installed when methods.ts is loaded, and nothing here names that file.
    ignoreAnnotations: true,
    plugins: [
      {
        name: "one lanegrad",
        setup({ onResolve }) {
          onResolve({ filter: /^lanegrad$/ }, () => ({ path: join(source, "index.ts") }));
          onResolve({ filter: /^\.\.\/src\// }, ({ path }) => ({
            path: join(source, path.slice("../src/".length).replace(/\.js$/, ".ts")),
          }));
        },
      },
    ],
  });
  return outfile;
}

/** Another commit's sources with their kernels built, in the cache. */
function checkOut(ref) {
  const git = (...args) => execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  let commit;
  try {
    commit = git("rev-parse", "--verify", `${ref}^{commit}`);
  } catch {
    fail(`--against ${ref}: git knows no such commit`);
  }
  const tree = join(CACHE, commit);
  if (existsSync(join(tree, "src/wasm/kernels.generated.ts"))) return { commit, tree };
  console.log(`Building ${commit.slice(0, 7)} …`);
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(tree, { recursive: true });
  const archive = execFileSync("git", ["archive", commit], { maxBuffer: 2 ** 30 });
  execFileSync("tar", ["-x", "-C", tree], { input: archive });
  const lock = (folder) => readFileSync(join(folder, "package-lock.json"), "utf8");
  if (lock(tree) === lock(".")) symlinkSync(resolve("node_modules"), join(tree, "node_modules"), "junction");
  else execFileSync("npm", ["ci", "--ignore-scripts"], { cwd: tree, stdio: "inherit", shell: true });
  const { status, stderr } = spawnSync(process.execPath, ["scripts/build.mjs", "--kernels"], { cwd: tree });
  if (status !== 0) fail(`${commit.slice(0, 7)} does not build:\n${stderr}`);
  return { commit, tree };
}

async function against(ref, names, node) {
  const { commit, tree } = checkOut(ref);
  const pairs = [];
  for (const group of names.filter((name) => !UNTIMED.includes(name))) {
    const [file, rows] = GROUPS[group];
    const entry = `import { serve } from "./bench/turns.js"; import { ${rows} } from "./bench/${file}.js"; serve(${rows});`;
    const ours = await bundle(entry, `${CACHE}/ours/${group}.mjs`);
    try {
      pairs.push({ group, ours, theirs: await bundle(entry, `${CACHE}/theirs/${group}.mjs`, tree) });
    } catch (error) {
      pairs.push({ group, ours, error: error.errors?.[0]?.text ?? error.message });
    }
  }
  const entry = await bundle('import "./bench/against.js";', `${CACHE}/against.mjs`);
  const title = `The working tree against ${ref} (${commit.slice(0, 7)})`;
  return spawnSync(node, [entry, title, JSON.stringify(pairs)], { stdio: "inherit" }).status;
}

async function measure(names, node, json) {
  const imports = names.map((name) => `import { ${GROUPS[name][1]} } from "./bench/${GROUPS[name][0]}.js";`);
  const table = names.map((name) => `${name}: ${GROUPS[name][1]}`);
  const entry = `import { main } from "./bench/main.js"; ${imports.join(" ")} main({ ${table} }, process.argv[2]);`;
  await bundle('import "./bench/peak-memory.js";', `${CACHE}/peak-memory.mjs`);
  const main = await bundle(entry, `${CACHE}/main.mjs`);
  return spawnSync(node, [main, ...(json === undefined ? [] : [json])], { stdio: "inherit" }).status;
}

const values = readArguments();
if (values.help) {
  console.log(readFileSync("bench/main.ts", "utf8").split("*/")[0]);
  process.exit(0);
}
const names = values.rows?.split(",") ?? Object.keys(GROUPS);
const unknown = names.find((name) => !Object.hasOwn(GROUPS, name));
if (unknown !== undefined) fail(`no rows are called "${unknown}"; there are: ${Object.keys(GROUPS).join(", ")}`);
mkdirSync(CACHE, { recursive: true });
const node = values.node ?? process.execPath;
const status =
  values.against === undefined ? await measure(names, node, values.json) : await against(values.against, names, node);
process.exit(status ?? 1);
