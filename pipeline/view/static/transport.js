/** The row of buttons below the picture: step, play, follow, jump to a time; and which frame it is, exactly. */

import { make, mark, tool, write } from "./dom.js";
import { clockTime, day, offset, typed, zone } from "./time.js";

const ICONS = {
  eventBefore: "M2 3h2v10H2zM14 3v10L8.5 8zM9 3v10L3.5 8z",
  before: "M4 3h2v10H4zM13 3v10L6 8z",
  play: "M4 2.5l9 5.5-9 5.5z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  next: "M10 3h2v10h-2zM3 3v10l7-5z",
  eventNext: "M12 3h2v10h-2zM2 3v10l5.5-5zM7 3v10l5.5-5z",
};

const TIMES = "A time is 08:14:03, 2026-11-30 08:14:03, or 1:23 of a recording.";

export class Transport {
  #clock = "media";
  #time_us = 0;

  /** @param {Record<"step"|"event"|"play"|"follow"|"seek", Function>} does */
  constructor(does) {
    this.play = tool(ICONS.play, "Play (Space)", () => does.play());
    this.live = make(
      "button",
      { type: "button", title: "Follow the newest frame (l)", onclick: () => does.follow() },
      "Live",
    );
    this.field = make("input", {
      id: "jump",
      "aria-describedby": "zone",
      autocomplete: "off",
      spellcheck: "false",
      onfocus: () => this.field.select(),
    });
    this.zone = make("span", { class: "quiet", id: "zone" });
    this.refused = make("span", { class: "refused", role: "alert" });
    this.frame = make("p", { class: "which quiet" });
    const jump = make(
      "form",
      { class: "jump" },
      make("label", { for: "jump", class: "unseen" }, "Jump to a time"),
      this.field,
      this.zone,
      this.refused,
    );
    jump.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#jump(does.seek);
    });
    this.element = make(
      "div",
      { class: "transport", role: "group", "aria-label": "Playing" },
      tool(ICONS.eventBefore, "Previous event (,)", () => does.event(-1)),
      tool(ICONS.before, "Previous frame (\u2190)", () => does.step(-1)),
      this.play,
      tool(ICONS.next, "Next frame (\u2192)", () => does.step(1)),
      tool(ICONS.eventNext, "Next event (.)", () => does.event(1)),
      this.live,
      jump,
      this.frame,
    );
  }

  /** What was shown and not typed is this very frame, to the microsecond. */
  #jump(seek) {
    if (this.field.value === this.shown) return this.field.blur();
    const time_us = typed(this.field.value, this.#clock, this.#time_us);
    write(this.refused, time_us == null ? TIMES : "");
    if (time_us == null) return;
    this.field.blur();
    seek(time_us);
  }

  /** @param {import("./contract.js").Axis} axis  @param {boolean} grows  whether there is more to come */
  of(axis, grows) {
    this.#clock = axis.clock;
    this.live.hidden = !grows;
    write(this.live, axis.axis === "live" ? "Live" : "Newest");
  }

  mode(playing, following) {
    const says = playing ? "Pause (Space)" : "Play (Space)";
    mark(this.play, "aria-label", says);
    mark(this.play, "title", says);
    mark(this.play.querySelector("path"), "d", playing ? ICONS.pause : ICONS.play);
    mark(this.live, "aria-pressed", following);
  }

  /** @param {import("./contract.js").Moment} moment */
  show(moment) {
    this.#time_us = moment.time_us;
    const clock = this.#clock;
    if (document.activeElement !== this.field) {
      this.shown = [day(moment.time_us, clock), clockTime(moment.time_us, clock)].filter(Boolean).join(" ");
      this.field.value = this.shown;
      write(this.refused, "");
    }
    write(this.zone, clock === "media" ? "since the beginning" : zone(moment.time_us));
    const { frame } = moment;
    const by_us = frame ? frame.time_us - moment.time_us : 0;
    const which = `frame ${moment.position} of ${moment.session}`;
    const inexact =
      frame && !frame.exact
        ? `; its picture is not exact: ${by_us ? `${offset(by_us)} from it` : "it is the nearest that is kept"}`
        : "";
    write(this.frame, `${which}${inexact}`);
    mark(this.frame, "data-inexact", inexact ? "" : null);
  }
}
