/** What went wrong with a request, as the server says it, and how it is shown. */

import { make } from "./dom.js";

export class Problem extends Error {
  /**
   * @param {number} status  of HTTP; 0 where nobody answered
   * @param {string} title
   * @param {string} detail
   */
  constructor(status, title, detail) {
    super(detail || title);
    this.status = status;
    this.title = title;
  }

  /** Of an answer that is not the one that was hoped for. */
  static async of(response) {
    const said = await response.json().catch(() => ({}));
    return new Problem(response.status, said.title ?? response.statusText, said.detail ?? "");
  }
}

/** A page's worth of a problem, where there is nothing else to show. */
export function apology(heading, error, ...children) {
  return make("section", { class: "notice" }, make("h2", {}, heading), make("p", {}, error.message), ...children);
}
