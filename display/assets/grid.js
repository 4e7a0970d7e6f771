// Things found by their height: what lies between two heights is known without looking at the rest.

const BUCKET = 256;

export class Grid {
  constructor(things = [], extentOf = null) {
    this.buckets = new Map();
    for (const thing of things) this.add(thing, ...extentOf(thing));
  }

  add(thing, from, to) {
    for (let at = Math.floor(from / BUCKET); at <= Math.floor(to / BUCKET); at += 1) {
      if (!this.buckets.has(at)) this.buckets.set(at, []);
      this.buckets.get(at).push({ thing, from, to });
    }
  }

  some(from, to, test) {
    for (let at = Math.floor(from / BUCKET); at <= Math.floor(to / BUCKET); at += 1)
      if (this.buckets.get(at)?.some(({ thing }) => test(thing))) return true;
    return false;
  }

  // Each thing that reaches between them, once, in the order in which they were put in.
  between(from, to) {
    const found = new Set();
    for (let at = Math.floor(from / BUCKET); at <= Math.floor(to / BUCKET); at += 1)
      for (const each of this.buckets.get(at) ?? []) if (each.to >= from && each.from <= to) found.add(each.thing);
    return [...found];
  }
}
