import { minutesSeconds } from "@shared/clock.ts";
import type { Words } from "@shared/words/zh.ts";

/** PURE. The time until somebody arrives; who should have been there says by how much it is late. */
export function arrivalText(seconds: number, words: Words): string {
  return Math.round(seconds) < 0 ? words.incident.overdue(minutesSeconds(-seconds)) : minutesSeconds(seconds);
}
