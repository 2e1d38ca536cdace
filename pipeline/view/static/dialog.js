/** A dialog with a heading, which its button or Esc closes, and which is gone then. */

import { make } from "./dom.js";

let numbers = 0;

/**
 * @param {string} heading
 * @param {Node[]} content
 * @param {Node[]} [actions]  beside the button that closes it
 */
export function openDialog(heading, content, actions = []) {
  const id = `dialog-${numbers++}`;
  const close = make("button", { type: "button", autofocus: true, onclick: () => dialog.close() }, "Close");
  const dialog = make(
    "dialog",
    { "aria-labelledby": id, onclose: () => dialog.remove() },
    make("h2", { id }, heading),
    ...content,
    make("p", { class: "actions" }, ...actions, close),
  );
  document.body.append(dialog);
  dialog.showModal();
}
