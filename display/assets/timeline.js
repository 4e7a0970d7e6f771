// Where things stand from top to bottom.
//
// Time is linear between breaks, and the scale is chosen so that the usual time from one frame to
// the next is 24 pixels: of all frames, the shorter of the time to the next frame and the flight.
// (Only the time to the next would take waiting for a slow line.)  Where this differs fourfold or
// more for a while the scale changes by a power of four, and that is marked.
//
// A gap that would be longer than 74 pixels becomes a break whose height grows by the logarithm of
// its time, so timeouts that double are still seen to grow evenly.
//
// Everything that has a place is a point (time, order in the trace).  Two at the same instant are
// apart when their words would lie on each other; that the axis shows as a bracket.  Points are
// placed in this order and never rise, so a time can be looked up by bisection.

import { sorted, span } from "./words.js";

const STEP = 24, ORDER_STEP = 25, GAP = 74, LABEL = 18, FOLDED = 46;
const FEWEST_TO_FOLD = 4, AROUND = 5;

const middle = (values) => sorted(values, (a, b) => a - b)[values.length >> 1];

// -- keep-alives folded ---------------------------------------------------------------------------

export function foldsOf(model, opened) {
  const told = sorted(model.captions.map((each) => each.order), (a, b) => a - b);
  const folds = [];
  let run = [];
  const close = (next) => {
    while (run.length && next && lastArrival(run) > next.at) run.pop();
    if (run.length >= FEWEST_TO_FOLD) folds.push(run);
    run = [];
  };
  let place = 0;
  for (const frame of model.frames) {
    while (place < told.length && told[place] < (run.at(-1)?.order ?? 0)) place += 1;
    const between = run.length && place < told.length && told[place] < frame.order;
    if (run.length && (!frame.is_quiet || between)) close(frame);
    if (frame.is_quiet) run.push(frame);
  }
  close(null);
  return folds.filter((each) => !opened.includes(each[0].number)).map(foldOf);
}

// Whether it arrived may not be in the trace.
const lastArrival = (frames) => Math.max(...frames.map((each) => each.arrivals[0]?.at ?? each.ends));

function foldOf(frames) {
  return {
    frames, number: frames[0].number, starts: frames[0].at, ends: lastArrival(frames),
    firstOrder: frames[0].order, lastOrder: Math.max(...frames.map((each) => each.arrivals[0]?.order ?? each.order)),
  };
}

// -- the scale ------------------------------------------------------------------------------------

export function scaleOf(shown, u, zoom) {
  const steps = [];
  for (let i = 0, next = 1; i < shown.length; i += 1) {
    while (next < shown.length && shown[next].at <= shown[i].at) next += 1;
    const flight = shown[i].arrivals.length ? shown[i].arrivals[0].at - shown[i].at : 0;
    const step = next < shown.length ? Math.min(flight, shown[next].at - shown[i].at) : flight;
    if (step > 0) steps.push({ at: shown[i].at, step });
  }
  const usual = middle(steps.map((each) => each.step)) || 1000;
  const base = STEP * u * zoom / usual;
  return (at) => scaleNear(steps, at, usual, base);
}

function scaleNear(steps, at, usual, base) {
  let low = 0, high = steps.length;
  while (low < high) { const half = (low + high) >> 1; if (steps[half].at > at) high = half; else low = half + 1; }
  const near = steps.slice(Math.max(0, low - AROUND), low + AROUND + 1);
  const powers = near.length ? Math.log(middle(near.map((each) => each.step)) / usual) / Math.log(4) : 0;
  return Math.abs(powers) < 0.9 ? base : base / 4 ** Math.max(-6, Math.min(2, Math.round(powers)));
}

// -- the points -----------------------------------------------------------------------------------

export function pointsOf(shown, folds, captions, logs, timed) {
  const points = [];
  const put = (at, order, kind, more = {}) => points.push({ at, order, kind, ...more });
  const flights = shown.filter((each) => each.arrivals.length && each.arrivals[0].at > each.at);
  const nominal = middle(flights.map((each) => each.arrivals[0].begins - each.begins)) || 1000;
  for (const frame of shown) putFrame(put, frame, nominal, timed);
  for (const fold of folds) {
    put(fold.starts, fold.firstOrder, "fold", { fold });
    put(fold.ends, fold.lastOrder, "folded", { fold });
  }
  for (const caption of captions) put(caption.at, caption.order, "caption", { caption });
  for (const log of logs) put(log.at, log.order, "log", { log });
  points.sort((a, b) => a.at - b.at || a.order - b.order);
  return { points, nominal };
}

function putFrame(put, frame, nominal, timed) {
  const queued = timed && frame.begins > frame.at;
  put(frame.at, frame.order, queued ? "queued" : "sent", { frame });
  if (queued) put(frame.begins, 0.05, "sent", { frame });
  if (timed && frame.ends > frame.begins) put(frame.ends, 0.1, "bend");
  frame.arrivals.forEach((arrival, place) => {
    put(arrival.at, arrival.order, "arrived", { frame, place });
    if (timed && arrival.begins < arrival.at) put(arrival.begins, 0.1, "bend");
  });
  if (!frame.arrivals.length) put(timed ? frame.ends + nominal : frame.at, timed ? 0.1 : frame.order + 0.2, timed ? "bend" : "torn");
}

// -- placing them ---------------------------------------------------------------------------------

export function place(points, columns, view, top, labelWidth) {
  const { u } = columns, timed = view.mode === "time";
  const gap = GAP * u * Math.max(1, view.zoom);
  const shortest = Math.min(1e12, ...gapsOf(points, gap).map((each) => each.time));
  const run = new Placing(columns, view, top, labelWidth);
  for (const point of points) {
    const before = run.before;
    const dy = before ? run.advance(point, before, { timed, gap, shortest }) : 0;
    run.put(point, run.y + dy);
  }
  return { sentY: run.sentY, breaks: run.breaks, stretches: run.stretches, scales: run.scales, bottom: Math.max(run.y, run.captionBottom, run.logBottom) };
}

function gapsOf(points, gap) {
  const gaps = [];
  for (let i = 1; i < points.length; i += 1) {
    const time = points[i].at - points[i - 1].at;
    if (time * points[i - 1].scale > gap && points[i].kind !== "folded") gaps.push({ time });
  }
  return gaps;
}

class Placing {
  constructor(columns, view, top, labelWidth) {
    Object.assign(this, { columns, view, labelWidth, y: top.y, before: null });
    this.captionBottom = top.captionBottom;
    this.logBottom = 0;
    this.blockEnd = -1e9;
    this.breaks = [];
    this.stretches = [];
    this.scales = [];
    this.lastSent = [-1e9, -1e9, -1e9, -1e9];
    this.lastFrame = [];
    this.sentY = new Map();
  }

  // How far down the next point is.
  advance(point, before, { timed, gap, shortest }) {
    const { u } = this.columns, time = point.at - before.at, wide = time * before.scale > gap;
    if (timed && point.scale !== before.scale) this.scales.push({ at: point.at, finer: point.scale > before.scale });
    if (point.kind === "folded") return FOLDED * u;
    if (!timed) {
      const step = time > 0 ? ORDER_STEP * u * this.view.zoom : point.kind === "torn" ? ORDER_STEP * 0.8 * u * this.view.zoom : 0;
      return step + (wide ? 8 * u : 0);
    }
    if (!wide) return time * before.scale;
    const height = (34 + 11 * Math.log2(time / shortest)) * u;
    this.breaks.push({ y0: this.y, y1: this.y + height, starts: before.at, ends: point.at, point });
    return height;
  }

  put(point, y) {
    const needed = Math.max(y, this.needs(point, y));
    const { u } = this.columns;
    if (needed > y + 6 * u && this.before && this.view.mode === "time" && point.at === this.before.at) this.stretch(y, needed, point.at);
    point.y = this.y = needed;
    if (point.kind === "sent") this.sent(point.frame, needed);
    this.before = point;
  }

  stretch(y0, y1, at) {
    const last = this.stretches.at(-1);
    if (last && last.at === at) last.y1 = y1; else this.stretches.push({ y0, y1, at });
  }

  sent(frame, y) {
    this.sentY.set(frame.number, y);
    this.lastSent[frame.by] = y;
    if (frame.to > 1) this.lastSent[frame.to] = y;
    this.lastFrame[frame.by] = frame;
  }

  // How far down a point must be, for its words not to lie on others.
  needs(point, y) {
    if (point.kind === "sent") return this.labelNeeds(point.frame, y);
    if (point.caption) return this.columns.narrow ? this.block(point.caption, y, 5, 8) : this.captionNeeds(point.caption, y);
    if (point.log) return this.columns.narrow ? this.block(point.log, y, 3, 5) : this.logNeeds(point.log, y);
    return y;
  }

  labelNeeds(frame, y) {
    const { u, wire } = this.columns, label = LABEL * u;
    let needed = Math.max(y, this.lastSent[frame.by] + label, this.blockEnd + 10 * u);
    const other = this.lastFrame[1 - frame.by];
    const both = other?.lost && frame.lost ? this.labelWidth(other) + this.labelWidth(frame) : 0;
    if (both && both > wire * 0.9) needed = Math.max(needed, this.lastSent[other.by] + label);
    const guest = Math.max(frame.by, frame.to);
    if (guest > 1) {
      if (this.lastSent[guest] < 0) needed += 26 * u;
      needed = Math.max(needed, this.lastSent[guest] + label, this.lastSent[1] + label);
    }
    return needed;
  }

  // On a narrow page what is told stands between the rungs.
  block(told, y, above, below) {
    const { u } = this.columns;
    const from = Math.max(y, Math.max(...this.lastSent) + 11 * u);
    told.y = from + above * u;
    this.blockEnd = told.y + told.height + (below - above) * u;
    return told.y + told.height + below * u - 2 * u;
  }

  captionNeeds(caption, y) {
    const { u } = this.columns;
    const highest = caption.kind === "say" ? y - caption.height - 20 * u : -1e9;
    caption.y = Math.max(this.captionBottom + (caption.knot ? 7 : 5) * u, caption.knot ? y - 9 * u : Math.max(highest, y - 9 * u));
    this.captionBottom = caption.y + caption.height;
    return caption.kind === "do" ? caption.y + 9 * u : y;
  }

  // Entries of the log stand where there is room, and move the ladder only when far behind.
  logNeeds(log, y) {
    const { u } = this.columns;
    log.y = Math.max(this.logBottom + 3 * u, y - 8 * u);
    log.pointAt = y;
    this.logBottom = log.y + log.height;
    return log.y - y > 90 * u ? log.y - 30 * u : y;
  }
}

// The height of a time: that of its first point or, `after`, of its last.
export function heights(points) {
  return (at, after = false) => {
    if (!points.length || at <= points[0].at && !after) return points[0]?.y ?? 0;
    let low = 0, high = points.length;
    while (low < high) {
      const half = (low + high) >> 1;
      if (points[half].at < at || (after && points[half].at === at)) low = half + 1; else high = half;
    }
    if (after && low && points[low - 1].at === at) return points[low - 1].y;
    if (low >= points.length) return points.at(-1).y;
    if (!low || points[low].at === at) return points[low].y;
    const a = points[low - 1], b = points[low];
    return a.y + (b.y - a.y) * (at - a.at) / (b.at - a.at);
  };
}

// The time at a height.
export function timeAt(points, y) {
  let low = 0, high = points.length;
  while (low < high) { const half = (low + high) >> 1; if (points[half].y <= y) low = half + 1; else high = half; }
  if (!low) return points[0]?.at ?? 0;
  if (low >= points.length) return points.at(-1).at;
  const a = points[low - 1], b = points[low];
  return a.at + (b.at - a.at) * (y - a.y) / (b.y - a.y || 1);
}

// What is said of a break, in full and ever shorter.
export function breakWords(gap, outages) {
  const frame = gap.point.frame ?? gap.point.fold?.frames[0];
  const out = outages.some(([from, to]) => gap.starts >= from && gap.starts < to);
  const ended = gap.point.kind !== "arrived" && frame?.wait ? `: ${frame.wait}` : "";
  const long = span(gap.ends - gap.starts);
  return [`${out ? "out of range, " : ""}${long}${ended}`, `${long}${ended}`, long];
}
