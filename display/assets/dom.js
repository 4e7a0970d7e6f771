// Elements are made here and nowhere else: text goes in as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(name, typeof value === "number" ? String(+value.toFixed(2)) : value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) if (child !== null && child !== undefined && child !== false) element.append(child);
  return element;
}

export const html = (tag, attributes = {}, ...children) => filled(document.createElement(tag), attributes, children);

export const svg = (tag, attributes = {}, ...children) => filled(document.createElementNS(SVG, tag), attributes, children);

export const line = (x1, y1, x2, y2, attributes) => svg("line", { x1, y1, x2, y2, ...attributes });

export const path = (d, attributes) => svg("path", { d, fill: "none", ...attributes });

export const rect = (x, y, width, height, attributes) => svg("rect", { x, y, width, height, ...attributes });

export const circle = (cx, cy, r, attributes) => svg("circle", { cx, cy, r, ...attributes });

export const words = (x, y, text, size, attributes = {}) => svg("text", { x, y, "font-size": size, ...attributes }, text);

export const byId = (id) => document.getElementById(id);

// How wide a text is, remembered: the same words come again and again.
export function measurer(family) {
  const context = document.createElement("canvas").getContext("2d"), known = new Map();
  return (text, size, weight = 400) => {
    const key = `${weight} ${size} ${text}`;
    let width = known.get(key);
    if (width === undefined) {
      context.font = `${weight} ${size}px ${family}`;
      width = context.measureText(text).width;
      known.set(key, width);
    }
    return width;
  };
}
