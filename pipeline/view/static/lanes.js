/**
 * A stretch of time drawn on a canvas: where there are frames, where not, and what happened, one lane per kind.
 *
 * @typedef {import("./contract.js").Timeline} Timeline
 * @typedef {import("./contract.js").Item} Item
 * @typedef {{from_us: number, to_us: number}} Span
 * @typedef {{context: CanvasRenderingContext2D, left: number, width: number, view: Span, look: Record<string, string>}} Sheet  CSS pixels
 */

import { inkOn } from "./boxes.js";
import { clockTime, day } from "./time.js";

export const RULER = 20; // heights, CSS pixels
const COVER = 10;
const LANE = 22;
const NICE_S = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 604_800,
];
const POINT = 3;

/** How tall lanes are together. */
export function tall(lanes) {
  return RULER + COVER + 6 + LANE * lanes.length;
}

/** Where a lane begins. */
function topOf(number) {
  return RULER + COVER + 6 + LANE * number;
}

/** Where a time lies on the sheet. @param {Sheet} sheet */
export function across({ left, width, view }, time_us) {
  return left + (width * (time_us - view.from_us)) / (view.to_us - view.from_us);
}

/** @param {Sheet} sheet  @param {Timeline} timeline  @param {(label: string) => import("./contract.js").Rgb|undefined} colourOf */
export function drawLanes(sheet, timeline, colourOf, clock) {
  ruler(sheet, clock);
  cover(sheet, timeline);
  timeline.lanes.forEach((lane, number) => {
    const top = topOf(number);
    name(sheet, lane.name, top);
    inside(sheet, () => {
      lane.items.forEach((item, at) =>
        drawItem(sheet, item, lane, top, colourOf(item.label), lane.items[at + 1]?.from_us),
      );
    });
  });
}

function inside({ context, left, width }, draw) {
  context.save();
  context.beginPath();
  context.rect(left, 0, width, context.canvas.height);
  context.clip();
  draw();
  context.restore();
}

function ruler(sheet, clock) {
  const { context, left, width, view, look } = sheet;
  const span_s = (view.to_us - view.from_us) / 1e6;
  const step_s = NICE_S.find((step) => (step / span_s) * width >= 84) ?? NICE_S[NICE_S.length - 1];
  const zone_us = clock === "media" ? 0 : new Date(view.from_us / 1000).getTimezoneOffset() * 60e6;
  const first_us = Math.ceil((view.from_us - zone_us) / (step_s * 1e6)) * step_s * 1e6 + zone_us;
  context.fillStyle = look.quiet;
  context.textBaseline = "middle";
  for (let time_us = first_us; time_us <= view.to_us; time_us += step_s * 1e6) {
    const x = across(sheet, time_us);
    context.fillRect(Math.round(x), RULER - 5, 1, 5);
    const text = step_s >= 86_400 ? day(time_us, clock) : clockTime(time_us, clock, step_s < 1 ? 1 : 0);
    const half = context.measureText(text).width / 2;
    if (x - half >= 0 && x + half <= left + width) context.fillText(text, x - half, RULER / 2 - 2);
  }
}

/** A bar where there are frames; hatched where the source is known to have been away. */
function cover(sheet, { covered, gaps }) {
  const { context, look } = sheet;
  name(sheet, "frames", RULER - (LANE - COVER) / 2);
  inside(sheet, () => {
    context.fillStyle = look.quiet;
    for (const [from_us, to_us] of covered) {
      const x = across(sheet, from_us);
      context.fillRect(x, RULER, Math.max(1, across(sheet, to_us) - x), COVER);
    }
    context.strokeStyle = look.bad;
    context.lineWidth = 1;
    for (const gap of gaps) hatch(sheet, across(sheet, gap.from_us), across(sheet, gap.to_us));
  });
}

function hatch({ context, left, width }, from, to) {
  const [begin, end] = [Math.max(from, left), Math.min(Math.max(to, from + 2), left + width)];
  if (end <= begin) return;
  context.save();
  context.beginPath();
  context.rect(begin, RULER, end - begin, COVER);
  context.clip();
  context.beginPath();
  for (let x = begin - COVER; x < end; x += 5) {
    context.moveTo(x, RULER + COVER);
    context.lineTo(x + COVER, RULER);
  }
  context.stroke();
  context.strokeRect(begin + 0.5, RULER + 0.5, Math.max(1, end - begin - 1), COVER - 1);
  context.restore();
}

function name({ context, left, look }, text, top) {
  context.fillStyle = look.quiet;
  context.textBaseline = "middle";
  context.fillText(text, 0, top + LANE / 2, left - 8);
}

/** One mark. Windows overlap: each is drawn up to where the next one begins, so that all can be read. */
function drawItem(sheet, item, lane, top, rgb, next_us = Infinity) {
  const { context, left, width, look } = sheet;
  const end_us = Math.min(item.to_us, Math.max(next_us, item.from_us));
  const [from, to] = [across(sheet, item.from_us), across(sheet, end_us)];
  if (to < left - POINT || from > left + width + POINT) return;
  const wide = Math.max(POINT, to - from);
  const known = { events: look.accent, drops: look.wait, "dead letters": look.bad }[lane.name];
  context.fillStyle = known ?? (rgb ? `rgb(${rgb})` : look.quiet);
  context.fillRect(from, top + 3, wide > POINT + 1 ? wide - 1 : wide, LANE - 6);
  const text = item.count > 1 ? `${item.label} \u00d7${item.count}` : item.label;
  const begin = Math.max(from, left) + 4; // a long one says what it is wherever it is looked at
  if (context.measureText(text).width > from + wide - begin - 4) return;
  context.fillStyle = known ? look.paper : rgb ? inkOn(rgb) : look.paper;
  context.textBaseline = "middle";
  context.fillText(text, begin, top + LANE / 2 + 0.5);
}

/** The time that is shown. @param {Sheet} sheet */
export function drawPlayhead(sheet, time_us, height) {
  const x = Math.round(across(sheet, time_us));
  if (x < sheet.left - 1 || x > sheet.left + sheet.width + 1) return;
  const { context, look } = sheet;
  context.fillStyle = look.ink;
  context.fillRect(x - 1, 6, 2, height - 6);
  context.beginPath();
  context.moveTo(x - 6, 2);
  context.lineTo(x + 6, 2);
  context.lineTo(x, 11);
  context.fill();
}

/** What lies under a place: the shortest item there, for it may lie over a long one. @returns {Item|null} */
export function itemAt(sheet, timeline, x, y) {
  const lane = timeline.lanes.find((_, number) => y >= topOf(number) && y < topOf(number) + LANE);
  const near = (item) => x >= across(sheet, item.from_us) - POINT && x <= across(sheet, item.to_us) + POINT;
  const found = (lane?.items ?? []).filter(near);
  return found.sort((one, other) => one.to_us - one.from_us - (other.to_us - other.from_us))[0] ?? null;
}
