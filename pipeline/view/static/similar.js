/** Moments of all streams that look like the one that is shown, by their embeddings. */

import { make, write } from "./dom.js";
import { json } from "./request.js";
import { address } from "./route.js";
import { clockTime, day } from "./time.js";

const TOPIC = "embedding";
const YEAR_US = 31_536_000_000_000; // event times before 1971 are those of recordings that know of no day

export class Similar {
  #id = "";

  /** @param {(error: Error) => void} failed */
  constructor(failed) {
    this.failed = failed;
    this.button = make("button", { type: "button", onclick: () => this.#find() }, "Find similar moments");
    this.says = make("p", { class: "quiet", role: "status" });
    this.list = make("ol", { class: "events" });
    this.element = make(
      "section",
      { class: "panel", "aria-label": "Similar moments" },
      this.button,
      this.says,
      this.list,
    );
  }

  /** @param {import("./contract.js").Moment} moment  which has an embedding, or not */
  show(moment) {
    this.#id = moment.records[TOPIC]?.id ?? "";
    this.element.hidden = !this.#id;
  }

  async #find() {
    this.button.disabled = true;
    try {
      const { found, looked_at, of } = await json("/view/similar", { id: this.#id });
      write(
        this.says,
        found.length
          ? `Of ${looked_at === of ? of : `${looked_at} of ${of}`} frames, by cosine.`
          : "Nothing else has such embeddings.",
      );
      this.list.replaceChildren(...found.map(row));
    } catch (error) {
      this.failed(error);
    } finally {
      this.button.disabled = false;
    }
  }
}

function row({ stream, axis, time_us, cosine }) {
  const clock = time_us < YEAR_US ? "media" : "capture";
  const time = [day(time_us, clock), clockTime(time_us, clock, 1)].filter(Boolean).join(" ");
  const parts = [
    make("span", { class: "name" }, stream, make("span", { class: "quiet" }, ` ${time}`)),
    make("span", { class: "quiet" }, cosine.toFixed(2)),
  ];
  return make("li", {}, make("a", { class: "like", href: address({ stream, axis, time_us }) }, ...parts));
}
