/** What is said of the frame that is shown: labels, the window's action, and each record by itself. */

import { keyed, make, mark, write } from "./dom.js";
import { percent } from "./legend.js";
import { openRecord } from "./record.js";
import { clockTime, fromStamp, offset } from "./time.js";

export class Facts {
  constructor() {
    this.said = make("div", { class: "said" });
    this.records = make("ul", { class: "records" });
    this.element = make(
      "section",
      { class: "panel", "aria-labelledby": "facts-title" },
      make("h2", { id: "facts-title" }, "Said of this frame"),
      this.said,
      this.records,
    );
  }

  /**
   * @param {import("./contract.js").Moment} moment
   * @param {string} clock  of the axis
   */
  show(moment, clock) {
    const { records } = moment;
    this.said.replaceChildren(
      ...(records.classify ? [scores("The whole picture", records.classify.data.labels)] : []),
      ...(records.action ? [scores(`Action, ${spanned(records.action.data, clock)}`, records.action.data.labels)] : []),
    );
    keyed(this.records, Object.entries(records), chip, (row, held) => {
      const button = row.firstElementChild;
      const by_us = held.time_us - moment.time_us; // a window's time is its end, which may lie ahead
      const late = by_us < 0 ? ` ${offset(by_us)}` : "";
      write(button, `${button.dataset.topic}${late}`);
      mark(button, "title", held.id);
    });
  }
}

/** A button that opens the record which it names in its title. */
function chip(topic) {
  const open = ({ currentTarget }) => openRecord(topic, currentTarget.title);
  return make("li", {}, make("button", { type: "button", class: "chip", "data-topic": topic, onclick: open }));
}

function spanned({ start, end }, clock) {
  const [from_us, to_us] = [fromStamp(start.time), fromStamp(end.time)];
  return from_us == null || to_us == null
    ? "window"
    : `${clockTime(from_us, clock, 1)} to ${clockTime(to_us, clock, 1)}`;
}

function scores(heading, labels) {
  const rows = labels.map(({ name, score }) => {
    const bar = make("meter", { min: 0, max: 1, value: score, "aria-label": `Score of ${name}` });
    return make("li", {}, make("span", { class: "name" }, name), bar, make("span", { class: "quiet" }, percent(score)));
  });
  const none = make("p", { class: "quiet" }, "no label reached its threshold");
  return make("div", {}, make("h3", {}, heading), rows.length ? make("ul", { class: "scores" }, ...rows) : none);
}
