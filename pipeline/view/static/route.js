/**
 * Where the page is, as the address says it: `#/?text=` the wall, `#/s/STREAM?axis&t&layers&opacity&split` a stream.
 *
 * @typedef {object} Route
 * @property {string|null} stream  null: the wall
 * @property {string|null} axis  null: the newest
 * @property {number|null} time_us  null: follow, or a recording's beginning
 * @property {string[]|null} layers  null: as it was
 * @property {number|null} opacity  of maps over the picture, per cent; null: as it was
 * @property {number|null} split  where maps begin, per cent of the width; 0: everywhere; null: as it was
 * @property {string} text  what names or labels are filtered by
 */

import { fromStamp, stamp } from "./time.js";

function percent(text) {
  const number = text ? Number(text) : NaN;
  return Number.isFinite(number) ? Math.min(100, Math.max(0, Math.round(number))) : null;
}

/** As `decodeURIComponent`, of whatever somebody typed. */
export function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray per cent sign is itself
  }
}

/** @returns {Route} */
export function parsed(hash) {
  const [path, query = ""] = hash.replace(/^#/, "").split(/\?(.*)/s);
  const said = new URLSearchParams(query);
  return {
    stream: path.startsWith("/s/") ? decoded(path.slice(3)) : null,
    axis: said.get("axis"),
    time_us: fromStamp(said.get("t")),
    layers: said.has("layers") ? said.get("layers").split(",").filter(Boolean) : null,
    opacity: percent(said.get("opacity")),
    split: percent(said.get("split")),
    text: said.get("text") ?? "",
  };
}

/** @param {Partial<Route>} route */
export function address({ stream, axis, time_us, layers, opacity, split, text }) {
  const query = [];
  const plain = (value) => encodeURIComponent(value).replaceAll("%2C", ",").replaceAll("%3A", ":");
  const say = (name, value) => query.push(`${name}=${plain(value)}`);
  if (axis) say("axis", axis);
  if (time_us != null) say("t", stamp(time_us));
  if (stream && layers) say("layers", layers.join(","));
  if (stream && opacity != null) say("opacity", opacity);
  if (stream && split) say("split", split);
  if (text) say("text", text);
  return `#/${stream ? `s/${encodeURIComponent(stream)}` : ""}${query.length ? `?${query.join("&")}` : ""}`;
}
