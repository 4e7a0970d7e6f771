// What each sign means, drawn by what draws the ladder.

import { html, path, rect, svg } from "./dom.js";
import { clock, drawFrame } from "./glyphs.js";
import { KEYS, shownKeys } from "./keys.js";

const SAMPLE = { by: 0, to: 1, shape: "data", count: 1, size: 10, lost: "", is_harmed: false };
const SAMPLE_ARRIVAL = { end: "taken", garbage: "", flips: [], is_late: false };

function sample(u, frame, arrivals, thick) {
  const [y0, y1, dy] = thick ? [3 * u, 11 * u, 4 * u] : [5 * u, 5 * u, 4 * u];
  const ends = (arrivals.length ? arrivals : [null]).map((each) => ({ arrival: each && { ...SAMPLE_ARRIVAL, ...each }, y0: y0 + dy, y1: y1 + dy }));
  const band = { frame: { ...SAMPLE, ...frame }, x0: 1, x1: 62 * u, y0, y1, ends };
  return svg("svg", { width: 64 * u, height: 18 * u, "aria-hidden": "true" }, drawFrame(band, { u, torn: 0.6 }));
}

const small = (u, width, ...drawn) => svg("svg", { width: width * u, height: 16 * u, "aria-hidden": "true" }, drawn);

function signs(u) {
  return [
    [sample(u, {}, [{}], true), "frame: as thick as it is long"],
    [sample(u, { count: 2 }, [{}], true), "sent again"],
    [sample(u, { shape: "ack" }, [{}]), "acknowledgement"],
    [sample(u, { lost: "lost" }, []), "lost"],
    [sample(u, {}, [{ end: "stopped", flips: [{ byte: 5 }] }], true), "damaged, and stopped"],
    [sample(u, {}, [{ garbage: "ffff" }]), "garbage in front"],
    [sample(u, {}, [{}, {}]), "comes twice"],
    [sample(u, {}, [{ is_late: true }]), "late"],
    [sample(u, {}, [{ end: "kept" }]), "kept"],
    [sample(u, {}, [{ end: "dropped" }]), "dropped"],
    [small(u, 14, rect(4 * u, u, 5 * u, 14 * u, { fill: "var(--programmer)", opacity: 0.42, rx: 1.5 * u })), "in flight"],
    [small(u, 22, path(`M${18 * u} ${2 * u}h${-6 * u}V${11 * u}h${6 * u}`, { stroke: "var(--programmer)", "stroke-width": 1.3 * u }), clock(12 * u, 11 * u, 4 * u, "var(--programmer)")), "timer that expired"],
    [small(u, 14, rect(4 * u, u, 7 * u, 14 * u, { fill: "url(#hatch-dark)", stroke: "var(--ink)", "stroke-width": 0.8 * u })), "done, not known yet"],
    [small(u, 18, path(`M${9 * u} 0l${-4 * u} ${4 * u}l${8 * u} ${4 * u}l${-8 * u} ${4 * u}l${4 * u} ${4 * u}`, { stroke: "var(--dim)", "stroke-width": 1.2 * u })), "time left out"],
  ];
}

export function drawLegend(u) {
  return [
    signs(u).map(([drawn, text]) => html("span", {}, drawn, text)),
    html("span", { class: "hint" }, html("kbd", {}, "j"), html("kbd", {}, "k"), " frame ", html("kbd", {}, "n"), " next trouble ", html("kbd", {}, "?"), " keys"),
  ];
}

export function drawHelp() {
  return html("table", {}, KEYS.map((each) => html("tr", {},
    html("td", {}, shownKeys(each).map((key) => [html("kbd", {}, key), " "])), html("td", {}, each.says))));
}
