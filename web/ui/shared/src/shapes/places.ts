/** AEDs, places, ways, coverage; and the envelope of lists and refusals. */

import type { EtaSource, Point, Usable } from "./words.ts";

export interface Aed {
  id: string;
  org: string | null;
  name: string;
  address: string | null;
  floor: string | null;
  entrance: string | null;
  location_note: string | null;
  indoor: boolean | null;
  position: Point;
  access: "public" | "staff" | "members" | "private" | "unknown";
  hours: string | null;
  hours_note: string | null;
  cabinet: "none" | "alarmed" | "code" | "key" | "unknown";
  status: "in_service" | "out_of_service" | "withdrawn";
  source: string | null;
  source_ref: string | null;
  is_invented: boolean;
  verified_at: string | null;
  usable: Usable;
  usable_reason: string | null;
  usable_until: string | null;
  version: number;
}

export interface Place {
  text: string;
  kind: string;
  position: Point;
}

export interface RouteAnswer {
  line: GeoJSON.LineString;
  legs: GeoJSON.LineString[];
  travel_s: number;
  distance_m: number;
  source: EtaSource;
}

export interface Nearest<P> {
  type: "FeatureCollection";
  crs: string;
  features: { type: "Feature"; id: string; geometry: Point; properties: P }[];
}

export interface NearestProperties {
  name: string;
  travel_s: number | null;
  distance_m: number;
  eta_source: EtaSource;
  usable?: Usable;
  usable_reason?: string | null;
  usable_until?: string | null;
  available?: number;
  unit?: string;
  [extra: string]: unknown;
}

export interface Coverage {
  at: string;
  within_s: number;
  share: number | null;
  demand?: string;
  buildings: number;
  covered: number;
  hexagons: GeoJSON.FeatureCollection<
    GeoJSON.Polygon,
    { cell: string; buildings: number; covered: number; share: number }
  >;
  week?: number[] | null;
  aeds_used: number;
  aeds_known: number;
  time_zone?: string;
  attribution?: string;
  generated_at: string;
}

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export interface ProblemBody {
  type?: string;
  title: string;
  status: number;
  code: string;
  detail?: string | null;
  what_to_do?: string | null;
  errors?: { field: string; message: string }[];
  state?: Record<string, unknown>;
}
