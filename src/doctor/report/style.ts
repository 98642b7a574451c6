/** The report's style sheet: system fonts, light and dark by the reader's setting. */
export const STYLE = `
:root { color-scheme: light dark; --page: #f6f7f9; --card: #fff; --ink: #1a2230; --soft: #5b6678; --rule: #e2e6ec;
  --train: #2f6fde; --validation: #d9730d; --error: #c92a3d; --warning: #b86e00; --info: #2f6fde; --healthy: #1f8a4c; --heat: #2f6fde; }
@media (prefers-color-scheme: dark) { :root { --page: #11151c; --card: #1a202b; --ink: #e6eaf1; --soft: #97a3b6; --rule: #2c3544;
  --train: #6ea3ff; --validation: #f0a04b; --error: #ff6b7a; --warning: #f0b040; --info: #6ea3ff; --healthy: #4cc384; --heat: #6ea3ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1060px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 24px; line-height: 1.25; margin: 0; }
h2 { font-size: 17px; margin: 36px 0 12px; }
h3 { font-size: 15px; margin: 0; overflow-wrap: anywhere; }
p { margin: 8px 0 0; }
code { font: 0.93em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.eyebrow { color: var(--soft); margin: 0 0 6px; }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 16px 18px; }
.verdict { border-left: 6px solid var(--tone); }
.verdict p { font-size: 17px; }
dl.facts { display: flex; flex-wrap: wrap; gap: 10px 34px; margin: 16px 0 0; }
.facts dt { color: var(--soft); font-size: 13px; }
.facts dd { margin: 0; font-weight: 600; font-variant-numeric: tabular-nums; }
.findings { display: grid; gap: 14px; padding: 0; margin: 0; list-style: none; }
.head { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 12px; }
.number { display: inline-grid; place-items: center; width: 24px; height: 24px; border-radius: 50%; background: var(--tone);
  color: var(--card); font-weight: 700; font-size: 13px; flex: none; }
.severity { color: var(--tone); font-weight: 600; font-size: 13px; }
.since { color: var(--soft); margin-left: auto; font-size: 13px; }
.evidence { display: flex; flex-wrap: wrap; gap: 6px 24px; margin: 12px 0 0; }
.evidence dt { color: var(--soft); font-size: 12px; }
.evidence dd { margin: 0; font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.advice { margin: 10px 0 0; padding-left: 22px; }
.advice li { margin-top: 3px; }
.pair { display: grid; gap: 14px; grid-template-columns: repeat(auto-fit, minmax(min(460px, 100%), 1fr)); }
.maps { display: grid; gap: 14px; grid-template-columns: repeat(auto-fill, minmax(min(300px, 100%), 1fr)); }
figure { margin: 0; min-width: 0; }
figcaption { font-weight: 600; margin-bottom: 8px; }
figcaption span { color: var(--soft); font-weight: 400; }
svg { display: block; width: 100%; height: auto; overflow: visible; }
.narrow { display: none; }
@media (max-width: 600px) { .wide { display: none; } .narrow { display: block; } main { padding: 20px 12px 48px; } .card { padding: 12px; } }
.tick { fill: var(--soft); font: 11px system-ui, sans-serif; }
.halo { paint-order: stroke; stroke: var(--card); stroke-width: 4px; stroke-linejoin: round; }
.grid { stroke: var(--rule); fill: none; }
.guide { stroke: var(--soft); stroke-dasharray: 4 4; fill: none; opacity: 0.7; }
.line { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.faint { opacity: 0.3; stroke-width: 1; }
.pin { fill: none; stroke-width: 1.2; stroke-dasharray: 3 3; opacity: 0.75; }
.pin-label { fill: var(--card); font: 700 11px system-ui, sans-serif; }
.heat { fill: var(--heat); }
.legend { display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 8px 0 0; padding: 0; list-style: none; color: var(--soft); font-size: 13px; }
.legend i { display: inline-block; width: 14px; height: 3px; border-radius: 2px; vertical-align: middle; margin-right: 6px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 10px; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
th { color: var(--soft); font-weight: 500; }
tr:last-child td { border-bottom: 0; }
`;
