import type { Freshness } from "../parts/controls.tsx";
import type { Point, Severity } from "../shapes.ts";
import type { AedState } from "./aed_state.ts";

/** What a map shows: plain values made by each screen; `MapView` draws them. */

export interface IncidentMark {
  id: string;
  position: Point;
  severity: Severity;
  /** The one whose card is open: larger, with two soft rings. */
  selected: boolean;
  exercise: boolean;
  title: string;
  label?: string;
}

export interface ResponderMark {
  id: string;
  position: Point;
  name: string;
  state: Freshness;
  /** Stands beneath the mark: the age of an old position. */
  label?: string;
}

export interface AedMark {
  id: string;
  position: Point;
  name: string;
  state: AedState;
  /** Part of the plan: larger, with a ring. */
  planned: boolean;
  /** A small dot that is never gathered into a cluster: for maps of a whole city. */
  dot?: boolean;
  /** Stands beside the mark: when it opens or closes. */
  label?: string;
  /** Stands above the mark: who fetches it. */
  above?: string;
}

export interface DepotMark {
  id: string;
  position: Point;
  name: string;
}

export interface RouteMark {
  id: string;
  kind: "direct" | "fetch";
  /** Dotted on the way to the AED, solid afterwards. */
  dotted?: boolean;
  walked?: boolean;
  line: GeoJSON.LineString;
}

export interface EtaMark {
  id: string;
  position: Point;
  kind: "direct" | "via_aed" | "ambulance";
  text: string;
}

export interface SelfMark {
  position: Point;
  accuracyM: number | null;
}

export interface HexagonMarks {
  features: GeoJSON.FeatureCollection<GeoJSON.Polygon, { share?: number; count?: number }>;
  look: "coverage" | "count";
}

/** A numbered place, such as a candidate site of a plan. */
export interface RankMark {
  id: string;
  position: Point;
  rank: number;
  title: string;
  selected: boolean;
}

/** A small dot by what becomes of its row in an import. */
export interface OutcomeMark {
  position: Point;
  name: string;
  outcome: string;
}

export interface MapMarks {
  incidents: IncidentMark[];
  responders: ResponderMark[];
  aeds: AedMark[];
  depots: DepotMark[];
  routes: RouteMark[];
  etas: EtaMark[];
  ranks: RankMark[];
  hexagons: HexagonMarks | null;
  self: SelfMark | null;
  /** A place that was pointed at, such as that of a new incident. */
  pin: PinMark | null;
  outcomes: OutcomeMark[];
  /** Every AED of the registry, from its tiles. */
  aedTiles: boolean;
}

export interface PinMark {
  position: Point;
  label?: string;
  /** With this the pin can be dragged. */
  onDrag?: (position: Point) => void;
}

export const NO_MARKS: MapMarks = {
  incidents: [],
  responders: [],
  aeds: [],
  depots: [],
  routes: [],
  etas: [],
  ranks: [],
  hexagons: null,
  self: null,
  pin: null,
  outcomes: [],
  aedTiles: false,
};

export type PickKind = "incident" | "responder" | "aed" | "depot" | "rank";

/** The point half way along a line, for a badge that sits on it. */
export function middleOf(line: GeoJSON.LineString): Point | null {
  const points = line.coordinates as [number, number][];
  const legs = points.slice(1).map((to, i) => legLength(points[i] ?? to, to));
  let rest = legs.reduce((sum, leg) => sum + leg, 0) / 2;
  for (const [i, leg] of legs.entries()) {
    const [from, to] = [points[i], points[i + 1]];
    if (from && to && leg >= rest) return between(from, to, leg === 0 ? 0 : rest / leg);
    rest -= leg;
  }
  return points[0] ? { type: "Point", coordinates: points[0] } : null;
}

// Degrees of longitude shrink with latitude; good enough within a town.
const legLength = ([x1, y1]: [number, number], [x2, y2]: [number, number]) =>
  Math.hypot((x2 - x1) * Math.cos((y1 * Math.PI) / 180), y2 - y1);

const between = ([x1, y1]: [number, number], [x2, y2]: [number, number], share: number): Point => ({
  type: "Point",
  coordinates: [x1 + (x2 - x1) * share, y1 + (y2 - y1) * share],
});
