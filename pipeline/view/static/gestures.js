/** Wheel, drag and pinch on the timeline: zoom, move, scrub; a press without a way is a click. */

const STILL = 4; // CSS pixels that a hand may shake
const GLIDE_MS = 300; // whoever scrolls the page is not stopped by what comes under the pointer

export class Gestures {
  /** @type {Map<number, {x: number, y: number}>} by pointer */
  #down = new Map();
  #way = 0;
  #scrubbing = false;
  #scrolled_ms = 0;
  #left = new AbortController();

  /**
   * @param {HTMLElement} element
   * @param {import("./timeline.js").TimelineView} timeline
   */
  constructor(element, timeline) {
    this.element = element;
    this.timeline = timeline;
    element.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    element.addEventListener("pointerdown", (event) => this.#press(event));
    element.addEventListener("pointermove", (event) => this.#move(event));
    element.addEventListener("pointerup", (event) => this.#release(event, true));
    element.addEventListener("pointercancel", (event) => this.#release(event, false));
    element.addEventListener("pointerleave", () => timeline.hover(null));
    window.addEventListener("scroll", () => (this.#scrolled_ms = Date.now()), { signal: this.#left.signal });
  }

  leave() {
    this.#left.abort();
  }

  #place(event) {
    const { left, top } = this.element.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  #wheel(event) {
    if (Date.now() - this.#scrolled_ms < GLIDE_MS) return;
    event.preventDefault();
    const { x } = this.#place(event);
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.#pan(event.deltaX);
    else this.timeline.zoom(1.0015 ** event.deltaY, this.timeline.timeAt(x));
  }

  #pan(by) {
    const { view } = this.timeline;
    const by_us = (by / this.timeline.sheet().width) * (view.to_us - view.from_us);
    this.timeline.look({ from_us: view.from_us + by_us, to_us: view.to_us + by_us });
  }

  #press(event) {
    if (event.button) return;
    const place = this.#place(event);
    this.element.setPointerCapture(event.pointerId);
    this.#down.set(event.pointerId, place);
    this.#way = this.#down.size > 1 ? Infinity : 0;
    this.#scrubbing = this.#down.size === 1 && this.timeline.scrubs(place.x, place.y);
  }

  #move(event) {
    const place = this.#place(event);
    const before = this.#down.get(event.pointerId);
    if (!before) return this.timeline.hover(place.x, place.y);
    this.#down.set(event.pointerId, place);
    this.#way += Math.abs(place.x - before.x);
    if (this.#down.size > 1) this.#pinch(event.pointerId, before, place);
    else if (this.#scrubbing) this.timeline.does.seek(this.timeline.timeAt(place.x));
    else if (this.#way > STILL) this.#pan(before.x - place.x);
  }

  #pinch(moved, before, place) {
    const [other] = [...this.#down].filter(([id]) => id !== moved).map(([, at]) => at);
    const [was, is] = [Math.abs(before.x - other.x), Math.abs(place.x - other.x)].map((wide) => Math.max(wide, 10));
    this.timeline.zoom(was / is, this.timeline.timeAt((place.x + other.x) / 2));
  }

  #release(event, picked) {
    const place = this.#place(event);
    if (!this.#down.delete(event.pointerId) || !picked) return;
    if (this.#scrubbing) this.timeline.does.seek(this.timeline.timeAt(place.x));
    else if (this.#way <= STILL) this.timeline.pick(place.x, place.y);
  }
}
