/** Which stream is looked at and how it fares, and the way to another one, at the same time. */

import { make, write } from "./dom.js";
import { badge, figures, lastSeen, lasted, losses } from "./state.js";
import { clockTime, day, span } from "./time.js";

export class Heading {
  /**
   * @param {string} stream
   * @param {(stream: string) => void} leaveFor
   * @param {(axis: string) => void} turnTo
   */
  constructor(stream, leaveFor, turnTo) {
    this.stream = stream;
    this.state = make("span", { class: "state" });
    this.figures = make("span", { class: "quiet" });
    this.streams = make("select", {
      "aria-label": "Another stream at the same time",
      onchange: () => leaveFor(this.streams.value),
    });
    this.axes = make("select", { "aria-label": "Session", hidden: true, onchange: () => turnTo(this.axes.value) });
    this.element = make(
      "div",
      { class: "strip" },
      make("h1", { id: "title" }, stream),
      this.state,
      this.figures,
      make("span", { class: "choose" }, this.axes, this.streams),
    );
  }

  /** @param {import("./board.js").Board} board */
  show(board) {
    const names = board.names;
    if (names.join("\n") !== this.names) {
      this.names = names.join("\n");
      this.streams.replaceChildren(
        ...names.map((name) => make("option", { value: name, selected: name === this.stream }, name)),
      );
    }
    const state = board.states.get(this.stream);
    if (!state) return;
    if (state.state !== this.shown) this.state.replaceChildren(badge(state.state));
    this.shown = state.state;
    write(this.state.firstElementChild.lastChild, [state.state, lasted(state, board.now_us)].filter(Boolean).join(" "));
    const parts = [state.reason, figures(state), losses(state), `last record ${lastSeen(state, board.now_us)}`];
    write(this.figures, parts.filter(Boolean).join(" \u00b7 "));
  }

  /** @param {import("./contract.js").Axis[]} axes  newest last */
  offer(axes, chosen) {
    this.axes.hidden = axes.length < 2;
    this.axes.replaceChildren(
      ...axes
        .map((axis) => make("option", { value: axis.axis, selected: axis.axis === chosen }, named(axis)))
        .reverse(),
    );
  }
}

function named({ axis, from_us, to_us, clock }) {
  if (axis === "live") return "live";
  const began = [day(from_us, clock), clock === "media" ? "" : clockTime(from_us, clock, 0)].filter(Boolean).join(" ");
  return `${began || axis}, ${span(to_us - from_us)}`;
}
