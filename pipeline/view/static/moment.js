/**
 * All that is needed to draw one moment: its picture, its maps in colours, its boxes, and what is at a place in it.
 *
 * @typedef {import("./contract.js").Moment} Moment
 * @typedef {import("./contract.js").Layer} Layer
 */

import { BOXES_OF } from "./boxes.js";
import { namesOf } from "./labels.js";
import { BOXES } from "./layers.js";
import { said } from "./legend.js";
import { Maps } from "./maps.js";
import { byArea, classImage, colourImage, depthImage, scaleOf } from "./paint.js";
import { NOTHING, classColours } from "./palette.js";
import { bytes } from "./request.js";

const PATIENCE_MS = 1000;
const SIDES = [360, 720, 1080]; // of pictures that are asked for, so that a few pixels more are no other picture

export class Moments {
  /** The class that is shown; null: all. @type {number|null} */
  alone = null;
  /** Why the last picture is missing; empty where it is not. */
  missing = "";
  #maps = new Maps();
  #colours = new Map();
  #photo = {
    key: "",
    why: "",
    asked: new AbortController(),
    coming: Promise.resolve(/** @type {ImageBitmap|null} */ (null)),
  };

  /**
   * @param {string} stream
   * @param {import("./contract.js").Stream} info
   * @param {string} axis
   * @param {(moment: Moment) => void} late  told when a picture has come after its moment was drawn
   */
  constructor(stream, info, axis, late) {
    this.stream = stream;
    this.info = info;
    this.axis = axis;
    this.late = late;
  }

  /**
   * What cannot be had is left out, and told in `failed`.
   *
   * @param {Moment} moment
   * @param {Set<string>} shown  layers
   * @param {number} tall  of the stage, in the screen's pixels
   */
  async load(moment, shown, tall) {
    const layers = this.info.layers.filter(({ topic }) => shown.has(topic) && moment.records[topic]);
    const failed = [];
    const decode = ({ topic }) =>
      this.#maps.get(topic, moment.records[topic].id).catch((error) => void failed.push(`${topic}: ${error.message}`));
    const [photo, names, ...decoded] = await Promise.all([
      this.#picture(moment, tall),
      namesOf(this.#classes?.labelset ?? null),
      ...layers.map(decode),
    ]);
    const found = layers.map((layer, at) => ({ layer, map: decoded[at] })).filter(({ map }) => map);
    const classes = found.find(({ layer }) => layer.kind === "classes");
    const told = ([name, topic]) => (shown.has(name) ? [[name, moment.records[topic]?.data]] : []);
    const boxed = new Map([...BOXES].flatMap(told));
    const summary = boxed.get("boxes");
    const present = this.#present(classes?.map, summary, names);
    const depth = found.find(({ layer }) => layer.kind === "depth");
    return {
      photo,
      maps: new Map(found.map(({ layer, map }) => [layer.topic, { image: this.#image(layer, map), kind: layer.kind }])),
      boxes: new Map([...boxed].map(([name, data]) => [name, BOXES_OF[name](data, this.#colours, this.alone)])),
      size_wh: this.info.size_wh,
      present,
      failed,
      depth: depth ? { layer: depth.layer, scale: scaleOf(depth.map, depth.layer) } : null,
    };
  }

  get #classes() {
    return this.info.layers.find(({ kind }) => kind === "classes");
  }

  /** Maps wait for their picture a second at most; where it comes later, they are drawn once more. */
  async #picture(moment, tall) {
    const { frame } = moment;
    const none = this.info.pictures ? "none is kept of this frame." : this.info.pictures_why;
    this.missing = frame ? "" : `No picture: ${none}`;
    if (!frame) return null;
    const side = SIDES.find((side) => side >= tall) ?? SIDES[SIDES.length - 1];
    const key = [moment.session, frame.position, side].join();
    if (this.#photo.key !== key) this.#fetch(key, { session: moment.session, position: frame.position, side });
    const { coming } = this.#photo;
    const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, undefined));
    const bitmap = await Promise.race([coming, late]);
    if (bitmap === undefined) coming.then(() => this.late(moment));
    if (!bitmap) this.missing = bitmap === null ? this.#photo.why : "The picture is on its way.";
    return bitmap ?? null;
  }

  #fetch(key, query) {
    this.#photo.asked.abort(); // the one before is drawn, or nobody waits for it any more
    this.#photo.coming.then((bitmap) => bitmap?.close());
    const photo = { key, why: "", asked: new AbortController(), coming: Promise.resolve(null) };
    photo.coming = bytes("/view/frame", { stream: this.stream, axis: this.axis, ...query }, photo.asked.signal)
      .then((jpeg) => createImageBitmap(new Blob([jpeg])))
      .catch((error) => {
        photo.why = `No picture: ${error.message}`;
        return null;
      });
    this.#photo = photo;
  }

  #image(layer, map) {
    if (layer.kind === "depth") return depthImage(map, scaleOf(map, layer));
    return layer.kind === "colours" ? colourImage(map) : classImage(map, this.#colours, this.alone);
  }

  /** Classes by area: of the map, which has them all; else of the summary, which leaves out the small ones. */
  #present(map, summary, names) {
    const shares = map
      ? byArea(map).map(({ id, share }) => ({ id, name: names.get(id) ?? `class ${id}`, share }))
      : (summary?.classes ?? []).map(({ id, name, share }) => ({ id, name, share }));
    this.#colours = classColours(
      shares.map(({ id }) => id),
      this.#colours,
    );
    return shares.map((one) => ({ ...one, rgb: this.#colours.get(one.id) ?? NOTHING }));
  }

  /**
   * Depth and class at a place, in words: "12.4 m, road".
   *
   * @param {Moment} moment
   * @param {{x: number, y: number}} place  shares of width and height
   */
  async read(moment, { x, y }) {
    const kinds = this.info.layers.filter(({ kind, topic }) => kind !== "colours" && moment.records[topic]);
    const names = await namesOf(this.#classes?.labelset ?? null);
    const words = kinds.map(async (layer) => {
      const map = await this.#maps.get(layer.topic, moment.records[layer.topic].id);
      const value = map.values[Math.floor(y * map.height) * map.width + Math.floor(x * map.width)];
      return layer.kind === "classes" ? (names.get(value) ?? `class ${value}`) : depthWords(value, map, layer);
    });
    return (await Promise.all(words)).join(", ");
  }
}

function depthWords(value, map, layer) {
  if (!value) return "depth unknown";
  const scale = scaleOf(map, layer);
  const number = said(value * scale.depthscale, scale.high - scale.low);
  return layer.metric ? `${number} ${layer.unit ?? ""}`.trim() : `disparity ${number}, no unit`;
}
