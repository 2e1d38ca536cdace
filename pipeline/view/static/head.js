/** The page's head: which sink, how many streams are in which state, and what is away since when. */

import { at, make, write } from "./dom.js";
import { badge } from "./state.js";
import { clockTime } from "./time.js";

export class Head {
  #said = "";
  #waiting = "";
  #quiet_until_ms = 0;

  /**
   * @param {import("./board.js").Board} board
   * @param {import("./live.js").Live} live
   */
  constructor(board, live) {
    this.board = board;
    this.live = live;
    this.title = "";
    this.known = new Map();
    board.addEventListener("change", () => this.#count());
    board.addEventListener("sink", () => this.#warn());
    live.addEventListener("link", () => this.#warn());
  }

  /** The window's title begins with what is wrong. */
  entitle(title = this.title) {
    this.title = title;
    const wrong = this.live.lost_ms != null ? "(disconnected) " : this.board.down ? `(${this.board.down} down) ` : "";
    const full = `${wrong}${title ? `${title} \u00b7 ` : ""}dinostream`;
    if (document.title !== full) document.title = full;
  }

  #count() {
    const counts = this.board.counts;
    const said = counts.map(({ name, count }) => `${count} ${name}`).join();
    if (said !== this.#said) {
      this.#said = said;
      at("counts").replaceChildren(...counts.map(({ name, count }) => make("li", {}, badge(name, `${count} ${name}`))));
    }
    this.entitle();
    for (const { stream, state } of this.board.states.values()) {
      if (this.known.size && this.known.get(stream) !== state) this.#announce(`${stream} ${state}`);
    }
    this.known = new Map([...this.board.states.values()].map(({ stream, state }) => [stream, state]));
  }

  #warn() {
    const { hello, sink_state, sink_detail, sink_since_us } = this.board;
    write(at("sink"), hello?.sink ?? "");
    const banners = [];
    if (this.live.lost_ms != null) {
      const since = clockTime(this.live.lost_ms * 1000, "capture", 0);
      banners.push([
        "lost",
        `${this.live.why}, since ${since}. What is shown is from before; it is tried again by itself.`,
      ]);
    } else if (sink_state === "away") {
      const since = clockTime(sink_since_us, "capture", 0);
      banners.push([
        "away",
        `The sink is away since ${since}: ${sink_detail || "no reason given"}. What is shown is from before.`,
      ]);
    }
    if (hello && hello.version !== document.documentElement.dataset.version) {
      banners.push(["version", "The server is of another release than this page: reload it."]);
    }
    const shown = banners.map(([, text]) => text).join("");
    if (shown !== at("banners").textContent) {
      at("banners").replaceChildren(
        ...banners.map(([kind, text]) => make("p", { class: "banner", "data-kind": kind }, text)),
      );
      if (banners.length) this.#announce(banners[0][1]);
    }
    document.documentElement.toggleAttribute("data-stale", this.live.lost_ms != null || sink_state === "away");
    this.entitle();
  }

  /** For those who listen: once in 5 s at most, and then all that has happened since. */
  #announce(text) {
    this.#waiting = this.#waiting ? `${this.#waiting}; ${text}` : text;
    const wait_ms = Math.max(0, this.#quiet_until_ms - Date.now());
    clearTimeout(this.announcing);
    this.announcing = setTimeout(() => {
      write(at("said"), this.#waiting);
      this.#waiting = "";
      this.#quiet_until_ms = Date.now() + 5000;
    }, wait_ms);
  }
}
