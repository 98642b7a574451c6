/** The article's style sheet: system fonts, light and dark by the reader's setting, one column that a phone can show. */
export const STYLE = `
:root { color-scheme: light dark; --page: #fcfcfa; --ink: #1d2026; --soft: #5d6470; --line: #c9ccd2; --grid: #e7e8ea; --panel: #f3f3ef; --accent: #1f5fbf;
  --good: #1b7f4b; --bad: #b3261e; --error: #b3261e; --warning: #a86400; --info: #1f5fbf;
  --s1: #2563c4; --s2: #d2492a; --s3: #178a5b; --s4: #8a4fc0; --s5: #14181f; --s6: #c98500; --s7: #c23a86; --s8: #0f8aa3;
  --serif: "Iowan Old Style", "Palatino Linotype", Palatino, "Source Serif 4", Charter, Georgia, serif;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
:lang(zh) { --serif: "Source Han Serif SC", "Noto Serif CJK SC", "Songti SC", "Noto Sans CJK SC", SimSun, serif; --sans: system-ui, -apple-system, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }
@media (prefers-color-scheme: dark) { :root { --page: #14161a; --ink: #e3e5e8; --soft: #a0a7b2; --line: #474d57; --grid: #2a2e35; --panel: #1c1f25; --accent: #82b1ff;
  --good: #58c98c; --bad: #ff8378; --error: #ff8378; --warning: #f0b24a; --info: #82b1ff;
  --s1: #73a7ff; --s2: #ff8a66; --s3: #4dcc95; --s4: #c495f5; --s5: #f2f4f7; --s6: #f2c14e; --s7: #f58ac4; --s8: #5fd0e6; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--page); color: var(--ink); font: 18px/1.62 var(--serif); font-kerning: normal; hanging-punctuation: first allow-end; }
:lang(zh) body { font-size: 17px; line-height: 1.85; text-align: justify; text-spacing-trim: trim-start; }
main { max-width: 760px; margin: 0 auto; padding: 36px 20px 80px; }
h1, h2, h3, h4 { font-family: var(--sans); line-height: 1.25; text-wrap: balance; text-align: left; }
h1 { font-size: clamp(30px, 6vw, 46px); letter-spacing: -0.02em; margin: 34px 0 20px; }
h2 { font-size: 29px; letter-spacing: -0.01em; margin: 88px 0 16px; padding-top: 20px; border-top: 1px solid var(--line); }
h3 { font-size: 18px; margin: 44px 0 10px; }
h4 { font-size: 15.5px; margin: 0 0 16px; }
:lang(zh) :is(h1, h2) { letter-spacing: 0; line-height: 1.4; word-break: keep-all; }
p { margin: 0 0 16px; text-wrap: pretty; }
sup { font-size: 0.72em; line-height: 0; }
a { color: var(--accent); text-underline-offset: 0.2em; text-decoration-thickness: 1px; }
code { font: 0.84em var(--mono); overflow-wrap: anywhere; }
.eyebrow { display: flex; justify-content: space-between; font: 600 14px var(--sans); color: var(--soft); margin: 0; }
.lead { font-size: 1.14em; color: var(--soft); }
.index { color: var(--soft); font-weight: 400; margin-right: 14px; font-variant-numeric: tabular-nums; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
nav ol { list-style: none; margin: 30px 0 0; padding: 0; font-family: var(--sans); font-size: 16px; }
nav li { border-top: 1px solid var(--grid); }
nav li:last-child { border-bottom: 1px solid var(--grid); }
nav a { display: flex; align-items: baseline; flex-wrap: wrap; gap: 0 6px; padding: 9px 0; color: inherit; text-decoration: none; font-weight: 600; }
nav a:hover { color: var(--accent); }
nav small { margin-left: auto; font-weight: 400; font-size: 14px; }
small.met { color: var(--good); } small.unmet { color: var(--bad); }
figure { margin: 34px 0; }
figcaption { font: 14px/1.5 var(--sans); color: var(--soft); margin-top: 12px; text-align: left; }
figcaption b { color: var(--ink); font-weight: 600; }
figure svg { display: block; width: 100%; height: auto; overflow: visible; font-family: var(--sans); }
.narrow { display: none; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; list-style: none; margin: 12px 0 0; padding: 0; font: 14px/1.4 var(--sans); text-align: left; }
.legend li { display: flex; align-items: center; gap: 7px; }
.legend svg { width: 26px; height: 6px; flex: none; overflow: visible; }
.legend path { stroke-width: 2.5; fill: none; }
.code pre { background: var(--panel); border-radius: 8px; padding: 16px 18px; margin: 0; overflow-x: auto; font: 13.5px/1.55 var(--mono); text-align: left; tab-size: 2; }
.code pre code { font: inherit; overflow-wrap: normal; }
.table figcaption { margin: 0 0 8px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font: 14px/1.4 var(--sans); font-variant-numeric: tabular-nums lining-nums; }
th, td { padding: 6px 0 6px 16px; text-align: right; border-bottom: 1px solid var(--grid); white-space: nowrap; }
:is(th, td):first-child { text-align: left; padding-left: 0; }
thead th { color: var(--soft); font-weight: 500; border-color: var(--line); vertical-align: bottom; white-space: normal; }
tbody th { font-weight: 500; }
.claims { list-style: none; margin: 0; padding: 0; text-align: left; }
.claims li { display: flex; gap: 14px; padding: 10px 0; border-bottom: 1px solid var(--grid); }
.claims p { margin: 0; line-height: 1.5; }
.claims .measured { font: 15px/1.5 var(--sans); color: var(--soft); font-variant-numeric: tabular-nums; }
.mark { flex: none; font: 700 16px/1.65 var(--sans); color: var(--good); }
.unmet .mark, .claims em { color: var(--bad); }
.claims em { font: 600 13px var(--sans); white-space: nowrap; }
.diagnoses { font: 15px/1.5 var(--sans); text-align: left; border-top: 1px solid var(--line); }
.diagnosis { display: grid; grid-template-columns: 180px 1fr; gap: 4px 20px; padding: 12px 0; border-bottom: 1px solid var(--grid); }
.diagnosis h4 { font-size: 15px; font-weight: 500; margin: 0; line-height: 1.5; }
.diagnosis p { margin: 0; }
.healthy { color: var(--good); }
.findings { list-style: none; margin: 0; padding: 0; display: grid; gap: 8px; }
.findings li { border-left: 3px solid var(--tone); padding-left: 12px; min-width: 0; }
.findings .error { --tone: var(--error); } .findings .warning { --tone: var(--warning); } .findings .info { --tone: var(--info); }
.findings strong { color: var(--tone); font-weight: 600; }
.rule { color: var(--soft); }
.since { color: var(--soft); font-size: 13.5px; display: block; }
.evidence { display: flex; flex-wrap: wrap; gap: 0 16px; font-size: 13.5px; color: var(--soft); }
.evidence b { color: var(--ink); font-weight: 500; font-variant-numeric: tabular-nums; }
.advice { padding-left: 1.15em; } .advice li { margin-bottom: 8px; } .advice ::marker { color: var(--soft); }
footer { margin-top: 88px; border-top: 1px solid var(--line); font-size: 15px; color: var(--soft); }
footer h3 { margin-top: 20px; font-size: 16px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; }
@media (min-width: 900px) { .code { margin-inline: -60px; } }
@media (max-width: 640px) {
  body { font-size: 17px; } .lead { font-size: 1.06em; } main { padding: 22px 18px 56px; } h2 { font-size: 25px; margin-top: 64px; }
  :lang(zh) body { font-size: 16.5px; text-align: left; }
  .wide { display: none; } .narrow { display: block; }
  .diagnosis { grid-template-columns: 1fr; } .code pre { font-size: 12px; padding: 13px 14px; } nav small { margin-left: 27px; width: 100%; }
  th, td { padding-left: 14px; }
}
@media print { body { font-size: 11pt; } figure, .claims li, .diagnosis { break-inside: avoid; } .code pre { white-space: pre-wrap; } }
`;
