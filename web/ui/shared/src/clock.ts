import { useEffect, useState } from "preact/hooks";

// Difference between the server's clock and this device's; every age and countdown uses it.
let offsetMs = 0;

/** Learn the server's time from a message that has just arrived. */
export function learnServerTime(serverTime: string): void {
  const heard = Date.parse(serverTime);
  if (Number.isNaN(heard)) return;
  const offset = heard - Date.now();
  // A small change is only the network's delay; keep the clock from jittering.
  if (Math.abs(offset - offsetMs) > 250) offsetMs = offset;
}

/** Milliseconds since 1970 by the server's clock. */
export const serverNow = (): number => Date.now() + offsetMs;

/** Render again at every full second of the server's clock. */
export function useNow(everyMs = 1000): number {
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    let timer = 0;
    const tick = () => {
      const current = serverNow();
      setNow(current);
      timer = window.setTimeout(tick, everyMs - (current % everyMs) + 2);
    };
    tick();
    return () => window.clearTimeout(timer);
  }, [everyMs]);
  return now;
}

/** Seconds from an RFC 3339 time to `now`; null when there is no time. */
export function secondsSince(time: string | null | undefined, now: number): number | null {
  if (!time) return null;
  const at = Date.parse(time);
  return Number.isNaN(at) ? null : Math.floor((now - at) / 1000);
}

const two = (n: number) => String(n).padStart(2, "0");

/** Running clock: mm:ss, from one hour h:mm:ss. */
export function running(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const h = Math.floor(s / 3600);
  const rest = `${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  return h > 0 ? `${h}:${rest}` : rest;
}

/** Expected time: m:ss. */
export function minutesSeconds(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  return `${Math.floor(s / 60)}:${two(s % 60)}`;
}

/** HH:mm:ss of this place, 24-hour. */
export function timeOfDay(time: string | number | null | undefined): string {
  if (time === null || time === undefined) return "--:--:--";
  const at = new Date(time);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

export const hourMinute = (time: string | number): string => timeOfDay(time).slice(0, 5);
