/**
 * The bundlers, each as its users call it: `bundle(entry, folder)` writes a minified page script, folder/page.js, out of a file
 * that imports "lanegrad" by its name.
 */
import { join } from "node:path";
import nodeResolve from "@rollup/plugin-node-resolve";
import * as esbuild from "esbuild";
import { rollup } from "rollup";
import { build as viteBuild } from "vite";
import webpack from "webpack";

async function withEsbuild(entry, folder) {
  await esbuild.build({
    entryPoints: [entry],
    outfile: join(folder, "page.js"),
    bundle: true,
    minify: true,
    format: "esm",
    logLevel: "error",
  });
}

async function withVite(entry, folder) {
  await viteBuild({
    root: join(entry, ".."),
    configFile: false,
    logLevel: "error",
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: "es2022",
      // As a page's script, not a library, whose exports would be kept.
      rollupOptions: { input: entry, output: { entryFileNames: "page.js" } },
    },
  });
}

/** Rollup leaves names long; esbuild minifies its output here. */
async function withRollup(entry, folder) {
  const problems = [];
  const bundle = await rollup({
    input: entry,
    plugins: [nodeResolve({ browser: true })],
    onwarn: (w) => problems.push(w),
  });
  const unexpected = problems.filter(({ code }) => code !== "CIRCULAR_DEPENDENCY");
  if (unexpected.length > 0) throw new Error(unexpected.map((w) => w.message).join("\n"));
  const { output } = await bundle.generate({ format: "es" });
  await bundle.close();
  await esbuild.build({
    stdin: { contents: output[0].code, loader: "js" },
    outfile: join(folder, "page.js"),
    minify: true,
    logLevel: "error",
  });
}

async function withWebpack(entry, folder) {
  const stats = await new Promise((resolve, reject) =>
    webpack(
      {
        mode: "production",
        entry,
        context: join(entry, ".."),
        target: "web",
        output: { path: folder, filename: "page.js" },
        performance: { hints: false },
      },
      (error, stats) => (error ? reject(error) : resolve(stats)),
    ),
  );
  const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
  const problems = [...errors, ...warnings].map(({ message }) => message);
  if (problems.length > 0) throw new Error(problems.join("\n"));
}

export const bundlers = { Vite: withVite, esbuild: withEsbuild, webpack: withWebpack, Rollup: withRollup };
