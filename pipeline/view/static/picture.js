/** A picture that came over the WebSocket, on a canvas: a photo as it is, a map in its colours. */

import { decoded } from "./decoder.js";
import { byArea, classImage, colourImage, depthImage, scaleOf } from "./paint.js";
import { classColours } from "./palette.js";

export class Picture {
  #colours = new Map();

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
  }

  /**
   * @param {import("./contract.js").PictureHead} head
   * @param {ArrayBuffer} body  JPEG or PNG
   */
  async draw(head, body) {
    if (head.kind === "photo") await drawPhoto(this.canvas, new Blob([body], { type: "image/jpeg" }));
    else drawMap(this.canvas, this.#coloured(head, await decoded(body)), head.kind);
  }

  #coloured(head, map) {
    if (head.kind === "depth") return depthImage(map, scaleOf(map, head));
    if (head.kind === "colours") return colourImage(map);
    this.#colours = classColours(
      byArea(map).map(({ id }) => id),
      this.#colours,
    );
    return classImage(map, this.#colours);
  }
}

/** @param {Blob} blob */
export async function drawPhoto(canvas, blob) {
  const bitmap = await createImageBitmap(blob);
  fit(canvas, bitmap);
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  bitmap.close();
}

/** Cell for cell: style.css enlarges it to the picture's rectangle, smoothly or not as `data-kind` says. */
export function drawMap(canvas, image, kind) {
  fit(canvas, image);
  canvas.dataset.kind = kind;
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** As many pixels as what is drawn has; a canvas that is given its size again is wiped, so only where it differs. */
export function fit(canvas, { width, height }) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}
