/**
 * What single keys do, and the dialog that says so.
 *
 * @typedef {{keys: string[], says: string, run: (event: KeyboardEvent) => void}} Binding
 */

import { openDialog } from "./dialog.js";
import { at, make, mark } from "./dom.js";
import { keep, kept } from "./kept.js";

const FOCUSED =
  "On the picture, Shift and arrows point at a cell. On the timeline, Page keys go a tenth, Home and End to its ends.";
const NAMES = { " ": "Space", ArrowLeft: "\u2190", ArrowRight: "\u2192", Escape: "Esc" };

export class Keys {
  /** @type {Binding[]} */
  #bindings = [];
  #common;
  #on = kept("keys", "true") === "true";

  /** @param {Binding[]} common  what keys do everywhere */
  constructor(common) {
    this.#common = [...common, { keys: ["?"], says: "this list", run: () => this.help() }];
    document.addEventListener("keydown", (event) => this.#pressed(event));
    at("help").addEventListener("click", () => this.help());
  }

  /** What keys do in the view that is shown. @param {Binding[]} bindings */
  bind(bindings) {
    this.#bindings = bindings;
  }

  #pressed(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]") || !this.#on) return;
    const { target } = event;
    if (target.matches("input:not([type=range]), select, textarea")) {
      if (event.key === "Escape") target.blur();
      return;
    }
    if (target.matches("input[type=range]") && event.key.startsWith("Arrow")) return;
    if (event.key === " " && target.matches("button, a, summary")) return;
    const found = [...this.#bindings, ...this.#common].find(({ keys }) => keys.includes(event.key));
    if (!found) return;
    event.preventDefault();
    found.run(event);
  }

  help() {
    const rows = [...this.#bindings, ...this.#common].map(({ keys, says }) => [
      make("dt", {}, ...keys.map((key) => make("kbd", {}, NAMES[key] ?? key))),
      make("dd", {}, says),
    ]);
    const single = make("button", { type: "button", "aria-pressed": String(this.#on) }, "Single keys");
    single.addEventListener("click", () => {
      this.#on = !this.#on;
      keep("keys", this.#on);
      mark(single, "aria-pressed", this.#on);
    });
    const list = make("dl", { class: "keys" }, ...rows.flat());
    openDialog("Keyboard", [list, make("p", { class: "quiet" }, FOCUSED)], [single]);
  }
}
