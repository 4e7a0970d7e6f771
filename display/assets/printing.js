// On paper the whole ladder stands on pages, cut where nothing is cut through.

import { html, svg } from "./dom.js";
import { drawLadder } from "./ladder.js";

const PAGE = 1330, LEAST = 0.5;

// Where to cut a picture: the lowest free height on each page, or its end where none is free.
export function cutsOf(height, boxes, page = PAGE) {
  const cuts = [0];
  while (height - cuts.at(-1) > page) {
    const from = cuts.at(-1), to = from + page;
    cuts.push(freeBelow(boxes, from + page * LEAST, to) ?? to);
  }
  return [...cuts, height];
}

function freeBelow(boxes, least, most) {
  let y = most;
  for (const [, ] of boxes) {
    const hit = boxes.find(([top, bottom]) => top < y && bottom > y);
    if (!hit) return y;
    y = hit[0];
    if (y < least) return null;
  }
  return y;
}

export function drawPages(layout, focus, measure) {
  const { width } = layout.columns;
  const boxes = [
    ...layout.bands.map((each) => [each.top, each.bottom]),
    ...[...layout.captions, ...layout.logs].map((each) => [each.y - 2, each.y + each.height]),
    ...layout.folds.map((each) => [each.y0, each.y1]),
  ];
  const cuts = cutsOf(layout.height, boxes);
  return cuts.slice(1).map((to, place) => html("div", { class: "sheet" },
    svg("svg", { viewBox: `0 ${cuts[place]} ${width} ${to - cuts[place]}` }, drawLadder(layout, focus, cuts[place], to, measure))));
}
