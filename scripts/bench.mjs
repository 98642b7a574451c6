/** Bundles bench/main.ts and runs it, on the Node at hand or on that of --node PATH. Arguments go on to the bench. */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

process.chdir(join(dirname(fileURLToPath(import.meta.url)), ".."));
const args = process.argv.slice(2);
const at = args.indexOf("--node");
const node = at >= 0 ? args.splice(at, 2)[1] : process.execPath;
mkdirSync(".cache", { recursive: true });
await build({
  entryPoints: ["bench/main.ts"],
  outfile: ".cache/bench/main.mjs",
  bundle: true,
  format: "esm",
  platform: "node",
  packages: "external",
  logLevel: "warning",
  // The methods of Tensor are installed when methods.ts is loaded, and nothing here names that file.
  ignoreAnnotations: true,
});
const { status } = spawnSync(node, [".cache/bench/main.mjs", ...args], { stdio: "inherit" });
process.exit(status ?? 1);
