// How a frame looks: a band as thick as the frame is long on the line, and what happened to it.

import { bandAt } from "./layout.js";
import { circle, line, path, rect, svg, words } from "./dom.js";
import { runWidth, sizeOf } from "./labels.js";

const SIDE = ["programmer", "pump", "guest", "guest"];
export const colour = (side) => `var(--${SIDE[side]})`;
export const tint = (side) => `var(--${SIDE[side]}-tint)`;
export const hatch = (side) => `url(#hatch-${SIDE[side]})`;
export const textClass = (side) => `of-${SIDE[side]}`;

const fixed = (value) => +value.toFixed(2);

export function cross(x, y, r, stroke = "var(--fault)") {
  return path(`M${fixed(x - r)} ${fixed(y - r)}l${2 * r} ${2 * r}m0 ${-2 * r}l${-2 * r} ${2 * r}`, { stroke, "stroke-width": r * 0.5, "stroke-linecap": "round" });
}

export function clock(x, y, r, stroke) {
  return [
    circle(x, y, r, { fill: "var(--ground)", stroke, "stroke-width": r * 0.28 }),
    path(`M${fixed(x)} ${fixed(y - r * 0.6)}V${fixed(y)}l${fixed(r * 0.45)} ${fixed(r * 0.25)}`, { stroke, "stroke-width": r * 0.26, "stroke-linecap": "round" }),
  ];
}

export function zigzag(x0, y0, x1, y1, height, step) {
  const count = Math.max(4, Math.round(Math.hypot(x1 - x0, y1 - y0) / step));
  let d = `M${fixed(x0)} ${fixed(y0)}`;
  for (let i = 1; i < count; i += 1) d += `L${fixed(x0 + (x1 - x0) * i / count)} ${fixed(y0 + (y1 - y0) * i / count + (i % 2 ? -height : height))}`;
  return `${d}L${fixed(x1)} ${fixed(y1)}`;
}

function head(x, y, way, slope, { fill, stroke, scale }) {
  const angle = Math.atan(slope), c = Math.cos(angle), s = Math.sin(angle);
  const at = (dx, dy) => `${fixed(x + dx * c - dy * s)},${fixed(y + dx * s + dy * c)}`;
  const points = `${at(0, 0)} ${at(-way * 9 * scale, -3.7 * scale)} ${at(-way * 9 * scale, 3.7 * scale)}`;
  return svg("polygon", { points, fill, stroke, "stroke-width": 1.3 * scale, "stroke-linejoin": "round" });
}

// The outline of a band, up to a part of its way, wider by `more` above and below.
export function outline(band, part = 1, more = 0) {
  const x = band.x0 + (band.x1 - band.x0) * part;
  return [[band.x0, band.y0 - more], [x, bandAt(band, part, 0) - more], [x, bandAt(band, part, 1) + more], [band.x0, band.y1 + more]]
    .map((each) => each.map(fixed).join(",")).join(" ");
}

export function drawFrame(band, columns) {
  const { frame } = band, { u, torn } = columns, stroke = colour(frame.by);
  const part = frame.lost ? torn : 1, way = band.x1 > band.x0 ? 1 : -1;
  const thick = Math.max(band.y1 - band.y0, band.ends[0].y1 - band.ends[0].y0) > 2.5 * u;
  const context = { band, frame, u, stroke, part, way, thick, x: (k) => band.x0 + (band.x1 - band.x0) * k, y: (k, share) => bandAt(band, k, share) };
  return [
    hitArea(context), thick && body(context), edges(context), frame.shape === "control" && diamond(context),
    frame.lost ? lost(context) : band.ends.map((end, place) => end.arrival && (place ? secondArrival(context, end) : arrival(context, end))),
  ];
}

function hitArea({ band, u, x, y, part }) {
  return line(band.x0, y(0, 0.5), x(part), y(part, 0.5), { class: "hit", "stroke-width": Math.max(10 * u, band.y1 - band.y0) });
}

function body({ band, frame, u, x, y, part, way }) {
  const fill = frame.count > 1 ? hatch(frame.by) : tint(frame.by);
  if (!frame.lost) return svg("polygon", { points: outline(band), fill });
  const teeth = 4, top = y(part, 0), height = y(part, 1) - top;
  let edge = "";
  for (let i = 1; i < teeth * 2; i += 1) edge += `L${fixed(x(part) + way * (i % 2 ? 5 : -1) * u)} ${fixed(top + height * i / teeth / 2)}`;
  const d = `M${fixed(band.x0)} ${fixed(band.y0)}L${fixed(x(part))} ${fixed(top)}${edge}L${fixed(x(part))} ${fixed(top + height)}L${fixed(band.x0)} ${fixed(band.y1)}Z`;
  return path(d, { fill });
}

function edges({ band, frame, u, stroke, x, y, part, thick }) {
  const width = (frame.shape === "ack" ? 1 : 1.7) * u;
  const shared = { class: "edge", stroke, "stroke-dasharray": frame.count > 1 ? `${7 * u} ${3.5 * u}` : null };
  const end = frame.lost || thick ? part : 1 - 6 * u / Math.abs(band.x1 - band.x0);
  return [
    line(band.x0, band.y0, x(end), y(end, 0), { ...shared, "stroke-width": width }),
    thick && line(band.x0, band.y1, x(end), y(end, 1), { ...shared, "stroke-width": width * 0.8 }),
  ];
}

function diamond({ band, u, stroke, way }) {
  const x = band.x0 + way * 3 * u;
  return rect(x - 2.6 * u, band.y0 - 2.6 * u, 5.2 * u, 5.2 * u, { fill: stroke, transform: `rotate(45 ${fixed(x)} ${fixed(band.y0)})` });
}

function lost({ frame, u, x, y, part, way, thick }) {
  return [
    line(x(part + 0.04), y(part + 0.04, 0.5), x(0.97), y(0.97, 0.5), { stroke: "var(--dim)", opacity: 0.5, "stroke-width": 1.2 * u, "stroke-dasharray": `${1.5 * u} ${4 * u}` }),
    cross(x(part) + way * (thick ? 9 : 7) * u, y(part, 0.5), (frame.shape === "ack" ? 4 : 5.2) * u),
  ];
}

function arrival(context, end) {
  const { band, frame, u, stroke, way } = context, { arrival: came } = end, x = band.x1, y = end.y1;
  const slope = (end.y1 - band.y1) / (band.x1 - band.x0), hollow = came.end !== "taken" || frame.shape === "ack";
  return [
    came.garbage && specks(context, came.garbage.length / 2),
    came.flips.map((flip) => damage(context, flip)),
    came.end === "stopped" ? wall(context, end)
      : head(x, y, way, slope, { fill: hollow ? "var(--ground)" : stroke, stroke, scale: (frame.shape === "ack" ? 0.78 : 1) * u }),
    came.end === "dropped" && line(x - way * 12 * u, y - 5 * u, x - way * 12 * u, y + 5 * u, { stroke, "stroke-width": 2.2 * u }),
    came.end === "kept" && circle(x - way * 14 * u, bandAt(band, 1 - 14 * u / Math.abs(band.x1 - band.x0), 1), 3 * u, { fill: "var(--ground)", stroke, "stroke-width": 1.4 * u }),
    came.is_late && late(context),
  ];
}

// Bytes that nobody sent, before the head.
function specks({ u, x, y }, bytes) {
  const found = [];
  for (let i = 0; i < Math.min(4 + bytes * 2, 14); i += 1) {
    const part = 0.66 + 0.31 * ((i * 0.618) % 1), top = y(part, 0) - (3 + ((i * 37) % 5)) * u;
    found.push(rect(x(part), top, 2.4 * u, 2.4 * u, { fill: "var(--fault)", transform: `rotate(${i * 31} ${fixed(x(part))} ${fixed(top)})` }));
  }
  return found;
}

// From the damaged byte on, at its place in the band.
function damage({ band, frame, u, x, y, way }, { byte }) {
  const share = byte / frame.size;
  return [
    path(zigzag(x(0.5), y(0.5, share), band.x1 - way * 9 * u, y(1, share), 2.6 * u, 6 * u), { stroke: "var(--fault)", "stroke-width": 1.6 * u }),
    circle(x(0.5), y(0.5, share), 2.6 * u, { fill: "var(--fault)" }),
  ];
}

function wall({ band, u, way, thick }, end) {
  const top = Math.min(end.y0, end.y1 - 9 * u) - 2 * u, x = band.x1 - way * 7 * u;
  return [
    line(x, top, x, end.y1 + 4 * u, { stroke: "var(--fault)", "stroke-width": 3.4 * u }),
    cross(band.x1 - way * 15 * u, end.y1 - (thick ? 6 : 0) * u, 3.6 * u),
  ];
}

function late({ u, stroke, x, y }) {
  return path(`M${fixed(x(0.72) - 4 * u)} ${fixed(y(0.72, 1) - 7 * u)}v${14 * u}m${8 * u} ${-14 * u}v${14 * u}`, { stroke, "stroke-width": 2 * u });
}

// It came once more: a second way that leaves the first.
function secondArrival({ band, u, stroke, way, thick, x, y }, end) {
  const off = (thick ? 5 : 6) * u, fork = 0.62, bottom = end.y1 + off;
  return [
    path(`M${fixed(x(fork))} ${fixed(y(fork, 1))}L${fixed(x(fork + 0.05))} ${fixed(y(fork, 1) + off)}L${fixed(band.x1 - way * 5 * u)} ${fixed(bottom)}`, { stroke, "stroke-width": 1.2 * u, "stroke-dasharray": `${2.5 * u} ${2.5 * u}` }),
    head(band.x1, bottom, way, (bottom - y(fork, 1)) / (band.x1 - x(fork)), { fill: "var(--ground)", stroke, scale: u }),
  ];
}

// -- its words ------------------------------------------------------------------------------------

export function drawLabel(band, columns, measure) {
  const { frame, label } = band, { u, tiny } = columns;
  if (!label) return null;
  const { y, size } = label, drawn = [];
  if (!label.inside) drawn.push(rect(label.x - 2.5 * u, y - size * 0.62, label.width + 5 * u, size * 1.24, { rx: 3 * u, fill: "var(--ground)", "fill-opacity": 0.9 }));
  let x = label.x;
  for (const run of label.runs) {
    const [kind, text] = run, width = runWidth(run, frame, columns, measure);
    const lead = kind === "trouble" ? 7 * u : kind === "number" ? 4 * u : 0;
    if (kind === "badge") {
      drawn.push(rect(x, y - size * 0.66, width - 5 * u, size * 1.32, { rx: 3 * u, fill: "var(--ground)", stroke: colour(frame.by), "stroke-width": 1.3 * u }));
      drawn.push(words(x + (width - 5 * u) / 2, y + tiny * 0.36, text, tiny, { "text-anchor": "middle", "font-weight": 600, class: textClass(frame.by) }));
    } else drawn.push(words(x + lead, y + size * 0.36, text, size, { class: runClass(kind, frame) }));
    x += width;
  }
  return drawn;
}

function runClass(kind, frame) {
  if (kind === "trouble") return frame.is_harmed ? "bold of-fault" : "dim";
  if (frame.shape === "ack") return "dim";
  return kind === "name" ? `bold ${textClass(frame.by)}` : textClass(frame.by);
}
