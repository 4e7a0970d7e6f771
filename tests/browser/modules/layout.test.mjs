import assert from "node:assert/strict";
import test from "node:test";

import { bandAt, layOut } from "../../../display/assets/layout.js";
import { tilesIn } from "../../../display/assets/ladder.js";
import { cutsOf } from "../../../display/assets/printing.js";
import { timeAt } from "../../../display/assets/timeline.js";
import { Grid } from "../../../display/assets/grid.js";
import { VIEW, measure, small } from "./model.mjs";

const laidOut = (more = {}) => layOut(small(), { ...VIEW, ...more }, measure);

test("later is never higher", () => {
  for (const mode of ["time", "order"]) for (const width of [400, 1100]) {
    const { points } = laidOut({ mode, width });
    for (let i = 1; i < points.length; i += 1) assert.ok(points[i].y >= points[i - 1].y);
  }
});

test("a band is as thick as its frame is long on the line", () => {
  const { bands } = laidOut();
  const [, second, answer, ack] = bands;
  const thickness = (band) => band.y1 - band.y0;
  assert.ok(thickness(second) > 5);
  assert.ok(Math.abs(thickness(second) - thickness(answer)) < 0.01);
  assert.ok(thickness(ack) < thickness(second));
});

test("a silence becomes a break that says how long it is and what ended it", () => {
  const { breakWords } = laidOut();
  assert.equal(breakWords.length, 1);
  assert.match(breakWords[0].lines.join(" "), /ms: then the programmer's timer expires$/);
});

test("order gives each instant a step and no break", () => {
  const { breaks, points } = laidOut({ mode: "order" });
  assert.equal(breaks.length, 0);
  const instants = [...new Set(points.map((each) => each.at))];
  assert.ok(instants.length > 4);
});

test("more room makes it higher", () => assert.ok(laidOut({ zoom: 2 }).height > laidOut().height));

test("a time has a height, and the height has that time", () => {
  const { yAt, points } = laidOut();
  for (const at of [1000, 310000, 399999]) assert.ok(Math.abs(timeAt(points, yAt(at)) - at) < 1);
});

test("every label has a place and none lies on another", () => {
  for (const mode of ["time", "order"]) for (const width of [400, 1100]) {
    const { bands, homeless } = laidOut({ mode, width });
    assert.equal(homeless, 0);
    const boxes = bands.map((each) => each.label.box);
    boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b) => assert.ok(a.x1 <= b.x0 || b.x1 <= a.x0 || a.y1 <= b.y0 || b.y1 <= a.y0)));
  }
});

test("a byte has its place in the band", () => {
  const [, band] = laidOut().bands;
  assert.equal(bandAt(band, 0, 0), band.y0);
  assert.equal(bandAt(band, 1, 1), band.ends[0].y1);
  assert.ok(bandAt(band, 0.5, 0.2) < bandAt(band, 0.5, 0.8));
});

test("a grid finds each thing once", () => {
  const grid = new Grid([[0, 10], [5, 3000], [2900, 2950]], (each) => each);
  assert.deepEqual(grid.between(20, 2800), [[5, 3000]]);
  assert.equal(grid.between(0, 5000).length, 3);
});

test("tiles cover what is seen", () => {
  assert.deepEqual(tilesIn(0, 700, 100), { first: 0, last: 0 });
  const { first, last } = tilesIn(5000, 800, 100000);
  assert.ok(first * 480 <= 5000 && (last + 1) * 480 >= 5800);
});

test("pages are cut where nothing is cut through", () => {
  const boxes = [[0, 400], [500, 1200], [1250, 1800], [1900, 2600]];
  const cuts = cutsOf(2600, boxes, 1000);
  assert.deepEqual([cuts[0], cuts.at(-1)], [0, 2600]);
  for (const cut of cuts.slice(1, -1)) assert.ok(boxes.every(([top, bottom]) => cut <= top || cut >= bottom), String(cut));
  assert.ok(cuts.every((cut, i) => i === 0 || cut - cuts[i - 1] <= 1000));
});
