/** save and load: files on a disk. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { DataError, load, loadMetadata, save, tensor } from "lanegrad";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "lanegrad-save-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("files are written whole, and read by path or URL", () => {
  const path = join(folder, "net.safetensors");
  const bytes = save({ w: tensor([1, 2]) }, path, { metadata: { made: "by a test" } });
  expect(new Uint8Array(readFileSync(path))).toEqual(bytes);
  expect(existsSync(`${path}.partial`)).toBe(false);
  expect(load(path).w.toArray()).toEqual([1, 2]);
  expect(load(pathToFileURL(path)).w.toArray()).toEqual([1, 2]);
  expect(loadMetadata(path)).toEqual({ made: "by a test" });
  save({ w: tensor([3]) }, pathToFileURL(path));
  expect(load(path).w.toArray()).toEqual([3]);
  expect(() => save({ w: tensor([1]) }, join(folder, "no", "such", "folder"))).toThrow(DataError);
  expect(() => load(join(folder, "missing"))).toThrow(/cannot read .*missing/);
  expect(() => save({}, 5 as any)).toThrow(/the path must be a string or a URL, found 5/);
  writeFileSync(path, "hello world, this is text");
  expect(() => load(path)).toThrow(/net\.safetensors: not a safetensors file: its header would be \d+ bytes long/);
});
