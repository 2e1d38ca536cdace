/**
 * The one WebSocket: states and pictures in, what is looked at out. It comes back by itself, and says when it is gone.
 *
 * Says "fresh" {stream, last_us} when a watched stream has newer frames, "skipped" {pictures}, and "link" when `lost_ms` has changed.
 *
 * @typedef {import("./contract.js").PictureHead} PictureHead
 * @typedef {(head: PictureHead, body: ArrayBuffer) => Promise<void>} Painter
 */

import { json } from "./request.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
const QUIET_MS = 15_000; // then it is asked whether the server is still there
const REFUSED = "The server refuses a connection: too many pages are open, or a proxy lets none through";
const BROKEN = "The connection to the server broke";
const UNREACHED = "The server cannot be reached";

export class Live extends EventTarget {
  /** When the server was lost, by this browser's clock; null while it is there. @type {number|null} */
  lost_ms = null;
  /** Why, in words. */
  why = "";
  /** @type {Map<string, Painter>} */
  #painters = new Map();
  #wanted = { watch: /** @type {string[]} */ ([]), side: 180 };
  /** @type {WebSocket|null} */
  #socket = null;
  #tries = 0;
  #timer = 0;
  #heard_ms = 0;

  /** @param {import("./board.js").Board} board  which is told all that is heard */
  constructor(board) {
    super();
    this.board = board;
    document.addEventListener("visibilitychange", () => this.#ask());
    window.addEventListener("online", () => this.#again(0));
    setInterval(() => this.#listen(), QUIET_MS / 3);
  }

  /** Once, and after each loss: ask over HTTP, which also asks for a token, then open the socket. */
  async connect() {
    clearTimeout(this.#timer);
    if (this.#socket) return;
    try {
      this.board.greet(await json("/view/streams"));
    } catch (error) {
      return this.#fail(error.status ? error.message : UNREACHED);
    }
    if (this.#socket) return;
    const socket = new WebSocket(`${location.protocol.replace("http", "ws")}//${location.host}/view/live`);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    let [first, opened] = [true, false];
    socket.addEventListener("open", () => {
      opened = true;
      this.#opened();
    });
    socket.addEventListener("close", () => socket === this.#socket && this.#fail(opened ? BROKEN : REFUSED));
    socket.addEventListener("message", ({ data }) => {
      if (socket !== this.#socket) return;
      this.#heard_ms = Date.now();
      if (data instanceof ArrayBuffer) return void this.#picture(data);
      const said = JSON.parse(data);
      if (said.kind === "states") this.board.hear(said, first);
      else this.dispatchEvent(new CustomEvent(said.kind === "new" ? "fresh" : said.kind, { detail: said }));
      if (said.kind === "states") first = false;
    });
  }

  /**
   * What can be seen now: pictures of these come, and of no others.
   *
   * @param {string[]} streams
   * @param {number} side  the short side of pictures, pixels
   */
  watch(streams, side) {
    this.#wanted = { watch: streams, side };
    this.#ask();
  }

  /** Who draws the pictures of a stream; null: nobody. @param {Painter|null} painter */
  paint(stream, painter) {
    if (painter) this.#painters.set(stream, painter);
    else this.#painters.delete(stream);
  }

  #ask() {
    if (this.#socket?.readyState !== WebSocket.OPEN) return void (document.hidden || this.#again(0));
    this.#say(document.hidden ? { ...this.#wanted, watch: [] } : this.#wanted);
  }

  #say(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #opened() {
    this.#tries = 0;
    this.#heard_ms = Date.now();
    this.#ask();
    if (this.lost_ms == null) return;
    this.lost_ms = null;
    this.dispatchEvent(new Event("link"));
  }

  /** The server's next picture of a stream waits until this one is drawn, or could not be. */
  async #picture(data) {
    const size = new DataView(data).getUint16(0);
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 2, size)));
    try {
      await this.#painters.get(head.stream)?.(head, data.slice(2 + size));
    } catch (error) {
      console.warn(`A picture of ${head.stream} cannot be drawn: ${error.message}`);
    } finally {
      this.#say({ drawn: head.stream });
    }
  }

  /** A way that is broken without a word shows only when somebody asks. */
  async #listen() {
    if (document.hidden || !this.#socket || Date.now() - this.#heard_ms < QUIET_MS) return;
    try {
      this.board.greet(await json("/view/streams"));
      this.#heard_ms = Date.now();
    } catch {
      this.#fail(UNREACHED);
    }
  }

  #fail(why) {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    const told = this.lost_ms != null && this.why === why;
    this.lost_ms ??= Date.now();
    this.why = why;
    if (!told) this.dispatchEvent(new Event("link"));
    this.#again(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#tries++));
  }

  /** Browsers that were cut off together do not come back together. */
  #again(wait_ms) {
    if (this.#socket) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.connect(), wait_ms * (0.5 + Math.random() / 2));
  }
}
