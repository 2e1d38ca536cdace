/** One stream, large: a moment of it, what was said of it, and the way to all its other moments. */

import { bindingsOf } from "./bindings.js";
import { make, write } from "./dom.js";
import { Events } from "./events.js";
import { Facts } from "./facts.js";
import { Filter } from "./filter.js";
import { Heading } from "./heading.js";
import { Layers } from "./layers.js";
import { Legend } from "./legend.js";
import { Moments } from "./moment.js";
import { Player } from "./player.js";
import { json } from "./request.js";
import { address } from "./route.js";
import { Similar } from "./similar.js";
import { Stage } from "./stage.js";
import { troubled } from "./state.js";
import { TimelineView } from "./timeline.js";
import { Transport } from "./transport.js";

const SETTLED_MS = 250; // then the address says what is shown; browsers refuse more than a few changes a second

export class StreamView {
  /** @type {import("./contract.js").Stream|null} */
  #info = null;
  /** @type {import("./contract.js").Axis|null} */
  #axis = null;
  /** @type {Moments|null} */
  #moments = null;
  /** The moment whose picture is on the stage. @type {import("./contract.js").Moment|null} */
  #drawn = null;
  #left = new AbortController();

  /**
   * @param {import("./board.js").Board} board
   * @param {import("./live.js").Live} live
   * @param {string} stream
   */
  constructor(board, live, stream) {
    this.board = board;
    this.live = live;
    this.title = stream;
    this.stream = stream;
    this.player = new Player(
      (query) => json("/view/moment", { stream, axis: this.#axis.axis, ...query }),
      (moment) => this.#show(moment),
      (error) => this.#tell(error.message),
    );
    const seek = (time_us) => this.player.seek(time_us);
    const step = (by) => this.player.step(by);
    this.does = {
      seek,
      step,
      event: (by) => this.#event(by),
      play: () => this.player.toggle(),
      follow: () => this.#follow(),
    };
    this.heading = new Heading(
      stream,
      (other) => (location.hash = this.#address(other)),
      (axis) => (location.hash = address({ stream, axis })),
    );
    this.stage = new Stage(
      stream,
      (place) => this.#read(place),
      (split) => this.layers.set({ split: Math.max(1, split) }),
    );
    this.layers = new Layers(() => this.#changed());
    this.legend = new Legend((id) => this.#isolate(id));
    this.facts = new Facts();
    this.similar = new Similar((error) => this.#tell(error.message));
    this.transport = new Transport(this.does);
    this.timeline = new TimelineView(stream, { seek, step, failed: (error) => this.#tell(error.message) });
    this.filter = new Filter((text) => this.#filter(text));
    this.events = new Events((time_us) => address({ stream, axis: this.#axis.axis, time_us }));
    this.problem = make("p", { class: "refused", role: "alert" });
    this.without = make("p", { class: "quiet" });
    this.bindings = bindingsOf(this);
    this.element = this.#laidOut();
    this.#listen();
  }

  #laidOut() {
    const part = (name, ...children) => make("div", { class: name }, ...children.map((one) => one.element ?? one));
    this.parts = [
      part("picture", this.stage, this.without, this.problem, this.transport, this.timeline),
      part("side", this.layers, this.legend, this.facts, this.similar),
      part("below", this.filter, this.events),
    ];
    this.body = part("view");
    return make("section", { class: "stream", "aria-labelledby": "title" }, this.heading.element, this.body);
  }

  #listen() {
    const { signal } = this.#left;
    this.board.addEventListener("change", () => this.#fares(), { signal });
    this.live.addEventListener(
      "fresh",
      (/** @type {CustomEvent} */ { detail }) => detail.stream === this.stream && this.#fresh(detail.last_us),
      { signal },
    );
    this.live.addEventListener("link", () => this.live.lost_ms == null && this.#again(), { signal });
    this.player.addEventListener("mode", () => {
      this.transport.mode(this.player.playing, this.player.following);
      this.#fares();
      this.#remember();
    });
    this.timeline.addEventListener("loaded", () => this.#listed());
    window.addEventListener("resize", () => this.player.again(), { signal });
    this.ticking = setInterval(() => this.#fares(), 1000);
    this.live.watch([this.stream], 90);
    this.#fares();
  }

  leave() {
    this.#left.abort();
    clearInterval(this.ticking);
    this.player.stop(); // which would have the address say so
    clearTimeout(this.settling);
    this.timeline.leave();
    this.live.watch([], 90);
  }

  /** @param {import("./route.js").Route} route */
  async go(route) {
    this.route = route;
    try {
      await this.#open(route);
    } catch (error) {
      this.#excuse(error);
    }
  }

  async #open({ axis, time_us, layers, opacity, split, text }) {
    this.#info ??= await json(`/view/streams/${encodeURIComponent(this.stream)}`, {}, this.#left.signal);
    const { axes } = this.#info;
    if (!axes.length) throw new Error(`${this.stream} has no frame yet. It appears here as soon as there is one.`);
    const wanted = axes.find((one) => one.axis === axis) ?? axes[axes.length - 1];
    this.filter.set(text || this.filter.text);
    if (wanted.axis !== this.#axis?.axis) this.#turn(wanted, time_us);
    this.layers.set(
      {
        shown: layers ? new Set(layers) : this.layers.shown,
        opacity: opacity ?? this.layers.opacity,
        split: split ?? this.layers.split,
      },
      false,
    );
    this.stage.divide(this.layers.split);
    if (time_us != null) await this.player.seek(time_us);
    else if (wanted.axis === "live") await this.#follow();
    else await this.player.seek(wanted.from_us);
  }

  /** Another axis of time, and at first: which layers there are. */
  #turn(axis, time_us) {
    const info = this.#info;
    if (!this.#axis) {
      this.layers.offer(info.layers, info.topics);
      this.layers.set({ shown: new Set(this.layers.names.slice(0, 1)) }, false);
      this.stage.layer(this.layers.names);
    }
    this.#axis = axis;
    this.#moments = new Moments(this.stream, info, axis.axis, (late) => late === this.#drawn && this.player.again());
    this.heading.offer(info.axes, axis.axis);
    this.transport.of(axis, this.#grows);
    this.timeline.text = this.filter.text;
    this.timeline.open(axis, time_us);
    this.body.replaceChildren(...this.parts);
  }

  async #show(moment) {
    const tall = this.stage.rectangle.clientHeight * window.devicePixelRatio;
    const drawing = await this.#moments.load(moment, this.layers.shown, tall);
    if (this.#left.signal.aborted) return;
    this.#drawn = moment;
    this.stage.draw({ ...drawing, opacity: this.layers.opacity / 100, position: moment.position });
    this.legend.show(drawing.depth, drawing.present, this.#moments.alone);
    this.layers.date(moment);
    this.facts.show(moment, this.#axis.clock);
    this.similar.show(moment);
    this.transport.show(moment);
    this.timeline.playhead(moment.time_us);
    this.events.at(moment.time_us);
    write(this.without, this.#moments.missing);
    this.#tell(drawing.failed.join(" "));
    if (!this.player.playing && !this.player.following) this.#remember();
  }

  /** Whether the axis is the one that new frames come on: of cameras, and of a recording that is not done. */
  get #grows() {
    if (!this.#axis) return false;
    const { axes, state } = this.#info;
    return this.#axis.axis === "live" || (state.state !== "ended" && this.#axis.axis === axes[axes.length - 1].axis);
  }

  #follow() {
    if (!this.#grows) return null;
    const last_us = Math.max(this.board.states.get(this.stream)?.last_us ?? 0, this.#axis.to_us);
    return this.player.follow(last_us);
  }

  async #event(by) {
    if (!this.#axis) return;
    try {
      const item = await this.timeline.event(by);
      const which = this.filter.text ? ` with \u201c${this.filter.text}\u201d` : "";
      if (item) await this.does.seek(item.from_us);
      else this.#tell(`There is no event${which} ${by > 0 ? "after" : "before"} this moment.`);
    } catch (error) {
      this.#tell(error.message);
    }
  }

  #fresh(last_us) {
    if (!this.#axis) return this.#again();
    if (!this.#grows) return null;
    this.timeline.grow(last_us);
    return this.player.fresh(last_us);
  }

  /** What could not be opened may be there now. */
  #again() {
    if (this.player.moment || this.opening) return;
    this.opening = true;
    this.#info = null;
    this.go(this.route).finally(() => (this.opening = false));
  }

  /** How the stream fares, in the heading, and across the picture where it claims to be of now. */
  #fares() {
    this.heading.show(this.board);
    const state = this.board.states.get(this.stream);
    const wrong = this.player.following && state && troubled(state);
    this.stage.warn(wrong ? [state.state, state.reason].filter(Boolean).join(": ") : "");
  }

  #changed() {
    this.stage.divide(this.layers.split);
    this.player.again();
    this.#remember();
  }

  #isolate(id) {
    this.#moments.alone = id;
    this.player.again();
  }

  #filter(text) {
    this.timeline.filter(text);
    this.#remember();
  }

  #listed() {
    this.filter.offer(this.timeline.shown.labels);
    this.events.show(this.timeline.shown, this.timeline.view, this.#axis.clock);
    this.events.at(this.timeline.time_us);
  }

  #read(place) {
    return this.#drawn ? this.#moments.read(this.#drawn, place).catch((error) => error.message) : Promise.resolve("");
  }

  /** The address says what is shown, so that it can be kept, sent, and loaded again; while it is played it rests. */
  #remember() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => history.replaceState(null, "", this.#address(this.stream)), SETTLED_MS);
  }

  #address(stream) {
    const { following, moment } = this.player;
    const { shown, opacity, split } = this.layers;
    const same = stream === this.stream || this.#axis?.axis === "live";
    const axis = same ? this.#axis?.axis : null;
    const time_us = following ? null : moment?.time_us;
    return address({ stream, axis, time_us, layers: [...shown], opacity, split, text: this.filter.text });
  }

  #tell(text) {
    write(this.problem, text);
  }

  #excuse(error) {
    if (error.name === "AbortError") return;
    if (this.#axis) return this.#tell(error.message);
    const all = make("a", { href: address({}) }, "All streams");
    this.body.replaceChildren(make("div", { class: "notice" }, make("p", {}, error.message), make("p", {}, all)));
  }
}
