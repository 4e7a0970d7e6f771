// The bytes of a frame, layer by layer: each byte knows its place on the line, from 1.

import { html } from "./dom.js";
import { bitsOf, hexByte, hexBytes } from "./words.js";

const LAYERS = {
  header: "Link header", seal: "Session seal", offer: "Offer", message: "Message", payload: "Payload", checksum: "Checksum",
};
const MOST_SHOWN = 36, MOST_OF_A_FIELD = 20, KEPT = 3;

// -- pure -----------------------------------------------------------------------------------------

// The byte of the line that holds a byte of the frame without its stuffing.
export function lineByte(image, body) {
  const span = image.spans.find(([, from, size]) => body >= from && body < from + size);
  return span ? span[0] + body - span[1] : 0;
}

export function bodyByte(image, byte) {
  const span = image.spans.find(([from, , size]) => byte >= from && byte < from + size);
  return span ? span[1] + byte - span[0] : -1;
}

export function partAt(image, byte) {
  const body = bodyByte(image, byte);
  return image.parts.find(([, , , begin, end]) => body >= begin && body < end) ?? null;
}

// What a byte of the line says of the frame: a code byte stands for a zero.
export function meant(image, byte) {
  const found = hexBytes(image.line)[byte - 1];
  return (image.codes ?? []).includes(byte) ? "00" : found;
}

// Which of some bytes are shown, and how many are left out before each: [byte, skipped].
export function elided(bytes, most, wanted) {
  const shown = [];
  let skipped = 0;
  bytes.forEach((byte, place) => {
    const near = wanted.some((each) => Math.abs(each - byte) <= 2);
    if (bytes.length <= most || place < KEPT || place >= bytes.length - KEPT || near) {
      shown.push({ byte, skipped });
      skipped = 0;
    } else skipped += 1;
  });
  return shown;
}

export function describe(model, frame, byte) {
  const image = model.images[frame.image], value = hexBytes(image.line)[byte - 1];
  if (!value) return "";
  return `byte ${byte} of ${frame.size}: ${[value, ...roleOf(image, byte, parseInt(value, 16))].join(", ")}`;
}

function roleOf(image, byte, value) {
  if (byte === 1 || byte === image.line.length / 2) return ["a delimiter"];
  const code = (image.codes ?? []).includes(byte), part = partAt(image, byte);
  const said = part ? [`${LAYERS[part[0]].toLowerCase()}, ${part[1]}`] : [];
  if (!code) return said;
  return [`a code byte of COBS: ${value - 1} bytes without a zero follow`, ...said.map((each) => `it stands for a zero of the ${each}`)];
}

// -- drawn ----------------------------------------------------------------------------------------

export function drawBytes(model, frame, pinned, all) {
  const image = model.images[frame.image], flips = new Map((frame.arrivals[0]?.flips ?? []).map((each) => [each.byte, each]));
  const context = { image, frame, flips, all, wanted: [...flips.keys(), ...(pinned ? [pinned] : [])] };
  return [
    lineRow(context),
    layersOf(image).map(([layer, parts]) => layerRows(context, layer, parts)),
    [...flips.values()].map((each) => bitsRow(each)),
  ];
}

function layersOf(image) {
  const layers = new Map();
  for (const part of image.parts ?? []) {
    if (!layers.has(part[0])) layers.set(part[0], []);
    layers.get(part[0]).push(part);
  }
  return [...layers];
}

function lineRow(context) {
  const { frame, image, all } = context, bytes = Array.from({ length: frame.size }, (_, i) => i + 1);
  const garbage = frame.arrivals[0]?.garbage ?? "", long = frame.size > MOST_SHOWN;
  const raw = hexBytes(image.line), codes = new Set(image.codes ?? []);
  return html("div", { class: "layer on-line" },
    html("div", { class: "layer-name" }, "On the line", html("span", { class: "mean" }, `${frame.size} bytes; `, html("u", {}, "underlined"), ": COBS"),
      long && html("button", { class: "small", "data-all": all ? "0" : "1" }, all ? "fewer" : "all")),
    html("div", { class: "hex" },
      garbage && html("span", { class: "garbage" }, hexBytes(garbage).join(" ")), garbage && " ",
      hexRow(context, bytes, all ? Infinity : MOST_SHOWN, (byte) => raw[byte - 1], codes)));
}

function hexRow({ flips, wanted, image }, bytes, most, valueOf, codes) {
  return elided(bytes, most, wanted).map(({ byte, skipped }) => {
    const flip = flips.get(byte), gap = skipped ? html("span", { class: "skipped" }, ` \u2026${skipped}\u2026 `) : null;
    const shown = flip ? [html("s", {}, hexByte(flip.was)), html("b", {}, hexByte(flip.came))] : valueOf(byte);
    return [gap, html("span", { class: `byte${codes?.has(byte) ? " code" : ""}${flip ? " bent" : ""}`, "data-byte": byte }, shown), " "];
  });
}

function layerRows(context, layer, parts) {
  return html("div", { class: `layer on-${layer}` },
    html("div", { class: "layer-name" }, LAYERS[layer]),
    parts.map((part) => fieldRow(context, part)));
}

function fieldRow(context, [, name, value, begin, end]) {
  const { image, frame } = context, bytes = [];
  for (let body = begin; body < end; body += 1) bytes.push(lineByte(image, body));
  const stopped = name === "CRC-16" && frame.arrivals[0]?.end === "stopped";
  return html("div", { class: `field${bytes.length > 4 ? " wide" : ""}`, "data-bytes": bytes.length ? `${bytes[0]}-${bytes.at(-1)}` : null },
    html("span", { class: "hex" }, hexRow(context, bytes, MOST_OF_A_FIELD, (byte) => meant(image, byte))),
    html("span", { class: "mean" }, `${name} `, html("b", { class: stopped ? "of-fault" : null }, stopped ? "does not fit what came" : value)));
}

function bitsRow({ byte, was, came, bits }) {
  const shown = (value) => bitsOf(value).map((bit, place) => (bits.includes(7 - place) ? html("b", {}, bit) : bit));
  return html("div", { class: "bits" }, `byte ${byte}: ${hexByte(was)} = `, shown(was), ` came as ${hexByte(came)} = `, shown(came));
}
