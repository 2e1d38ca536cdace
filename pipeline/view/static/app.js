/** The page begins here: the token, the theme, the socket, and the view that the address names. */

import { Board } from "./board.js";
import { at } from "./dom.js";
import { Head } from "./head.js";
import { Keys } from "./keys.js";
import { Live } from "./live.js";
import { address, parsed } from "./route.js";
import { enter } from "./session.js";
import { StreamView } from "./stream.js";
import { startTheme } from "./theme.js";
import { Wall } from "./wall.js";

startTheme();
await enter();

const board = new Board();
const live = new Live(board);
const head = new Head(board, live);
const keys = new Keys([
  { keys: ["/"], says: "filter", run: () => at("filter")?.focus() },
  { keys: ["Escape"], says: "back to the wall", run: () => (location.hash = address({})) },
]);
/** @type {Wall|StreamView|null} */
let view = null;
let shown = "";

function filtered(text) {
  history.replaceState(null, "", address({ text }));
  follow();
}

/** The address has changed: the same view goes there, or another takes its place. */
function follow() {
  const route = parsed(location.hash);
  const wanted = route.stream == null ? "wall" : `stream ${route.stream}`;
  if (wanted !== shown) {
    const before = view;
    view?.leave();
    shown = wanted;
    view = route.stream == null ? new Wall(board, live, filtered) : new StreamView(board, live, route.stream);
    keys.bind(view.bindings);
    at("main").replaceChildren(view.element);
    if (before) at("main").focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }
  view.go(route);
  head.entitle(view.title);
}

at("skip").addEventListener("click", (event) => {
  event.preventDefault();
  at("main").focus();
});
window.addEventListener("hashchange", follow);
follow();
await live.connect();
