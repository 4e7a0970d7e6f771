// Where things stand from left to right: what is told, time, lanes, lifelines, lanes, the pump's log.

import { seconds } from "./words.js";

const MOST_LANES = 8;
// A page narrower than this, in units, has what is told between the rungs.
const NARROW = 720, WIDE = 1180, NARROWEST = 200;

export function columnsOf(model, seen, fontSize) {
  const u = fontSize / 13, width = Math.max(seen, NARROWEST * u);
  const narrow = width / u < NARROW;
  const lanes = [0, 1].map((side) => lanesOf(model, side));
  // Room for the longest time that the axis can show.
  const times = seconds(model.ends).length * 6.6 * u;
  const base = { u, times, fontSize, width, narrow, lanes, small: fontSize * 0.88, tiny: fontSize * 0.82, lane: (narrow ? 4 : 6) * u };
  const placed = narrow ? narrowColumns(base) : wideColumns(base, model);
  const wire = placed.right - placed.left;
  // A lost frame is drawn up to `torn` of its way; whoever else is on the line stands at `guest`.
  return { ...base, ...placed, wire, torn: narrow ? 0.8 : wire / u < 400 ? 0.64 : 0.56, guest: placed.left + wire * 0.4 };
}

const lanesOf = (model, side) =>
  Math.min(MOST_LANES, 1 + Math.max(-1, ...model.bars.filter((each) => each.side === side).map((each) => each.lane)));

function narrowColumns({ u, width, lanes, times }) {
  const axis = Math.max(40 * u, times + 6 * u);
  return { caption: 0, captionWidth: 0, axis, left: axis + (10 + lanes[0] * 4) * u, right: width - (10 + lanes[1] * 4) * u, log: 0, logWidth: 0 };
}

function wideColumns({ u, width, lanes, lane, times }, model) {
  const wide = width / u > WIDE, caption = 14 * u, captionWidth = (wide ? 266 : 232) * u;
  const timed = (side) => model.timers.some((each) => each.side === side);
  const room = (side) => (12 + (timed(side) ? 52 : 6)) * u + lanes[side] * lane;
  const axis = caption + captionWidth + Math.max(54 * u, times + 16 * u), logWidth = (wide ? 196 : 158) * u;
  const left = axis + 8 * u + room(0), right = width - 10 * u - logWidth - room(1);
  return { caption, captionWidth, axis, left, right, log: right + room(1), logWidth };
}

export const placeOf = (columns, side) => (side === 0 ? columns.left : side === 1 ? columns.right : columns.guest);
