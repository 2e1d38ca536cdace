/**
 * What is known of all streams and of the sink, by the server's clock.
 *
 * Says "change" when states have changed, "sink" when the sink or the way to it has.
 *
 * @typedef {import("./contract.js").State} State
 */

import { STATES, troubled } from "./state.js";

export class Board extends EventTarget {
  /** @type {Map<string, State>} */
  states = new Map();
  /** @type {import("./contract.js").Hello|null} */
  hello = null;
  sink_state = "there";
  sink_detail = "";
  sink_since_us = 0;
  /** Of the server's clock less this browser's. */
  #ahead_us = 0;

  /** The server's time now. */
  get now_us() {
    return Date.now() * 1000 + this.#ahead_us;
  }

  /** @param {import("./contract.js").Hello} hello */
  greet(hello) {
    this.hello = hello;
    this.#take(hello, hello.streams, true);
  }

  /** States as they come: all of them the first time, then those that differ. */
  hear(said, all) {
    this.#take(said, said.streams, all);
    for (const name of said.gone ?? []) this.states.delete(name);
    this.dispatchEvent(new Event("change"));
  }

  #take(said, streams, all) {
    this.#ahead_us = said.now_us - Date.now() * 1000;
    if (said.sink_state !== this.sink_state) this.sink_since_us = said.now_us;
    this.sink_state = said.sink_state;
    this.sink_detail = said.sink_detail ?? "";
    if (all) this.states.clear();
    for (const state of streams) this.states.set(state.stream, state);
    this.dispatchEvent(new Event("change"));
    this.dispatchEvent(new Event("sink"));
  }

  /** Names in order, as a person sorts them. */
  get names() {
    return [...this.states.keys()].sort(byName);
  }

  get down() {
    return [...this.states.values()].filter(troubled).length;
  }

  /** How many streams are in each state that any is in. */
  get counts() {
    const counts = new Map();
    for (const { state } of this.states.values()) counts.set(state, (counts.get(state) ?? 0) + 1);
    const found = [...counts].map(([name, count]) => ({ name, count }));
    return found.sort((one, other) => STATES.indexOf(one.name) - STATES.indexOf(other.name));
  }
}

const collator = new Intl.Collator("en", { numeric: true });

/** gate-2 before gate-10. */
export function byName(one, other) {
  return collator.compare(one, other) || (one < other ? -1 : Number(one > other));
}
