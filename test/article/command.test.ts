/** The command line of `npm run article`: what it refuses, and that it does so before any training. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { above, all, below } from "../../examples/article/claims.js";
import { number, percent, powerOfTen } from "../../examples/article/page/language.js";
import { excerpt } from "../../examples/article/page/page.js";

const folder = mkdtempSync(join(tmpdir(), "article-"));
afterAll(() => rmSync(folder, { recursive: true }));

const article = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", "examples/article.ts", ...args], {
    encoding: "utf8",
    timeout: 60_000,
  });
  return { status, stdout, stderr };
};

describe("npm run article", () => {
  test("shows its options", () => {
    const { status, stdout } = article("--help");
    expect(status).toBe(0);
    for (const option of ["--seed N", "--quick ", "--out FOLDER", "--help"]) expect(stdout).toContain(option);
  });

  test.each([
    [["--seed", "x"], "--seed must be a whole number from 0, found"],
    [["--seed", "-1"], "--seed must be a whole number from 0, found"],
    [["--out", ""], "--out must be not empty"],
    [["--quick=yes"], "--quick"],
    [["--speed"], "--speed"],
  ])("refuses %j", (args, message) => {
    const { status, stdout, stderr } = article(...args);
    expect(stderr).toContain(message);
    expect(stderr).toContain("--help shows the options");
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  });

  test("refuses a folder that cannot be written, before it trains", () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    const { status, stdout, stderr } = article("--out", join(file, "below"));
    expect(stderr).toMatch(/^article: cannot write into ".*below": ENOTDIR/);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  });
});

test("claims are met as they say, and by no NaN", () => {
  expect([above("a", 2, 1).met, above("a", 1, 1).met, above("a", Number.NaN, 1).met]).toEqual([true, false, false]);
  expect([below("b", 1, 2).met, below("b", 2, 2).met, below("b", Number.NaN, 2).met]).toEqual([true, false, false]);
  expect([all("c", [true, true]).met, all("c", [true, false]).met]).toEqual([true, false]);
});

test("numbers are written as text has them", () => {
  expect(number(5.2e-16)).toBe("5.2\u00a0×\u00a010<sup>−16</sup>");
  expect([number(1e-10), number(-0.5), number(0.0692), number(9512.4)]).toEqual([
    "10<sup>−10</sup>",
    "−0.5",
    "0.0692",
    "9,510",
  ]);
  expect([number(Number.NaN), number(Number.NEGATIVE_INFINITY), number(0)]).toEqual(["NaN", "−∞", "0"]);
  expect([percent(0.8755), percent(-0.01, 0)]).toEqual(["87.5%", "−1%"]);
  expect([powerOfTen(-16), powerOfTen(-2), powerOfTen(0), powerOfTen(11)]).toEqual(["10⁻¹⁶", "0.01", "1", "10¹¹"]);
});

test("an excerpt is the program's own text, and a region there is none of is an error", () => {
  expect(excerpt("custom-relu.ts", "relu")).toMatch(
    /^class CustomReLUFunction extends autograd\.Function \{\n {2}static/,
  );
  expect(() => excerpt("custom-relu.ts", "gelu")).toThrow("custom-relu.ts: there is no region gelu");
});
