/** A record as it lies in the sink, in a dialog, with its id to take along. */

import { openDialog } from "./dialog.js";
import { make } from "./dom.js";
import { json } from "./request.js";

/** @param {string} topic  @param {string} id */
export async function openRecord(topic, id) {
  const text = make("pre", { tabindex: "0", class: "json" }, "\u2026");
  const copied = make("span", { class: "quiet", role: "status" });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(id);
      copied.textContent = "Copied.";
    } catch {
      getSelection()?.selectAllChildren(name); // only https and loopback may write to the clipboard
      copied.textContent = "Selected: copy it with your keyboard.";
    }
  };
  const name = make("code", { class: "id" }, id);
  const row = make("p", { class: "copy" }, name, make("button", { type: "button", onclick: copy }, "Copy id"), copied);
  openDialog(`Record of ${topic}`, [row, text]);
  try {
    text.textContent = JSON.stringify(await json("/view/record", { topic, id }), null, 2);
  } catch (error) {
    text.textContent = error.message;
  }
}
