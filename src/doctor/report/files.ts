/** Writing reports, where there are files. */
import { ArgumentError } from "../../errors.js";

/** Writes and gives the path back. @throws ArgumentError when that cannot be done */
export function writeFile(path: string, contents: string | Uint8Array): string {
  const fs = globalThis.process?.getBuiltinModule?.("node:fs");
  if (fs === undefined) {
    throw new ArgumentError(
      "doctor.save: there are no files to write here; take the text of report(), toHTML() or toJSONLines(), or the bytes of toEvents()",
    );
  }
  try {
    fs.writeFileSync(path, contents);
  } catch (error) {
    throw new ArgumentError(`doctor.save: cannot write ${path}: ${(error as Error).message}; does the folder exist?`);
  }
  return path;
}
