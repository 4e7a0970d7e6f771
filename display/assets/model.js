// The model of a run as Python has written it, with what JSON leaves out put back.

const FRAME = { arrivals: [], effects: [], count: 1, counts: 1, cause: 0, label: "", lost: "", trouble: null, wait: "" };
const ARRIVAL = { garbage: "", flips: [], is_late: false };

export function readModel(text) {
  const model = JSON.parse(text);
  model.frames = model.frames.map((frame, place) => ({
    ...FRAME, ...frame, number: place + 1,
    arrivals: (frame.arrivals ?? []).map((each) => ({ ...ARRIVAL, ...each, flips: (each.flips ?? []).map(flip) })),
  }));
  model.frames.forEach((frame) => { frame.chain = chainOf(model, frame); });
  model.knots.forEach((knot) => { knot.order = model.frames[knot.frames[0] - 1].order - 0.5; });
  model.timers = model.timers.map(([side, starts, ends, first, last, text]) => ({ side, starts, ends, first, last, text }));
  model.bars = model.bars.map(([side, lane, starts, ends, frames, kind]) => ({ side, lane, starts, ends, frames, kind }));
  model.states = model.states.map(([at, side, isOpen, words, timeout, roundTrip]) => ({ at, side, isOpen, words, timeout, roundTrip }));
  model.truth = model.truth.map(facts);
  model.belief = model.belief.map(facts);
  return model;
}

const flip = ([byte, was, came, bits]) => ({ byte, was, came, bits });
const facts = ([at, order, words]) => ({ at, order, words });

function chainOf(model, frame) {
  return frame.why.map((place) => ({ text: model.reasons[place][0], frame: model.reasons[place][1] }));
}

export const frameOf = (model, number) => model.frames[number - 1];

export const titleOf = (frame) => `${frame.name} ${frame.label}`.trim();

// When all of a frame has happened: what the panel shows is how things stood then.
export function momentOf(frame) {
  const last = frame.arrivals[0];
  return last ? { at: last.at, order: last.order + 0.5 } : { at: frame.at, order: frame.order + 0.5 };
}

// The last of some rows, in order of time, that is not later than a moment.
export function lastAt(rows, at, order = Infinity) {
  let low = 0, high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1, row = rows[middle];
    if (row.at < at || (row.at === at && (row.order ?? -1) <= order)) low = middle + 1; else high = middle;
  }
  return low ? rows[low - 1] : null;
}

export function stateAt(model, side, at) {
  model.ofSide ??= [0, 1].map((one) => model.states.filter((each) => each.side === one));
  return lastAt(model.ofSide[side], at);
}
