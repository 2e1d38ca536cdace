/** What colours mean: a scale with numbers and its unit, or classes with their shares, one of which can stand alone. */

import { keyed, make, mark, write } from "./dom.js";
import { NOTHING, viridis } from "./palette.js";

const STEPS = [1, 2, 5];

/** Round numbers between two ends, four to six of them. */
export function marks(low, high) {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * (STEPS.find((one) => one * power >= rough) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, at) => (first + at) * step);
}

/** A depth in as many digits as its scale is worth. */
export function said(value, span) {
  return value.toFixed(span < 1 ? 2 : span < 100 ? 1 : 0);
}

/**
 * @param {import("./paint.js").Scale} scale
 * @param {{unit: string|null, low: number|null}} layer
 */
function depthLegend(scale, layer) {
  const { metric, low, high } = scale;
  const bar = make("canvas", {
    width: 256,
    height: 1,
    class: "ramp",
    role: "img",
    "aria-label": "Colours from near, bright, to far, dark",
  });
  const image = new ImageData(256, 1);
  for (let at = 0; at < 256; at++) {
    image.data.set([...viridis(1 - at / 255), 255], 4 * at);
  }
  bar.getContext("2d").putImageData(image, 0, 0);
  const numbers = metric ? marks(low, high) : [];
  const scaleMarks = numbers.map((value) => {
    const place = make("span", {}, String(Number(value.toPrecision(6))));
    place.style.left = `${(100 * (value - low)) / (high - low)}%`;
    return place;
  });
  return make(
    "div",
    { class: "depth-legend" },
    bar,
    metric
      ? make("p", { class: "ticks" }, ...scaleMarks, make("span", { class: "unit" }, layer.unit ?? ""))
      : make("p", { class: "ends" }, make("span", {}, "near"), make("span", {}, "far")),
    make(
      "p",
      { class: "quiet" },
      swatch(NOTHING),
      "unknown",
      layer.low == null ? "; the scale is this frame's own" : "",
    ),
  );
}

function swatch(rgb) {
  const drawn = make("span", { class: "swatch" });
  drawn.style.background = `rgb(${rgb})`;
  return drawn;
}

/** @typedef {{id: number, name: string, share: number, rgb: import("./contract.js").Rgb}} Present  a class in a frame */

export function percent(share) {
  return share >= 0.005 ? `${Math.round(100 * share)} %` : "< 1 %";
}

/** Both legends: the scale of depth where it is shown, and classes by area. */
export class Legend {
  #scale = "";

  /** @param {(id: number|null) => void} isolate  told which class is to stand alone */
  constructor(isolate) {
    this.isolate = isolate;
    this.depth = make("div");
    this.classes = make("ul", { class: "classes", "aria-label": "Classes by area; one can be shown alone" });
    this.element = make(
      "section",
      { class: "panel", "aria-labelledby": "legend-title" },
      make("h2", { id: "legend-title" }, "Legend"),
      this.depth,
      this.classes,
    );
  }

  /**
   * @param {{scale: import("./paint.js").Scale, layer: import("./contract.js").Layer}|null} depth
   * @param {Present[]} present  by area
   * @param {number|null} alone
   */
  show(depth, present, alone) {
    const scale = JSON.stringify(depth);
    if (scale !== this.#scale) this.depth.replaceChildren(...(depth ? [depthLegend(depth.scale, depth.layer)] : []));
    this.#scale = scale;
    const entries = this.#steady(present).map((one) => /** @type {[string, Present]} */ ([String(one.id), one]));
    keyed(
      this.classes,
      entries,
      (id) => this.#row(Number(id)),
      (row, one) => fill(row.firstElementChild, one, alone),
    );
    this.element.hidden = !depth && !present.length;
  }

  /** Nothing changes places under a pointer or a focus. */
  #steady(present) {
    if (!this.classes.matches(":hover, :focus-within")) return present;
    const before = [...this.classes.querySelectorAll("button")].map((button) => Number(button.dataset.class));
    const place = ({ id }) => (before.includes(id) ? before.indexOf(id) : before.length);
    return [...present].sort((one, other) => place(one) - place(other));
  }

  #row(id) {
    const pressed = () => this.isolate(button.getAttribute("aria-pressed") === "true" ? null : id);
    const button = make(
      "button",
      { type: "button", class: "class", "data-class": id, onclick: pressed },
      ...[swatch(NOTHING), make("span", { class: "name" }), make("span", { class: "quiet" })],
    );
    return make("li", {}, button);
  }
}

function fill(button, { id, name, share, rgb }, alone) {
  const [colour, title, part] = button.children;
  colour.style.background = `rgb(${rgb})`;
  write(title, name);
  write(part, percent(share));
  mark(button, "title", `Show ${name} alone`);
  mark(button, "aria-pressed", alone === id);
}
