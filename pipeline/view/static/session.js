/** The token: out of the address bar at once, for a cookie that no script can read; asked for where it is missing. */

import { make } from "./dom.js";
import { Problem } from "./problem.js";
import { decoded } from "./route.js";

let asked = null;

async function redeem(token) {
  const response = await fetch("/session", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token }),
  });
  if (!response.ok) throw await Problem.of(response);
}

/** Before anything else: a token in the address must not stay where it can be seen, copied or sent. */
export async function enter() {
  const found = /^#token=(.+)$/.exec(location.hash);
  if (!found) return;
  history.replaceState(null, "", "#/");
  await redeem(decoded(found[1])).catch(() => {}); // whoever is refused is asked for it
}

/** Ends when the server has taken a token. However many requests wait for it, it is asked for once. */
export function admission() {
  asked ??= ask().finally(() => (asked = null));
  return asked;
}

function ask() {
  const token = make("input", {
    type: "password",
    id: "token",
    autocomplete: "current-password",
    required: true,
    spellcheck: "false",
  });
  const refused = make("p", { class: "refused", role: "alert" });
  const form = make(
    "form",
    {},
    make("h2", { id: "token-title" }, "A token is needed"),
    make("p", {}, "It is what DINOSTREAM_TOKEN holds where the server was started."),
    make("label", { for: "token" }, "Token"),
    token,
    refused,
    make("p", { class: "actions" }, make("button", { type: "submit" }, "Open")),
  );
  const dialog = make(
    "dialog",
    { "aria-labelledby": "token-title", oncancel: (event) => event.preventDefault() },
    form,
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        await redeem(token.value.trim());
        dialog.remove();
        resolve();
      } catch (error) {
        refused.textContent = error.status === 401 ? "That is not the token." : error.message;
        token.select();
      }
    });
  });
}
