/** Which Python has PyTorch. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** The one asked for, or else the first python3 on the PATH that can import torch; null where there is none. */
export function findPython(asked: string | undefined = process.env.PYTHON): string | null {
  const onPath = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "python3"));
  const candidates = asked === undefined ? [...new Set(onPath)].filter((path) => existsSync(path)) : [asked];
  return candidates.find((python) => spawnSync(python, ["-c", "import torch"]).status === 0) ?? null;
}
