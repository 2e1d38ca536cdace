/** All streams side by side. Only what can be seen is asked for; whoever is in trouble stands first. */

import { byName } from "./board.js";
import { make, mark, write } from "./dom.js";
import { keep, kept } from "./kept.js";
import { troubled } from "./state.js";
import { Tile } from "./tile.js";

const SIDE = 180; // short side of a tile's picture, pixels
const NARROWEST = 208; // of a tile, CSS pixels
const BELOW_PICTURE = 62; // the height of a tile's words and the gap below them
const CALM_MS = 3000; // nothing changes places under a pointer that was moved less long ago

export class Wall {
  title = "";
  /** @type {import("./keys.js").Binding[]} */
  bindings = [];
  /** @type {Map<string, Tile>} */
  #tiles = new Map();
  #seen = new Set();
  #moved_ms = 0;
  #left = new AbortController();

  /**
   * @param {import("./board.js").Board} board
   * @param {import("./live.js").Live} live
   * @param {(text: string) => void} filtered  told what names are filtered by
   */
  constructor(board, live, filtered) {
    this.board = board;
    this.live = live;
    this.filter = make("input", {
      type: "search",
      id: "filter",
      placeholder: "Filter by name",
      "aria-label": "Filter streams by name",
      oninput: () => filtered(this.filter.value),
    });
    this.first = make(
      "button",
      {
        type: "button",

        "aria-pressed": String(kept("troubled-first", "true") === "true"),
        onclick: () => this.#reorder(),
      },
      "Troubled first",
    );
    this.grid = make("ul", { class: "wall", onpointermove: () => (this.#moved_ms = Date.now()) });
    this.empty = make("div", { class: "notice", hidden: true });
    this.skipped = make("span", { class: "quiet" });
    this.element = make(
      "section",
      { "aria-labelledby": "title" },
      make("div", { class: "strip" }, make("h1", { id: "title" }, "Streams"), this.filter, this.first, this.skipped),
      this.empty,
      this.grid,
    );
    this.visible = new IntersectionObserver((entries) => this.#watch(entries), { rootMargin: "100px" });
    this.size = new ResizeObserver(() => this.#fit());
    this.size.observe(this.grid);
    const { signal } = this.#left;
    board.addEventListener("change", () => this.#update(), { signal });
    live.addEventListener("skipped", (/** @type {CustomEvent} */ { detail }) => this.#tellSkipped(detail.pictures), {
      signal,
    });
    window.addEventListener("resize", () => this.#fit(), { signal });
    this.ticking = setInterval(() => this.#tick(), 1000);
    this.#update();
  }

  /** @param {import("./route.js").Route} route */
  go(route) {
    if (this.filter.value !== route.text) this.filter.value = route.text;
    this.#update();
  }

  leave() {
    this.#left.abort();
    clearInterval(this.ticking);
    this.visible.disconnect();
    this.size.disconnect();
    for (const name of this.#tiles.keys()) this.live.paint(name, null);
    this.live.watch([], SIDE);
  }

  #reorder() {
    const pressed = this.first.getAttribute("aria-pressed") !== "true";
    mark(this.first, "aria-pressed", pressed);
    keep("troubled-first", pressed);
    this.#moved_ms = 0;
    this.#update();
  }

  #update() {
    for (const [name, state] of this.board.states) {
      const tile = this.#tiles.get(name);
      if (tile) tile.show(state);
      else this.#add(state);
    }
    for (const name of [...this.#tiles.keys()].filter((name) => !this.board.states.has(name))) this.#remove(name);
    this.#arrange();
    this.#excuse();
    this.#tick();
  }

  #add(state) {
    const tile = new Tile(state);
    this.#tiles.set(state.stream, tile);
    this.live.paint(state.stream, (head, body) => tile.draw(head, body));
    this.visible.observe(tile.element);
  }

  #remove(name) {
    const tile = this.#tiles.get(name);
    this.visible.unobserve(tile.element);
    tile.element.parentElement?.remove();
    this.#tiles.delete(name);
    this.#seen.delete(name);
    this.live.paint(name, null);
  }

  #order() {
    const wanted = this.filter.value.trim().toLowerCase();
    const tiles = [...this.#tiles.values()].filter(({ stream }) => stream.toLowerCase().includes(wanted));
    const rank = this.first.getAttribute("aria-pressed") === "true" ? ({ state }) => Number(!troubled(state)) : () => 0;
    return tiles.sort((one, other) => rank(one) - rank(other) || byName(one.stream, other.stream));
  }

  /** Tiles change places only when nobody is about to click on one, and the focus stays where it was. */
  #arrange() {
    const order = this.#order();
    const shown = [...this.grid.children].map((place) => place.firstElementChild);
    const same = order.length === shown.length && order.every((tile, at) => tile.element === shown[at]);
    const others = order.length !== shown.length || order.some((tile) => !shown.includes(tile.element));
    if (same || (!others && Date.now() - this.#moved_ms < CALM_MS)) return;
    const focused = document.activeElement;
    this.grid.replaceChildren(...order.map((tile) => tile.element.parentElement ?? make("li", {}, tile.element)));
    if (focused instanceof HTMLElement && this.grid.contains(focused)) focused.focus({ preventScroll: true });
    this.#fit();
  }

  /** As few columns as let all rows fit on the screen: four streams are large, sixteen are all there. */
  #fit() {
    const [count, gap] = [this.grid.children.length, 10];
    const width = this.grid.clientWidth;
    const height = window.innerHeight - this.grid.offsetTop - gap;
    const most = Math.max(1, Math.floor((width + gap) / (NARROWEST + gap)));
    const tall = (columns) =>
      Math.ceil(count / columns) * (((width - gap * (columns - 1)) / columns) * (9 / 16) + BELOW_PICTURE);
    let columns = Math.min(2, most);
    while (columns < most && tall(columns) > height) columns++;
    this.grid.style.setProperty("--columns", String(columns));
  }

  #watch(entries) {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) this.#seen.add(target.dataset.stream);
      else this.#seen.delete(target.dataset.stream);
    }
    this.live.watch([...this.#seen].sort(), SIDE);
  }

  #tick() {
    for (const tile of this.#tiles.values()) tile.tick(this.board.now_us);
    this.#arrange();
  }

  /** Nothing to see has a reason, and something that can be done. */
  #excuse() {
    const none = !this.grid.children.length && this.board.hello != null;
    this.empty.hidden = !none;
    if (!none) return;
    const said = this.#tiles.size
      ? [`No stream's name has \u201c${this.filter.value.trim()}\u201d in it.`, "Clear the filter to see all of them."]
      : [
          `Nobody has written records to ${this.board.hello.sink} yet.`,
          "Start a run or a replay that writes there; its streams appear here by themselves.",
        ];
    this.empty.replaceChildren(...said.map((text) => make("p", {}, text)));
  }

  #tellSkipped(pictures) {
    write(this.skipped, `${pictures} pictures left out just now: this browser is slower than they come.`);
    clearTimeout(this.telling);
    this.telling = setTimeout(() => write(this.skipped, ""), 5000);
  }
}
