/**
 * PNGs as the data that they are: all 16 bits of depth, class ids instead of colours, which no browser gives.
 *
 * What our records may hold is read: grey, RGB and palettes, 1 to 16 bits, all filters. Interlaced ones are not.
 *
 * @typedef {import("./contract.js").PixelMap} PixelMap
 * @typedef {{width: number, height: number, bits: number, channels: 1|3}} Shape
 */

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const MOST_PIXELS = 1 << 24; // 4096 by 4096: a map that says more is not believed, whatever it weighs
const CHANNELS = { 0: 1, 2: 3, 3: 1 }; // by colour type: grey, RGB, palette
const BITS = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8] };

/**
 * @param {ArrayBuffer} buffer
 * @returns {Promise<PixelMap>}
 * @throws {Error} in words, where it is no PNG that can be read
 */
export async function decode(buffer) {
  const { shape, packed } = unwrapped(new Uint8Array(buffer), new DataView(buffer));
  const rowBytes = Math.ceil((shape.width * shape.channels * shape.bits) / 8);
  const rows = await inflated(packed, (rowBytes + 1) * shape.height);
  const raw = unfiltered(rows, shape.height, rowBytes, Math.max(1, (shape.channels * shape.bits) / 8));
  return { width: shape.width, height: shape.height, channels: shape.channels, values: samples(raw, shape, rowBytes) };
}

function unwrapped(data, view) {
  if (data.length < 33 || SIGNATURE.some((byte, at) => data[at] !== byte)) throw new Error("This is no PNG.");
  const packed = [];
  let shape = null;
  for (let at = 8; at + 12 <= data.length;) {
    const size = view.getUint32(at);
    const type = String.fromCharCode(...data.subarray(at + 4, at + 8));
    const body = data.subarray(at + 8, at + 8 + size);
    if (body.length < size || type === "IEND") break;
    if (type === "IHDR") shape = shaped(view, at + 8);
    if (type === "IDAT") packed.push(body);
    at += size + 12;
  }
  if (!shape || !packed.length) throw new Error("The PNG has no picture.");
  return { shape, packed };
}

/** @returns {Shape} */
function shaped(view, at) {
  const [width, height] = [view.getUint32(at), view.getUint32(at + 4)];
  const [bits, type, interlaced] = [view.getUint8(at + 8), view.getUint8(at + 9), view.getUint8(at + 12)];
  if (!BITS[type]?.includes(bits))
    throw new Error(`The PNG has colour type ${type} with ${bits} bits, which no record has.`);
  if (interlaced) throw new Error("The PNG is interlaced, which no record is.");
  if (!width || !height || width * height > MOST_PIXELS) throw new Error(`The PNG says it is ${width}x${height}.`);
  return { width, height, bits, channels: CHANNELS[type] };
}

/** Exactly as many bytes as the size asks for: one that swells is left at once. */
async function inflated(packed, size) {
  const reader = new Blob(packed).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  const rows = new Uint8Array(size);
  let filled = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (filled + part.value.length > size) {
      await reader.cancel();
      throw new Error("The PNG holds more than its size says.");
    }
    rows.set(part.value, filled);
    filled += part.value.length;
  }
  if (filled < size) throw new Error("The PNG breaks off.");
  return rows;
}

/** Rows without their filters: each byte was kept as its difference from left, above, or both. */
function unfiltered(rows, height, rowBytes, step) {
  const raw = new Uint8Array(rowBytes * height);
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (rowBytes + 1)];
    if (filter > 4) throw new Error(`The PNG has a filter ${filter}, which there is not.`);
    const from = y * (rowBytes + 1) + 1;
    const to = y * rowBytes;
    for (let x = 0; x < rowBytes; x++) {
      const left = x >= step ? raw[to + x - step] : 0;
      const above = y ? raw[to + x - rowBytes] : 0;
      const corner = y && x >= step ? raw[to + x - rowBytes - step] : 0;
      raw[to + x] = rows[from + x] + guess(filter, left, above, corner);
    }
  }
  return raw;
}

function guess(filter, left, above, corner) {
  if (filter === 0) return 0;
  if (filter === 1) return left;
  if (filter === 2) return above;
  if (filter === 3) return (left + above) >> 1;
  const estimate = left + above - corner;
  const [byLeft, byAbove, byCorner] = [estimate - left, estimate - above, estimate - corner].map(Math.abs);
  if (byLeft <= byAbove && byLeft <= byCorner) return left;
  return byAbove <= byCorner ? above : corner;
}

/** Bytes to numbers: two of them are one of 16 bits, and one may hold up to eight, the first in its highest bits. */
function samples(raw, { width, height, bits, channels }, rowBytes) {
  if (bits === 8) return raw;
  const row = width * channels;
  const values = bits === 16 ? new Uint16Array(row * height) : new Uint8Array(row * height);
  for (let at = 0; at < values.length; at++) {
    const x = at % row;
    const start = ((at - x) / row) * rowBytes;
    if (bits === 16) values[at] = (raw[start + 2 * x] << 8) | raw[start + 2 * x + 1];
    else values[at] = (raw[start + ((x * bits) >> 3)] >> (8 - bits - ((x * bits) & 7))) & ((1 << bits) - 1);
  }
  return values;
}
