import assert from "node:assert/strict";
import test from "node:test";

import { bodyByte, describe, elided, lineByte, meant, partAt } from "../../../display/assets/bytes.js";
import { steps, thinned } from "../../../display/assets/curves.js";
import { sentence, storyOf } from "../../../display/assets/mirror.js";
import { stateAt } from "../../../display/assets/model.js";
import { comparedRows } from "../../../display/assets/panel.js";
import { textOf } from "../../../display/assets/saving.js";
import { ordinal, roundStep, span, wrap } from "../../../display/assets/words.js";
import { measure, small } from "./model.mjs";

const model = small(), [image] = model.images;

test("times and ordinals", () => {
  assert.deepEqual([1, 2, 3, 4, 11, 12, 13, 21, 112].map(ordinal), ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th"]);
  assert.deepEqual([7, 1500, 20000, 999600, 1140000, 12000000].map(span), ["7 \u00b5s", "1.5 ms", "20 ms", "1 s", "1.14 s", "12 s"]);
});

test("steps of an axis are round and not too small", () => {
  assert.deepEqual([1, 1.5, 4, 7, 10, 130, 1e12].map(roundStep), [1, 2, 5, 10, 10, 200, 1e12]);
});

test("lines are broken between words, and in a word that is too long", () => {
  assert.deepEqual(wrap("one two three", 40, measure, 10), ["one two", "three"]);
  const cut = wrap("x".repeat(30), 40, measure, 10);
  assert.ok(cut.length > 3 && cut.every((each) => measure(each, 10) <= 40));
});

test("a byte of the line is a byte of the frame, and a code byte stands for a zero", () => {
  assert.equal(bodyByte(image, 3), 0);
  assert.equal(lineByte(image, 4), 7);
  assert.equal(bodyByte(image, 2), -1);
  assert.equal(meant(image, 6), "00");
  assert.deepEqual(partAt(image, 4).slice(0, 2), ["message", "slot"]);
  assert.match(describe(model, model.frames[0], 6), /code byte of COBS.*it stands for a zero of the message, slot/);
  assert.match(describe(model, model.frames[0], 1), /delimiter/);
});

test("of many bytes the ends are shown, and those that are wanted", () => {
  const bytes = Array.from({ length: 100 }, (_, i) => i + 1), shown = elided(bytes, 20, [50]);
  assert.deepEqual(shown.map((each) => each.byte), [1, 2, 3, 48, 49, 50, 51, 52, 98, 99, 100]);
  assert.equal(shown.reduce((sum, each) => sum + each.skipped, 0), 100 - shown.length);
  assert.equal(elided(bytes, Infinity, []).length, 100);
});

test("what differs is marked, and what only goes on is marked otherwise", () => {
  const rows = comparedRows(model, 360000, Infinity), of = (name) => rows.find((each) => each.name === name);
  assert.deepEqual([of("mode").belief, of("mode").truth, of("mode").differs], ["running", "suspended", true]);
  assert.deepEqual([of("clock").differs, of("clock").drifts], [true, true]);
  assert.deepEqual([of("Suspend").belief, of("Suspend").truth, of("Suspend").differs], ["asked; not known", "done at 0.350 s", true]);
  assert.equal(comparedRows(model, 500000, Infinity)[0].differs, false);
  assert.equal(comparedRows(model, 0, 0.5).find((each) => each.name === "mode").belief, null);
});

test("the state of a link is the last one before a moment", () => {
  assert.equal(stateAt(model, 0, 399999).roundTrip, null);
  assert.equal(stateAt(model, 0, 400000).roundTrip, 100000);
  assert.equal(stateAt(model, 1, 400000), null);
});

test("the run in words has every frame once, in order", () => {
  const story = storyOf(model), frames = story.filter((each) => each.number);
  assert.deepEqual(frames.map((each) => each.number), [1, 2, 3, 4]);
  assert.equal(sentence(model, model.frames[1]), "0.300 s, programmer to pump: Suspend 1, 2nd transmission. Delivered.");
  assert.equal(story.filter((each) => /lost on the line/i.test(each.text)).length, 1);
});

test("a part of it is saved as text", () => {
  const text = textOf(model, 300000, 360000);
  assert.match(text, /2nd transmission/);
  assert.doesNotMatch(text, /Lost on the line/);
});

test("curves hold until they move, and have a point for a pixel", () => {
  assert.equal(steps([[0, 10], [5, 4]]), "M0.0 10.0H5.0V4.0");
  assert.deepEqual(thinned([[1.1, 9], [1.2, 3], [2, 5]]), [[1.2, 3], [2, 5]]);
});
