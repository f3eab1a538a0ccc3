// What the public map knows: the AEDs in view, a place to start from, and what is nearest to it.

import { get, Problem } from "@shared/api.ts";
import { aedTitle } from "@shared/map/aed_title.ts";
import type { City } from "@shared/map/city.ts";
import type { Aed, Nearest, NearestProperties, Page, Place, Point } from "@shared/shapes.ts";
import { createStore } from "@shared/store.ts";

export type Filter = "all" | "always" | "now";

export interface Photo {
  id: string;
  kind: "surroundings" | "cabinet";
  width: number;
  height: number;
}

/** What older answers may lack. */
interface More {
  phone: string | null;
  cabinet: Aed["cabinet"];
  trust: "verified" | "ageing" | "suspect" | "dead";
  has_child_pads: boolean | null;
  closed_note: string | null;
  carrier: string | null;
  photos: Photo[];
}

/** The facts that everybody may know. */
export type PublicAed = Pick<
  Aed,
  | "id"
  | "name"
  | "address"
  | "floor"
  | "entrance"
  | "location_note"
  | "indoor"
  | "position"
  | "access"
  | "hours"
  | "hours_note"
  | "status"
  | "is_invented"
  | "verified_at"
  | "usable"
  | "usable_reason"
  | "usable_until"
> &
  Partial<More>;

export interface Walk {
  travelS: number;
  distanceM: number;
  estimated: boolean;
}

export interface FinderState {
  aeds: Record<string, PublicAed>;
  filter: Filter;
  cities: City[];
  /** The middle of the map: where the list begins while nobody has said where they are. */
  centre: [number, number] | null;
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
  cities: [],
  centre: null,
  origin: null,
  order: [],
  walks: {},
  selected: null,
  phase: "idle",
});

const merge = (some: Partial<FinderState>) => finder.update((state) => ({ ...state, ...some }));

const PAGE = 500;
const MOST = 2000;
/** First within half an hour on foot, then farther. */
const WITHIN_S = [1800, 7200];
const SHOWN = 30;

/** Whether an AED passes the filter. */
export function fits(aed: PublicAed, filter: Filter): boolean {
  if (filter === "always") return aed.usable_reason === "always_open" || aed.hours === "24/7";
  return filter === "all" || aed.usable === "yes";
}

/** Newer facts over older ones; what a list leaves out stays known. */
const known = (aeds: Record<string, PublicAed>, some: PublicAed[]) => ({
  ...aeds,
  ...Object.fromEntries(some.map((aed) => [aed.id, { ...aeds[aed.id], ...aed }])),
});

/** Read the AEDs of a piece of map: west, south, east, north. */
export async function readBox(box: readonly [number, number, number, number]): Promise<void> {
  merge({ centre: [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2] });
  let cursor: string | null = null;
  let read = 0;
  do {
    const query: Record<string, string | number | null> = {
      bbox: box.map((n) => n.toFixed(5)).join(),
      limit: PAGE,
      cursor,
    };
    const page: Page<PublicAed> = await get<Page<PublicAed>>("/aeds", query);
    finder.update((state) => ({ ...state, aeds: known(state.aeds, page.items) }));
    cursor = page.next_cursor;
    read += page.items.length;
  } while (cursor && read < MOST);
}

export const setCities = (cities: City[]): void => merge({ cities });
export const setFilter = (filter: Filter): void => merge({ filter });
export const looking = (): void => merge({ phase: "looking", selected: null });
export const stopLooking = (): void => merge({ phase: "idle" });

/** Show one AED, and read what lists leave out. */
export function select(selected: string | null): void {
  merge({ selected });
  if (selected) void readOne(selected);
}

async function readOne(id: string): Promise<void> {
  const aed = await get<PublicAed>(`/aeds/${id}`).catch(() => null);
  if (aed) finder.update((state) => ({ ...state, aeds: known(state.aeds, [aed]) }));
}

type Answer = Nearest<NearestProperties & Omit<PublicAed, "id" | "position">>;
let asked = 0;

/** Find the nearest usable AED from a place, and the others in order. */
export async function lookFrom(origin: NonNullable<FinderState["origin"]>): Promise<void> {
  asked += 1;
  const mine = asked;
  merge({ origin, phase: "looking", order: [], walks: {} });
  try {
    const { features } = await nearest(origin.position);
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
      phase: first ? "found" : "none",
    }));
    select(first?.id ?? null);
  } catch (error) {
    if (mine === asked && error instanceof Problem) merge({ phase: "failed" });
  }
}

async function nearest({ coordinates: [lon, lat] }: Point): Promise<Answer> {
  let answer: Answer | null = null;
  for (const within_s of WITHIN_S) {
    answer = await get<Answer>("/nearest/aeds", { lon, lat, limit: SHOWN, within_s });
    if (answer.features.some(({ properties }) => properties.usable === "yes")) return answer;
  }
  return answer as Answer;
}

function walkOf({ id, properties }: Answer["features"][number]): [string, Walk] {
  const { travel_s, distance_m, eta_source } = properties;
  return [id, { travelS: travel_s ?? 0, distanceM: distance_m, estimated: eta_source === "estimate" }];
}

/** AEDs by name or address, then places. */
export async function search(text: string, near: Point | null): Promise<Place[]> {
  const aeds = byText(Object.values(finder.get().aeds), text);
  const [lon, lat] = near?.coordinates ?? [];
  const { items } = await get<{ items: Place[] }>("/search", { q: text, lon, lat, limit: 8 });
  return [...aeds, ...items.filter((item) => item.kind !== "aed")].slice(0, 10);
}

/** PURE. The AEDs whose name or address holds every word. */
export function byText(aeds: readonly PublicAed[], text: string): (Place & { id: string })[] {
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

const LISTED = 30;

/** PURE. What the list shows: by walking time from the origin, else what lies nearest the map's middle. */
export function listed({ aeds, order, centre, filter, selected }: FinderState): PublicAed[] {
  const all = order.length ? order.map((id) => aeds[id]) : byDistance(Object.values(aeds), centre);
  return all
    .filter((aed): aed is PublicAed => aed !== undefined && aed.id !== selected && fits(aed, filter))
    .filter((aed) => aed.status !== "withdrawn")
    .slice(0, LISTED);
}

function byDistance(aeds: PublicAed[], centre: [number, number] | null): PublicAed[] {
  if (!centre) return aeds;
  const shrink = Math.cos((centre[1] * Math.PI) / 180);
  const away = ({ position: { coordinates } }: PublicAed) =>
    Math.hypot((coordinates[0] - centre[0]) * shrink, coordinates[1] - centre[1]);
  return [...aeds].sort((a, b) => away(a) - away(b));
}
