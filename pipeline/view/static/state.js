/**
 * How a stream fares: a word, a sign and a colour for each state, and in which of them something is wrong.
 *
 * @typedef {import("./contract.js").State} State
 */

import { icon, make } from "./dom.js";
import { span } from "./time.js";

const SIGNS = {
  connecting: "M8 2a6 6 0 0 1 6 6h-2a4 4 0 0 0-4-4zM8 14a6 6 0 0 1-6-6h2a4 4 0 0 0 4 4z",
  live: "M8 3a5 5 0 1 0 0 10A5 5 0 1 0 8 3z",
  stalled: "M8 1l7.5 14H.5zM7 6v4h2V6zm0 5v2h2v-2z",
  reconnecting: "M13 2v5H8l2-2a3.6 3.6 0 1 0 1.4 4h2.2A5.7 5.7 0 1 1 11.4 3.6z",
  paused: "M4 3h3v10H4zM9 3h3v10H9z",
  ended: "M3 3h10v10H3z",
  silent: "M3.5 2L8 6.5 12.5 2 14 3.5 9.5 8l4.5 4.5-1.5 1.5L8 9.5 3.5 14 2 12.5 6.5 8 2 3.5z",
};
const TROUBLED = ["stalled", "reconnecting", "silent"];

/** In the order in which a page's head counts them. */
export const STATES = [...TROUBLED, "connecting", "live", "paused", "ended"];

/** Whether somebody should look: it is to run, and does not. */
export function troubled(state) {
  return TROUBLED.includes(state.state);
}

/** A state's sign and word; words that a later server has stand for themselves. */
export function badge(name, says = name) {
  return make("span", { class: "badge", "data-state": name }, icon(SIGNS[name] ?? SIGNS.silent), says);
}

/** What a tile's link is called: "gate, live, 5.0 frames per second". */
export function spoken(state) {
  const pace = state.fps == null ? null : `${state.fps.toFixed(1)} frames per second`;
  return [state.stream, state.state, state.reason || null, pace].filter(Boolean).join(", ");
}

/** How it runs, in few letters: frames per second, and the 95th percentile of the way from capture to publishing. */
export function figures(state) {
  const parts = [];
  if (state.fps) parts.push(`${state.fps.toFixed(1)} fps`);
  if (state.latency_s != null) parts.push(`${latency(state.latency_s)} late`);
  if (!state.live && state.share != null && state.share < 1) parts.push(`${Math.floor(100 * state.share)}% done`);
  return parts.join(" \u00b7 ");
}

/** What did not get through; empty where all did. */
export function losses(state) {
  const parts = [];
  if (state.drops) parts.push(`${state.drops} dropped`);
  if (state.deadletters) parts.push(`${state.deadletters} failed`);
  return parts.join(" \u00b7 ");
}

/** Why no value of it is to be trusted; empty where nothing is known against them. */
export function doubts(state) {
  if (state.untrained) return "untrained";
  return state.outofdomain ? "out of domain" : "";
}

function latency(seconds) {
  return seconds < 1 ? `${Math.round(1000 * seconds)} ms` : `${seconds.toFixed(1)} s`;
}

/** For how long it has been so; empty where nobody knows. */
export function lasted(state, now_us) {
  return state.since_us == null ? "" : span(now_us - state.since_us);
}

/** When something was last heard of it. */
export function lastSeen(state, now_us) {
  if (state.seen_us == null) return "nothing yet";
  const ago_us = now_us - state.seen_us;
  return ago_us < 1_500_000 ? "now" : `${span(ago_us)} ago`;
}
