// The page: keeps the state, and brings what is seen in step with it.

import { describe } from "./bytes.js";
import { drawCurves } from "./curves.js";
import { byId, html, measurer, svg } from "./dom.js";
import { actionOf } from "./keys.js";
import { TILE, drawByte, drawLadder, drawNow, patterns, tilesIn } from "./ladder.js";
import { bandAt, layOut } from "./layout.js";
import { drawHelp, drawLegend } from "./legend.js";
import { drawMirror, markMirror, sentence } from "./mirror.js";
import { frameOf, momentOf, readModel } from "./model.js";
import { drawMoment, drawPanel, drawWaits } from "./panel.js";
import { drawPages } from "./printing.js";
import { download, svgOf, textOf } from "./saving.js";
import { INITIAL, SPEEDS, firstChoice, fromHash, reduce, select, toHash } from "./state.js";
import { drawStrip, drawWindow, stripOf } from "./strip.js";
import { timeAt } from "./timeline.js";
import { seconds } from "./words.js";

// A break takes so long when a run is played, in seconds, if it is not over sooner.
const LONGEST_BREAK = 0.6;
const PRINTED = { width: 1000, fontSize: 13 };

const root = document.documentElement, ladder = byId("ladder"), canvas = byId("canvas"), panel = byId("panel");
const model = readModel(byId("model").textContent);
const family = getComputedStyle(document.body).fontFamily;
const measure = measurer(family);
let state = fromHash(select({ ...INITIAL, theme: preferred() }, model, firstChoice(model)), location.hash, model);
const tiles = new Map();
const curves = html("div", { id: "curves" });
let layout, strip, litByte = 0, allBytes = false;

function preferred() { return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"; }

// -- drawing --------------------------------------------------------------------------------------

function focusOf() {
  const frame = frameOf(model, state.selected);
  return frame ? { selected: frame.number, frames: [...new Set([...frame.chain.map((each) => each.frame), frame.number])].filter(Boolean) } : { selected: 0, frames: [] };
}

function relayout() {
  // On paper the ladder has no place of its own.
  if (!ladder.clientWidth) return;
  const fontSize = parseFloat(getComputedStyle(document.body).fontSize);
  layout = layOut(model, { ...state, width: ladder.clientWidth, fontSize }, measure);
  canvas.style.height = `${Math.ceil(layout.height)}px`;
  drawHeads();
  redraw();
  const width = byId("strip").clientWidth - 2 * parseFloat(getComputedStyle(byId("strip")).paddingLeft);
  strip = stripOf(layout, width);
  byId("run").replaceChildren(svg("g", {}, drawStrip(strip)));
  for (const id of ["run", "window"]) byId(id).setAttribute("height", strip.height);
  drawSeen();
  byId("legend").replaceChildren(...drawLegend(layout.columns.u).flat());
  curves.replaceChildren(...drawCurves(model, Math.max(240, panel.clientWidth - 32)).flat(Infinity).filter(Boolean));
}

// The ladder is drawn in tiles, and only those that are seen or nearly so.
function redraw() {
  tiles.clear();
  const over = svg("svg", { id: "over", width: 1, height: 1, "aria-hidden": "true" }, patterns(layout.columns.u), svg("g", { id: "now" }), svg("g", { id: "byte" }));
  canvas.replaceChildren(over);
  fill();
  drawMarks();
}

function fill() {
  const { first, last } = tilesIn(ladder.scrollTop, ladder.clientHeight, layout.height);
  for (const [place, tile] of tiles) if (place < first || place > last) { tile.remove(); tiles.delete(place); }
  for (let place = first; place <= last; place += 1) if (!tiles.has(place)) tiles.set(place, canvas.insertBefore(drawTile(place), byId("over")));
}

function drawTile(place) {
  const { width } = layout.columns, from = place * TILE, height = Math.min(TILE, layout.height - from);
  const tile = svg("svg", { class: "tile", width, height, viewBox: `0 ${from} ${width} ${height}`, "aria-hidden": "true" }, drawLadder(layout, focusOf(), from, from + height, measure));
  tile.style.top = `${from}px`;
  return tile;
}

function drawMarks() {
  byId("now").replaceChildren(...drawNow(layout, nowY()));
  const byte = litByte || state.byte;
  byId("byte").replaceChildren(...(drawByte(layout, state.selected, byte, byte === state.byte) ?? []));
}

// Of what happens at one instant the chosen frame is what is meant.
function nowY() {
  const band = layout.bandOf.get(state.selected);
  return band && momentOf(band.frame).at === state.now ? band.ends[0].y1 : layout.yAt(state.now, true);
}

function drawSeen() {
  byId("window").replaceChildren(...drawWindow(strip, ladder.scrollTop, ladder.clientHeight, state.now));
  const slider = byId("strip");
  slider.setAttribute("aria-valuenow", String(Math.round(state.now / 1000)));
  slider.setAttribute("aria-valuemax", String(Math.round(model.ends / 1000)));
  slider.setAttribute("aria-valuetext", `${seconds(state.now)} s, frame ${state.selected}`);
}

function drawHeads() {
  const { columns } = layout, put = (x, text, side, align) => {
    const head = html("span", { class: side === null ? null : `bold of-${side}` }, text);
    head.style.left = `${x}px`;
    if (align) head.style.transform = `translateX(${align}%)`;
    return head;
  };
  const { narrow, u, left, right, axis } = columns;
  byId("heads").replaceChildren(...(narrow
    ? [put(4, "s", null), put(left, "programmer", "programmer", -20), put(right, "pump", "pump", -90)]
    : [put(columns.caption, "what is told, and what to look at", null), put(axis, "time, s", null, -100), put(Math.max(left - 42 * u, axis + 9 * u), "programmer", "programmer"),
      put((left + right) / 2, "the line", null, -50), put(right, "pump", "pump", -50), put(columns.log + 14 * u, "its own clock, its own log", null)]));
}

function showPanel() {
  const frame = frameOf(model, state.selected);
  if (!frame) { panel.replaceChildren(html("p", {}, "There is no frame in this run.")); return; }
  const focused = panel.contains(document.activeElement);
  panel.replaceChildren(...drawPanel(model, state, frame, allBytes).flat(Infinity).filter(Boolean),
    curves);
  // What had the focus is another now.
  if (focused) panel.focus({ preventScroll: true });
  light(0);
}

// -- bytes ----------------------------------------------------------------------------------------

function light(byte) {
  litByte = byte;
  for (const each of panel.querySelectorAll(".lit, .pinned")) each.classList.remove("lit", "pinned");
  mark(state.byte, "pinned");
  mark(byte, "lit");
  const shown = byte || state.byte, frame = frameOf(model, state.selected);
  const said = byId("byte-words");
  if (said) said.textContent = shown ? describe(model, frame, shown) : "Point at a byte, or press ] to go through them.";
  if (byId("now")) drawMarks();
}

function mark(byte, name) {
  if (!byte) return;
  for (const each of panel.querySelectorAll(`[data-byte="${byte}"]`)) {
    each.classList.add(name);
    each.closest(".field")?.classList.add(name);
  }
}

// The byte of the chosen frame that is under a point of the ladder.
function byteUnder(event) {
  const group = event.target.closest?.(".frame"), band = layout.bandOf.get(state.selected);
  if (!group || !band || Number(group.dataset.frame) !== state.selected) return 0;
  const box = canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
  const part = Math.min(1, Math.max(0, (x - band.x0) / (band.x1 - band.x0))), top = bandAt(band, part, 0), bottom = bandAt(band, part, 1);
  if (bottom - top < 4) return 0;
  return Math.min(band.frame.size, Math.max(1, Math.ceil((y - top) / (bottom - top) * band.frame.size)));
}

// -- acting ---------------------------------------------------------------------------------------

const RELAYOUT = ["mode", "zoom", "large", "opened"];

function act(action) {
  if (action.type === "help") { byId("help").showModal(); return; }
  if (action.type === "save") { save(action.as); return; }
  become(reduce(state, action, model));
  if (state.playing) requestAnimationFrame(play);
}

function become(next) {
  const before = state;
  state = unfolded(next);
  const changed = (name) => state[name] !== before[name];
  root.dataset.theme = state.theme;
  root.dataset.size = state.large ? "large" : "";
  showControls();
  if (RELAYOUT.some(changed)) keepInPlace(relayout);
  if (changed("selected")) { allBytes = false; showPanel(); panel.scrollTop = 0; redraw(); follow(); told(); } else if (changed("byte")) showPanel();
  if (changed("now") && !changed("selected")) { drawMarks(); follow(); if (state.playing) showMoment(); }
  drawSeen();
  if (!state.playing) remember();
}

// What is chosen is not left folded away.
function unfolded(next) {
  const fold = layout?.folded.get(next.selected);
  return fold && !next.playing ? { ...next, opened: [...next.opened, fold.number] } : next;
}

function showMoment() {
  const frame = frameOf(model, state.selected);
  if (frame) byId("moment").replaceWith(drawMoment(model, frame, { at: state.now, order: Infinity }));
}

function told() {
  const frame = frameOf(model, state.selected);
  if (!frame) return;
  if (!state.playing) byId("said").textContent = sentence(model, frame);
  markMirror(frame.number);
}

function remember() {
  const hash = toHash(state);
  if (hash !== location.hash) history.replaceState(null, "", hash);
}

// The chosen frame is brought into sight; while a run is played, so is its moment.
function follow() {
  const band = layout.bandOf.get(state.selected), height = ladder.clientHeight;
  const y = state.playing || !band ? layout.yAt(state.now, true) : band.y0, at = y - ladder.scrollTop;
  if (at < 60 * layout.columns.u || at > height - 120 * layout.columns.u) ladder.scrollTop = y - height * 0.34;
}

function keepInPlace(change) {
  const before = layout?.bandOf.get(state.selected), from = before ? before.y0 - ladder.scrollTop : 0;
  change();
  const after = layout.bandOf.get(state.selected);
  if (before && after) ladder.scrollTop = after.y0 - from;
  redraw();
  drawSeen();
}

let clockAt = 0;
function play(now) {
  if (!state.playing) { clockAt = 0; return; }
  const passed = clockAt ? Math.min(0.1, (now - clockAt) / 1000) : 0;
  clockAt = now;
  const gap = layout.breaks.find((each) => state.now >= each.starts && state.now < each.ends);
  const inGap = gap ? (gap.ends - gap.starts) * passed / LONGEST_BREAK : 0;
  become(reduce(state, { type: "now", at: state.now + Math.max(passed * 1e6 * state.speed, inGap), playing: true }, model));
  if (state.playing) requestAnimationFrame(play); else { clockAt = 0; showPanel(); remember(); }
}

function save(as) {
  const from = ladder.scrollTop, to = Math.min(layout.height, from + ladder.clientHeight), name = model.name.replace(/[^\w.-]+/g, "-") || "run";
  if (as === "svg") download(`${name}.svg`, svgOf(layout, focusOf(), from, to, measure, family), "image/svg+xml");
  else download(`${name}.txt`, textOf(model, timeAt(layout.points, from), timeAt(layout.points, to)), "text/plain");
}

function showControls() {
  for (const button of document.querySelectorAll("[data-mode]")) button.setAttribute("aria-pressed", String(button.dataset.mode === state.mode));
  byId("theme").setAttribute("aria-pressed", String(state.theme === "dark"));
  byId("large").setAttribute("aria-pressed", String(state.large));
  byId("play").setAttribute("aria-pressed", String(state.playing));
  byId("play").textContent = state.playing ? "stop" : "play";
  byId("speed").value = String(state.speed);
}

// -- what a reader does ---------------------------------------------------------------------------

const BUTTONS = {
  play: { type: "play" }, less: { type: "zoom", by: -1 }, more: { type: "zoom", by: 1 }, theme: { type: "theme" }, large: { type: "large" },
  keys: { type: "help" }, "save-svg": { type: "save", as: "svg" }, "save-txt": { type: "save", as: "txt" },
};

const CHOICES = [
  ["data-byte", (value) => ({ type: "byte", number: Number(value) })],
  ["data-knot", (value) => ({ type: "knot", number: Number(value) })],
  ["data-open", (value) => ({ type: "open", number: Number(value) })],
  ["data-mode", (value) => ({ type: "mode", mode: value })],
];

function clicked(event) {
  const button = BUTTONS[event.target.closest("button")?.id];
  if (button) { act(button); return; }
  for (const [name, action] of CHOICES) {
    const found = event.target.closest(`[${name}]`);
    if (found) { act(action(found.getAttribute(name))); return; }
  }
  const all = event.target.closest("[data-all]");
  if (all) { allBytes = all.dataset.all === "1"; showPanel(); return; }
  if (event.target.closest("#close")) { byId("help").close(); return; }
  const frame = event.target.closest("[data-frame]");
  if (!frame) return;
  const number = Number(frame.dataset.frame), byte = byteUnder(event);
  act(byte ? { type: "byte", number: byte } : { type: "select", number });
}

function pointed(event) {
  const shown = event.target.closest?.("#bytes [data-byte]"), field = event.target.closest?.("#bytes .field");
  const byte = shown ? Number(shown.dataset.byte) : field?.dataset.bytes ? Number(field.dataset.bytes.split("-")[0]) : byteUnder(event);
  if (byte !== litByte) light(byte);
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open || /SELECT|INPUT/.test(event.target.tagName)) return;
  if (event.target.tagName === "BUTTON" && [" ", "Enter"].includes(event.key)) return;
  if (event.target.id === "strip" && slide(event.key)) { event.preventDefault(); return; }
  const action = actionOf(event.key);
  if (!action) return;
  event.preventDefault();
  act(action);
}

// On the strip the arrows move through time.
function slide(key) {
  const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -1e9, End: 1e9 }[key];
  if (!by) return false;
  const y = layout.yAt(state.now, true) + by * layout.height / 100;
  act({ type: "now", at: timeAt(layout.points, y) });
  return true;
}

function scrub(event) {
  const box = byId("run").getBoundingClientRect(), x = event.clientX - box.left;
  const inTime = event.clientY - box.top < strip.top;
  act({ type: "now", at: inTime ? strip.at(x) : timeAt(layout.points, strip.y(x)) });
}

function listen() {
  document.addEventListener("click", clicked);
  document.addEventListener("keydown", pressed);
  document.addEventListener("pointermove", pointed, { passive: true });
  byId("speed").addEventListener("change", (event) => act({ type: "speed", speed: Number(event.target.value) }));
  ladder.addEventListener("scroll", scrolled, { passive: true });
  const slider = byId("strip");
  slider.addEventListener("pointerdown", (event) => { if (!event.target.closest("[data-knot]")) { slider.setPointerCapture(event.pointerId); scrub(event); } });
  slider.addEventListener("pointermove", (event) => { if (slider.hasPointerCapture(event.pointerId)) scrub(event); });
  addEventListener("resize", () => keepInPlace(relayout));
  addEventListener("hashchange", () => become(fromHash(state, location.hash, model)));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => act({ type: "theme", theme: preferred() }));
  addEventListener("beforeprint", toPaper);
  addEventListener("afterprint", fromPaper);
}

function scrolled() {
  drawSeen();
  fill();
}

function toPaper() {
  root.dataset.theme = "light";
  const printed = layOut(model, { ...state, ...PRINTED }, measure);
  byId("paper").replaceChildren(...drawPages(printed, focusOf(), measure));
}

function fromPaper() {
  root.dataset.theme = state.theme;
  byId("paper").replaceChildren();
}

// -- beginning ------------------------------------------------------------------------------------

function begin() {
  byId("title").textContent = model.title;
  byId("name").textContent = model.name;
  byId("claim").textContent = model.claim;
  byId("sums").textContent = model.sums;
  byId("waits").replaceChildren(...drawWaits(model));
  byId("speed").replaceChildren(...SPEEDS.map((each) => html("option", { value: String(each) }, `${each}\u00d7`)));
  byId("keys-list").replaceChildren(drawHelp());
  root.dataset.theme = state.theme;
  root.dataset.size = state.large ? "large" : "";
  relayout();
  const first = unfolded(state);
  if (first !== state) { state = first; relayout(); }
  showControls();
  showPanel();
  follow();
  redraw();
  listen();
  // The picture comes first, its words right after it.
  requestAnimationFrame(() => setTimeout(() => {
    byId("mirror").replaceChildren(...drawMirror(model));
    told();
    root.dataset.ready = "yes";
  }));
}

begin();
