// Two small pictures over time: round trip and timeout of each link, and the pump's own day.

import { circle, html, line, path, svg, words } from "./dom.js";
import { colour, textClass } from "./glyphs.js";
import { grouped, span } from "./words.js";

const HEIGHT = 76, LEFT = 46, RIGHT = 6, TOP = 8, BOTTOM = 4;

// -- pure -----------------------------------------------------------------------------------------

// A path that stays where it is until it moves, through [x, y] pairs.
export function steps(points) {
  return points.map(([x, y], place) => (place ? `H${x.toFixed(1)}V${y.toFixed(1)}` : `M${x.toFixed(1)} ${y.toFixed(1)}`)).join("");
}

// Of the points that share a pixel only the highest: more cannot be seen.
export function thinned(points) {
  const highest = new Map();
  for (const [x, y] of points) {
    const pixel = Math.round(x), known = highest.get(pixel);
    if (!known || y < known[1]) highest.set(pixel, [x, y]);
  }
  return [...highest.values()];
}

export function axisOf(values, length) {
  const most = values.reduce((one, other) => Math.max(one, other), 1);
  return { most, at: (value) => value / most * length };
}

// -- drawn ----------------------------------------------------------------------------------------

export function drawCurves(model, width) {
  const inner = width - LEFT - RIGHT;
  return [roundTrips(model, width, inner), model.day && day(model.day, width, inner)];
}

function frame(width, label, ...drawn) {
  return svg("svg", { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": label },
    line(LEFT, HEIGHT - BOTTOM, width - RIGHT, HEIGHT - BOTTOM, { stroke: "var(--dim)" }), line(LEFT, TOP, LEFT, HEIGHT - BOTTOM, { stroke: "var(--dim)" }), drawn);
}

const key = (...rows) => html("p", { class: "key" }, rows.map(([name, text]) => html("span", { class: name }, text)));

function roundTrips(model, width, inner) {
  const measured = model.states.filter((each) => each.roundTrip !== null);
  if (!measured.length) return null;
  const tall = HEIGHT - TOP - BOTTOM, y = axisOf(measured.map((each) => Math.max(each.timeout, each.roundTrip)), tall);
  const x = (at) => LEFT + at / Math.max(1, model.ends) * inner, height = (value) => HEIGHT - BOTTOM - y.at(value);
  const of = (side, value) => thinned(measured.filter((each) => each.side === side).map((each) => [x(each.at), height(value(each))]));
  return [
    html("h3", {}, html("span", {}, "Timeout (lines) and round trip (dots)")),
    frame(width, `timeout and round trip of both links, at most ${span(y.most)}`,
      [0, 1].map((side) => [
        path(steps(of(side, (each) => each.timeout)), { stroke: colour(side), "stroke-width": 1.5, "stroke-dasharray": side ? "5 3" : null }),
        of(side, (each) => each.roundTrip).map(([cx, cy]) => circle(cx, cy, 1.6, { fill: colour(side) })),
      ]),
      words(LEFT - 4, TOP + 8, span(y.most), 10.5, { "text-anchor": "end", class: "tick" }), words(LEFT - 4, HEIGHT - BOTTOM, "0", 10.5, { "text-anchor": "end", class: "tick" })),
    key([textClass(0), "programmer: solid"], [textClass(1), "pump: dashed"]),
  ];
}

function day({ elapsed, rate, reservoir }, width, inner) {
  const last = Math.max(1, elapsed.at(-1)), x = (at) => LEFT + at / last * inner, tall = HEIGHT - TOP - BOTTOM;
  const curve = (values) => { const y = axisOf(values, tall); return { most: y.most, d: steps(thinned(values.map((each, i) => [x(elapsed[i]), HEIGHT - BOTTOM - y.at(each)]))) }; };
  const rates = curve(rate), rest = curve(reservoir);
  return [
    html("h3", {}, html("span", {}, "The pump's own day"), html("i", {}, `${+(last / 3600).toFixed(1)} h of pump time`)),
    frame(width, `rate, at most ${grouped(rates.most)} nL/h, and reservoir, at most ${grouped(rest.most)} nL`,
      path(rest.d, { stroke: "var(--dim)", "stroke-width": 1.2, "stroke-dasharray": "2 3" }), path(rates.d, { stroke: "var(--pump)", "stroke-width": 1.6 })),
    key(["of-pump", `rate: solid, at most ${grouped(rates.most)} nL/h`], ["dim", `reservoir: dotted, at most ${grouped(rest.most)} nL`]),
  ];
}
