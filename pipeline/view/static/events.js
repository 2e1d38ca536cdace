/** What happened in the stretch that is looked at, as a list of links, each to its moment. */

import { keyed, make, mark } from "./dom.js";
import { openRecord } from "./record.js";
import { clockTime } from "./time.js";

const MOST = 200;

/**
 * What counts as an event: every mark but windows of actions where episodes say the same in fewer.
 *
 * @param {import("./contract.js").Lane[]} lanes
 */
export function happened(lanes) {
  const told = lanes.some(({ name, items }) => name === "episodes" && items.length);
  return lanes
    .filter(({ name }) => !(told && name === "action"))
    .flatMap(({ name, items }) => items.map((item) => ({ ...item, lane: name })));
}

export class Events {
  #shown = [];

  /** @param {(time_us: number) => string} link  address of a moment */
  constructor(link) {
    this.link = link;
    this.count = make("span", { class: "quiet" });
    this.list = make("ol", { class: "events" });
    this.element = make(
      "section",
      { class: "panel", "aria-labelledby": "events-title" },
      make("h2", { id: "events-title" }, "Events in view ", this.count),
      this.list,
    );
  }

  /** @param {import("./contract.js").Timeline} timeline  @param {{from_us: number, to_us: number}} view */
  show(timeline, view, clock) {
    const items = happened(timeline.lanes)
      .filter((item) => item.to_us >= view.from_us && item.from_us <= view.to_us)
      .sort((one, other) => other.from_us - one.from_us);
    const more = items.length > MOST ? `, the newest ${MOST} here` : ", newest first";
    this.count.textContent = items.length ? `${items.length}${more}` : "none";
    const key = ({ topic, id, from_us, to_us, label, count }) => [topic, id, from_us, to_us, label, count].join(" ");
    const rows = new Map(items.slice(0, MOST).map((item) => [key(item), item]));
    this.#shown = [...rows.values()];
    keyed(
      this.list,
      [...rows],
      (key) => this.#row(rows.get(key), clock),
      () => {},
    );
  }

  #row(item, clock) {
    const [many, score] = [
      item.count > 1 ? ` \u00d7${item.count}` : "",
      item.score == null ? "" : item.score.toFixed(2),
    ];
    const link = make(
      "a",
      { href: this.link(item.from_us) },
      make("time", {}, clockTime(item.from_us, clock, 1)),
      make("span", { class: "lane" }, item.lane),
      make(
        "span",
        { class: "name" },
        `${item.label}${many}`,
        item.detail ? make("span", { class: "quiet" }, ` ${item.detail}`) : null,
      ),
      make("span", { class: "quiet" }, score),
    );
    const open = () => openRecord(item.topic, item.id);
    const record = make(
      "button",
      { type: "button", class: "chip", "aria-label": `Record of ${item.label}`, onclick: open },
      "record",
    );
    return make("li", {}, link, item.count === 1 ? record : null);
  }

  /** Those that hold at a time are marked. */
  at(time_us) {
    this.#shown.forEach(({ from_us, to_us }, number) => {
      const holds = from_us <= time_us && time_us <= to_us;
      mark(this.list.children[number]?.firstElementChild, "aria-current", holds ? "true" : null);
    });
  }
}
