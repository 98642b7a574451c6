/** The article as one page that needs nothing else. */
import { readFileSync } from "node:fs";
import { drawChart } from "./charts.js";
import { findingsOf } from "./findings.js";
import { escapeText, type Language, type Text, t } from "./language.js";
import type { Section, Table } from "./section.js";
import { STYLE } from "./style.js";

/** How the run was made. */
export interface Facts {
  seed: number;
  quick: boolean;
  /** backend() in words. */
  backend: string;
  node: string;
  seconds: number;
  /** ISO, the day only. */
  date: string;
}

/** File names of the two pages: they link to each other. */
export const FILES: Record<Language, string> = { en: "index.html", zh: "zh.html" };

const WORDS = {
  title: t("Why deep networks fail to train, and what helps", "深度网络为什么训不好，<wbr>又该怎么办"),
  lead: t(
    "Four ways in which training goes wrong, each brought about on purpose and then cured, on real data, by programs that you can run. Every number on this page comes from that run, and every expectation stands in the program before it runs; where one is not met, the page says so.",
    "训练出问题，大致有四种情形。这里在真实数据上逐一有意地重现，再逐一治好，所用的程序你都可以自己运行。页面上的每个数字都出自这次运行，每条预期都事先写在程序里；没有应验的，页面会如实注明。",
  ),
  expectations: t("Expected, and measured", "预期与实测"),
  met: t("met", "符合"),
  unmet: t("not met", "不符"),
  doctor: t("What the doctor says", "诊断器怎么说"),
  doctorNote: t(
    "<code>lanegrad/doctor</code> watched every training. These are its own findings, with what it has for evidence.",
    "每次训练都有 <code>lanegrad/doctor</code> 在旁观察。以下是它自己得出的结论与证据。",
  ),
  advice: t("In your own training", "用到你自己的训练里"),
  other: t("中文", "English"),
  experiment: t("The experiment", "实验"),
  figure: t("Figure", "图"),
  table: t("Table", "表"),
  run: t("About this run", "关于这次运行"),
} satisfies Record<string, Text>;

/** What stands in a program between its region's marks, without the indentation they have in common. */
export function excerpt(file: string, region: string): string {
  const source = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8").split("\n");
  const from = source.findIndex((line) => line.trim() === `// #region ${region}`);
  const to = source.findIndex((line, i) => i > from && line.trim() === "// #endregion");
  if (from < 0 || to < 0) throw new Error(`${file}: there is no region ${region}`);
  const lines = source.slice(from + 1, to);
  const indent = Math.min(...lines.filter((line) => line.trim() !== "").map((line) => line.search(/\S/)));
  return lines.map((line) => line.slice(indent)).join("\n");
}

function tableOf({ caption, head, rows }: Table, number: number, language: Language): string {
  const cells = (row: readonly Text[], tag: string) =>
    row
      .map(
        (cell, i) =>
          (i === 0 ? `<th scope="${tag === "th" ? "col" : "row"}">` : `<${tag}${tag === "th" ? ' scope="col"' : ""}>`) +
          cell[language] +
          `</${i === 0 ? "th" : tag}>`,
      )
      .join("");
  return (
    `<figure class="table"><figcaption><b>${WORDS.table[language]} ${number}.</b> ${caption[language]}</figcaption><div class="scroll" tabindex="0"><table>` +
    `<thead><tr>${cells(head, "th")}</tr></thead><tbody>${rows.map((row) => `<tr>${cells(row, "td")}</tr>`).join("")}</tbody></table></div></figure>`
  );
}

const met = (section: Section): number => section.claims.filter(({ claim }) => claim.met).length;

async function sectionOf(section: Section, index: number, figure: number, language: Language): Promise<string> {
  const say = (text: Text) => text[language];
  const paragraphs = (texts: readonly Text[]) => texts.map((text) => `<p>${say(text)}</p>`).join("");
  const figures: string[] = [];
  for (const [i, { title, caption, chart }] of section.figures.entries()) {
    figures.push(
      `<figure><h4>${say(title)}</h4>${await drawChart(chart, language, say(title))}` +
        `<figcaption><b>${WORDS.figure[language]} ${figure + i}.</b> ${say(caption)}</figcaption></figure>`,
    );
  }
  const code = section.code.map(
    ({ file, region, caption }) =>
      `<figure class="code"><pre tabindex="0"><code>${escapeText(excerpt(file, region))}</code></pre>` +
      `<figcaption>${say(caption)} · <code>examples/${file}</code></figcaption></figure>`,
  );
  const claims = section.claims.map(
    ({ claim, said }) =>
      `<li class="${claim.met ? "met" : "unmet"}"><span class="mark">${claim.met ? "✓" : "✗"}<span class="hidden"> ${say(claim.met ? WORDS.met : WORDS.unmet)}</span></span>` +
      `<div><p>${say(said.expected)}${claim.met ? "" : ` <em>${say(WORDS.unmet)}</em>`}</p><p class="measured">${say(said.measured)}</p></div></li>`,
  );
  const diagnoses = section.diagnoses.map(
    ({ run, findings }) => `<div class="diagnosis"><h4>${say(run)}</h4>${findingsOf(findings, language)}</div>`,
  );
  return (
    `<section id="${section.id}"><h2><span class="index">${index}</span>${say(section.title)}</h2>${paragraphs(section.problem)}` +
    `<h3>${say(WORDS.experiment)}</h3><p>${say(section.setup)}</p>` +
    code.join("") +
    figures.join("") +
    `<h3>${say(WORDS.expectations)}</h3><ul class="claims">${claims.join("")}</ul>${tableOf(section.table, index, language)}` +
    `<h3>${say(WORDS.doctor)}</h3><div class="diagnoses">${diagnoses.join("")}</div>` +
    `<h3>${say(WORDS.advice)}</h3><ul class="advice">${section.advice.map((text) => `<li>${say(text)}</li>`).join("")}</ul></section>`
  );
}

function overview(sections: readonly Section[], language: Language): string {
  const item = (section: Section, i: number) => {
    const [n, of] = [met(section), section.claims.length];
    const text = language === "en" ? `${n} of ${of} expectations met` : `${of} 条预期，符合 ${n} 条`;
    return `<li><a href="#${section.id}"><span class="index">${i + 1}</span><span>${section.title[language]}</span><small class="${n === of ? "met" : "unmet"}">${text}</small></a></li>`;
  };
  return `<nav><ol>${sections.map(item).join("")}</ol></nav>`;
}

function factsOf({ seed, quick, backend, node, seconds, date }: Facts): Text {
  const minutes =
    seconds < 90
      ? [`${Math.round(seconds)} seconds`, `${Math.round(seconds)} 秒`]
      : [`${Math.round(seconds / 60)} minutes`, `${Math.round(seconds / 60)} 分钟`];
  const command = `npm run article${seed === 1 && !quick ? "" : ` -- --seed ${seed}${quick ? " --quick" : ""}`}`;
  return t(
    `<code>${command}</code>, ${quick ? "the quick form: fewer images and runs; " : ""}seed ${seed}, ${backend}, Node ${node}, ${minutes[0]}, ${date}. It is one run: with another seed the numbers are others. The tests of the project ask, at the size of <code>--quick</code>, that all these expectations are met with three seeds. Data: MNIST (LeCun, Cortes &amp; Burges) and Fashion-MNIST (Xiao, Rasul &amp; Vollgraf, 2017).`,
    `<code>${command}</code>，${quick ? "快速版，图像和训练次数较少；" : ""}随机种子 ${seed}，${backend}，Node ${node}，用时 ${minutes[1]}，${date}。这只是一次运行：换一个种子，数字就会不同。本项目的测试要求：以 <code>--quick</code> 的规模，在三个种子下，以上预期全部应验。数据：MNIST（LeCun、Cortes 与 Burges）和 Fashion-MNIST（Xiao、Rasul 与 Vollgraf，2017）。`,
  );
}

/** The whole page in one language. */
export async function pageOf(sections: readonly Section[], facts: Facts, language: Language): Promise<string> {
  const other: Language = language === "en" ? "zh" : "en";
  const parts: string[] = [];
  let figure = 1;
  for (const [i, section] of sections.entries()) {
    parts.push(await sectionOf(section, i + 1, figure, language));
    figure += section.figures.length;
  }
  const lang = { en: "en", zh: "zh-CN" };
  const title = WORDS.title[language];
  return (
    `<!doctype html>\n<html lang="${lang[language]}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">` +
    `<title>${title.replace("<wbr>", "")}</title><meta name="description" content="${escapeText(WORDS.lead[language])}"><link rel="alternate" hreflang="${lang[other]}" href="${FILES[other]}"><link rel="icon" href="data:,">` +
    `<style>${STYLE}</style></head><body><main><header><p class="eyebrow"><span>lanegrad</span><a href="${FILES[other]}" hreflang="${lang[other]}" lang="${lang[other]}">${WORDS.other[language]}</a></p>` +
    `<h1>${title}</h1><p class="lead">${WORDS.lead[language]}</p>${overview(sections, language)}</header>${parts.join("")}` +
    `<footer><h3>${WORDS.run[language]}</h3><p>${factsOf(facts)[language]}</p></footer></main></body></html>\n`
  );
}
