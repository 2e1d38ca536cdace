/** One stream on the wall: its picture, its state and its figures, as one link. */

import { make, mark, write } from "./dom.js";
import { Picture } from "./picture.js";
import { address } from "./route.js";
import { badge, doubts, figures, lastSeen, lasted, losses, spoken, troubled } from "./state.js";

export class Tile {
  /** @param {import("./contract.js").State} state */
  constructor(state) {
    this.stream = state.stream;
    const id = `facts-${encodeURIComponent(state.stream)}`;
    this.canvas = make("canvas", {
      role: "img",
      "aria-label": `No picture of ${state.stream} yet`,
      width: 16,
      height: 9,
    });
    this.badge = make("span", { class: "state" });
    this.word = make("strong", { class: "word", "aria-hidden": "true" });
    this.figures = make("span", {
      class: "figures",
      title: "Frames per second, and latency from capture to published (95th percentile)",
    });
    this.lost = make("span", { class: "lost" });
    this.doubt = make("span", { class: "doubt" });
    this.seen = make("span", { class: "seen", title: "When its newest record was published" });
    this.reason = make("span", { class: "reason" });
    this.element = make(
      "a",
      { class: "tile", href: address({ stream: state.stream }), "data-stream": state.stream, "aria-describedby": id },
      make(
        "span",
        { class: "frame" },
        this.canvas,
        this.word,
        make("span", { class: "notes" }, this.lost, this.doubt),
        this.reason,
      ),
      make("span", { class: "title" }, make("span", { class: "name", title: state.stream }, state.stream), this.badge),
      make("span", { class: "facts", id }, this.figures, this.seen),
    );
    this.picture = new Picture(this.canvas);
    this.state = state;
    this.show(state);
  }

  show(state) {
    const changed = this.element.dataset.state !== state.state;
    this.state = state;
    mark(this.element, "data-state", state.state);
    mark(this.element, "data-troubled", troubled(state) ? "" : null);
    mark(this.element, "aria-label", spoken(state));
    if (changed) this.badge.replaceChildren(badge(state.state));
    write(this.lost, losses(state));
    write(this.word, troubled(state) ? state.state : "");
    write(this.reason, troubled(state) || state.state === "paused" ? state.reason : "");
    write(this.doubt, doubts(state));
    write(this.figures, figures(state) || (state.live || state.last_us == null ? "" : "recording"));
  }

  /** Ages go on while nothing comes. */
  tick(now_us) {
    const { state } = this;
    const word = troubled(state) ? "" : state.state; // it stands in the picture already, larger
    write(this.badge.firstElementChild.lastChild, [word, lasted(state, now_us)].filter(Boolean).join(" "));
    write(this.seen, lastSeen(state, now_us));
  }

  async draw(head, body) {
    await this.picture.draw(head, body);
    mark(this.canvas, "data-position", head.position);
    mark(this.canvas, "aria-label", `${head.kind === "photo" ? "Picture" : `Map of ${head.topic}`} of ${this.stream}`);
    this.canvas.classList.add("drawn");
  }
}
