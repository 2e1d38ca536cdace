/** The page's side of the worker that decodes PNGs. */

/** Trusted types ask for the address of a script to be vouched for; this one is ours, and no other is. */
const policy = globalThis.trustedTypes?.createPolicy("dinostream-worker", { createScriptURL: (text) => text });
const SCRIPT = new URL("png_worker.js", import.meta.url).href;

const waiting = new Map();
let numbers = 0;
let worker = started(); // with the page, so that the first picture does not wait for it

function started() {
  const made = new Worker(policy ? policy.createScriptURL(SCRIPT) : SCRIPT, { type: "module" });
  made.addEventListener("message", ({ data: { number, map, error } }) => {
    const { resolve, reject } = waiting.get(number);
    waiting.delete(number);
    if (error) reject(new Error(error));
    else resolve(map);
  });
  made.addEventListener("error", () => {
    for (const { reject } of waiting.values()) reject(new Error("The decoder of maps could not be loaded."));
    waiting.clear();
    worker = null; // the next map tries again
  });
  return made;
}

/**
 * @param {ArrayBuffer} buffer  of a PNG; it is handed over, and empty afterwards
 * @returns {Promise<import("./contract.js").PixelMap>}
 */
export function decoded(buffer) {
  worker ??= started();
  const number = numbers++;
  return new Promise((resolve, reject) => {
    waiting.set(number, { resolve, reject });
    worker.postMessage({ number, buffer }, [buffer]);
  });
}
