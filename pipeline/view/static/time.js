/** Microseconds in words and back. Times are shown in the browser's zone, links hold them in UTC. */

const SECOND_US = 1_000_000;

/** RFC 3339 with microseconds, as records have it. */
export function stamp(time_us) {
  const whole = Math.floor(time_us / SECOND_US);
  const rest = String(time_us - whole * SECOND_US).padStart(6, "0");
  return `${new Date(whole * 1000).toISOString().slice(0, 19)}.${rest}Z`;
}

/** Of RFC 3339; null where it is none. */
export function fromStamp(text) {
  const found = /^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d:\d\d)$/.exec(text ?? "");
  const whole_ms = found ? Date.parse(`${found[1].replace(" ", "T")}${found[3]}`) : NaN;
  return Number.isNaN(whole_ms) ? null : whole_ms * 1000 + Number((found[2] ?? "").padEnd(6, "0"));
}

const two = (number) => String(number).padStart(2, "0");

/** Minutes and seconds of a recording that does not know when it was taken. */
function elapsed(time_us, digits) {
  const seconds = Math.floor(time_us / SECOND_US);
  const rest = digits
    ? `.${String(Math.floor((time_us % SECOND_US) / 1000))
        .padStart(3, "0")
        .slice(0, digits)}`
    : "";
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(seconds % 60)}${rest}`;
}

/** Time of day, or time since the beginning where the clock is the container's alone. */
export function clockTime(time_us, clock, digits = 3) {
  if (clock === "media") return elapsed(time_us, digits);
  const date = new Date(time_us / 1000);
  const rest = digits ? `.${String(date.getMilliseconds()).padStart(3, "0").slice(0, digits)}` : "";
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}${rest}`;
}

/** The day in the browser's zone; empty where the clock knows of none. */
export function day(time_us, clock) {
  if (clock === "media") return "";
  const date = new Date(time_us / 1000);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** The browser's zone at a time, such as UTC or GMT+1. */
export function zone(time_us) {
  const parts = new Intl.DateTimeFormat("en", { timeZoneName: "short" }).formatToParts(time_us / 1000);
  return parts.find((part) => part.type === "timeZoneName")?.value ?? "local time";
}

/** How long, in its largest unit: 3 s, 5 min, 2 h, 4 d. */
export function span(long_us) {
  const seconds = Math.max(0, long_us / SECOND_US);
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  if (seconds < 3570) return `${Math.round(seconds / 60)} min`;
  return seconds < 84_600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}

/** A difference that may be small, with its sign: -0.04 s, +2.0 s. */
export function offset(by_us) {
  const seconds = Math.abs(by_us) / SECOND_US;
  const digits = seconds < 0.1 ? 3 : seconds < 1 ? 2 : 1;
  return `${by_us < 0 ? "\u2212" : "+"}${seconds.toFixed(digits)} s`;
}

/**
 * What somebody typed: RFC 3339, `2026-11-30 08:14`, `08:14:03.2` of the day that is shown, or `1:23` of a recording.
 *
 * @param {string} text
 * @param {string} clock  of the axis
 * @param {number} near_us  whose day is meant where none is given
 * @returns {number|null}  null where it is no time
 */
export function typed(text, clock, near_us) {
  const exact = fromStamp(text.trim());
  if (exact != null) return exact;
  const found = /^(?:(\d{4})-(\d\d?)-(\d\d?)[T ]+)?(?:(\d+):)?(\d+):(\d\d?)(?:\.(\d{1,6}))?$/.exec(text.trim());
  if (!found) return null;
  const [, year, month, date, first, second, third, part = ""] = found;
  const fraction_us = Number(part.padEnd(6, "0"));
  if (clock === "media" && !year) {
    return (Number(first ?? 0) * 3600 + Number(second) * 60 + Number(third)) * SECOND_US + fraction_us;
  }
  const then = new Date(near_us / 1000);
  if (year) then.setFullYear(Number(year), Number(month) - 1, Number(date));
  const [hours, minutes, seconds] = first == null ? [second, third, 0] : [first, second, third];
  then.setHours(Number(hours), Number(minutes), Number(seconds), 0);
  return then.getTime() * 1000 + fraction_us;
}
