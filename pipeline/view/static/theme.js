/** Light, dark, or as the system is: chosen by a button, remembered by the browser. */

import { at, icon, mark } from "./dom.js";
import { keep, kept } from "./kept.js";

const ICONS = {
  system: "M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12M8 3.5v9a4.5 4.5 0 0 1 0-9z",
  light:
    "M8 5a3 3 0 1 0 0 6a3 3 0 1 0 0-6M7.3 1h1.4v2.5H7.3zM7.3 12.5h1.4V15H7.3zM1 7.3h2.5v1.4H1zM12.5 7.3H15v1.4h-2.5z",
  dark: "M6 2a6.2 6.2 0 1 0 8 8A5.6 5.6 0 0 1 6 2z",
};
const NAMES = Object.keys(ICONS);

/** Takes up what was chosen before, and gives the button its work. */
export function startTheme() {
  const button = at("theme");
  let theme = kept("theme", "system");
  if (!NAMES.includes(theme)) theme = "system";
  const show = () => {
    mark(document.documentElement, "data-theme", theme === "system" ? null : theme);
    mark(button, "aria-label", `Theme: ${theme}`);
    mark(button, "title", `Theme: ${theme}`);
    button.replaceChildren(icon(ICONS[theme]));
    window.dispatchEvent(new Event("themechange"));
  };
  button.addEventListener("click", () => {
    theme = NAMES[(NAMES.indexOf(theme) + 1) % NAMES.length];
    keep("theme", theme);
    show();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  show();
}
