/**
 * Connected parts of classes, things that were detected and their tracks, as boxes with names.
 *
 * @typedef {{box: [number, number, number, number], name: string, rgb: import("./contract.js").Rgb}} Box  left, top, right, bottom, pixels of the source
 */

import { CLASS_COLOURS, NOTHING } from "./palette.js";

const LINE = 2; // CSS pixels
const TEXT = 12;

/**
 * Boxes of a record, by the layer that draws them. What is lost, and so only expected where it is drawn, is grey.
 *
 * @type {Record<string, (data: any, colours: Map<number, import("./contract.js").Rgb>, alone: number|null) => Box[]>}
 */
export const BOXES_OF = {
  boxes: (data, colours, alone) =>
    (data?.classes ?? [])
      .filter(({ id }) => (alone == null ? colours.has(id) : id === alone))
      .flatMap(({ id, name, regions }) => regions.map(({ box }) => ({ box, name, rgb: colours.get(id) ?? NOTHING }))),
  detections: (data) =>
    (data?.objects ?? []).map(({ box, id, name, score }) => ({ box, name: `${name} ${score.toFixed(2)}`, rgb: one(id) })),
  tracks: (data) =>
    (data?.tracks ?? []).map(({ box, id, label, state }) => ({
      box,
      name: `${id} ${label.name}`,
      rgb: state === "seen" ? one(id) : NOTHING,
    })),
};

/** A colour of its own, as far as there are any. */
function one(number) {
  return CLASS_COLOURS[number % CLASS_COLOURS.length];
}

/** Lines are as thick on every screen, so this canvas has the screen's pixels and not the source's. */
export function boxes(canvas, found, [width, height], rectangle) {
  const dense = window.devicePixelRatio;
  canvas.width = Math.round(rectangle.clientWidth * dense);
  canvas.height = Math.round(rectangle.clientHeight * dense);
  const context = canvas.getContext("2d");
  const [across, down] = [canvas.width / width, canvas.height / height];
  context.font = `${TEXT * dense}px system-ui, sans-serif`;
  context.textBaseline = "top";
  for (const { box, name, rgb } of found) {
    const [left, top, right, bottom] = [box[0] * across, box[1] * down, box[2] * across, box[3] * down];
    const half = (LINE * dense) / 2;
    context.lineWidth = LINE * dense;
    context.strokeStyle = `rgb(${rgb})`;
    context.strokeRect(left + half, top + half, right - left - 2 * half, bottom - top - 2 * half);
    label(context, name, left, top, right - left, rgb, dense);
  }
}

/** Its name in the corner, where there is room for it. */
function label(context, name, left, top, width, rgb, dense) {
  const wide = context.measureText(name).width + 8 * dense;
  if (wide > width) return;
  context.fillStyle = `rgb(${rgb})`;
  context.fillRect(left, top, wide, (TEXT + 5) * dense);
  context.fillStyle = inkOn(rgb);
  context.fillText(name, left + 4 * dense, top + 3 * dense);
}

/** Black or white, whichever is read more easily on a colour. */
export function inkOn([red, green, blue]) {
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 120 ? "#10141a" : "#fff";
}
