/** Elements out of names, attributes and children. Text becomes text nodes and nothing else. */

/**
 * @param {string} name
 * @param {Record<string, any>} [attributes]  `onclick` and the like are listeners; null and false are left out
 * @param {...(Node|string|null)} children
 * @returns {any}
 */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== false && value != null) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/** Write text only where it differs, so that nothing is selected, spoken or laid out again for nothing. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** An attribute likewise; null takes it away. */
export function mark(element, name, value) {
  if (value == null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/** @param {string} id  of an element of index.html */
export function at(id) {
  return /** @type {any} */ (document.getElementById(id));
}

/** @type {WeakMap<Element, Map<string, HTMLElement>>} */
const children = new WeakMap();

/**
 * Children that stay as long as their key does, so that a focus or a press outlives the next frame.
 *
 * @template T
 * @param {HTMLElement} parent
 * @param {[string, T][]} entries  in order
 * @param {(key: string) => HTMLElement} create
 * @param {(child: any, value: T) => void} update
 */
export function keyed(parent, entries, create, update) {
  const before = children.get(parent) ?? new Map();
  const now = new Map(entries.map(([key]) => [key, before.get(key) ?? create(key)]));
  for (const [key, value] of entries) update(now.get(key), value);
  children.set(parent, now);
  const order = [...now.values()];
  if (order.length === parent.children.length && order.every((child, at) => child === parent.children[at])) return;
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  parent.replaceChildren(...order);
  if (focused instanceof HTMLElement && parent.contains(focused)) focused.focus({ preventScroll: true });
}

const SVG = "http://www.w3.org/2000/svg";

/** A picture of 16 by 16 in the colour of the text. Whatever it stands beside says the same in words. */
export function icon(path) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const drawn = document.createElementNS(SVG, "path");
  drawn.setAttribute("d", path);
  svg.append(drawn);
  return svg;
}

/** A button with an icon, named for those who do not see it. */
export function tool(path, says, onclick) {
  return make("button", { type: "button", class: "tool", "aria-label": says, title: says, onclick }, icon(path));
}
