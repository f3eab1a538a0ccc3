/** PURE. What sources said of an incident: where they differ, and how a value reads. */

import { minutesSeconds } from "@shared/clock.ts";
import type { Incident, IncidentValue, Point, ValueField } from "@shared/shapes.ts";
import type { Words } from "@shared/words/zh.ts";

export const FIELDS: readonly ValueField[] = [
  "address",
  "floor",
  "entrance",
  "caller_phone",
  "patients",
  "position",
];

export interface Differing {
  field: ValueField;
  values: IncidentValue[];
  /** Something was said since one was chosen. */
  isOpen: boolean;
}

/** Begins the id of what the incident carries where no source was chosen: it is believed already. */
export const PRESENT = "present ";

/** What the incident carries, as one more saying: a merged call's words stand alone in the record. */
function present(field: ValueField, incident: Incident): IncidentValue[] {
  const value = incident[field];
  if (value === null || value === undefined) return [];
  const { created_at: at } = incident;
  return [
    {
      ...{ id: PRESENT + field, field, value, source: "caller", told_by: null },
      ...{ at, is_chosen: true, chosen_at: at, withdrawn_at: null },
    },
  ];
}

/** The fields of which more than one thing was said, in the order of the card. */
export function differing(values: readonly IncidentValue[], incident: Incident): Differing[] {
  return FIELDS.flatMap((field) => {
    const told = values.filter((value) => value.field === field && value.withdrawn_at === null);
    const isChosen = told.some(({ is_chosen }) => is_chosen);
    const said = isChosen || told.length === 0 ? told : [...present(field, incident), ...told];
    const distinct = new Set(said.map(({ value }) => JSON.stringify(value)));
    if (distinct.size < 2) return [];
    const chosen = said.find(({ is_chosen }) => is_chosen);
    const newest = Math.max(...said.map(({ at }) => Date.parse(at)));
    const chosenAt = chosen ? Date.parse(chosen.chosen_at ?? chosen.at) : 0;
    return [{ field, values: said, isOpen: newest > chosenAt }];
  });
}

/** Names the last thing said of a field, so that one look at it is enough. */
export const lastOf = ({ field, values }: Differing): string => `${field} ${values.at(-1)?.id ?? ""}`;

/** A value in words; a place by its distance from the one in use. */
export function valueText(value: IncidentValue, incident: Incident, words: Words): string {
  const own = words.incidentLife.value;
  if (typeof value.value === "number") return own.patients(value.value);
  if (typeof value.value === "string") return value.value;
  const metres = distance(value.value, incident.position);
  return metres < 1 ? own.here : own.away(words.parts.metres(metres));
}

function distance(a: Point, b: Point): number {
  const [[lon1, lat1], [lon2, lat2]] = [a.coordinates, b.coordinates];
  return Math.hypot((lon2 - lon1) * Math.cos((lat1 * Math.PI) / 180), lat2 - lat1) * 111_195;
}

/** Seconds as minutes, or a dash for what did not happen. */
export const spanText = (seconds: number | null | undefined): string =>
  seconds === null || seconds === undefined ? "–" : minutesSeconds(seconds);
