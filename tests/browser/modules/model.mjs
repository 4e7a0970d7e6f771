// A small run, as Python would write it: a request that is lost, sent again and answered.
import { readModel } from "../../../display/assets/model.js";

export const TEXT = JSON.stringify({
  format: "mockpump-page/1", name: "small", title: "Small", claim: "one change asked for", sums: "4 frames", source: "recorded", ends: 900000,
  sides: ["programmer", "pump", "somebody else", "second programmer"], line: [[0, "baud 9600"]], outages: [], guests: [],
  frames: [
    { by: 0, to: 1, shape: "data", name: "Suspend", label: "1", at: 0, begins: 0, ends: 20000, order: 2, size: 20, lost: "lost on the line", trouble: ["lost", "lost"], is_harmed: true, is_troubled: true, is_quiet: false, counts: 2, first: 1, fate: "lost on the line", why: [0], image: 0, effects: [2] },
    { by: 0, to: 1, shape: "data", name: "Suspend", label: "1", at: 300000, begins: 300000, ends: 320000, order: 3, size: 20, is_harmed: false, is_troubled: true, is_quiet: false, count: 2, counts: 2, first: 1, arrivals: [{ at: 350000, begins: 330000, order: 4, end: "taken", words: "delivered" }], fate: "delivered", why: [1], cause: 1, image: 0, effects: [3], wait: "then the programmer's timer expires" },
    { by: 1, to: 0, shape: "data", name: "Suspended", label: "1", at: 350000, begins: 350000, ends: 370000, order: 5, size: 20, is_harmed: false, is_troubled: false, is_quiet: false, first: 3, arrivals: [{ at: 400000, begins: 380000, order: 6, end: "taken", words: "delivered" }], fate: "delivered", why: [2], cause: 2, image: 0, effects: [4] },
    { by: 0, to: 1, shape: "ack", name: "ack", label: "2", at: 420000, begins: 420000, ends: 432000, order: 7, size: 12, is_harmed: false, is_troubled: false, is_quiet: false, first: 4, arrivals: [{ at: 460000, begins: 448000, order: 8, end: "taken", words: "taken" }], fate: "taken", why: [], cause: 3, image: 1 },
  ],
  images: [
    // 00 | 04 11 02 03 | 02 05 | 00 with a zero at place 4 of the frame: 11 02 03 00 05
    { line: "00041102030205000000", parts: [["header", "seq", "17", 0, 1], ["message", "slot", "0", 1, 4], ["checksum", "CRC-16", "good as sent", 4, 5]], spans: [[3, 0, 5]], codes: [2, 6] },
    { line: "0000", parts: [], spans: [], codes: [] },
  ],
  reasons: [["asked for by: action suspend", 0], ["because it was lost on the line", 1], ["answers Suspend 1", 2]],
  captions: [{ at: 0, order: 1, kind: "do", text: "suspends delivery" }, { at: 350000, order: 4.5, kind: "log", text: "suspended", lead: "Mon 00:00" }],
  knots: [{ number: 1, title: "Suspend 1 goes twice", text: "One lost.", frames: [1, 2], focus: 1, starts: 0, ends: 350000, weight: 4 }],
  timers: [[0, 0, 300000, 1, 2, "300 ms"]], bars: [[0, 0, 0, 400000, [1, 2], "flight"]],
  texts: ["open 0001", "nothing", "running", "suspended"], link_rows: ["connection"], states: [[0, 0, true, [0], 300000, null], [400000, 0, true, [0], 300000, 100000]],
  fact_rows: ["mode", "clock"], drifting: ["clock"],
  truth: [[0, 0, [2, 2]], [350000, 4.2, [3, 2]]], belief: [[0, 0, [-1, -1]], [200000, 0, [2, 3]]],
  changes: [{ name: "Suspend", asked: 0, done: 350000, known: 400000, request: 1, answer: 3 }],
});

export const small = () => readModel(TEXT);

// Every character is as wide as half its size.
export const measure = (text, size) => text.length * size / 2;

export const VIEW = { width: 1100, fontSize: 13, mode: "time", zoom: 1, opened: [] };
