// PURE. The AEDs that this person took and has to bring back, also while the server cannot be asked.

import type { CarriedAed, Mission } from "@shared/shapes.ts";
import type { Entry } from "./outbox.ts";

export interface Carried {
  aed: CarriedAed;
  takenAt: string;
}

/** What `/me/aed-uses` answers. */
export interface OwnUses {
  items: { id: string; taken_at: string; aed: CarriedAed }[];
}

export const fromServer = ({ items }: OwnUses): Carried[] =>
  items.map(({ aed, taken_at }) => ({ aed, takenAt: taken_at }));

/** A mission has ended: what was collected on it has to go back. In an exercise nothing was taken. */
export function withMission(carried: readonly Carried[], mission: Mission): Carried[] {
  const { aed, times, incident } = mission;
  const takenAt = times.aed_collected_at;
  if (!aed || !takenAt || incident.exercise || carried.some((one) => one.aed.id === aed.id))
    return [...carried];
  const { id, name, address, floor, position, access_note } = aed;
  const place = { id, name, address, floor, position, entrance: null, location_note: access_note };
  return [{ aed: place, takenAt }, ...carried];
}

/** Where a return waits in the outbox; which use it ends is found when it is sent. */
export const returnPath = (aed: string): string => `/aeds/${aed}/uses/return`;

/** Which AED an entry of the outbox brings back, if any. */
export const returnedBy = (entry: Entry): string | null =>
  /^\/aeds\/([^/]+)\/uses\/return$/.exec(entry.path)?.[1] ?? null;

/** What is still to be brought back, as the owner of the phone sees it. */
export function toReturn(carried: readonly Carried[], waiting: readonly Entry[]): Carried[] {
  const back = new Set(waiting.map(returnedBy));
  return carried.filter(({ aed }) => !back.has(aed.id));
}

/** The use that ends when this AED is back; null when the server knows of none. */
export const useOf = ({ items }: OwnUses, aed: string): string | null =>
  items.find((item) => item.aed.id === aed)?.id ?? null;
