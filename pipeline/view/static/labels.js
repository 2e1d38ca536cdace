/** Names behind class ids, asked for once per label set. */

import { json } from "./request.js";

/** @type {Map<string, Promise<Map<number, string>>>} */
const sets = new Map();

/**
 * @param {string|null} labelset
 * @returns {Promise<Map<number, string>>}  empty where nobody has published it
 */
export function namesOf(labelset) {
  if (!labelset) return Promise.resolve(new Map());
  const found =
    sets.get(labelset) ??
    json("/view/labels", { name: labelset }).then((labels) => new Map(labels.map(({ id, name }) => [id, name])));
  sets.set(labelset, found);
  return found.catch(() => {
    sets.delete(labelset);
    return new Map();
  });
}
