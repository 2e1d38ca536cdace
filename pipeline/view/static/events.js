/** What happened in the stretch that is looked at, as a list of links, each to its moment. */

import { make, mark } from "./dom.js";
import { clockTime } from "./time.js";
import { openRecord } from "./record.js";

const MOST = 200;

export class Events {
  /** @param {(time_us: number) => string} link  address of a moment */
  constructor(link) {
    this.link = link;
    this.count = make("span", { class: "quiet" });
    this.list = make("ol", { class: "events" });
    this.element = make("section", { class: "panel", "aria-labelledby": "events-title" }, make("h2", { id: "events-title" }, "Events in view ", this.count), this.list);
  }

  /** @param {import("./contract.js").Timeline} timeline  @param {{from_us: number, to_us: number}} view */
  show(timeline, view, clock) {
    const items = timeline.lanes
      .flatMap((lane) => lane.items.map((item) => ({ ...item, lane: lane.name })))
      .filter((item) => item.to_us >= view.from_us && item.from_us <= view.to_us)
      .sort((one, other) => one.from_us - other.from_us);
    const more = items.length > MOST ? `, the first ${MOST} of them here: zoom in for the others` : "";
    this.count.textContent = `${items.length}${more}`;
    this.items = items.slice(0, MOST);
    this.list.replaceChildren(...this.items.map((item) => this.#row(item, clock)));
    if (!items.length) this.list.append(make("li", { class: "quiet" }, "Nothing happened in this stretch."));
  }

  #row(item, clock) {
    const link = make(
      "a",
      { href: this.link(item.from_us) },
      make("time", {}, clockTime(item.from_us, clock, 1)),
      make("span", { class: "lane" }, item.lane),
      make("span", { class: "name" }, `${item.label}${item.count > 1 ? ` \u00d7${item.count}` : ""}`, item.detail ? make("span", { class: "quiet" }, ` ${item.detail}`) : null),
      make("span", { class: "quiet" }, item.score == null ? "" : item.score.toFixed(2)),
    );
    const open = make("button", { type: "button", class: "chip", "aria-label": `Record of ${item.label}`, onclick: () => openRecord(item.topic, item.id) }, "record");
    return make("li", {}, link, item.count === 1 ? open : null);
  }

  /** Those that hold at a time are marked. */
  at(time_us) {
    this.items?.forEach((item, number) => {
      const holds = item.from_us <= time_us && time_us <= item.to_us;
      mark(this.list.children[number].firstElementChild, "aria-current", holds ? "true" : null);
    });
  }
}
