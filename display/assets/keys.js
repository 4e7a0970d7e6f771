// The keys, declared once: what each does, and how the help says it.

export const KEYS = [
  { keys: ["j", "ArrowDown"], does: { type: "next" }, says: "next frame" },
  { keys: ["k", "ArrowUp"], does: { type: "previous" }, says: "the frame before" },
  { keys: ["n"], does: { type: "trouble" }, says: "next trouble" },
  { keys: ["N", "p"], does: { type: "trouble before" }, says: "the trouble before" },
  { keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"], shown: "1 to 9", says: "a numbered note" },
  { keys: ["h", "ArrowLeft"], does: { type: "cause" }, says: "what led to it" },
  { keys: ["l", "ArrowRight"], does: { type: "effect" }, says: "what came of it" },
  { keys: [" "], shown: "Space", does: { type: "play" }, says: "play, or stop" },
  { keys: ["<", ","], does: { type: "speed", by: -1 }, says: "slower" },
  { keys: [">", "."], does: { type: "speed", by: 1 }, says: "faster" },
  { keys: ["["], does: { type: "byte", by: -1 }, says: "the byte before" },
  { keys: ["]"], does: { type: "byte", by: 1 }, says: "next byte" },
  { keys: ["t", "o"], does: { type: "mode" }, says: "time or order" },
  { keys: ["+", "="], does: { type: "zoom", by: 1 }, says: "more room" },
  { keys: ["-"], does: { type: "zoom", by: -1 }, says: "less room" },
  { keys: ["0"], does: { type: "zoom" }, says: "as much room as at first" },
  { keys: ["d"], does: { type: "theme" }, says: "light or dark" },
  { keys: ["b"], does: { type: "large" }, says: "large, for a projector" },
  { keys: ["r"], does: { type: "reset" }, says: "everything as at first" },
  { keys: ["s"], does: { type: "save", as: "svg" }, says: "save what is seen as SVG" },
  { keys: ["x"], does: { type: "save", as: "txt" }, says: "save what is seen as text" },
  { keys: ["?"], does: { type: "help" }, says: "these keys" },
];

const ARROWS = { ArrowDown: "\u2193", ArrowUp: "\u2191", ArrowLeft: "\u2190", ArrowRight: "\u2192" };

export function actionOf(key) {
  if (/^[1-9]$/.test(key)) return { type: "knot", number: Number(key) };
  return KEYS.find((each) => each.keys.includes(key))?.does ?? null;
}

export const shownKeys = (row) => (row.shown ? [row.shown] : row.keys.map((key) => ARROWS[key] ?? key));
