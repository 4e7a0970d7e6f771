// Draws the part of the ladder that is seen: from a layout, whatever lies between two heights.

import { placeOf } from "./columns.js";
import { circle, line, path, rect, svg, words } from "./dom.js";
import { clock, colour, cross, drawFrame, drawLabel, hatch, outline, textClass, tint } from "./glyphs.js";
import { bandAt } from "./layout.js";
import { ordinal, seconds } from "./words.js";

// So high is a tile, and so much is drawn above and below what is seen.
export const TILE = 480;
const MORE = 240;

export function tilesIn(scrolled, seen, height) {
  const at = (y) => Math.floor(Math.max(0, Math.min(height - 1, y)) / TILE);
  return { first: at(scrolled - MORE), last: at(scrolled + seen + MORE) };
}

export function drawLadder(layout, focus, from, to, measure) {
  const { columns } = layout, { u } = columns;
  const among = (name, draw) => layout.seen[name].between(from, to).map(draw);
  const bands = layout.seen.bands.between(from, to);
  return [
    svg("g", {}, drawFocus(layout, focus, from, to)),
    among("outages", (each) => rect(columns.left + 6 * u, each.y0, columns.wire - 12 * u, each.y1 - each.y0, { fill: "url(#hatch-out)" })),
    among("breaks", (each) => drawBreak(each, columns)),
    among("ticks", (each) => drawTick(each, layout)),
    among("stretches", (each) => drawStretch(each, columns)),
    among("lifelines", (each) => drawLifeline(each, columns, from, to)),
    among("unknown", (each) => drawUnknown(each, columns)),
    among("bars", (each) => drawBar(each, u)),
    among("guests", (each) => drawGuest(each, layout)),
    among("timers", (each) => drawTimer(each, columns)),
    bands.map((each) => svg("g", { class: "frame", "data-frame": each.frame.number }, svg("title", {}, titleOfBand(each)), drawFrame(each, columns))),
    among("breakWords", (each) => drawBreakWords(each, columns)),
    among("folds", (each) => drawFold(each, columns)),
    bands.map((each) => svg("g", { class: "frame label", "data-frame": each.frame.number }, drawLabel(each, columns, measure))),
    from < layout.top.y && drawTop(layout),
    among("captions", (each) => drawCaption(each, columns)),
    among("logs", (each) => drawLog(each, columns)),
    to > layout.foot && drawFoot(layout),
  ];
}

const titleOfBand = ({ frame }) => `${frame.count > 1 ? `${ordinal(frame.count)} ` : ""}${frame.name} ${frame.label}: ${frame.fate}`;

// -- what is marked -------------------------------------------------------------------------------

function drawFocus(layout, focus, from, to) {
  const { columns, bandOf } = layout, { u, torn } = columns;
  return focus.frames.map((number) => {
    const band = bandOf.get(number);
    if (!band || band.bottom < from || band.top > to) return null;
    const main = number === focus.selected, part = band.frame.lost ? torn : 1;
    const casing = svg("polygon", { points: outline(band, part, (main ? 6 : 4) * u), fill: "var(--mark)", opacity: band.y1 - band.y0 > 14 * u ? (main ? 0.42 : 0.3) : main ? 1 : 0.6 });
    const edge = main && svg("polygon", { points: outline(band, part, 6 * u), fill: "none", stroke: "var(--mark-line)", "stroke-width": 1.8 * u });
    return [causeCasing(layout, band, focus), casing, edge];
  });
}

// The lifeline between a frame and what led to it.
function causeCasing({ bandOf, columns }, band, focus) {
  const cause = bandOf.get(band.frame.cause);
  if (!cause || !focus.frames.includes(band.frame.cause)) return null;
  const from = cause.frame.by === band.frame.by ? cause.y1 : cause.ends[0].y1;
  return line(band.x0, from, band.x0, band.y0, { stroke: "var(--mark)", "stroke-width": 11 * columns.u, "stroke-linecap": "round" });
}

export function drawByte(layout, number, byte, certain) {
  const band = layout.bandOf.get(number), { u, torn } = layout.columns;
  if (!band || !byte) return null;
  const share = Math.min(1, (byte - 0.5) / band.frame.size), part = band.frame.lost ? torn : 1;
  const x = band.x0 + (band.x1 - band.x0) * part;
  return [
    line(band.x0, bandAt(band, 0, share), x, bandAt(band, part, share), { stroke: "var(--mark-line)", "stroke-width": (certain ? 2.4 : 1.6) * u, "stroke-dasharray": certain ? null : `${4 * u} ${3 * u}` }),
    circle(band.x0, bandAt(band, 0, share), 3.4 * u, { fill: "var(--mark-line)" }),
  ];
}

export function drawNow(layout, y) {
  const { columns } = layout;
  const from = columns.narrow ? columns.left - 4 * columns.u : columns.axis;
  return [
    line(from, y, columns.right + 6 * columns.u, y, { stroke: "var(--mark-line)", "stroke-width": 1.2 * columns.u, "stroke-dasharray": `${columns.u} ${3 * columns.u}` }),
    path(`M${from - 1} ${y - 4 * columns.u}l${6 * columns.u} ${4 * columns.u}l${-6 * columns.u} ${4 * columns.u}z`, { fill: "var(--mark-line)" }),
  ];
}

// -- the axis -------------------------------------------------------------------------------------

function drawBreak({ y0, y1 }, columns) {
  const { u, narrow, width, axis, right } = columns, x = narrow ? 0 : axis - 52 * u, middle = (y0 + y1) / 2;
  return [
    rect(x, y0 + 3 * u, narrow ? width : right + 6 * u - x, y1 - y0 - 6 * u, { fill: "var(--fainter)", opacity: 0.55, rx: 3 * u }),
    path(`M${axis + 5 * u} ${middle - 8 * u}l${-4 * u} ${4 * u}l${8 * u} ${4 * u}l${-8 * u} ${4 * u}l${4 * u} ${4 * u}`, { stroke: "var(--dim)", "stroke-width": 1.2 * u }),
  ];
}

function drawBreakWords({ lines, x, y }, { small }) {
  const first = y - (lines.length - 1) * small * 0.65 + small * 0.36;
  return lines.map((text, i) => words(x, first + i * small * 1.3, text, small, { "text-anchor": "middle", class: "halo dim" }));
}

function drawTick({ y, text, isExact, isMark }, { columns, timed }) {
  const { u, axis, tiny } = columns;
  const mark = isMark ? path(`M${axis - 38 * u} ${y + 8 * u}h${46 * u}`, { stroke: "var(--dim)", "stroke-width": u, "stroke-dasharray": `${3 * u} ${2 * u}` })
    : timed && line(axis + 3 * u, y, axis + 7 * u, y, { stroke: "var(--dim)", "stroke-width": u });
  return [words(axis, y + tiny * 0.36, text, tiny, { "text-anchor": "end", class: isExact ? "tick exact" : "tick" }), mark];
}

function drawStretch({ y0, y1 }, { u, axis }) {
  if (y1 - y0 < 14 * u) return null;
  return path(`M${axis + 8 * u} ${y0 + 3 * u}h${-4 * u}V${y1 - 3 * u}h${4 * u}`, { stroke: "var(--dim)", "stroke-width": u });
}

// -- lifelines ------------------------------------------------------------------------------------

function drawLifeline({ side, open, y0, y1 }, columns, from, to) {
  const x = placeOf(columns, side), { u } = columns;
  // Only what is seen: dashes of a whole day are many.
  const dash = 7 * u, top = y0 < from ? y0 + Math.floor((from - y0) / dash) * dash : y0;
  return line(x, top, x, Math.min(y1, to), { stroke: colour(side), "stroke-width": (open ? 3.2 : 1.4) * u, "stroke-dasharray": open ? null : `${4 * u} ${3 * u}` });
}

function drawUnknown({ change, y0, y1 }, { left, u }) {
  return svg("g", {}, svg("title", {}, `${change.name} is done, and not known to be done`),
    rect(left - 3.6 * u, y0, 7.2 * u, y1 - y0, { fill: "url(#hatch-dark)", stroke: "var(--ink)", "stroke-width": 0.8 * u }));
}

function drawBar({ side, x, y0, y1, width, notches, kind }, u) {
  if (kind === "kept") return rect(x, y0, width, y1 - y0, { fill: "var(--ground)", stroke: colour(1 - side), "stroke-width": 1.2 * u, rx: 1.5 * u });
  return [
    rect(x, y0, width, y1 - y0, { fill: colour(side), opacity: 0.42, rx: 1.5 * u }),
    notches.map((y) => line(x - u, y, x + width + u, y, { stroke: "var(--ink)", "stroke-width": 1.6 * u })),
    kind === "given up" && cross(x + width / 2, y1 - 4 * u, 2.6 * u, colour(side)),
  ];
}

function drawTimer({ side, x, y0, y1, wordsAt, text }, { u, tiny }) {
  const out = side ? 1 : -1, stroke = colour(side);
  return [
    path(`M${x} ${y0}h${out * 5 * u}V${y1}h${-out * 5 * u}`, { stroke, "stroke-width": 1.3 * u }),
    clock(x + out * 5 * u, y1, 5 * u, stroke),
    words(x + out * 9 * u, wordsAt + tiny * 0.36, text, tiny, { "text-anchor": side ? "start" : "end", class: `halo ${textClass(side)}` }),
  ];
}

function drawGuest({ side, y0, y1 }, { columns, model }) {
  const { guest, u, small } = columns;
  return [
    line(guest, y0 - 18 * u, guest, y1, { stroke: "var(--guest)", "stroke-width": 3 * u }),
    words(guest - 8 * u, y0 - 8 * u, model.sides[side], small, { "text-anchor": "end", class: "halo bold of-guest" }),
  ];
}

function drawFold({ frames, number, starts, ends, y0, y1 }, { left, right, wire, u, small, tiny }) {
  const y = (y0 + y1) / 2, x = (left + right) / 2;
  return svg("g", { class: "fold", "data-open": number },
    rect(left + 8 * u, y - 17 * u, wire - 16 * u, 34 * u, { rx: 5 * u, fill: "var(--ground)", stroke: "var(--faint)", "stroke-dasharray": "3 3" }),
    path(`M${left + 18 * u} ${y}l${8 * u} ${-4 * u}v${8 * u}zM${right - 18 * u} ${y}l${-8 * u} ${-4 * u}v${8 * u}z`, { fill: "var(--dim)" }),
    words(x, y - u, `${frames.length} acknowledgements, and nothing else`, small, { "text-anchor": "middle" }),
    words(x, y + 12 * u, `${seconds(starts)} to ${seconds(ends)} s: both say that they are there. Show`, tiny, { "text-anchor": "middle", class: "dim" }));
}

// -- what is told ---------------------------------------------------------------------------------

function drawTop({ columns, top, prologue, points }) {
  const { u, fontSize, tiny, left, right, caption } = columns, first = points[0]?.y ?? top.y;
  return [
    (prologue ?? []).map((text, i) => words(caption, 20 * u + i * fontSize * 1.42, text, fontSize * 1.06)),
    top.lineWords.map((text, i) => words((left + right) / 2, first - (15 * (top.lineWords.length - i) - 1) * u, text, tiny, { "text-anchor": "middle", class: "dim" })),
  ];
}

function drawFoot({ columns, foot, sourceLines }) {
  const { u, small, caption } = columns;
  return sourceLines.map((text, i) => words(caption || 12 * u, foot + 18 * u + i * small * 1.4, text, small, { class: "dim" }));
}

const MARKS = {
  do: (x, y, u) => path(`M${x + u} ${y}l${7 * u} ${4 * u}l${-7 * u} ${4 * u}z`, { fill: "var(--programmer)" }),
  answer: (x, y, u) => path(`M${x + 9 * u} ${y}l${-7 * u} ${4 * u}l${7 * u} ${4 * u}z`, { fill: "var(--pump)" }),
  event: (x, y, u) => circle(x + 5 * u, y + 4 * u, 2 * u, { fill: "var(--dim)" }),
  failed: (x, y, u) => cross(x + 5 * u, y + 4 * u, 3.5 * u),
};

function drawCaption(caption, columns) {
  const { u, fontSize, narrow } = columns, x = narrow ? columns.left + 8 * u : columns.caption;
  const drawn = [];
  if (narrow) drawn.push(rect(columns.left + 3 * u, caption.y - 2 * u, columns.wire - 6 * u, caption.height, { fill: "var(--ground)" }));
  if (caption.knot) drawn.push(...drawKnot(caption, columns, x));
  const mark = MARKS[caption.kind];
  if (mark) drawn.push(mark(x, caption.y + fontSize * 0.38, u));
  let y = caption.y + (caption.knot ? 3 * u : 0);
  for (const each of caption.lines) {
    y += each.size * 1.32;
    drawn.push(words(x + caption.indent, y - each.size * 0.27, each.text, each.size, { "font-weight": each.weight, class: each.dim ? "dim" : null }));
  }
  return caption.knot ? svg("g", { class: "knot", "data-knot": caption.knot.number }, drawn) : svg("g", {}, drawn);
}

function drawKnot({ y, height, knot }, { u, small, captionWidth, wire, narrow }, x) {
  return [
    rect(x, y, narrow ? wire - 16 * u : captionWidth, height - 3 * u, { rx: 4 * u, fill: "var(--mark)", opacity: 0.55 }),
    circle(x + 12 * u, y + 12 * u, 8.5 * u, { fill: "var(--ink)" }),
    words(x + 12 * u, y + 12 * u + small * 0.35, String(knot.number), small, { "text-anchor": "middle", "font-weight": 650, class: "on-ink" }),
  ];
}

function drawLog(log, columns) {
  const { u, small, tiny, narrow, left, right } = columns, x = narrow ? left + 20 * u : columns.log + 14 * u;
  const drawn = narrow ? [rect(left + 3 * u, log.y - u, columns.wire - 6 * u, log.height, { fill: "var(--ground)" })] : [];
  const ring = (y) => circle(right, y, 3.6 * u, { fill: "var(--ground)", stroke: "var(--pump)", "stroke-width": 1.8 * u });
  let y = log.y + small;
  if (narrow) drawn.push(ring(log.y + small * 0.7));
  else if (!log.follows) {
    drawn.push(path(`M${right + 2 * u} ${log.pointAt}L${columns.log + 2 * u} ${log.pointAt}L${columns.log + 7 * u} ${log.y + small * 0.6}`, { stroke: "var(--pump)", "stroke-width": 0.9 * u, "stroke-dasharray": `${1.5 * u} ${2 * u}` }));
    drawn.push(ring(log.pointAt), words(x, y, log.lead, tiny, { class: "dim" }));
    y += small * 1.3;
  }
  for (const text of log.lines) {
    drawn.push(words(x, y, text, small, { class: "of-pump" }));
    y += small * 1.3;
  }
  return svg("g", {}, drawn);
}

// -- patterns -------------------------------------------------------------------------------------

export function patterns(u) {
  const stripes = (id, size, angle, ground, stroke, width, opacity) => svg("pattern", { id, width: size, height: size, patternUnits: "userSpaceOnUse", patternTransform: `rotate(${angle})` },
    ground && rect(0, 0, size, size, { fill: ground }), line(0, 0, 0, size, { stroke, "stroke-width": width, opacity }));
  return svg("defs", {},
    [0, 1, 2].map((side) => stripes(hatch(side).slice(5, -1), 6 * u, 45, tint(side), colour(side), u, 0.38)),
    stripes("hatch-out", 9 * u, -45, "var(--outage)", "var(--dim)", u, 0.28),
    stripes("hatch-dark", 4 * u, 45, "var(--ground)", "var(--ink)", 2.2 * u, 1));
}
