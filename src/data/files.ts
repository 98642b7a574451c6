/** Files, where there are any: the package runs in browsers too, so node:fs is asked for only when a path is given. */
import { show } from "../arguments.js";
import { DataError } from "../errors.js";

/** The bytes of a file, or a path to it. */
export type FileSource = string | URL | Uint8Array | ArrayBuffer;

interface FileSystem {
  existsSync(path: string | URL): boolean;
  readFileSync(path: string | URL): Uint8Array;
  writeFileSync(path: string | URL, bytes: Uint8Array): void;
  renameSync(from: string | URL, to: string | URL): void;
}

/**
 * node:fs without an import, which bundlers would have to resolve for the browser. (Deno and Bun have it as well.)
 *
 * @throws DataError where there is none: in a browser, and in Node before 20.16, which has no way to get it at once
 */
function fileSystem(where: string, example: string): FileSystem {
  const fs = globalThis.process?.getBuiltinModule?.("node:fs");
  if (fs) return fs;
  const version = globalThis.process?.versions?.node;
  throw new DataError(
    version === undefined
      ? `${where}: there are no files to read here; fetch them and pass the bytes: ${example}`
      : `${where}: reading files needs Node 20.16 or later, this is ${version}; read them yourself, with ` +
          `readFileSync("…"), and pass the bytes: ${example}`,
  );
}

/** Whether a file is there; false where there are no files. */
export function fileExists(path: string | URL): boolean {
  return globalThis.process?.getBuiltinModule?.("node:fs")?.existsSync(path) ?? false;
}

/**
 * Writes a file beside its place and then puts it there, so that what was there before is whole until the new one is.
 *
 * @throws DataError when it cannot be written
 */
export function writeFile(path: string | URL, bytes: Uint8Array, where: string): void {
  if (typeof path !== "string" && !(path instanceof URL)) {
    throw new TypeError(`${where}: the path must be a string or a URL, found ${show(path)}`);
  }
  const fs: FileSystem | undefined = globalThis.process?.getBuiltinModule?.("node:fs");
  if (fs === undefined) {
    throw new DataError(`${where}: there are no files to write here; leave the path out and keep the bytes it returns`);
  }
  const partial = path instanceof URL ? new URL(`${path.href}.partial`) : `${path}.partial`;
  try {
    fs.writeFileSync(partial, bytes);
    fs.renameSync(partial, path);
  } catch (error) {
    throw new DataError(`${where}: cannot write ${String(path)}: ${(error as Error).message}`);
  }
}

/** A file's bytes, and its name for error messages: the path, or what the bytes are said to be. */
export interface NamedBytes {
  name: string;
  bytes: Uint8Array;
}

/** How bytes are passed to MNIST and its kind, for error messages. */
const EXAMPLE = "{ images, labels }";

/** @throws DataError when the file cannot be read; TypeError for what is neither path nor bytes. */
export function readSource(source: FileSource, what: string, where: string, example = EXAMPLE): NamedBytes {
  if (source instanceof Uint8Array) return { name: `${what} (bytes)`, bytes: source };
  if (source instanceof ArrayBuffer) return { name: `${what} (bytes)`, bytes: new Uint8Array(source) };
  if (typeof source !== "string" && !(source instanceof URL)) {
    const found =
      source === null || typeof source !== "object" ? String(source) : `a ${(source as object).constructor?.name}`;
    throw new TypeError(`${where}: ${what} must be a path, a Uint8Array or an ArrayBuffer, found ${found}`);
  }
  const fs = fileSystem(where, example);
  try {
    return { name: String(source), bytes: fs.readFileSync(source) };
  } catch (error) {
    throw new DataError(`${where}: ${what}: cannot read ${String(source)}: ${(error as Error).message}`);
  }
}

/** The first path that exists of all names in all folders. @throws DataError naming what was looked for, and where. */
export function findFile(
  folders: readonly string[],
  names: readonly string[],
  where: string,
  example = EXAMPLE,
): string {
  const fs = fileSystem(where, example);
  for (const folder of folders) {
    for (const name of names) {
      const path = `${folder}/${name}`;
      if (fs.existsSync(path)) return path;
    }
  }
  throw new DataError(
    `${where}: found no ${names[0]} (nor ${names.slice(1).join(", ")}) in ${folders.join(", ")}; ` +
      `check the folder, or pass paths or bytes: ${example}`,
  );
}
