import { hourMinute, serverNow } from "@shared/clock.ts";
import type { Words } from "@shared/words/zh.ts";

const DAY_MS = 86_400_000;

/** PURE. How many midnights lie between now and a time, on this phone's calendar. */
export function daysAway(time: string, now: number): number {
  const midnight = (at: Date) => new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();
  return Math.round((midnight(new Date(time)) - midnight(new Date(now))) / DAY_MS);
}

/** A time of today, tomorrow, yesterday or another day, as short as it can be said. */
export function dayTime(time: string, words: Words): string {
  const away = daysAway(time, serverNow());
  if (away === 0) return words.care.channel.today(hourMinute(time));
  if (away === 1) return words.care.channel.tomorrow(hourMinute(time));
  if (away === -1) return words.care.channel.yesterday;
  const at = new Date(time);
  return words.care.channel.date(at.getMonth() + 1, at.getDate());
}
