// Where the words of each frame stand: on its band, at the end of its sender, never on other words.

import { Grid } from "./grid.js";
import { ordinal, sorted } from "./words.js";

const STARTS = [18, 34, 60, 90, 130, 180, 240, 300, 360];
const BESIDE = [12, -12, 18, -18, 26, -26, 36, -36, 48, -48];
const MOST_FROM_SENDER = 0.5;

// The runs of a label: [kind, text]; kinds are badge, name, number and trouble.
export function runsOf(frame, trouble = frame.trouble?.[0]) {
  const runs = [];
  if (frame.count > 1) runs.push(["badge", ordinal(frame.count)]);
  runs.push(["name", frame.name]);
  if (frame.label) runs.push(["number", frame.label]);
  if (trouble) runs.push(["trouble", trouble]);
  return runs;
}

// In full, with the short word for its trouble, and without.
function variants(frame) {
  if (!frame.trouble) return [runsOf(frame)];
  return [runsOf(frame), runsOf(frame, frame.trouble[1]), runsOf(frame, null)];
}

export const sizeOf = (frame, columns) => (frame.shape === "ack" ? columns.tiny : columns.small * 1.06);

export function runWidth([kind, text], frame, columns, measure) {
  const { u, tiny } = columns;
  if (kind === "badge") return measure(text, tiny, 600) + 14 * u;
  const bold = kind !== "number" && (kind !== "name" || frame.shape !== "ack") && (kind !== "trouble" || frame.is_harmed);
  return measure(text, sizeOf(frame, columns), bold ? 650 : 400) + (kind === "name" ? 0 : kind === "number" ? 4 * u : 7 * u);
}

export const widthOf = (runs, frame, columns, measure) => runs.reduce((sum, run) => sum + runWidth(run, frame, columns, measure), 0);

// Boxes that are taken.
export class Taken {
  constructor() { this.grid = new Grid(); }

  add(box) { this.grid.add(box, box.y0, box.y1); }

  hits(box) {
    return this.grid.some(box.y0, box.y1, (each) => box.x0 < each.x1 && box.x1 > each.x0 && box.y0 < each.y1 && box.y1 > each.y0);
  }
}

export function placeLabels(bands, columns, measure, taken) {
  let homeless = 0;
  for (const band of sorted(bands, (a, b) => a.y0 - b.y0)) {
    band.label = onBand(band, columns, measure, taken) ?? besideBand(band, columns, measure, taken);
    if (band.label) taken.add(band.label.box); else homeless += 1;
  }
  return homeless;
}

const boxOf = (x, y, width, size, u) => ({ x0: x - 6 * u, x1: x + width + 6 * u, y0: y - size * 0.68, y1: y + size * 0.68 });

function onBand(band, columns, measure, taken) {
  const { frame } = band, { u } = columns, size = sizeOf(frame, columns);
  for (const runs of variants(frame)) {
    const width = widthOf(runs, frame, columns, measure);
    if (width > Math.abs(band.x1 - band.x0) - 20 * u) continue;
    for (const start of STARTS) {
      const found = alongBand(band, start * u, width, size, u, taken);
      if (found) return { ...found, width, runs, size };
    }
  }
  return null;
}

function alongBand(band, start, width, size, u, taken) {
  const way = Math.abs(band.x1 - band.x0), end = band.ends[0];
  if (start + width > way - 8 * u || start > way * MOST_FROM_SENDER) return null;
  const part = (start + width / 2) / way;
  const top = band.y0 + (end.y0 - band.y0) * part, bottom = band.y1 + (end.y1 - band.y1) * part;
  // What of the band is free of its own edges.
  const inside = Math.min(band.y1, end.y1) - Math.max(band.y0, end.y0);
  const x = band.x1 > band.x0 ? band.x0 + start : band.x0 - start - width;
  for (const share of inside > size * 2.6 ? [0.5, 0.3, 0.7] : [0.5]) {
    const y = top + (bottom - top) * share, box = boxOf(x, y, width, size, u);
    if (!taken.hits(box)) return { x, y, box, inside: inside > size * 1.5 };
  }
  return null;
}

// Above or below its line, with the name alone.
function besideBand(band, columns, measure, taken) {
  const { frame } = band, { u } = columns, size = sizeOf(frame, columns);
  const runs = variants(frame).at(-1), width = widthOf(runs, frame, columns, measure);
  for (const start of [14, 60, 120]) {
    const x = band.x1 > band.x0 ? band.x0 + start * u : band.x0 - start * u - width;
    for (const offset of BESIDE) {
      const y = (band.y0 + band.y1) / 2 + offset * u, box = boxOf(x, y, width, size, u);
      if (!taken.hits(box)) return { x, y, box, width, runs, size };
    }
  }
  return null;
}
