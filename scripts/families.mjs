/**
 * Families of kernels: what a page leaves out when it uses none of them. `core` is always there. An op imports its kernels from
 * its family's module (src/wasm/families), so a bundler that drops the op drops the family.
 */
import { readFileSync } from "node:fs";

/** The files of assembly/ whose kernels make up a family. */
export const FAMILIES = {
  core: [
    "memory",
    "matmul-tiles-generated",
    "matmul",
    "matmul-pack",
    "matmul-vector",
    "unary",
    "binary",
    "where",
    "integer",
    "reduce",
    "extrema",
    "statistics",
    "softmax",
    "indexing",
    "scatter",
    "sort",
    "rearrange",
    "create",
    "clip",
    "sgd",
  ],
  activation: ["activation"],
  loss: ["class-loss", "class-loss-probs", "loss"],
  conv: [
    "conv-tiles-generated",
    "conv",
    "conv-product",
    "conv-columns",
    "conv-image",
    "winograd-sizes",
    "winograd-weights",
    "winograd-output",
    "winograd",
    "winograd-weight-gradient",
  ],
  pool: ["max-pool-2x2", "max-pool-3x3", "max-pool", "avg-pool"],
  "batch-norm": ["batch-norm", "channel-passes"],
  norm: ["norm"],
  interpolate: ["interpolate"],
  optim: ["adam", "rmsprop", "adagrad", "adadelta"],
  images: ["transforms", "crop", "resample", "color"],
  doctor: ["doctor"],
  bench: ["peak"],
};

/** Kernels that the smallest pages use, although their files are other families'. */
const CORE = /^(relu|mse_loss)(_|$)/;

/**
 * What the compiler says of a build in its text: the functions in the binary's order, each with its file, what it calls, and the
 * name it is exported under.
 */
function functionsOf(wat) {
  const exported = new Map(
    Array.from(wat.matchAll(/^ \(export "(\w+)" \(func \$([^\s)]+)\)/gm), ([, name, id]) => [id, name]),
  );
  return wat
    .split(/^ \(func \$/m)
    .slice(1)
    .map((text) => {
      const id = /^("[^"]*"|\S+)/.exec(text)[0];
      return {
        id,
        file: /assembly\/([\w-]+)\//.exec(id)?.[1],
        name: exported.get(id) ?? "",
        calls: Array.from(text.matchAll(/\bcall \$("[^"]*"|[^\s)]+)/g), ([, callee]) => callee),
      };
    });
}

/**
 * The functions of a build (its text) with their families: an exported one is of its file's, or of core when others call it; one
 * that is not exported of the family that alone needs it, else of core.
 *
 * @throws Error for a file that no family names
 */
export function familiesOf(watFile) {
  const functions = functionsOf(readFileSync(watFile, "utf8"));
  const byId = new Map(functions.map((f) => [f.id, f]));
  const ofFile = new Map(Object.entries(FAMILIES).flatMap(([family, files]) => files.map((file) => [file, family])));
  const needed = new Map(functions.map((f) => [f.id, new Set()]));
  const need = (id, family) => {
    if (needed.get(id).has(family)) return;
    needed.get(id).add(family);
    for (const callee of byId.get(id).calls) need(callee, family);
  };
  for (const f of functions) {
    if (f.name === "") continue;
    const family = CORE.test(f.name) ? "core" : ofFile.get(f.file);
    if (family === undefined)
      throw new Error(`families: no family of scripts/families.mjs names assembly/${f.file}.ts`);
    f.of = family;
    need(f.id, family);
  }
  return functions.map((f) => {
    const needs = [...needed.get(f.id)];
    return { name: f.name, of: f.of, placed: needs.length === 1 ? needs[0] : "core" };
  });
}
