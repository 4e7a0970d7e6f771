// What is seen, as a file: the picture by itself, or its words.

import { html, svg } from "./dom.js";
import { drawLadder, patterns } from "./ladder.js";
import { storyOf } from "./mirror.js";

const COLOURS = ["ground", "panel", "ink", "dim", "faint", "fainter", "programmer", "pump", "guest", "fault", "mark", "mark-line", "programmer-tint", "pump-tint", "guest-tint", "outage"];

export function textOf(model, from, to) {
  const lines = storyOf(model).filter((each) => each.at >= from && each.at <= to).map((each) => each.text);
  return `${[model.title, `${model.claim}; ${model.sums}`, "", ...lines].join("\n")}\n`;
}

// Without the page's style sheet: colours are put in, and the classes of texts are declared anew.
export function svgOf(layout, focus, from, to, measure, family) {
  const { width } = layout.columns, height = to - from;
  const picture = svg("svg", { width, height, viewBox: `0 ${from} ${width} ${height}`, xmlns: "http://www.w3.org/2000/svg" },
    svg("style", {}, ownStyle(family)),
    svg("rect", { x: 0, y: from, width, height, fill: "var(--ground)" }),
    patterns(layout.columns.u), drawLadder(layout, focus, from, to, measure));
  const style = getComputedStyle(document.documentElement);
  return COLOURS.reduce((text, name) => text.replaceAll(`var(--${name})`, style.getPropertyValue(`--${name}`).trim()), new XMLSerializer().serializeToString(picture));
}

function ownStyle(family) {
  const fill = (name, value) => `.${name}{fill:var(--${value})}`;
  return [
    `text{font-family:${family};fill:var(--ink)}`, ".bold{font-weight:650}", ".hit{stroke:none}",
    ".halo{paint-order:stroke;stroke:var(--ground);stroke-width:4px;stroke-linejoin:round}",
    fill("tick", "dim"), fill("dim", "dim"), fill("exact", "ink"), fill("on-ink", "ground"), fill("of-fault", "fault"),
    ...["programmer", "pump", "guest"].map((each) => fill(`of-${each}`, each)),
  ].join("");
}

export function download(name, text, type) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = html("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
