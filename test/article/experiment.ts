/** What every experiment of the article has to hold: its claims with three seeds, and a page that shows them in both languages. */
import { describe, expect, test } from "vitest";
import type { Claim } from "../../examples/article/claims.js";
import { LANGUAGES } from "../../examples/article/page/language.js";
import { type Facts, pageOf } from "../../examples/article/page/page.js";
import type { Section } from "../../examples/article/page/section.js";

const SEEDS = [1, 2, 3];
const facts: Facts = { seed: 1, quick: true, backend: "simd", node: "20", seconds: 10, date: "2026-01-01" };

/** @param perform the experiment, in the size of `npm run article -- --quick` */
export function testExperiment<Result>(
  perform: (seed: number) => Result,
  claims: (result: Result) => readonly Claim[],
  sectionOf: (result: Result) => Section,
): void {
  describe.each(SEEDS)("seed %i", (seed) => {
    const result = perform(seed);

    test.each(claims(result).map((claim): [string, Claim] => [claim.id, claim]))("%s", (_id, claim) => {
      if (claim.relation === "above") expect(claim.value).toBeGreaterThan(claim.bound);
      else expect(claim.value).toBeLessThan(claim.bound);
      expect(claim.met).toBe(true);
    });

    if (seed === SEEDS[0]) describe("its page", () => testPage(sectionOf(result)));
  });
}

const cellsOf = (page: string): string[] =>
  [...page.matchAll(/<td>(.*?)<\/td>/g)].map(([, cell]) => cell).filter((cell) => /^[\d−]/.test(cell));

function testPage(section: Section): void {
  test("needs nothing but itself and the other language", async () => {
    for (const language of LANGUAGES) {
      const page = await pageOf([section], facts, language);
      const links = [...page.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, link]) => link);
      expect(links.filter((link) => !/^(#[a-z]+|data:,|index\.html|zh\.html)$/.test(link))).toEqual([]);
      expect(page).not.toMatch(/<script|@import|url\((?!#)/);
      expect(page.replace(/<pre.*?<\/pre>/gs, "")).not.toMatch(/undefined|\[object|\$\{/);
      const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
      expect(new Set(ids).size).toBe(ids.length);
      for (const figure of section.figures) expect(page).toContain(figure.title[language]);
      expect(page.match(/class="wide"/g)).toHaveLength(section.figures.length);
    }
  });

  test("says the same numbers in both languages", async () => {
    const [en, zh] = await Promise.all(LANGUAGES.map((language) => pageOf([section], facts, language)));
    expect(cellsOf(en).length).toBeGreaterThan(10);
    expect(cellsOf(zh)).toEqual(cellsOf(en));
  });

  test("is Chinese with Chinese punctuation, and English without Chinese", async () => {
    const [en, zh] = await Promise.all(LANGUAGES.map((language) => pageOf([section], facts, language)));
    const text = zh.replace(/<style>.*?<\/style>|<pre.*?<\/pre>/gs, "");
    expect(text.match(/[\u3400-\u9fff][,;:!?()]|[,;:!?()][\u3400-\u9fff]/g) ?? []).toEqual([]);
    expect(en.replace(">中文<", "").match(/[\u3400-\u9fff]+/g) ?? []).toEqual([]);
  });

  test("says so where an expectation is not met", async () => {
    const [first, ...rest] = section.claims;
    const missed: Section = { ...section, claims: [{ ...first, claim: { ...first.claim, met: false } }, ...rest] };
    const en = await pageOf([missed], facts, "en");
    expect(en).toContain('<li class="unmet">');
    expect(en).toContain(`${rest.length} of ${section.claims.length} expectations met`);
    expect(await pageOf([missed], facts, "zh")).toContain(`${section.claims.length} 条预期，符合 ${rest.length} 条`);
  });
}
