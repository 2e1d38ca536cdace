/**
 * Which maps lie over the picture, how much of it they let through, and what to think of them.
 *
 * @typedef {import("./contract.js").Layer} Layer
 * @typedef {import("./contract.js").Moment} Moment
 */

import { make, mark, write } from "./dom.js";
import { offset } from "./time.js";

/** Layers of boxes have no map of their own: they are drawn from these topics. @type {Map<string, string>} */
export const BOXES = new Map([
  ["boxes", "segmentation.summary"],
  ["detections", "detections"],
  ["tracks", "tracks"],
]);

const DOUBTS = {
  untrained: "Untrained: backbone or head is random, and its values mean nothing.",
  outofdomain: "Out of domain: it learnt from rendered scenes alone, and this is footage. Not to be trusted.",
  uncalibrated: "Not calibrated: off by a scale and an offset that nobody knows.",
  relative: "Relative: it tells near from far, and has no unit.",
};

/** What speaks against a layer's values, in words. @param {Layer} layer */
function doubts(layer) {
  return [
    layer.untrained && DOUBTS.untrained,
    layer.outofdomain && DOUBTS.outofdomain,
    layer.calibrated === false && layer.metric && DOUBTS.uncalibrated,
    layer.kind === "depth" && !layer.metric && DOUBTS.relative,
  ].filter(Boolean);
}

export class Layers {
  /** Topics that are shown. @type {Set<string>} */
  shown = new Set();
  opacity = 60;
  split = 0;
  /** @type {Map<string, {element: HTMLElement, box: HTMLInputElement, late: HTMLElement}>} */
  #rows = new Map();

  /** @param {() => void} changed  what is shown, or how */
  constructor(changed) {
    this.changed = changed;
    this.list = make("ul", { class: "layers" });
    this.slider = make("input", {
      type: "range",
      min: 0,
      max: 100,
      id: "opacity",
      oninput: () => this.set({ opacity: Number(this.slider.value) }),
    });
    this.says = make("span", { class: "quiet" });
    this.halves = make("button", { type: "button", onclick: () => this.set({ split: this.split ? 0 : 50 }) }, "Split");
    this.notes = make("ul", { class: "doubts" });
    this.element = make(
      "section",
      { class: "panel", "aria-labelledby": "layers-title" },
      make("h2", { id: "layers-title" }, "Layers"),
      this.list,
      make("p", { class: "mix" }, make("label", { for: "opacity" }, "Opacity"), this.slider, this.says, this.halves),
      this.notes,
    );
  }

  /** @param {Layer[]} layers  @param {Record<string, number>} topics  that the stream has */
  offer(layers, topics) {
    this.layers = layers;
    const boxes = [...BOXES.keys()].filter((name) => BOXES.get(name) in topics);
    const names = [...layers.map(({ topic }) => topic), ...boxes];
    this.#rows = new Map(names.map((name, at) => [name, this.#row(name, at + 1)]));
    this.list.replaceChildren(...[...this.#rows.values()].map(({ element }) => element));
    this.element.hidden = !names.length;
    this.set({}, false);
  }

  #row(name, number) {
    const box = make("input", { type: "checkbox", onchange: () => this.toggle(name) });
    const late = make("span", { class: "quiet" });
    const layer = this.layers.find(({ topic }) => topic === name);
    const title = layer ? `${layer.model}, variant ${layer.variant}` : `from ${BOXES.get(name)}`;
    const element = make(
      "li",
      {},
      make(
        "label",
        { title, "data-toggle": name },
        box,
        name,
        make("kbd", { "aria-hidden": "true" }, String(number)),
        late,
      ),
    );
    return { element, box, late };
  }

  get names() {
    return [...this.#rows.keys()];
  }

  /** By its number, as the keyboard has it. */
  nth(number) {
    const name = this.names[number - 1];
    if (name) this.toggle(name);
  }

  toggle(name) {
    const shown = new Set(this.shown);
    if (!shown.delete(name)) shown.add(name);
    this.set({ shown });
  }

  /** @param {{shown?: Set<string>, opacity?: number, split?: number}} wanted */
  set({ shown = this.shown, opacity = this.opacity, split = this.split }, tell = true) {
    this.shown = shown;
    this.opacity = Math.min(100, Math.max(0, opacity));
    this.split = split;
    for (const [name, { box }] of this.#rows) box.checked = shown.has(name);
    this.slider.value = String(this.opacity);
    write(this.says, `${this.opacity} %`);
    mark(this.halves, "aria-pressed", this.split > 0);
    const said = new Set((this.layers ?? []).filter(({ topic }) => shown.has(topic)).flatMap(doubts));
    this.notes.replaceChildren(...[...said].map((text) => make("li", {}, text)));
    if (tell) this.changed();
  }

  /** Which of them hold at a moment, and how much older than its frame they are. @param {Moment} moment */
  date(moment) {
    for (const [name, { late }] of this.#rows) {
      const held = moment.records[BOXES.get(name) ?? name];
      const by_us = held ? held.time_us - moment.time_us : 0;
      write(late, held ? (by_us ? offset(by_us) : "") : "none here");
    }
  }
}
