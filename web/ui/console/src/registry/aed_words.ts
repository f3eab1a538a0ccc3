/** PURE. What a row says of an AED, and the parts of its record. */

import { type AedState, aedState } from "@shared/map/aed_state.ts";
import type { OwnAed } from "@shared/shapes.ts";
import { type Words, wordFor } from "@shared/words/zh.ts";
import type { FieldSpec } from "./field_values.ts";
import { dayMinute } from "./when.ts";

const DAY_MS = 86_400_000;
const SOON_DAYS = 7;

export const drawnState = (aed: OwnAed, now: number): AedState =>
  aed.status === "withdrawn" ? "closed" : aedState(aed, now);

/** Whole days until a day or an instant; negative when it is over. */
export function daysUntil(when: string | null | undefined, now: number): number | null {
  if (!when) return null;
  const isDay = when.length === 10;
  const at = Date.parse(isDay ? `${when}T00:00:00` : when);
  if (Number.isNaN(at)) return null;
  const today = new Date(now);
  today.setHours(0, 0, 0, 0);
  const day = new Date(at);
  day.setHours(0, 0, 0, 0);
  return Math.round((day.getTime() - today.getTime()) / DAY_MS);
}

export function usableText(aed: OwnAed, words: Words): string {
  const { usable, reason, status } = { ...words.registry, usable: words.registry.aed.usable };
  if (aed.status !== "in_service") return status[aed.status];
  const why = wordFor(reason, aed.usable_reason);
  return why ? `${usable[aed.usable]} · ${why}` : usable[aed.usable];
}

/** When the next check is due, if that is worth a word; `isLate` once it is over. */
export function dueText(aed: OwnAed, words: Words, now: number): { text: string; isLate: boolean } | null {
  const days = daysUntil(aed.check_due_at, now);
  if (days === null || aed.status === "withdrawn") return null;
  if (days < 0) return { text: words.registry.aed.overdue(-days), isLate: true };
  if (days > SOON_DAYS) return null;
  return { text: words.registry.aed.dueOn((aed.check_due_at ?? "").slice(0, 10)), isLate: false };
}

/** The first word of a reason such as "checked: ok" names what happened. */
export function reasonText(reason: string, words: Words): string {
  const head = reason.split(/[:\s]/)[0] ?? "";
  if (reason.includes("osm")) return words.registry.aed.historyReason.osm ?? reason;
  return wordFor(words.registry.aed.historyReason, head);
}

const text = (name: string, wide = false): FieldSpec => ({ name, kind: "text", wide });
const day = (name: string): FieldSpec => ({ name, kind: "day" });
const number = (name: string): FieldSpec => ({ name, kind: "number" });
const yesno = (name: string): FieldSpec => ({ name, kind: "yesno" });
const choice = (name: string, options: readonly string[], canBeEmpty = false): FieldSpec => ({
  ...{ name, kind: "choice", options, canBeEmpty },
});

export const CRS = ["wgs84", "gcj02", "bd09"] as const;

/** Everything that can be said of an AED, but its position. */
export const AED_FIELDS: readonly FieldSpec[] = [
  { name: "name", kind: "text", required: true, wide: true },
  text("address", true),
  text("floor"),
  text("entrance"),
  { name: "location_note", kind: "area" },
  yesno("indoor"),
  { name: "phone", kind: "phone" },
  number("accuracy_m"),
  choice("position_method", ["survey", "gps", "map", "geocode", "import", "carrier"], true),
  choice("access", ["public", "staff", "members", "private", "unknown"]),
  text("hours", true),
  { name: "hours_note", kind: "area" },
  { name: "closed_from", kind: "time" },
  { name: "closed_until", kind: "time" },
  text("closed_note", true),
  choice("cabinet", ["none", "alarmed", "code", "key", "unknown"]),
  choice("status", ["in_service", "out_of_service"]),
  text("brand"),
  text("model"),
  text("serial"),
  day("installed_on"),
  day("pads_expire_on"),
  day("battery_expires_on"),
  yesno("has_child_pads"),
  day("child_pads_expire_on"),
  choice("acquired", ["purchase", "donation", "lease"], true),
  text("donor"),
  text("carrier"),
  number("check_every_days"),
  { name: "verified_at", kind: "time" },
];

type Group = keyof Words["registry"]["aed"]["groups"];

export const AED_GROUPS: readonly [Group, readonly string[]][] = [
  [
    "place",
    [
      "name",
      "address",
      "floor",
      "entrance",
      "location_note",
      "indoor",
      "phone",
      "accuracy_m",
      "position_method",
    ],
  ],
  ["access", ["access", "cabinet", "hours", "hours_note"]],
  ["closure", ["closed_from", "closed_until", "closed_note"]],
  [
    "device",
    [
      ...["status", "verified_at", "brand", "model", "serial", "installed_on", "pads_expire_on"],
      ...["battery_expires_on", "has_child_pads", "child_pads_expire_on"],
    ],
  ],
  ["origin", ["acquired", "donor", "carrier", "check_every_days"]],
];

export const EMPTY_AED = { access: "unknown", cabinet: "unknown", status: "in_service" } as const;

/** The word for a choice in a field of the record. */
export function choiceWord(field: string, option: string, words: Words["registry"]): string {
  const tables: Record<string, Readonly<Record<string, string>>> = {
    access: words.aed.access,
    cabinet: words.aed.cabinet,
    status: words.status,
    acquired: words.aed.acquired,
    position_method: words.aed.method,
    crs: words.list.crsNames,
    result: words.aed.checkResults,
  };
  return wordFor(tables[field] ?? {}, option);
}

/** A value in the history, in words. */
export function valueText(field: string, value: unknown, words: Words["registry"]): string {
  if (value === null || value === undefined || value === "") return words.empty;
  if (typeof value === "boolean") return value ? words.yes : words.no;
  if (typeof value === "object") return placeOf(value, words) ?? JSON.stringify(value);
  const said = choiceWord(field, String(value), words);
  return /^\d{4}-\d\d-\d\dT/.test(said) ? dayMinute(said) : said;
}

function placeOf(value: object, words: Words["registry"]): string | null {
  const { coordinates } = value as { coordinates?: unknown };
  if (!Array.isArray(coordinates)) return null;
  return words.point(Number(coordinates[1]).toFixed(5), Number(coordinates[0]).toFixed(5));
}
