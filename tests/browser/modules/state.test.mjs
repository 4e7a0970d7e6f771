import assert from "node:assert/strict";
import test from "node:test";

import { KEYS, actionOf } from "../../../display/assets/keys.js";
import { INITIAL, SPEEDS, fromHash, reduce, select, toHash } from "../../../display/assets/state.js";
import { small } from "./model.mjs";

const model = small();
const press = (state, ...keys) => keys.reduce((now, key) => reduce(now, actionOf(key), model), state);
const start = select(INITIAL, model, 1);

test("j and k go from frame to frame, and stay at the ends", () => {
  assert.equal(press(start, "j").selected, 2);
  assert.equal(press(start, "k").selected, 1);
  assert.equal(press(start, "j", "j", "j", "j", "j").selected, 4);
});

test("a chosen frame sets the moment at which all of it has happened", () => {
  assert.equal(start.now, 0);
  assert.equal(press(start, "j").now, 350000);
});

test("n and N go through what is troubled", () => {
  assert.equal(press(start, "n").selected, 2);
  assert.equal(press(start, "n", "n").selected, 2);
  assert.equal(press(start, "n", "N").selected, 1);
});

test("h and l follow cause and effect", () => {
  assert.equal(press(start, "l").selected, 2);
  assert.equal(press(start, "l", "l", "l").selected, 4);
  assert.equal(press(start, "l", "l", "h", "h").selected, 1);
  assert.equal(press(start, "h").selected, 1);
});

test("a figure goes to its note, and one without a note nowhere", () => {
  assert.equal(press(press(start, "j", "j"), "1").selected, 1);
  assert.equal(press(press(start, "j"), "7").selected, 2);
});

test("bytes are gone through within the frame, and left with another frame", () => {
  assert.equal(press(start, "]", "]", "[").byte, 1);
  assert.equal(press(start, "[").byte, 0);
  assert.equal(reduce(start, { type: "byte", number: 99 }, model).byte, 20);
  assert.equal(press(start, "]", "j").byte, 0);
});

test("time goes on to the end and then stands", () => {
  const playing = press(start, " ");
  assert.ok(playing.playing);
  const later = reduce(playing, { type: "now", at: 360000, playing: true }, model);
  assert.equal(later.selected, 3);
  assert.ok(later.playing);
  const over = reduce(later, { type: "now", at: 5e6, playing: true }, model);
  assert.equal(over.now, model.ends);
  assert.ok(!over.playing);
  assert.equal(press(over, " ").now, 0);
});

test("speed has a slowest and a fastest", () => {
  assert.equal(press(start, ...Array(20).fill("<")).speed, SPEEDS[0]);
  assert.equal(press(start, ...Array(20).fill(">")).speed, SPEEDS.at(-1));
});

test("room, axis, theme and size", () => {
  assert.ok(press(start, "+").zoom > 1);
  assert.equal(press(start, "+", "-", "0").zoom, 1);
  assert.equal(press(start, "t").mode, "order");
  assert.equal(press(start, "t", "t").mode, "time");
  assert.equal(press(start, "d").theme, "dark");
  assert.ok(press(start, "b").large);
  const reset = press({ ...start, theme: "dark" }, "b", "t", "r");
  assert.deepEqual([reset.large, reset.mode, reset.theme], [false, "time", "dark"]);
});

test("a link says what is shown, and gives it back", () => {
  const shown = { ...press(start, "j", "t", "+"), byte: 7 };
  assert.match(toHash(shown), /^#event=2&byte=7&mode=order&zoom=/);
  const back = fromHash(start, toHash(shown), model);
  assert.deepEqual([back.selected, back.byte, back.mode, back.zoom], [2, 7, "order", 1.4]);
});

test("a link that makes no sense does no harm", () => {
  for (const hash of ["", "#", "#event=", "#event=99999&byte=-3", "#event=<b>&mode=x&zoom=NaN&theme=pink", "#byte=1e9"]) {
    const found = fromHash(start, hash, model);
    assert.ok(found.selected >= 1 && found.selected <= 4, hash);
    assert.ok(found.byte <= 20 && ["time", "order"].includes(found.mode) && found.zoom > 0, hash);
  }
});

test("each key does one thing", () => {
  const keys = KEYS.flatMap((each) => each.keys);
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(actionOf("q"), null);
});

test("an unknown action is an error", () => assert.throws(() => reduce(start, { type: "fly" }, model)));
