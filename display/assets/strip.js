// The whole run on one strip: true time above, the ladder below, joined by fans that show what the
// ladder has left out.

import { line, path, rect, svg, words, circle } from "./dom.js";
import { colour } from "./glyphs.js";
import { roundStep, sorted } from "./words.js";

// Of more frames than the strip has room for only the troubled ones are drawn each.
const PIXELS_A_FRAME = 1.5;

export function stripOf(layout, width) {
  const { columns, model, height } = layout, { u, narrow } = columns;
  const from = narrow ? 0 : 86 * u, top = narrow ? 18 * u : 30 * u, bottom = narrow ? 52 * u : 66 * u;
  const ends = Math.max(model.ends, 1);
  return {
    layout, u, width, from, top, bottom, height: bottom,
    x: (y) => from + y / height * (width - from),
    y: (x) => (x - from) / (width - from) * height,
    time: (at) => from + at / ends * (width - from),
    at: (x) => Math.max(0, Math.min(ends, (x - from) / (width - from) * ends)),
  };
}

export function drawStrip(strip) {
  const { layout, u, top, bottom, width, from } = strip, { columns, model } = layout, middle = top + (bottom - top) / 2;
  return [
    !columns.narrow && [
      words(0, 16 * u, "true time", columns.tiny, { class: "dim" }),
      words(0, top + 13 * u, "programmer", columns.tiny, { class: "of-programmer" }),
      words(0, bottom - 8 * u, "pump", columns.tiny, { class: "of-pump" }),
    ],
    timeAxis(strip), fans(strip),
    line(from, middle, width, middle, { stroke: "var(--faint)", "stroke-width": u }),
    layout.outages.map((each) => rect(strip.x(each.y0), top + u, Math.max(2, strip.x(each.y1) - strip.x(each.y0)), bottom - top - 2 * u, { fill: "url(#hatch-out)" })),
    layout.folds.map((each) => line(strip.x(each.y0), middle, strip.x(each.y1), middle, { stroke: "var(--dim)", "stroke-width": 3 * u, "stroke-dasharray": `${2 * u} ${3 * u}` })),
    frameMarks(strip, middle), model.knots.map((each) => knotMark(strip, each, middle)),
  ];
}

function timeAxis({ layout, time, u, width, from, top }) {
  const { model, columns } = layout, y = columns.narrow ? top - 2 * u : 13 * u;
  const step = roundStep(Math.max(1e4, 70 * u / (width - from) * model.ends)), marks = [];
  for (let at = 0; at <= model.ends; at += step) {
    marks.push(line(time(at), y - 4 * u, time(at), y, { stroke: "var(--dim)", "stroke-width": u }));
    if (time(at) < width - 34 * u) marks.push(words(time(at) + 3 * u, y - 3 * u, `${at / 1e6} s`, columns.tiny * 0.95, { class: "dim" }));
  }
  return [line(from, y, width, y, { stroke: "var(--dim)", "stroke-width": u }), marks];
}

function fans({ layout, x, time, u, top }) {
  if (layout.columns.narrow) return null;
  const { points } = layout;
  if (!points.length) return null;
  const cuts = sorted([...layout.breaks, ...layout.folds], (a, b) => a.y0 - b.y0);
  const last = points.at(-1), pieces = [];
  let at = points[0].at, y = points[0].y;
  for (const cut of [...cuts, { starts: last.at, y0: last.y }]) {
    pieces.push([at, cut.starts, y, cut.y0]);
    at = cut.ends;
    y = cut.y1;
  }
  const d = pieces.map(([starts, ends, y0, y1]) => `M${time(starts).toFixed(1)} ${13 * u}v${1.5 * u}L${x(y0).toFixed(1)} ${top}H${x(y1).toFixed(1)}L${time(ends).toFixed(1)} ${14.5 * u}v${-1.5 * u}Z`);
  return path(d.join(""), { fill: "var(--fainter)", stroke: "var(--faint)", "stroke-width": 0.6 * u });
}

// All that look alike are one path: of ten thousand frames too many elements would come.
function frameMarks({ layout, x, u, top, bottom, width }, middle) {
  const { bands } = layout, crowded = bands.length * PIXELS_A_FRAME * u > width, marks = new Map(), faults = [];
  for (const { frame, y0 } of bands) {
    if (crowded && !frame.is_troubled) continue;
    const up = frame.by !== 1, from = up ? top + 2 * u : middle + 2 * u, to = up ? middle - 2 * u : bottom - 2 * u, at = x(y0).toFixed(1);
    const key = [frame.by, frame.shape === "ack" ? 1 : 1.8, frame.count > 1 ? `${2.4 * u} ${1.8 * u}` : ""].join("|");
    marks.set(key, `${marks.get(key) ?? ""}M${at} ${from}V${to}`);
    if (frame.lost || frame.arrivals.some((each) => each.end === "stopped")) faults.push(`M${at - 2.8 * u} ${up ? from : to - 5.6 * u}l${5.6 * u} ${5.6 * u}m0 ${-5.6 * u}l${-5.6 * u} ${5.6 * u}`);
    else if (frame.is_harmed) faults.push(`M${at - u} ${up ? from + u : to - u}h${2 * u}`);
  }
  return [
    [...marks].map(([key, d]) => {
      const [by, thick, dash] = key.split("|");
      return path(d, { stroke: colour(by), "stroke-width": thick * u, "stroke-dasharray": dash || null });
    }),
    path(faults.join(""), { stroke: "var(--fault)", "stroke-width": 1.6 * u, "stroke-linecap": "square" }),
  ];
}

function knotMark({ layout, x, from, u }, knot, middle) {
  const { tiny } = layout.columns, at = Math.max(from + 8 * u, x(knotY(layout, knot)));
  return svg("g", { class: "knot", "data-knot": knot.number },
    circle(at, middle, 7 * u, { fill: "var(--ink)", stroke: "var(--panel)", "stroke-width": 1.5 * u }),
    words(at, middle + tiny * 0.34, String(knot.number), tiny * 0.95, { "text-anchor": "middle", "font-weight": 650, class: "on-ink" }));
}

const knotY = ({ bandOf, yAt, model }, { frames }) => bandOf.get(frames[0])?.y0 ?? yAt(model.frames[frames[0] - 1].at);

export function drawWindow({ x, time, top, bottom, u, layout }, scrolled, seen, now) {
  const y = layout.columns.narrow ? top - 2 * u : 13 * u, from = x(scrolled);
  return [
    rect(from, top, Math.max(6, x(Math.min(layout.height, scrolled + seen)) - from), bottom - top, { rx: 3 * u, fill: "var(--mark-line)", "fill-opacity": 0.16, stroke: "var(--mark-line)", "stroke-width": 1.4 * u }),
    circle(time(now), y, 4 * u, { fill: "var(--mark-line)", stroke: "var(--panel)", "stroke-width": u }),
  ];
}
