/** PURE. What the page says of an AED. */

import { aedTitle } from "@shared/map/aed_title.ts";
import type { City } from "@shared/map/city.ts";
import type { Point } from "@shared/shapes.ts";
import type { Words } from "@shared/words/zh.ts";
import type { PublicAed } from "./finder.ts";

const DAY_MS = 24 * 3600 * 1000;

/** The way in, in the words of whoever entered it. */
export function whereText(aed: PublicAed, words: Words): string {
  const floor = aed.floor && /^-?\d+$/.test(aed.floor) ? words.go.floor(aed.floor) : aed.floor;
  const inside = aed.indoor === null ? null : words.aed[aed.indoor ? "indoor" : "outdoor"];
  const address = aedTitle(aed) === aed.address ? null : aed.address;
  const carrier = aed.carrier ? words.aed.carrier(aed.carrier) : null;
  return [floor ?? inside, aed.entrance, aed.location_note, address, carrier].filter(Boolean).join(" · ");
}

/** Whether it can be taken now and until when, or why not. */
export function stateText(aed: PublicAed, words: Words, now: number, zone?: string): string {
  if (aed.status === "out_of_service") return words.aed.states.out;
  const until = aed.usable_until ? whenText(aed.usable_until, { now, words, zone }) : null;
  if (aed.usable === "yes") return openText(aed, words, until);
  const reason = aed.usable_reason ?? "";
  if (aed.usable === "no" && until && reason === "closed") return words.aed.closedUntil(until);
  if (aed.usable === "no" && until && reason === "closed_temporarily") return words.aed.closedForNow(until);
  const why: Record<string, string> = { ...words.planner.why, ...words.aed.why };
  return why[reason] ?? words.domain.usable[aed.usable];
}

function openText(aed: PublicAed, words: Words, until: string | null): string {
  if (aed.usable_reason === "always_open") return words.aed.usableAlways;
  return until ? words.aed.usableUntil(until) : words.aed.usableNow;
}

interface Here {
  now: number;
  words: Words;
  zone: string | undefined;
}

/** The hour at the place, with the day when it is not today. */
export function whenText(time: string, { now, words, zone }: Here): string {
  const at = Date.parse(time);
  const clock = new Date(at).toLocaleTimeString("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    timeZone: zone,
  });
  const day = dayOf(at, zone);
  if (day === dayOf(now, zone)) return clock;
  if (at - now > 6 * DAY_MS) return `${day} ${clock}`;
  const name = new Date(at).toLocaleDateString("en-GB", { weekday: "short", timeZone: zone }).slice(0, 2);
  return `${words.aed.days[name as keyof Words["aed"]["days"]]} ${clock}`;
}

/** 2026-11-22 */
const dayOf = (at: number, zone: string | undefined): string =>
  new Date(at).toLocaleDateString("sv-SE", { timeZone: zone });

/** The time zone of the smallest city around a place; without one the device's. */
export function zoneAt(cities: readonly City[], { coordinates: [lon, lat] }: Point): string | undefined {
  const size = ({ bounds: [west, south, east, north] }: City) => (east - west) * (north - south);
  return cities
    .filter(
      ({ bounds: [west, south, east, north] }) => west <= lon && lon <= east && south <= lat && lat <= north,
    )
    .sort((a, b) => size(a) - size(b))[0]?.time_zone;
}

/** Opening hours with the names of the days as people know them. */
export function hoursText(hours: string, words: Words): string {
  const days: Record<string, string> = { ...words.aed.days, PH: words.aed.holidays };
  return hours
    .replace(/\b(Mo|Tu|We|Th|Fr|Sa|Su|PH)\b/g, (day) => days[day] ?? day)
    .replace("24/7", words.planner.why.always_open);
}

/** When somebody looked last. */
export function checkedText(aed: PublicAed, words: Words, tag: string): string {
  if (!aed.verified_at) return words.aed.notChecked;
  const options = { month: "short", day: "numeric", year: "numeric" } as const;
  return words.aed.checked(new Date(aed.verified_at).toLocaleDateString(tag, options));
}

/** A number that a phone can dial. */
export const dialled = (phone: string): string => phone.split(";")[0]?.replace(/[^0-9+*#]/g, "") ?? "";

/** Whole minutes on foot, never none. */
export const minutes = (seconds: number): number => Math.max(1, Math.ceil(seconds / 60));
