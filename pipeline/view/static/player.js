/**
 * Which moment of a stream is shown: sought, stepped to, played, or the newest one.
 *
 * One moment is on its way at a time. What is asked meanwhile waits, and only the newest of it is done, so that whoever
 * drags or holds a key sees as many moments as there is time for, and the last one in any case.
 *
 * Says "mode" when `playing` or `following` has changed.
 *
 * @typedef {import("./contract.js").Moment} Moment
 */

const LONGEST_PAUSE_MS = 2000; // between two frames that are played: a gap is not sat through

export class Player extends EventTarget {
  /** @type {Moment|null} */
  moment = null;
  playing = false;
  following = false;
  #work = null;
  #wanted = null;

  /**
   * @param {(query: {time_us: number, step?: number}) => Promise<Moment>} ask
   * @param {(moment: Moment) => Promise<void>} show  ends when it is drawn
   * @param {(error: Error) => void} failed
   */
  constructor(ask, show, failed) {
    super();
    this.ask = ask;
    this.show = show;
    this.failed = failed;
  }

  /** The frame that holds then. */
  seek(time_us) {
    this.#mode(false, false);
    return this.#want({ time_us: Math.round(time_us) });
  }

  /** The next frame, or the one before. */
  step(by) {
    this.#mode(false, false);
    return this.moment && this.#want({ time_us: this.moment.time_us, step: by });
  }

  /** The newest frame, and each that comes. */
  follow(last_us) {
    this.#mode(false, true);
    return this.#want({ time_us: last_us });
  }

  /** There are newer frames. */
  fresh(last_us) {
    if (this.following) this.#want({ time_us: last_us });
  }

  toggle() {
    if (this.playing) this.#mode(false, false);
    else this.#play();
  }

  /** What is shown or on its way is drawn once more, to look otherwise. */
  again() {
    return this.#wanted ? null : this.#want({ again: true });
  }

  stop() {
    this.#mode(false, false);
    this.#wanted = null;
  }

  #mode(playing, following) {
    if (this.playing === playing && this.following === following) return;
    [this.playing, this.following] = [playing, following];
    this.dispatchEvent(new Event("mode"));
  }

  /** Ends when nothing is wanted any more. */
  #want(query) {
    this.#wanted = query;
    return (this.#work ??= this.#reach());
  }

  async #reach() {
    while (this.#wanted) {
      const { moment, again, ...asked } = this.#wanted;
      this.#wanted = null;
      try {
        const found = await (again ? this.moment : (moment ?? this.ask(asked)));
        if (!found) continue;
        await this.show(found);
        this.moment = found;
      } catch (error) {
        this.#mode(false, this.following);
        this.failed(error);
      }
    }
    this.#work = null;
  }

  /** Frame by frame at the pace at which they were taken, or as fast as they can be drawn. */
  async #play() {
    if (!this.moment) return;
    this.#mode(true, false);
    let due_ms = performance.now();
    while (this.playing) {
      const before = this.moment;
      const next = await this.ask({ time_us: before.time_us, step: 1 }).catch((error) => this.failed(error));
      const ended = !next || (next.position === before.position && next.session === before.session);
      if (ended) return this.playing && this.#mode(false, false);
      const pause_ms = Math.min(LONGEST_PAUSE_MS, (next.time_us - before.time_us) / 1000);
      due_ms = Math.max(due_ms + pause_ms, performance.now() - pause_ms);
      await new Promise((resolve) => setTimeout(resolve, due_ms - performance.now()));
      if (this.playing) await this.#want({ moment: next });
      if (this.moment !== next) return this.#mode(false, this.following);
    }
  }
}
