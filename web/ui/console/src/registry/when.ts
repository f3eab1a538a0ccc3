/** PURE. Days and times as a registry shows them: the day counts more than the minute. */

const two = (n: number) => String(n).padStart(2, "0");

/** 11-22 08:30; with the year when it is another one. */
export function dayMinute(time: string | null | undefined, now: number = Date.now()): string {
  if (!time) return "";
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return "";
  const day = `${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const year = at.getFullYear() === new Date(now).getFullYear() ? "" : `${at.getFullYear()}-`;
  return `${year}${day} ${two(at.getHours())}:${two(at.getMinutes())}`;
}
