/** Maps of records, decoded once: what was looked at last is kept. */

import { decoded } from "./decoder.js";
import { bytes } from "./request.js";

const MOST = 64;

export class Maps {
  /** @type {Map<string, Promise<import("./contract.js").PixelMap>>} */
  #kept = new Map();

  /** @returns {Promise<import("./contract.js").PixelMap>} */
  get(topic, id) {
    const found = this.#kept.get(id) ?? bytes("/view/map", { topic, id }).then(decoded);
    this.#kept.delete(id); // the one that was used last stands last
    this.#kept.set(id, found);
    found.catch(() => this.#kept.delete(id));
    if (this.#kept.size > MOST) this.#kept.delete(this.#kept.keys().next().value);
    return found;
  }
}
