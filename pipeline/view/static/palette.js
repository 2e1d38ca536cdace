/**
 * The colours of pipeline/drawing/palette.py, number for number; a test compares them.
 *
 * @typedef {import("./contract.js").Rgb} Rgb
 */

/** @type {Rgb} unknown depth, classes without a colour of their own */
export const NOTHING = [205, 208, 213];

/** @type {Rgb[]} Viridis (S. van der Walt and N. Smith, CC0), every eighth of it, dark to bright */
export const VIRIDIS = [
  [68, 1, 84],
  [71, 44, 122],
  [59, 81, 139],
  [44, 113, 142],
  [33, 144, 141],
  [39, 173, 129],
  [92, 200, 99],
  [170, 220, 50],
  [253, 231, 37],
];

/** @type {Rgb[]} Paul Tol's muted scheme, in an order in which the first few differ most */
export const CLASS_COLOURS = [
  [136, 204, 238],
  [204, 102, 119],
  [221, 204, 119],
  [51, 34, 136],
  [68, 170, 153],
  [136, 34, 85],
  [17, 119, 51],
  [170, 68, 153],
  [153, 153, 51],
];

/** To the nearest whole number, halves to the even one, as numpy rounds. */
function rint(number) {
  const rounded = Math.round(number);
  return rounded - number === 0.5 && rounded % 2 ? rounded - 1 : rounded;
}

/**
 * A place on the scale of depth in colour.
 *
 * @param {number} share  0 is far and dark, 1 near and bright; what lies beyond takes the ends
 * @returns {Rgb}
 */
export function viridis(share) {
  const steps = VIRIDIS.length - 1;
  const inside = Math.min(1, Math.max(0, share));
  const below = Math.min(steps - 1, Math.floor(inside * steps));
  const colour = VIRIDIS[below].map((from, channel) => {
    const slope = (VIRIDIS[below + 1][channel] - from) * steps;
    return rint(slope * (inside - below / steps) + from);
  });
  return /** @type {Rgb} */ (colour);
}

/**
 * How near a depth is on a scale, 0 to 1 and beyond.
 *
 * @param {number} value  metres, or relative disparity
 * @param {boolean} metric  else larger is nearer
 * @param {number} low
 * @param {number} high
 */
export function nearness(value, metric, low, high) {
  return metric ? (high - value) / (high - low) : (value - low) / (high - low);
}

/**
 * A colour for each of the first names, as many as there are colours, in their order.
 *
 * @template T
 * @param {T[]} names  most important first
 * @param {Map<T, Rgb>} [kept]  names that have a colour already
 * @returns {Map<T, Rgb>}
 */
export function classColours(names, kept = new Map()) {
  const shown = names.slice(0, CLASS_COLOURS.length);
  const taken = new Set(shown.filter((name) => kept.has(name)).map((name) => kept.get(name)));
  const free = CLASS_COLOURS.filter((rgb) => !taken.has(rgb));
  return new Map(shown.map((name) => [name, kept.get(name) ?? free.shift() ?? NOTHING]));
}
