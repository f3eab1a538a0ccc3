import { createStore } from "../store.ts";

/** What `/tiles/base.json` says: where the imported cities lie, whose data they are, and on what ground
 * a public page may draw. */

export interface City {
  name: string;
  title_zh: string;
  title_en: string;
  bounds: [west: number, south: number, east: number, north: number];
  centre: [lon: number, lat: number];
  attribution: string;
  time_zone: string;
  imported_at: string;
}

/** What public pages draw their marks on; pages behind the sign-in have our own base map. */
export interface Ground {
  kind: "own" | "licensed" | "none";
  /** Tile addresses of the licensed map, the lowest layer first. */
  tiles: string[];
  attribution: string;
  /** 审图号, when one was given. */
  reviewNumber: string | null;
  /** A map is shown to the public in China, and no number was given. */
  needsNumber: boolean;
}

export const OWN_GROUND: Ground = {
  kind: "own",
  tiles: [],
  attribution: "",
  reviewNumber: null,
  needsNumber: false,
};

export const publicGround = createStore<Ground>(OWN_GROUND);

interface SaidOfGround {
  public_ground?: string;
  licensed_tiles?: string[];
  licensed_attribution?: string;
  map_review_number?: string | null;
  needs_review_number?: boolean;
}

type BaseMap = { datasets: City[] } & SaidOfGround;

const KINDS = ["own", "licensed", "none"] as const;

/** PURE. What is said of the ground; a word that this page does not know means no ground. */
export const readGround = (said: SaidOfGround): Ground => ({
  kind: KINDS.find((kind) => kind === (said.public_ground ?? "own")) ?? "none",
  tiles: said.licensed_tiles ?? [],
  attribution: said.licensed_attribution ?? "",
  reviewNumber: said.map_review_number ?? null,
  needsNumber: said.needs_review_number ?? false,
});

/** The cities of the base map, the first one first; none when the server cannot be reached. */
export async function loadCities(): Promise<City[]> {
  try {
    const answer = await fetch("/tiles/base.json");
    if (!answer.ok) return [];
    const said = (await answer.json()) as BaseMap;
    publicGround.set(readGround(said));
    return said.datasets;
  } catch {
    return [];
  }
}
