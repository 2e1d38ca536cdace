/**
 * Maps in colours, cell for cell: what enlarges them is the browser, and what they say stays readable in numbers.
 *
 * @typedef {import("./contract.js").PixelMap} PixelMap
 * @typedef {import("./contract.js").Rgb} Rgb
 */

import { NOTHING, nearness, viridis } from "./palette.js";

/** A pixel as a canvas keeps it; every machine that runs a browser has its lowest byte first. */
function pixel([red, green, blue], alpha = 255) {
  return ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** @returns {ImageData} */
function painted(map, colourOf) {
  const image = new ImageData(map.width, map.height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let at = 0; at < pixels.length; at++) pixels[at] = colourOf(at);
  return image;
}

/**
 * @typedef {{metric: boolean, depthscale: number, low: number, high: number}} Scale
 *
 * Where nobody knows a scale, it is the map's own, from its least to its largest known value.
 *
 * @param {PixelMap} map
 * @param {{metric: boolean, depthscale: number|null, low: number|null, high: number|null}} said
 * @returns {Scale}
 */
export function scaleOf(map, { metric, depthscale, low, high }) {
  const factor = depthscale ?? 1;
  if (low != null && high != null && high > low) return { metric, depthscale: factor, low, high };
  let [least, most] = [65535, 0];
  for (const value of map.values) {
    if (value) [least, most] = [Math.min(least, value), Math.max(most, value)];
  }
  return { metric, depthscale: factor, low: Math.min(least, most) * factor, high: Math.max(most, least + 1) * factor };
}

const MOST_TABLES = 32; // a quarter of a MiB each
/** @type {Map<string, Uint32Array>} by scale: the colours of those values that were met */
const tables = new Map();

function tableOf(scale) {
  const key = JSON.stringify(scale);
  const table = tables.get(key) ?? new Uint32Array(65536);
  tables.delete(key); // the one that was used last stands last
  tables.set(key, table);
  if (tables.size > MOST_TABLES) tables.delete(tables.keys().next().value);
  return table;
}

/** Near is bright, far is dark, unknown is grey. */
export function depthImage(map, scale) {
  const { metric, depthscale, low, high } = scale;
  const table = tableOf(scale);
  const colourOf = (value) => (value ? viridis(nearness(value * depthscale, metric, low, high)) : NOTHING);
  return painted(map, (at) => (table[map.values[at]] ||= pixel(colourOf(map.values[at]))));
}

/**
 * @param {PixelMap} map
 * @param {Map<number, Rgb>} colours  by class id; the others are grey
 * @param {number|null} [alone]  the class that is shown; null: all
 */
export function classImage(map, colours, alone = null) {
  const known = Array.from({ length: 256 }, (_, id) =>
    alone != null && id !== alone ? 0 : pixel(colours.get(id) ?? NOTHING),
  );
  return painted(map, (at) => known[map.values[at]]);
}

/** Components as the colours that they are. */
export function colourImage(map) {
  const { values } = map;
  const shift = values instanceof Uint16Array ? 8 : 0;
  return painted(map, (at) =>
    pixel(/** @type {Rgb} */ ([0, 1, 2].map((channel) => values[3 * at + channel] >> shift))),
  );
}

/** Classes by their share of the cells, the largest first. @returns {{id: number, share: number}[]} */
export function byArea(map) {
  const cells = new Uint32Array(256);
  for (const id of map.values) cells[id]++;
  const found = Array.from(cells, (count, id) => ({ id, share: count / map.values.length }));
  return found.filter(({ share }) => share).sort((one, other) => other.share - one.share);
}
