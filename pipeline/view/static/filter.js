/** Labels by text: a field, and the most frequent labels to choose from. */

import { keyed, make, mark, write } from "./dom.js";

const MOST = 10;

export class Filter {
  text = "";

  /** @param {(text: string) => void} changed */
  constructor(changed) {
    this.changed = changed;
    this.field = make("input", {
      type: "search",
      id: "filter",
      list: "labels",
      placeholder: "Filter by label",
      "aria-label": "Filter marks by label",
      oninput: () => this.#choose(this.field.value),
    });
    this.names = make("datalist", { id: "labels" });
    this.chips = make("ul", { class: "chips", "aria-label": "Frequent labels" });
    this.element = make("div", { class: "filter" }, this.field, this.names, this.chips);
  }

  /** @param {{name: string, count: number}[]} labels  the most frequent first */
  offer(labels) {
    this.names.replaceChildren(...labels.map(({ name }) => make("option", { value: name })));
    const entries = labels.slice(0, MOST).map(({ name, count }) => /** @type {[string, number]} */ ([name, count]));
    keyed(
      this.chips,
      entries,
      (name) => this.#chip(name),
      (row, count) => write(row.querySelector(".quiet"), String(count)),
    );
    this.set(this.text);
  }

  #chip(name) {
    const choose = () => this.#choose(this.text === name ? "" : name);
    return make(
      "li",
      {},
      make(
        "button",
        { type: "button", class: "chip", onclick: choose, "data-label": name },
        `${name} `,
        make("span", { class: "quiet" }),
      ),
    );
  }

  set(text) {
    this.text = text;
    if (this.field.value !== text) this.field.value = text;
    for (const chip of this.chips.querySelectorAll("button")) mark(chip, "aria-pressed", chip.dataset.label === text);
  }

  #choose(text) {
    this.set(text);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.changed(text), 150); // whoever types is not asked for each letter
  }
}
