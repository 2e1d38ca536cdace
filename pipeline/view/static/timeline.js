/**
 * A stream's axis of time: looked over, zoomed, and pointed at.
 *
 * Says "loaded" when there is another timeline, of which `shown` is the last.
 *
 * @typedef {import("./contract.js").Timeline} Timeline
 * @typedef {import("./lanes.js").Span} Span
 */

import { make, mark, write } from "./dom.js";
import { happened } from "./events.js";
import { Gestures } from "./gestures.js";
import { RULER, across, drawLanes, drawPlayhead, itemAt, tall } from "./lanes.js";
import { classColours } from "./palette.js";
import { json } from "./request.js";
import { clockTime, day } from "./time.js";

const NARROWEST_US = 1_000_000;
const LIVE_US = 600_000_000; // what is looked over at first of a camera that has run for long
const PATIENCE_MS = 120; // whoever drags is not asked at every pixel
const LOOK = ["ink", "quiet", "paper", "accent", "bad", "wait"];

export class TimelineView extends EventTarget {
  /** @type {Timeline|null} */
  shown = null;
  text = "";
  time_us = 0;
  /** @type {Span} */
  view = { from_us: 0, to_us: NARROWEST_US };
  #axis = /** @type {import("./contract.js").Axis|null} */ (null);
  #colours = new Map();
  #asked = new AbortController();
  #loaded_ms = 0;

  /**
   * @param {string} stream
   * @param {{seek: (time_us: number) => void, step: (by: number) => void, failed: (error: Error) => void}} does
   */
  constructor(stream, does) {
    super();
    this.stream = stream;
    this.does = does;
    this.canvas = make("canvas");
    this.tip = make("p", { class: "tip", hidden: true, "aria-hidden": "true" });
    this.slider = make(
      "div",
      { class: "time", role: "slider", tabindex: "0", "aria-label": "Time" },
      this.canvas,
      this.tip,
    );
    this.left_out = make("p", { class: "quiet" });
    this.element = make("div", { class: "timeline" }, this.slider, this.left_out);
    this.slider.addEventListener("keydown", (event) => this.#key(event));
    this.gestures = new Gestures(this.slider, this);
    this.size = new ResizeObserver(() => this.#resized());
    this.size.observe(this.slider);
    this.redraw = () => this.draw();
    window.addEventListener("themechange", this.redraw);
  }

  leave() {
    this.gestures.leave();
    this.size.disconnect();
    this.#asked.abort();
    clearTimeout(this.timer);
    window.removeEventListener("themechange", this.redraw);
  }

  /** Another axis, all of it; of a camera's, the minutes around a time, or the last ones. */
  open(axis, time_us) {
    this.#axis = axis;
    this.shown = null;
    const live = axis.axis === "live";
    const around_us = Math.max(time_us ?? axis.to_us, axis.from_us) + LIVE_US / 2;
    const to_us = live ? Math.min(axis.to_us, Math.max(around_us, axis.from_us + LIVE_US)) : axis.to_us;
    const from_us = live ? Math.max(axis.from_us, to_us - LIVE_US) : axis.from_us;
    this.view = { from_us, to_us: Math.max(to_us, from_us + NARROWEST_US) };
    return this.load();
  }

  filter(text) {
    this.text = text;
    return this.load();
  }

  /** What is shown now; the view goes along where it would be left. */
  playhead(time_us) {
    this.time_us = time_us;
    const { from_us, to_us } = this.view;
    const span = to_us - from_us;
    if (time_us > to_us) this.look({ from_us: time_us - span * 0.9, to_us: time_us + span * 0.1 });
    else if (time_us < from_us) this.look({ from_us: time_us - span * 0.1, to_us: time_us + span * 0.9 });
    else this.draw();
    const clock = this.#axis?.clock ?? "media";
    mark(this.slider, "aria-valuenow", Math.round((time_us - this.first_us) / 1e6));
    mark(this.slider, "aria-valuetext", [clockTime(time_us, clock, 1), day(time_us, clock)].filter(Boolean).join(", "));
  }

  /** The axis has grown. */
  grow(last_us) {
    if (!this.#axis || last_us <= this.#axis.to_us) return;
    this.#axis.to_us = last_us;
    if (Date.now() - this.#loaded_ms > 2000) this.load();
  }

  get first_us() {
    return this.shown?.first_us ?? this.#axis?.from_us ?? 0;
  }

  get last_us() {
    return Math.max(this.shown?.last_us ?? 0, this.#axis?.to_us ?? 0);
  }

  /** Look at a stretch; it stays within the axis, and is not narrower than a second. @param {Span} view */
  look({ from_us, to_us }) {
    const room = (this.last_us - this.first_us) * 0.02 + NARROWEST_US;
    const span = Math.min(Math.max(to_us - from_us, NARROWEST_US), this.last_us - this.first_us + 2 * room);
    const middle = (from_us + to_us) / 2;
    const from = Math.min(Math.max(middle - span / 2, this.first_us - room), this.last_us + room - span);
    this.view = { from_us: Math.round(from), to_us: Math.round(from + span) };
    this.draw();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.load(), PATIENCE_MS);
  }

  /** Nearer or farther, around a time that stays where it is. */
  zoom(factor, around_us = this.time_us) {
    const { from_us, to_us } = this.view;
    const kept_us = Math.min(Math.max(around_us, from_us), to_us);
    this.look({ from_us: kept_us - (kept_us - from_us) * factor, to_us: kept_us + (to_us - kept_us) * factor });
  }

  async load() {
    if (!this.#axis) return;
    this.#asked.abort();
    this.#asked = new AbortController();
    this.#loaded_ms = Date.now();
    try {
      const width = Math.max(200, Math.round(this.sheet().width));
      const query = { stream: this.stream, axis: this.#axis.axis, ...this.view, width, text: this.text };
      this.shown = await json("/view/timeline", query, this.#asked.signal);
    } catch (error) {
      if (error.name !== "AbortError") this.does.failed(error);
      return;
    }
    this.#colours = classColours(
      this.shown.labels.map(({ name }) => name),
      this.#colours,
    );
    mark(this.slider, "aria-valuemin", 0);
    mark(this.slider, "aria-valuemax", Math.round((this.last_us - this.first_us) / 1e6));
    const left = this.shown.left_out;
    write(this.left_out, left ? `${left} older marks are left out.` : "");
    this.#resized();
    this.dispatchEvent(new Event("loaded"));
  }

  /** Marks beyond what is in view are asked for. @returns {Promise<import("./contract.js").Item|null>} */
  async event(by) {
    const beyond =
      by > 0 ? { from_us: this.time_us, to_us: this.last_us } : { from_us: this.first_us, to_us: this.time_us };
    const query = { stream: this.stream, axis: this.#axis.axis, ...beyond, width: 4000, text: this.text };
    const { lanes } = await json("/view/timeline", query);
    const items = happened(lanes).filter((item) => (item.from_us - this.time_us) * by > 0);
    const next = items.sort((one, other) => (one.from_us - other.from_us) * by)[0];
    if (next && !happened(this.shown.lanes).some(({ id }) => id === next.id)) this.load(); // it came later
    return next ?? null;
  }

  /** Where things are drawn. @returns {import("./lanes.js").Sheet} */
  sheet() {
    const left = this.slider.clientWidth < 500 ? 68 : 88;
    const style = getComputedStyle(this.slider);
    const look = Object.fromEntries(LOOK.map((name) => [name, style.getPropertyValue(`--${name}`)]));
    return {
      context: this.canvas.getContext("2d"),
      left,
      width: this.slider.clientWidth - left - 2,
      view: this.view,
      look,
    };
  }

  draw() {
    const { shown, canvas } = this;
    if (!shown || !canvas.width) return;
    const sheet = this.sheet();
    const dense = window.devicePixelRatio;
    sheet.context.setTransform(dense, 0, 0, dense, 0, 0);
    sheet.context.clearRect(0, 0, canvas.width, canvas.height);
    sheet.context.font = "12px system-ui, sans-serif";
    drawLanes(sheet, shown, (label) => this.#colours.get(label), this.#axis.clock);
    drawPlayhead(sheet, this.time_us, tall(shown.lanes));
  }

  /** Whether a place is for scrubbing: on the ruler, or at the playhead. */
  scrubs(x, y) {
    return y < RULER || Math.abs(x - across(this.sheet(), this.time_us)) < 6;
  }

  timeAt(x) {
    const { left, width, view } = this.sheet();
    const time_us = view.from_us + ((x - left) / width) * (view.to_us - view.from_us);
    return Math.round(Math.min(this.last_us, Math.max(this.first_us, time_us)));
  }

  /** A click: on a mark, its beginning; else the time itself. */
  pick(x, y) {
    const item = this.shown && itemAt(this.sheet(), this.shown, x, y);
    this.does.seek(item ? item.from_us : this.timeAt(x));
  }

  /** What is under the pointer, in words. */
  hover(x, y) {
    const item = x == null || !this.shown ? null : itemAt(this.sheet(), this.shown, x, y);
    this.tip.hidden = x == null;
    if (x == null) return;
    const clock = this.#axis?.clock ?? "media";
    const score = item?.score == null ? "" : ` ${item.score.toFixed(2)}`;
    const says = item
      ? `${item.count > 1 ? `${item.count} \u00d7 ` : ""}${item.label}${score}${item.detail ? `: ${item.detail}` : ""} \u00b7 `
      : "";
    write(this.tip, `${says}${clockTime(item?.from_us ?? this.timeAt(x), clock, 1)}`);
    this.tip.style.left = `${Math.min(x + 12, this.slider.clientWidth - this.tip.offsetWidth - 4)}px`;
  }

  #key(event) {
    const page_us = (this.view.to_us - this.view.from_us) / 10;
    const does = {
      ArrowLeft: () => this.does.step(-1),
      ArrowRight: () => this.does.step(1),
      ArrowDown: () => this.does.step(-1),
      ArrowUp: () => this.does.step(1),
      PageDown: () => this.does.seek(Math.max(this.first_us, this.time_us - page_us)),
      PageUp: () => this.does.seek(Math.min(this.last_us, this.time_us + page_us)),
      Home: () => this.does.seek(this.first_us),
      End: () => this.does.seek(this.last_us),
    }[event.key];
    if (!does || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    does();
  }

  #resized() {
    const dense = window.devicePixelRatio;
    const height = tall(this.shown?.lanes ?? []);
    this.canvas.width = Math.round(this.slider.clientWidth * dense);
    this.canvas.height = Math.round(height * dense);
    this.slider.style.height = `${height}px`;
    this.draw();
  }
}
