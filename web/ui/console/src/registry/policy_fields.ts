/** PURE. The numbers of a policy that an office changes, in groups, and what of them differs from the shipped one. */

import type { ShippedPolicy } from "@shared/shapes.ts";
import type { FieldSpec } from "./field_values.ts";

export const GROUPS = {
  who: ["wave_size", "live_most", "alerts_cap", "price", "reach_s", "radius_m", "stop_total", "stop_aed"],
  when: ["stop_after_s", "wave_wait_s", "alert_expires_s", "delivery_wait_s", "no_movement_after_s"],
  clock: ["collapse_s", "ambulance_s", "setup_s", "model"],
  people: [
    "accept_prior",
    "accept_weight",
    "reply_median_s",
    "mobilise_s",
    "aed_pickup_s",
    "aed_people_factor",
  ],
  care: [
    "alert_budget_day",
    "budget_exempt",
    "rest_after_h",
    "survey_after_s",
    "youngest",
    "live_for_s",
    "last_for_s",
    "accuracy_most_m",
  ],
} as const;

export type GroupName = keyof typeof GROUPS;

const MODELS = ["valenzuela1997", "waalewijn2001", "demaio2003", "larsen1993", "lexicographic"];

const specOf = (name: string): FieldSpec =>
  name === "model" ? { name, kind: "choice", options: MODELS } : { name, kind: "number" };

const NUMBERS: readonly FieldSpec[] = Object.values(GROUPS).flat().map(specOf);

/** What a draft says besides its numbers. */
export const ABOUT: readonly FieldSpec[] = [
  { name: "name", kind: "text", required: true, wide: true },
  { name: "note", kind: "area", wide: true },
];

export const POLICY_FIELDS: readonly FieldSpec[] = [...ABOUT, ...NUMBERS];

/** Shown as JSON below: what has no field of its own. */
export function restOf(document: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const shown = new Set([...NUMBERS.map(({ name }) => name), "name", "version", "chooser"]);
  return Object.fromEntries(Object.entries(document).filter(([name]) => !shown.has(name)));
}

/** The fields of a document that are not as in the shipped policy with the same way of choosing. */
export function differences(
  document: Readonly<Record<string, unknown>>,
  shipped: readonly ShippedPolicy[],
): { base: ShippedPolicy | null; fields: string[] } {
  const alike = shipped.filter(({ chooser }) => chooser === document.chooser);
  const counted = alike.map((base) => ({ base, fields: changedFrom(document, base.document) }));
  counted.sort((a, b) => a.fields.length - b.fields.length);
  return counted[0] ?? { base: null, fields: [] };
}

function changedFrom(
  document: Readonly<Record<string, unknown>>,
  base: Readonly<Record<string, unknown>>,
): string[] {
  const names = Object.keys(base).filter((name) => name !== "name" && name !== "version");
  return names.filter((name) => canonical(document[name]) !== canonical(base[name]));
}

/** The order of an object's names says nothing: the database has its own. */
function canonical(value: unknown): string {
  const sorted = (_name: string, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner;
  return JSON.stringify(value, sorted) ?? "";
}

/** The next name for a draft: a shipped policy keeps its own. */
export const draftName = (base: string): string => `our-${base}`.slice(0, 60);
