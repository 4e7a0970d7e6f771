// The diagram in words: a list that a screen reader has, kept in step, and what is saved as text.

import { byId, html } from "./dom.js";
import { titleOf } from "./model.js";
import { ordinal, seconds } from "./words.js";

export function sentence(model, frame) {
  const again = frame.count > 1 ? `, ${ordinal(frame.count)} transmission` : "";
  return `${seconds(frame.at)} s, ${model.sides[frame.by]} to ${model.sides[frame.to]}: ${titleOf(frame)}${again}. ${frame.fate[0].toUpperCase()}${frame.fate.slice(1)}.`;
}

export function captionSentence(caption) {
  const who = { say: "", do: "The programmer ", answer: "Answer: ", event: "", failed: "Failed: ", log: `The pump's log, ${caption.lead}: ` }[caption.kind];
  return `${seconds(caption.at)} s: ${who}${caption.text}`;
}

const idOf = (number) => `mirror-${number}`;

// Everything in the order in which it happened: what is told and the frames.
export function storyOf(model) {
  const told = model.captions.map((each) => ({ at: each.at, order: each.order, text: captionSentence(each) }));
  const knots = model.knots.map((each) => ({ at: model.frames[each.frames[0] - 1].at, order: each.order, text: `Note ${each.number}: ${each.title}. ${each.text}` }));
  const frames = model.frames.map((each) => ({ at: each.at, order: each.order, text: sentence(model, each), number: each.number }));
  return [...told, ...knots, ...frames].sort((a, b) => a.at - b.at || a.order - b.order);
}

export function drawMirror(model) {
  return storyOf(model).map(({ text, number }) => html("li", number ? { id: idOf(number) } : {}, text));
}

let marked = null;

export function markMirror(number) {
  marked?.removeAttribute("aria-current");
  marked = byId(idOf(number));
  marked?.setAttribute("aria-current", "true");
}
