// PURE. Hours of the week: 0 is Monday 00:00 of the city, 167 the last of Sunday.

export const HOURS = 168;
const HOUR_MS = 3_600_000;

/** Which hour of the week that began at `weekBegins` a time lies in. */
export function hourOf(time: string | number, weekBegins: string): number {
  const passed = (new Date(time).getTime() - Date.parse(weekBegins)) / HOUR_MS;
  return Math.min(HOURS - 1, Math.max(0, Math.floor(passed)));
}

/** The moment at which an hour of the week begins, as the server wants it. */
export const momentOf = (hour: number, weekBegins: string): string =>
  new Date(Date.parse(weekBegins) + hour * HOUR_MS).toISOString();

export type Part = "weekday_day" | "weekday_night" | "weekend_day" | "weekend_night";
export const PARTS: Part[] = ["weekday_day", "weekday_night", "weekend_day", "weekend_night"];

/** Day is 08:00 to 20:00. */
function partOf(hour: number): Part {
  const day = hour % 24 >= 8 && hour % 24 < 20;
  const weekend = Math.floor(hour / 24) >= 5;
  if (weekend) return day ? "weekend_day" : "weekend_night";
  return day ? "weekday_day" : "weekday_night";
}

/** The mean share in each part of the week. */
export function meanByPart(week: readonly number[]): Record<Part, number> {
  const mean = (part: Part) => {
    const shares = week.filter((_, hour) => partOf(hour) === part);
    return shares.length === 0 ? 0 : shares.reduce((sum, share) => sum + share, 0) / shares.length;
  };
  return {
    weekday_day: mean("weekday_day"),
    weekday_night: mean("weekday_night"),
    weekend_day: mean("weekend_day"),
    weekend_night: mean("weekend_night"),
  };
}

/** The hour with the lowest share, the first of equals. */
export const worstHour = (week: readonly number[]): number =>
  week.reduce((worst, share, hour) => (share < (week[worst] ?? 1) ? hour : worst), 0);

/** Fraction 0–1 as a percentage with one digit, never rounded up to a full hundred. */
export function percent(share: number): string {
  const tenths = Math.round(share * 1000) / 10;
  return (share < 1 && tenths >= 100 ? 99.9 : tenths).toFixed(1);
}

/** A count with its thousands apart, by a space that does not break. */
export const count = (n: number): string => Math.round(n).toLocaleString("en-US").replaceAll(",", "\u00a0");
