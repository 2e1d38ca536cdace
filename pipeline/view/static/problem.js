/** What went wrong with a request, as the server says it. */

export class Problem extends Error {
  /** @param {number} status  of HTTP; 0 where nobody answered */
  constructor(status, message) {
    super(message);
    this.status = status;
  }

  /** Of an answer that is not the one that was hoped for. */
  static async of(response) {
    const said = await response.json().catch(() => ({}));
    return new Problem(response.status, said.detail || said.title || response.statusText);
  }
}
