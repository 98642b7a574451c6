/**
 * What the package weighs, against the figures committed in size.json.
 *
 *   node scripts/size.mjs          prints the sizes; fails when one is more than 1 % over its committed figure
 *   node scripts/size.mjs --write  commits to today's figures (say why in the commit)
 *
 * Wants a finished build (scripts/build.mjs).
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build as esbuild } from "esbuild";
import { build as vite } from "vite";

process.chdir(join(dirname(fileURLToPath(import.meta.url)), ".."));
const MANIFEST = "size.json";
const SLACK = 1.01;

/** A page that trains one layer: what a bundler keeps of the package for it. */
const SMALL_PAGE = `
  import { F, nn, optim } from "./dist/index.js";
  const layer = new nn.Linear(2, 1);
  const optimizer = new optim.SGD(layer.parameters(), { lr: 0.1 });
  export function step(x, y) {
    optimizer.zeroGrad();
    F.mseLoss(F.relu(layer(x)), y).backward();
    optimizer.step();
  }
`;

/** The same by the entry points that esbuild, too, can leave things out of. */
const BY_ENTRIES = SMALL_PAGE.replace(
  /import .*;/,
  `import * as nn from "./dist/nn.js"; import * as F from "./dist/functional.js"; import * as optim from "./dist/optim.js";`,
);

/** A page that trains a small convolutional network on digits. */
const CNN_PAGE = `
  import { data, F, nn, optim } from "./dist/index.js";
  const net = new nn.Sequential(
    new nn.Conv2d(1, 32, 3), new nn.BatchNorm2d(32), new nn.ReLU(), new nn.MaxPool2d(2), new nn.Flatten(), new nn.Linear(5408, 10));
  const optimizer = new optim.Adam(net.parameters(), { lr: 0.001 });
  export function epoch(images, labels) {
    for (const [x, y] of new data.DataLoader(new data.TensorDataset(images, labels), { batchSize: 64, shuffle: true })) {
      optimizer.zeroGrad();
      F.crossEntropy(net(x), y).backward();
      optimizer.step();
    }
  }
`;
const everythingOf = (entry) => `export * from "./dist/${entry}.js";`;

/** What bundlers make of a page: minified code, as a user's build does it. */
const bundlers = {
  async esbuild(contents) {
    const { outputFiles } = await esbuild({
      stdin: { contents, resolveDir: "." },
      bundle: true,
      minify: true,
      format: "esm",
      external: ["node:*"],
      write: false,
      logLevel: "error",
    });
    return outputFiles[0].text;
  },
  async Vite(contents) {
    const page = resolve("page.js");
    const result = await vite({
      configFile: false,
      logLevel: "error",
      plugins: [
        { name: "page", resolveId: (id) => (id === page ? id : null), load: (id) => (id === page ? contents : null) },
      ],
      build: {
        write: false,
        minify: true,
        target: "es2022",
        rollupOptions: { input: page, external: [/^node:/], preserveEntrySignatures: "strict" },
      },
    });
    return result.output.map(({ code }) => code).join("");
  },
};

const gzip = (bytes) => gzipSync(bytes, { level: 9 }).length;
/** The embedded kernels: the long strings of a bundle. */
const embedded = (code) => code.match(/[A-Za-z0-9+/=]{400,}/g)?.join("") ?? "";

const all = await bundlers.esbuild(everythingOf("index"));
const sizes = {
  "simd.wasm, raw": readFileSync("build/simd.wasm").length,
  "relaxed.wasm, raw": readFileSync("build/relaxed.wasm").length,
  "embedded kernels": gzip(embedded(all)),
  "everything, minified": Buffer.byteLength(all),
  everything: gzip(all),
  "lanegrad/worker": gzip(await bundlers.esbuild(everythingOf("worker/index"))),
  "lanegrad and lanegrad/doctor": gzip(await bundlers.esbuild(everythingOf("index") + everythingOf("doctor"))),
};
for (const [name, bundle] of Object.entries(bundlers)) {
  const small = await bundle(SMALL_PAGE);
  sizes[`small page, ${name}`] = gzip(small);
  sizes[`its kernels, ${name}`] = gzip(embedded(small));
  sizes[`by entry points, ${name}`] = gzip(await bundle(BY_ENTRIES));
  sizes[`CNN's page, ${name}`] = gzip(await bundle(CNN_PAGE));
}

if (process.argv.includes("--write")) writeFileSync(MANIFEST, `${JSON.stringify(sizes, null, 2)}\n`);
const committed = JSON.parse(readFileSync(MANIFEST, "utf8"));
for (const [name, bytes] of Object.entries(sizes)) {
  const budget = committed[name] ?? 0;
  const over = bytes > budget * SLACK;
  if (over) process.exitCode = 1;
  const change = `${bytes < budget ? "−" : "+"}${Math.abs((bytes / budget - 1) * 100).toFixed(1)} %`;
  console.log(
    `${name.padEnd(29)}${String(bytes).padStart(8)}  committed ${String(budget).padStart(7)}  ${change}${over ? "  TOO LARGE" : ""}`,
  );
}
console.log("gzip where nothing else is said");
if (process.exitCode)
  console.error("size: make it smaller, or commit the new figures with node scripts/size.mjs --write");
