/**
 * The picture of a moment with maps over it, one canvas each, drawn at once: never a map over another frame.
 *
 * Canvases have the pixels of what they show; style.css stretches them over one rectangle, which is the whole picture of
 * the source, for maps cover it whatever their grid.
 */

import { boxes } from "./boxes.js";
import { make, mark, write } from "./dom.js";
import { drawMap, fit } from "./picture.js";

export class Stage {
  /** @type {Map<string, HTMLCanvasElement>} by layer */
  #canvases = new Map();
  #probe = /** @type {{x: number, y: number}|null} */ (null);

  /**
   * @param {string} stream
   * @param {(place: {x: number, y: number}) => Promise<string>} read  what is there, in words; shares of width and height
   * @param {(split: number) => void} divided  told where maps begin, per cent
   */
  constructor(stream, read, divided) {
    this.read = read;
    this.photo = make("canvas", {
      class: "photo",
      "data-layer": "photo",
      role: "img",
      "aria-label": `Picture of ${stream}`,
      width: 16,
      height: 9,
    });
    this.maps = make("div", { class: "maps" });
    this.value = make("output", { class: "value", "aria-live": "off", hidden: true });
    this.cross = make("span", { class: "cross", hidden: true });
    this.split = make("div", {
      class: "split",
      role: "slider",
      tabindex: "0",
      hidden: true,
      "aria-label": "Where maps begin, per cent of the width",
      "aria-valuemin": "0",
      "aria-valuemax": "100",
    });
    this.veil = make("p", { class: "veil", hidden: true });
    this.rectangle = make(
      "div",
      { class: "rectangle" },
      this.photo,
      this.maps,
      this.split,
      this.cross,
      this.value,
      this.veil,
    );
    this.element = make(
      "div",
      { class: "stage", tabindex: "0", role: "group", "aria-label": "Picture; Shift and arrows point at a cell" },
      this.rectangle,
    );
    this.rectangle.addEventListener("pointermove", (event) => {
      mark(this.value, "aria-live", "off");
      this.#point(this.#place(event));
    });
    this.rectangle.addEventListener("pointerleave", () => this.#point(null));
    this.element.addEventListener("keydown", (event) => this.#walk(event));
    this.element.addEventListener("blur", () => this.#point(null));
    this.#divide(divided);
  }

  /** A canvas for each layer, the first one lowest. @param {string[]} names */
  layer(names) {
    this.#canvases = new Map(
      names.map((name) => [
        name,
        make("canvas", {
          "data-layer": name,
          role: "img",
          "aria-label": `${name} over the picture`,
          width: 1,
          height: 1,
          hidden: true,
        }),
      ]),
    );
    this.maps.replaceChildren(...this.#canvases.values());
  }

  /**
   * @param {object} drawing
   * @param {ImageBitmap|null} drawing.photo
   * @param {[number, number]|null} drawing.size_wh  of the source, where there is no photo
   * @param {Map<string, {image: ImageData, kind: string}>} drawing.maps  by layer; the others are hidden
   * @param {Map<string, import("./boxes.js").Box[]>} drawing.boxes  by layer
   * @param {number} drawing.opacity  0 to 1
   * @param {string} drawing.position  of the frame
   */
  draw({ photo, size_wh, maps, boxes: found, opacity, position }) {
    const [width, height] = photo ? [photo.width, photo.height] : (size_wh ?? [16, 9]);
    this.rectangle.style.setProperty("--ratio", String(width / height));
    this.photo.hidden = !photo;
    if (photo) {
      fit(this.photo, photo);
      this.photo.getContext("2d").drawImage(photo, 0, 0);
    }
    let lowest = !photo; // with nothing below it a map is not thinned out
    for (const [name, canvas] of this.#canvases) {
      const drawn = maps.get(name);
      const framed = found.get(name);
      canvas.hidden = !drawn && !framed?.length;
      if (canvas.hidden) continue;
      if (drawn) drawMap(canvas, drawn.image, drawn.kind);
      else boxes(canvas, framed, size_wh ?? [width, height], this.rectangle);
      canvas.style.opacity = String(lowest || framed ? 1 : opacity);
      lowest = false;
    }
    mark(this.element, "data-position", position);
    if (this.#probe) this.#point(this.#probe);
  }

  /** Maps begin here, per cent of the width; 0: everywhere. */
  divide(split) {
    this.split.hidden = split <= 0;
    this.rectangle.style.setProperty("--split", `${split}%`);
    mark(this.split, "aria-valuenow", Math.round(split));
  }

  /** What is wrong with the stream, across its picture; empty where nothing is. */
  warn(text) {
    write(this.veil, text);
    this.veil.hidden = !text;
  }

  /** The cell that is pointed at is read once more, for another record. */
  #point(place) {
    this.#probe = place;
    this.cross.hidden = !place;
    this.value.hidden = !place || !this.value.textContent;
    if (!place) return write(this.value, "");
    this.cross.style.left = `${100 * place.x}%`;
    this.cross.style.top = `${100 * place.y}%`;
    this.value.toggleAttribute("data-left", place.x > 0.6);
    this.value.style.setProperty("--x", `${100 * place.x}%`);
    this.value.style.setProperty("--y", `${100 * place.y}%`);
    return this.read(place).then((text) => {
      if (this.#probe !== place) return;
      write(this.value, text);
      this.value.hidden = !text;
    });
  }

  #place({ clientX, clientY }) {
    const { left, top, width, height } = this.rectangle.getBoundingClientRect();
    const inside = (share) => Math.min(0.9999, Math.max(0, share));
    return { x: inside((clientX - left) / width), y: inside((clientY - top) / height) };
  }

  #walk(event) {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!by || !event.shiftKey || event.target !== this.element) return;
    event.preventDefault();
    mark(this.value, "aria-live", "polite"); // whoever points by keys may not see what is there
    const { x, y } = this.#probe ?? { x: 0.5, y: 0.5 };
    const inside = (share) => Math.min(0.9999, Math.max(0, share));
    this.#point({ x: inside(x + by[0] / 64), y: inside(y + by[1] / 36) });
  }

  #divide(divided) {
    const move = (event) => divided(100 * this.#place(event).x);
    this.split.addEventListener("pointerdown", (event) => {
      this.split.setPointerCapture(event.pointerId);
      event.preventDefault();
      this.split.focus();
    });
    this.split.addEventListener("pointermove", (event) => this.split.hasPointerCapture(event.pointerId) && move(event));
    this.split.addEventListener("keydown", (event) => {
      const now = Number(this.split.getAttribute("aria-valuenow"));
      const to = { ArrowLeft: now - 2, ArrowRight: now + 2, PageDown: now - 10, PageUp: now + 10, Home: 1, End: 100 }[
        event.key
      ];
      if (to == null) return;
      event.preventDefault();
      divided(Math.min(100, Math.max(1, to)));
    });
  }
}
