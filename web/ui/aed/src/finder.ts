// What the public map knows: the AEDs in view, a place to start from, and what is nearest to it.

import { get, Problem, post } from "@shared/api.ts";
import { aedTitle } from "@shared/map/aed_title.ts";
import type { Aed, Nearest, NearestProperties, Page, Place, Point } from "@shared/shapes.ts";
import { createStore } from "@shared/store.ts";

export type Filter = "all" | "always" | "now";
/** The facts that everybody may know. */
export type PublicAed = Omit<Aed, "org" | "cabinet" | "source" | "source_ref" | "version">;

export interface Walk {
  travelS: number;
  estimated: boolean;
}

export interface FinderState {
  aeds: Record<string, PublicAed>;
  filter: Filter;
  /** Where the walk begins; null until somebody taps or shares a position. */
  origin: { position: Point; own: boolean; label?: string } | null;
  /** Ids by walking time from the origin. */
  order: string[];
  walks: Record<string, Walk>;
  selected: string | null;
  phase: "idle" | "looking" | "found" | "none" | "failed";
}

export const finder = createStore<FinderState>({
  aeds: {},
  filter: "all",
  origin: null,
  order: [],
  walks: {},
  selected: null,
  phase: "idle",
});

const merge = (some: Partial<FinderState>) => finder.update((state) => ({ ...state, ...some }));

const PAGE = 500;
const MOST = 2000;
const WITHIN_S = 1800;
const SHOWN = 30;

/** Whether an AED passes the filter. */
export function fits(aed: PublicAed, filter: Filter): boolean {
  if (filter === "always") return aed.usable_reason === "always_open" || aed.hours === "24/7";
  return filter === "all" || aed.usable === "yes";
}

const known = (aeds: Record<string, PublicAed>, some: PublicAed[]) => ({
  ...aeds,
  ...Object.fromEntries(some.map((aed) => [aed.id, aed])),
});

/** Read the AEDs of a piece of map. */
export async function readBox(box: readonly number[]): Promise<void> {
  let cursor: string | null = null;
  let read = 0;
  do {
    const query: Record<string, string | number | null> = {
      bbox: box.map((n) => n.toFixed(5)).join(),
      limit: PAGE,
      cursor,
    };
    const page: Page<Aed> = await get<Page<Aed>>("/aeds", query);
    finder.update((state) => ({ ...state, aeds: known(state.aeds, page.items) }));
    cursor = page.next_cursor;
    read += page.items.length;
  } while (cursor && read < MOST);
}

export const setFilter = (filter: Filter): void => merge({ filter });
export const select = (selected: string | null): void => merge({ selected });

type Properties = NearestProperties & Omit<PublicAed, "id" | "position">;
let asked = 0;

/** Find the nearest usable AED from a place, and the others in order. */
export async function lookFrom(origin: NonNullable<FinderState["origin"]>): Promise<void> {
  asked += 1;
  const mine = asked;
  const [lon, lat] = origin.position.coordinates;
  merge({ origin, phase: "looking", order: [], walks: {} });
  try {
    const query = { lon, lat, limit: SHOWN, within_s: WITHIN_S };
    const { features } = await get<Nearest<Properties>>("/nearest/aeds", query);
    if (mine !== asked) return;
    const found = features.map(
      ({ id, geometry, properties }) => ({ ...properties, id, position: geometry }) as PublicAed,
    );
    const first = found.find((aed) => aed.usable === "yes" && fits(aed, finder.get().filter));
    finder.update((state) => ({
      ...state,
      aeds: known(state.aeds, found),
      order: found.map((aed) => aed.id),
      walks: Object.fromEntries(features.map(walkOf)),
      selected: first?.id ?? null,
      phase: first ? "found" : "none",
    }));
  } catch (error) {
    if (mine === asked && error instanceof Problem) merge({ phase: "failed" });
  }
}

function walkOf({ id, properties }: Nearest<Properties>["features"][number]): [string, Walk] {
  const { travel_s, eta_source } = properties;
  return [id, { travelS: travel_s ?? 0, estimated: eta_source === "estimate" }];
}

/** AEDs by name or address, and places for those who are signed in. */
export async function search(
  text: string,
  near: Point | null,
): Promise<{ items: Place[]; aedsOnly: boolean }> {
  const aeds = byText(Object.values(finder.get().aeds), text);
  const [lon, lat] = near?.coordinates ?? [];
  try {
    const { items } = await get<{ items: Place[] }>("/search", { q: text, lon, lat, limit: 8 });
    return { items: [...aeds, ...items.filter((item) => item.kind !== "aed")].slice(0, 10), aedsOnly: false };
  } catch (error) {
    if (error instanceof Problem && (error.status === 401 || error.status === 403))
      return { items: aeds, aedsOnly: true };
    throw error;
  }
}

/** PURE. The AEDs whose name or address holds every word. */
export function byText(aeds: readonly PublicAed[], text: string): Place[] {
  const words = text.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  return aeds
    .filter((aed) => {
      const hay = `${aed.name} ${aed.address ?? ""} ${aed.location_note ?? ""}`.toLocaleLowerCase();
      return words.every((word) => hay.includes(word));
    })
    .slice(0, 8)
    .map((aed) => ({ text: aedTitle(aed), kind: "aed", position: aed.position, id: aed.id }));
}

/** Tell its keeper that something is wrong; throws the Problem. */
export const report = (aed: string, kind: string): Promise<unknown> => post(`/aeds/${aed}/reports`, { kind });
