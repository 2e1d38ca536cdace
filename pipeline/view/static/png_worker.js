/** PNGs are decoded here, beside the page, so that a large one does not hold up what is drawn. */

import { decode } from "./png.js";

self.addEventListener("message", async ({ data: { number, buffer } }) => {
  try {
    const map = await decode(buffer);
    self.postMessage({ number, map }, { transfer: [map.values.buffer] });
  } catch (error) {
    self.postMessage({ number, error: error.message });
  }
});
