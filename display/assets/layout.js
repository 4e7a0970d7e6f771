// The whole picture in numbers: what is where, so that any part of it can be drawn by itself.

import { columnsOf, placeOf } from "./columns.js";
import { Grid } from "./grid.js";
import { Taken, placeLabels, runsOf, widthOf } from "./labels.js";
import { breakWords, foldsOf, heights, place, pointsOf, scaleOf } from "./timeline.js";
import { roundStep, seconds, sorted, wrap } from "./words.js";

const MOST_ANSWERS = 5;

export function layOut(model, view, measure) {
  const columns = columnsOf(model, view.width, view.fontSize), timed = view.mode === "time";
  const folds = foldsOf(model, view.opened);
  const folded = new Map(folds.flatMap((fold) => fold.frames.map((each) => [each.number, fold])));
  const shown = model.frames.filter((each) => !folded.has(each.number));
  const { prologue, captions } = captionsOf(model, columns, measure);
  const logs = logsOf(model, columns, measure);
  const { points, nominal } = pointsOf(shown, folds, captions, logs, timed);
  const scale = scaleOf(shown, columns.u, view.zoom);
  for (const point of points) point.scale = scale(point.at);
  const top = topOf(model, columns, prologue, measure);
  const labelWidth = (frame) => widthOf(runsOf(frame), frame, columns, measure) + 30 * columns.u;
  const placed = place(points, columns, view, top, labelWidth);
  const yAt = heights(points);
  const layout = { model, view, columns, timed, folds, folded, captions, prologue, logs, points, nominal, yAt, top, ...placed };
  layout.bands = bandsOf(shown, layout);
  layout.bandOf = new Map(layout.bands.map((each) => [each.frame.number, each]));
  for (const fold of folds) { fold.y0 = yAt(fold.starts, true); fold.y1 = yAt(fold.ends); }
  layout.foot = placed.bottom + 22 * columns.u;
  layout.sourceLines = wrap(model.source, columns.width - 2 * (columns.caption || 12 * columns.u), measure, columns.small);
  layout.height = layout.foot + layout.sourceLines.length * columns.small * 1.4 + 30 * columns.u;
  layout.timers = timersOf(layout);
  layout.bars = barsOf(layout);
  layout.lifelines = [0, 1].flatMap((side) => lifelineOf(layout, side));
  layout.unknown = unknownOf(layout);
  layout.outages = model.outages.map(([from, to]) => ({ y0: yAt(from), y1: yAt(to) })).filter((each) => each.y1 - each.y0 > 4);
  layout.guests = model.guests.map((guest) => guestOf(layout, guest));
  layout.ticks = ticksOf(layout);
  const taken = new Taken();
  layout.breakWords = breaksOf(layout, measure, taken);
  blockGlyphs(layout, measure, taken);
  layout.homeless = placeLabels(layout.bands, columns, measure, taken);
  layout.seen = Object.fromEntries(Object.entries(EXTENTS).map(([name, extent]) => [name, new Grid(layout[name], extent)]));
  return layout;
}

// From where to where what is drawn reaches.
const upright = (each) => [each.y0 - 24, each.y1 + 24];
const level = (each) => [each.y - 36, each.y + 36];
const EXTENTS = {
  bands: (each) => [each.top, each.bottom], outages: upright, breaks: upright, ticks: level, stretches: upright, lifelines: upright, unknown: upright, bars: upright, guests: upright,
  timers: (each) => [each.y0 - 8, Math.max(each.y1, each.wordsAt) + 8], breakWords: level, folds: upright, captions: (each) => [each.y, each.y + each.height],
  logs: (each) => [Math.min(each.y, each.pointAt ?? each.y), each.y + each.height],
};

// -- what is told ---------------------------------------------------------------------------------

function captionsOf(model, columns, measure) {
  const knots = model.knots.map((knot) => ({ at: model.frames[knot.frames[0] - 1].at, order: knot.order, kind: "knot", text: knot.text, knot }));
  const told = model.captions.filter((each) => each.kind !== "log").map((each) => ({ ...each }));
  const all = sorted([...told, ...knots], (a, b) => a.at - b.at || a.order - b.order);
  let prologue = null;
  if (!columns.narrow && all[0]?.kind === "say" && all[0].at <= (model.frames[0]?.at ?? 0)) {
    const { text } = all.shift();
    prologue = wrap(text, columns.right - columns.caption - 20 * columns.u, measure, columns.fontSize * 1.06);
  }
  const captions = shortened(all);
  for (const caption of captions) setLines(caption, columns, measure);
  return { prologue, captions };
}

// Of many answers at one instant only the first are shown.
function shortened(captions) {
  const kept = [];
  let at = -1, answers = 0;
  for (const caption of captions) {
    if (caption.at !== at) { at = caption.at; answers = 0; }
    if (caption.kind === "answer") answers += 1;
    if (caption.kind === "answer" && answers > MOST_ANSWERS) {
      const last = kept.at(-1);
      last.more = (last.more ?? 0) + 1;
    } else kept.push(caption);
  }
  return kept;
}

const INDENT = { say: 0, knot: 25, do: 14, answer: 14, event: 14, failed: 14 };

function setLines(caption, columns, measure) {
  const { u, fontSize, small, narrow } = columns, indent = INDENT[caption.kind] * u;
  const width = (narrow ? columns.wire - 30 * u : columns.captionWidth) - indent - (caption.knot ? 8 * u : 0);
  const lines = [];
  const add = (text, size, weight, dim) => { for (const line of wrap(text, width, measure, size, weight)) lines.push({ text: line, size, weight, dim }); };
  if (caption.knot) {
    add(caption.knot.title, fontSize, 650, false);
    if (!narrow || caption.knot.weight > 1) add(caption.text, small, 400, true);
  } else if (caption.kind === "event") add(caption.text, small, 400, true);
  else add(caption.text, fontSize * 0.96, caption.kind === "do" ? 600 : 400, false);
  if (caption.more) add(`and ${caption.more} more`, small, 400, true);
  caption.indent = indent;
  caption.lines = lines;
  caption.height = lines.reduce((sum, each) => sum + each.size * 1.32, 0) + (caption.knot ? 11 : 3) * u;
}

function logsOf(model, columns, measure) {
  const { u, small, narrow } = columns;
  let before = null;
  return model.captions.filter((each) => each.kind === "log").map((each) => {
    const width = narrow ? columns.wire - 40 * u : columns.logWidth - 16 * u;
    const follows = before !== null && before.at === each.at;
    const log = { ...each, follows, lines: wrap(narrow ? `${each.lead}  ${each.text}` : each.text, width, measure, small * 1.02) };
    log.height = (log.lines.length + (follows || narrow ? 0 : 1)) * small * 1.3 + (follows ? 1 : 4) * u;
    before = log;
    return log;
  });
}

function topOf(model, columns, prologue, measure) {
  const { u, fontSize, tiny, narrow, wire } = columns;
  const words = model.line[0]?.[1] ?? "";
  const lineWords = narrow ? [] : wrap(words, wire - 24 * u, measure, tiny);
  const height = prologue ? prologue.length * fontSize * 1.42 + 14 * u : 0;
  const y = (22 + 15 * lineWords.length + (narrow ? 8 : 0)) * u + height;
  return { y, lineWords, captionBottom: prologue ? height + 4 * u : 0 };
}

// -- the frames -----------------------------------------------------------------------------------

function bandsOf(shown, layout) {
  const arrived = new Map(), { columns, points, timed, yAt, nominal, view, sentY } = layout;
  for (const point of points) if (point.kind === "arrived") arrived.set(`${point.frame.number}.${point.place}`, point.y);
  const least = 6 * columns.u, step = 20 * columns.u * view.zoom;
  return shown.map((frame) => {
    const y0 = sentY.get(frame.number), y1 = timed && frame.ends > frame.begins ? Math.max(y0, yAt(frame.ends)) : y0;
    const band = { frame, x0: placeOf(columns, frame.by), x1: placeOf(columns, frame.to), y0, y1 };
    band.ends = frame.arrivals.map((arrival, place) => {
      const bottom = arrived.get(`${frame.number}.${place}`);
      return { arrival, y1: bottom, y0: timed && arrival.begins < arrival.at ? Math.min(yAt(arrival.begins), bottom) : bottom };
    });
    if (!band.ends.length) {
      const end = Math.max(timed ? yAt(frame.ends + nominal) : y0 + step, y0 + least);
      band.ends = [{ arrival: null, y1: end, y0: Math.max(end - (y1 - y0), y0 + least) }];
    }
    band.top = Math.min(y0, ...band.ends.map((each) => each.y0)) - 14 * columns.u;
    band.bottom = Math.max(y1, ...band.ends.map((each) => each.y1)) + 14 * columns.u;
    return band;
  });
}

// How high the band is at a part of its way, for a byte at a share of its length.
export function bandAt(band, part, share) {
  const end = band.ends[0];
  const top = band.y0 + (end.y0 - band.y0) * part, bottom = band.y1 + (end.y1 - band.y1) * part;
  return top + (bottom - top) * share;
}

// The glyphs that no label may cover.
function blockGlyphs(layout, measure, taken) {
  const { columns, bands, folds, captions, logs } = layout, { u } = columns;
  for (const band of bands) for (const box of glyphBoxes(band, columns)) taken.add(box);
  for (const fold of folds) taken.add({ x0: columns.left, x1: columns.right, y0: (fold.y0 + fold.y1) / 2 - 18 * u, y1: (fold.y0 + fold.y1) / 2 + 18 * u });
  for (const guest of layout.guests) taken.add({ x0: columns.guest - 120 * u, x1: columns.guest + 2 * u, y0: guest.y0 - 24 * u, y1: guest.y0 });
  if (columns.narrow) for (const told of [...captions, ...logs]) taken.add({ x0: columns.left, x1: columns.right, y0: told.y - 2 * u, y1: told.y + told.height });
}

function* glyphBoxes(band, { u, torn }) {
  const { frame, x0, x1 } = band, way = x1 > x0 ? 1 : -1, end = band.ends[0];
  const around = (x, y, w, h) => ({ x0: x - w * u, x1: x + w * u, y0: y - h * u, y1: y + h * u });
  if (frame.lost) yield around(x0 + (x1 - x0) * torn + way * 8 * u, bandAt(band, torn, 0.5), 8, 7);
  if (!end.arrival) return;
  for (const flip of end.arrival.flips) {
    const share = flip.byte / frame.size, y = bandAt(band, 0.75, share), half = Math.abs(bandAt(band, 1, share) - bandAt(band, 0.5, share)) / 2;
    yield { x0: Math.min((x0 + x1) / 2, x1) - 4 * u, x1: Math.max((x0 + x1) / 2, x1) + 4 * u, y0: y - half - 4 * u, y1: y + half + 4 * u };
  }
  if (end.arrival.end === "stopped") yield { ...around(x1 - way * 11 * u, end.y1, 11, 12), y1: end.y1 + 6 * u };
  else if (end.arrival.end === "taken") yield around(x1 - way * 5 * u, end.y1, 5, 5);
  else yield around(x1 - way * 9 * u, end.y1, 10, 5);
}

// -- beside the lifelines -------------------------------------------------------------------------

const sentAt = (layout, number, at, after) => layout.bandOf.get(number)?.y0 ?? layout.yAt(at, after);

function timersOf(layout) {
  const { columns, model } = layout, { u } = columns, words = [];
  if (columns.narrow) return [];
  return model.timers.map((timer) => {
    const y0 = sentAt(layout, timer.first, timer.starts, true), y1 = sentAt(layout, timer.last, timer.ends, false);
    let y = (y0 + y1) / 2;
    while (words.some((each) => each.side === timer.side && Math.abs(each.y - y) < 13 * u)) y += 13 * u;
    words.push({ side: timer.side, y });
    const out = (9 * u + columns.lanes[timer.side] * columns.lane) * (timer.side ? 1 : -1);
    return { ...timer, y0, y1, wordsAt: y, x: placeOf(columns, timer.side) + out };
  });
}

function barsOf(layout) {
  const { columns, model } = layout, { u, lane } = columns;
  return model.bars.filter((bar) => bar.lane < columns.lanes[bar.side] && bar.ends > bar.starts).map((bar) => {
    const kept = bar.kind === "kept";
    const y0 = kept ? layout.yAt(bar.starts, true) : sentAt(layout, bar.frames[0], bar.starts, true);
    const y1 = bar.ends >= model.ends ? layout.foot - 6 * u : layout.yAt(bar.ends);
    const x = bar.side ? columns.right + 6 * u + bar.lane * lane : columns.left - 6 * u - (bar.lane + 1) * lane;
    const notches = kept ? [] : bar.frames.slice(1).map((each) => layout.bandOf.get(each)?.y0).filter((each) => each !== undefined);
    return { ...bar, x, width: lane * 0.66, y0, y1: Math.max(y1, y0 + 3 * u), notches };
  });
}

// A lifeline is thick while the link is open.
function lifelineOf(layout, side) {
  const { model, yAt, top, foot, columns } = layout, pieces = [];
  let y = top.y - 15 * Math.max(1, top.lineWords.length) * columns.u, open = false;
  for (const state of model.states) {
    if (state.side !== side || state.isOpen === open) continue;
    const next = yAt(state.at, true);
    pieces.push({ side, open, y0: y, y1: next });
    y = next;
    open = state.isOpen;
  }
  pieces.push({ side, open, y0: y, y1: foot - 6 * columns.u });
  return pieces.filter((each) => each.y1 > each.y0);
}

function guestOf({ bands, yAt, columns }, guest) {
  const first = bands.find(({ frame }) => frame.by === guest.side || frame.to === guest.side);
  return { ...guest, y0: (first ? first.y0 : yAt(guest.starts)) - 4 * columns.u, y1: yAt(guest.ends, true) + 10 * columns.u };
}

// Done, and not known to be done.
function unknownOf({ model, yAt, foot, columns }) {
  return model.changes.filter((each) => each.done !== undefined && each.done !== null).map((change) => ({
    change, y0: yAt(change.done, true), y1: change.known ?? false ? yAt(change.known) : foot - 6 * columns.u,
  })).filter((each) => each.y1 - each.y0 > 6 * columns.u);
}

// -- the axis and the breaks ----------------------------------------------------------------------

function breaksOf(layout, measure, taken) {
  const { columns, bands, breaks, model } = layout, { small, u } = columns, x = (columns.left + columns.right) / 2;
  return breaks.map((gap) => {
    const busy = bands.some((each) => each.frame.arrivals.length && each.y0 < gap.y0 - 1 && each.ends[0].y1 > gap.y1 + 1);
    if (busy) return null;
    const room = columns.wire - 16 * u, y = (gap.y0 + gap.y1) / 2, high = gap.y1 - gap.y0 - 8 * u;
    const said = breakWords(gap, model.outages).map((each) => wrap(each, room, measure, small));
    const lines = said.find((each) => each.length * small * 1.3 <= high) ?? said.at(-1);
    const wide = Math.max(...lines.map((each) => measure(each, small, 400))) / 2 + 6 * u, tall = lines.length * small * 0.65 + u;
    taken.add({ x0: x - wide, x1: x + wide, y0: y - tall, y1: y + tall });
    return { lines, x, y };
  }).filter(Boolean);
}

function ticksOf(layout) {
  const found = layout.timed ? [...timeTicks(layout)] : layout.points.filter((each) => each.kind === "sent" || each.kind === "fold").map((each) => ({ y: each.y, text: seconds(each.at) }));
  const apart = (layout.timed ? 13 : 15) * layout.columns.u;
  let last = -1e9;
  return sorted(found, (a, b) => a.y - b.y).filter((tick) => {
    if (tick.y - last < apart) return false;
    last = tick.y;
    return true;
  });
}

function* timeTicks(layout) {
  const { points, breaks, scales, yAt, folds, columns } = layout, { u } = columns;
  const cuts = [...breaks, ...scales.map((each) => ({ y0: yAt(each.at), y1: yAt(each.at), starts: each.at, ends: each.at }))];
  let from = points[0]?.at ?? 0, y = points[0]?.y ?? 0, next = 0;
  for (const cut of [...sorted(cuts, (a, b) => a.y0 - b.y0), { y0: Infinity, starts: Infinity }]) {
    if (cut.y0 > y || cut.y0 === Infinity) {
      while (next < points.length - 1 && points[next].at < from) next += 1;
      yield* pieceTicks(layout, from, Math.min(cut.starts, points.at(-1)?.at ?? 0), points[next]?.scale ?? 1, cut.y0);
    }
    y = cut.y1;
    from = cut.ends;
  }
  for (const scale of scales) yield { y: yAt(scale.at, true) - 9 * u, text: scale.finer ? "finer" : "coarser", isMark: true };
  for (const fold of folds) yield { y: yAt(fold.ends), text: seconds(fold.ends), isExact: true };
}

function* pieceTicks({ yAt, folds, columns }, from, to, scale, bottom) {
  const { u } = columns, step = roundStep(Math.max(1e3, 21 * u / scale));
  const digits = step >= 1e5 ? 1 : step >= 1e4 ? 2 : 3;
  let last = yAt(from);
  yield { y: last, text: seconds(from), isExact: true };
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
    const y = yAt(at, true);
    if (y > bottom + 1) return;
    if (y - last < 15 * u || folds.some((each) => at > each.starts && at <= each.ends)) continue;
    yield { y, text: seconds(at, digits) };
    last = y;
  }
}
