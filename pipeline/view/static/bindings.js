/** What keys do while a stream is looked at. */

/**
 * @param {import("./stream.js").StreamView} view
 * @returns {import("./keys.js").Binding[]}
 */
export function bindingsOf({ does, layers, timeline, transport }) {
  return [
    { keys: ["ArrowLeft"], says: "previous frame", run: () => does.step(-1) },
    { keys: ["ArrowRight"], says: "next frame", run: () => does.step(1) },
    { keys: [","], says: "previous event", run: () => does.event(-1) },
    { keys: ["."], says: "next event", run: () => does.event(1) },
    { keys: [" "], says: "play, pause", run: () => does.play() },
    { keys: ["l"], says: "follow the newest frame", run: () => does.follow() },
    {
      keys: ["1", "2", "3", "4", "5"],
      says: "layers, by their number",
      run: ({ key }) => layers.nth(Number(key)),
    },
    { keys: ["["], says: "less opacity", run: () => layers.set({ opacity: layers.opacity - 10 }) },
    { keys: ["]"], says: "more opacity", run: () => layers.set({ opacity: layers.opacity + 10 }) },
    { keys: ["s"], says: "split the picture: maps on its right alone", run: () => layers.halves.click() },
    { keys: ["+", "="], says: "zoom into the timeline", run: () => timeline.zoom(0.5) },
    { keys: ["-"], says: "zoom out of it", run: () => timeline.zoom(2) },
    { keys: ["g"], says: "go to a time", run: () => transport.field.focus() },
  ];
}
