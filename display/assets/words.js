// Numbers as they are read: times on the line, ordinals, bytes.

// A sorted copy; not every browser has `toSorted` yet.
export const sorted = (values, compare) => [...values].sort(compare);

export function ordinal(n) {
  const teen = n % 100 > 10 && n % 100 < 14;
  return n + (teen ? "th" : ["th", "st", "nd", "rd"][n % 10] || "th");
}

export function span(us) {
  if (us < 1000) return `${us} \u00b5s`;
  if (us < 999500) return `${+(us / 1000).toFixed(us < 10000 ? 1 : 0)} ms`;
  const s = us / 1e6;
  return `${+s.toFixed(s < 10 ? 2 : s < 100 ? 1 : 0)} s`;
}

export const seconds = (us, digits = 3) => (us / 1e6).toFixed(digits);

// The least of 1, 2, 5, 10, 20 and so on that is not less.
export function roundStep(least) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
  return [1, 2, 5, 10].find((each) => each * power >= least) * power;
}

export const hexByte = (value) => value.toString(16).padStart(2, "0");

export const hexBytes = (hex) => hex.match(/../g) ?? [];

export const bitsOf = (value) => [...value.toString(2).padStart(8, "0")];

export const grouped = (value) => value.toLocaleString("en");

// A text in lines of at most `width`; `measure` says how wide a text of a size and weight is.
export function wrap(text, width, measure, size, weight = 400) {
  const lines = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line ? `${line} ${word}` : word;
    if (line && measure(longer, size, weight) > width) { lines.push(line); line = word; } else line = longer;
  }
  if (line) lines.push(line);
  return lines.flatMap((each) => broken(each, width, measure, size, weight));
}

// A word that is wider than the line is cut where it must be.
function broken(line, width, measure, size, weight) {
  if (measure(line, size, weight) <= width || line.length < 2) return [line];
  let at = Math.max(1, Math.floor(line.length * width / measure(line, size, weight)));
  while (at > 1 && measure(line.slice(0, at), size, weight) > width) at -= 1;
  return [line.slice(0, at), ...broken(line.slice(at), width, measure, size, weight)];
}
