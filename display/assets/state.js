// All that a reader can change, and how each action changes it.  Nothing here touches the page.

import { frameOf, lastAt, momentOf } from "./model.js";
import { sorted } from "./words.js";

export const SPEEDS = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10];
const ZOOMS = { least: 0.35, most: 6, step: 1.4 };

export const INITIAL = {
  selected: 1, byte: 0, now: 0, mode: "time", zoom: 1, theme: "light", large: false, opened: [], playing: false, speed: 0.25,
};

const clamp = (value, least, most) => Math.min(most, Math.max(least, value));

export function select(state, model, number) {
  if (!model.frames.length) return state;
  const selected = clamp(number, 1, model.frames.length);
  const byte = selected === state.selected ? state.byte : 0;
  return { ...state, selected, byte, now: momentOf(frameOf(model, selected)).at };
}

// What is to be seen first: what the weightiest note is about.
export function firstChoice(model) {
  const heaviest = sorted(model.knots, (a, b) => b.weight - a.weight)[0];
  return heaviest ? heaviest.focus : 1;
}

export const nextTrouble = (model, from) => model.frames.slice(from).find((each) => each.is_troubled)?.number ?? 0;

export const troubleBefore = (model, from) => model.frames.slice(0, Math.max(0, from - 1)).findLast((each) => each.is_troubled)?.number ?? 0;

// What led to a frame: its cause, else the frame that its chain of causes speaks of first.
export function causeOf(model, number) {
  const frame = frameOf(model, number);
  if (!frame) return 0;
  return frame.cause || (frame.chain.find((each) => each.frame && each.frame !== number)?.frame ?? 0);
}

export function effectOf(model, number) {
  const frame = frameOf(model, number);
  if (!frame) return 0;
  const later = frame.effects.filter((each) => each > number);
  return later[0] ?? model.frames.find((each) => each.number > number && each.first === frame.first)?.number ?? 0;
}

const goTo = (find) => (state, model) => {
  const found = find(model, state.selected);
  return found ? select({ ...state, playing: false }, model, found) : state;
};

const ACTIONS = {
  select: (state, model, { number }) => select({ ...state, playing: false }, model, number),
  next: (state, model) => select({ ...state, playing: false }, model, state.selected + 1),
  previous: (state, model) => select({ ...state, playing: false }, model, state.selected - 1),
  trouble: goTo(nextTrouble),
  "trouble before": goTo(troubleBefore),
  cause: goTo(causeOf),
  effect: goTo(effectOf),
  knot: (state, model, { number }) => {
    const knot = model.knots.find((each) => each.number === number);
    return knot ? select({ ...state, playing: false }, model, knot.focus) : state;
  },
  byte: (state, model, { number, by }) => {
    const wanted = number ?? state.byte + by;
    return { ...state, byte: clamp(wanted, 0, frameOf(model, state.selected)?.size ?? 0) };
  },
  mode: (state, model, { mode }) => ({ ...state, mode: mode ?? (state.mode === "time" ? "order" : "time") }),
  zoom: (state, model, { by }) => ({ ...state, zoom: by ? clamp(state.zoom * ZOOMS.step ** by, ZOOMS.least, ZOOMS.most) : 1 }),
  theme: (state, model, { theme }) => ({ ...state, theme: theme ?? (state.theme === "dark" ? "light" : "dark") }),
  large: (state) => ({ ...state, large: !state.large }),
  open: (state, model, { number }) => ({ ...state, opened: [...state.opened, number] }),
  play: (state, model) => {
    const from = state.now >= model.ends ? 0 : state.now;
    return { ...state, playing: !state.playing, now: state.playing ? state.now : from };
  },
  speed: (state, model, { speed, by }) => {
    const place = clamp(SPEEDS.indexOf(state.speed) + (by ?? 0), 0, SPEEDS.length - 1);
    return { ...state, speed: speed ?? SPEEDS[place] };
  },
  // Time goes on, or is set by hand; the frame that was sent last is the chosen one.
  now: (state, model, { at, playing }) => {
    const now = clamp(at, 0, model.ends);
    const selected = lastAt(model.frames, now)?.number ?? 1;
    const byte = selected === state.selected ? state.byte : 0;
    return { ...state, now, selected, byte, playing: (playing ?? false) && now < model.ends };
  },
  reset: (state, model) => select({ ...INITIAL, theme: state.theme }, model, firstChoice(model)),
};

export function reduce(state, action, model) {
  const act = ACTIONS[action.type];
  if (!act) throw new Error(`no such action: ${action.type}`);
  return act(state, model, action);
}

// -- the link to what is shown --------------------------------------------------------------------

export function toHash(state) {
  const shown = { event: state.selected };
  if (state.byte) shown.byte = state.byte;
  if (state.mode !== "time") shown.mode = state.mode;
  if (state.zoom !== 1) shown.zoom = +state.zoom.toFixed(3);
  if (state.large) shown.large = 1;
  return `#${new URLSearchParams(shown)}`;
}

const whole = (text) => (/^\d{1,9}$/.test(text ?? "") ? Number(text) : null);

export function fromHash(state, hash, model) {
  const given = new URLSearchParams(hash.slice(1));
  let found = select(state, model, whole(given.get("event")) ?? state.selected);
  if (whole(given.get("byte")) !== null) found = reduce(found, { type: "byte", number: whole(given.get("byte")) }, model);
  if (["time", "order"].includes(given.get("mode"))) found = { ...found, mode: given.get("mode") };
  const zoom = Number(given.get("zoom"));
  if (zoom > 0) found = { ...found, zoom: clamp(zoom, ZOOMS.least, ZOOMS.most) };
  if (["light", "dark"].includes(given.get("theme"))) found = { ...found, theme: given.get("theme") };
  if (given.has("large")) found = { ...found, large: given.get("large") !== "0" };
  return found;
}
