#include "apps/load/html_style.hpp"

namespace levain::load {

const char* const html_style = R"(
:root {
  color-scheme: light dark;
  --page: #f6f5f2; --card: #ffffff; --edge: #e3e0d9; --text: #24211c; --grid: #eceae4; --quiet: #767065;
  --c0: #b4581a; --c1: #2463c4; --c2: #1d8a5b; --c3: #8b3fb8; --good: #1d7f4f; --bad: #c0312b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #171614; --card: #211f1c; --edge: #37332d; --text: #ece8e0; --quiet: #a09888; --grid: #322e29;
    --c0: #f0954e; --c1: #74a7ff; --c2: #55c795; --c3: #c58bea; --good: #5ccf97; --bad: #ff7d75;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; padding: 20px 16px 48px; background: var(--page); color: var(--text);
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
main { max-width: 1120px; margin: 0 auto; }
h1 { font-size: 1.5rem; margin: 0 0 2px; }
h2 { font-size: 1.05rem; margin: 30px 0 10px; }
h3 { font-size: .92rem; margin: 0 0 8px; }
p { margin: 0; }
.quiet { color: var(--quiet); }
.keys { display: flex; flex-wrap: wrap; gap: 4px 18px; margin-top: 8px; }
.key::before { content: ""; display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 6px; background: currentColor; }
.key span { color: var(--text); overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(152px, 1fr)); gap: 10px; margin-top: 18px; }
.tile, .card { background: var(--card); border: 1px solid var(--edge); border-radius: 10px; padding: 12px 14px; }
.tile .label { font-size: .8rem; color: var(--quiet); }
.tile .value { font-size: 1.45rem; font-weight: 620; font-variant-numeric: tabular-nums; line-height: 1.25; }
.tile .value small { font-size: .78rem; font-weight: 400; color: var(--quiet); }
.tile .other { font-size: .86rem; font-variant-numeric: tabular-nums; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 420px), 1fr)); gap: 12px; }
svg { display: block; width: 100%; height: auto; }
svg text { font: 11px system-ui, "DejaVu Sans", sans-serif; fill: var(--quiet); }
svg .grid { stroke: var(--grid); stroke-width: 1; }
svg .axis { stroke: var(--quiet); stroke-width: 1; opacity: .6; }
svg .line { fill: none; stroke: currentColor; stroke-width: 1.7; stroke-linejoin: round; }
svg .dashed { stroke-dasharray: 4 3; }
svg .fill { fill: currentColor; opacity: .16; }
svg .dot { fill: currentColor; }
.c0 { color: var(--c0); } .c1 { color: var(--c1); } .c2 { color: var(--c2); } .c3 { color: var(--c3); }
.good { color: var(--good); } .bad { color: var(--bad); }
.tables { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 340px), 1fr)); gap: 12px; align-items: start; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 4px 10px 4px 0; border-top: 1px solid var(--grid); vertical-align: top; overflow-wrap: anywhere; }
tr:first-child > * { border-top: 0; }
th { font-weight: 500; color: var(--quiet); overflow-wrap: normal; hyphens: none; }
td.number { text-align: right; white-space: nowrap; }
@media print { body { background: none; padding: 0; } .tile, .card { break-inside: avoid; } }
)";

} // namespace levain::load
