// What is known of the chosen frame: its fate, why it was sent, its bytes, and who knows what then.

import { drawBytes } from "./bytes.js";
import { html } from "./dom.js";
import { textClass } from "./glyphs.js";
import { lastAt, momentOf, stateAt, titleOf } from "./model.js";
import { ordinal, seconds, span } from "./words.js";

export function drawPanel(model, state, frame, all) {
  const sides = `${model.sides[frame.by]} \u2192 ${model.sides[frame.to]}`;
  return [
    html("h2", {}, titleOf(frame), " ", html("span", { class: `way ${textClass(frame.by)}` }, sides)),
    html("p", { class: "facts" }, factsOf(model, frame)),
    html("p", { class: `fate${frame.is_harmed ? " bad" : ""}` }, fateOf(frame), knotsOf(model, frame)),
    heading("Why it was sent", causeWords(frame)),
    whyList(model, frame),
    heading("Bytes, layer by layer", frame.arrivals[0]?.flips.length ? "as sent, and as it came" : "as sent"),
    html("div", { id: "bytes" }, drawBytes(model, frame, state.byte, all)),
    html("p", { id: "byte-words", class: "mean" }),
    drawMoment(model, frame, state.playing ? { at: state.now, order: Infinity } : momentOf(frame)),
  ];
}

const heading = (title, aside) => html("h3", {}, html("span", {}, title), html("i", {}, aside));

function factsOf(model, frame) {
  const arrived = frame.arrivals[0], onLine = frame.ends - frame.begins;
  return [
    `frame ${frame.number} of ${model.frames.length}`,
    arrived ? `${seconds(frame.at)} \u2192 ${seconds(arrived.at)} s` : `${seconds(frame.at)} s`,
    `${frame.size} bytes`,
    onLine > 0 && `${span(onLine)} on the line`,
    frame.counts > 1 && `transmission ${frame.count} of ${frame.counts}`,
  ].filter(Boolean).join(" \u00b7 ");
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

const fateOf = (frame) => `${capital(frame.fate)}.`;

// How long each command waited, the slowest first, and the notes that say why.
export function drawWaits(model) {
  return model.waits.map(([text, numbers], place) => html("span", {}, place ? ", " : "waited: ", text,
    numbers.map((each) => [" ", html("button", { class: "note", "data-knot": each, "aria-label": `note ${each}`, title: `note ${each}: what held it up` }, each)])));
}

function knotsOf(model, frame) {
  return model.knots.filter((each) => each.frames.includes(frame.number)).map((each) => [" ", html("button", { class: "link", "data-knot": each.number }, `Note ${each.number}`)]);
}

const causeWords = (frame) => (frame.count > 1 ? `${ordinal(frame.count)} transmission` : "");

// -- why ------------------------------------------------------------------------------------------

function whyList(model, frame) {
  const rows = [html("li", { class: "now" }, time(frame.at), html("span", {}, html("b", {}, titleOf(frame)), " is sent"))];
  for (const reason of frame.chain) {
    const of = model.frames[reason.frame - 1];
    rows.push(html("li", {}, of ? time(of.at) : html("time", {}, ""), html("span", {}, of && of !== frame ? html("button", { class: "link", "data-frame": of.number }, reason.text) : reason.text)));
  }
  const effects = frame.effects.map((each) => model.frames[each - 1]);
  const then = effects.slice(0, 4).map((each) => html("li", { class: "then" }, time(each.at), html("span", {}, "so ", html("button", { class: "link", "data-frame": each.number }, `${titleOf(each)}${each.count > 1 ? `, the ${ordinal(each.count)} time` : ""}`), " is sent")));
  return [html("ol", { class: "why" }, rows), then.length > 0 && html("ol", { class: "why after", "aria-label": "what came of it" }, then)];
}

const time = (at) => html("time", {}, seconds(at));

// -- who knows what -------------------------------------------------------------------------------

export function drawMoment(model, frame, { at, order }) {
  return html("div", { id: "moment" },
    heading("Belief beside truth", `at ${seconds(at)} s`),
    html("table", {},
      headRow("programmer believes", "pump is"),
      comparedRows(model, at, order).map(factRow),
      headRow("its link", "its link"),
      linkRows(model, at).map(factRow)));
}

const headRow = (one, other) => html("tr", {}, html("th", {}, html("span", { class: "hidden" }, "what")), html("th", { class: "of-programmer" }, one), html("th", {}), html("th", { class: "of-pump" }, other));

function factRow({ name, belief, truth, differs, drifts }) {
  return html("tr", { class: differs ? (drifts ? "drifts" : "differs") : null },
    html("td", {}, name),
    html("td", {}, belief ?? html("span", { class: "dim" }, "never heard")),
    html("td", {}, differs ? html("abbr", { title: drifts ? "has gone on since" : "differs" }, drifts ? "\u2248" : "\u2260") : ""),
    html("td", {}, truth ?? "\u2014"));
}

export function comparedRows(model, at, order) {
  const belief = lastAt(model.belief, at, order), truth = lastAt(model.truth, at, order);
  const text = (facts, place) => (facts && facts.words[place] >= 0 ? model.texts[facts.words[place]] : null);
  const rows = model.fact_rows.map((name, place) => ({ name, belief: text(belief, place), truth: text(truth, place), drifts: model.drifting.includes(name) }));
  const change = model.changes.findLast((each) => each.asked <= at);
  if (change) rows.unshift(changeRow(change, at));
  return rows.filter((each) => each.belief !== null || each.truth !== null)
    .map((each) => ({ ...each, differs: each.differs ?? (each.belief !== null && each.truth !== null && each.belief !== each.truth) }));
}

function changeRow(change, at) {
  const before = (when) => when !== undefined && when !== null && when <= at;
  const known = before(change.known), done = before(change.done);
  return { name: change.name, belief: known ? "known to be done" : "asked; not known", truth: done ? `done at ${seconds(change.done)} s` : "not done", differs: known !== done, drifts: false };
}

function linkRows(model, at) {
  const sides = [stateAt(model, 0, at), stateAt(model, 1, at)];
  return model.link_rows.map((name, place) => {
    const [belief, truth] = sides.map((each) => (each ? model.texts[each.words[place]] : "none"));
    return { name, belief, truth, differs: place === 0 && belief !== truth, drifts: false };
  });
}
