import type { ExpressionSpecification, FilterSpecification, LayerSpecification } from "maplibre-gl";
import { BASE_SOURCE, byZoom, inTunnel, type Stops } from "./expressions.ts";
import type { MapPalette } from "./palette.ts";

type RoadClass = "primary" | "secondary" | "minor";

const FILL_WIDTH: Record<RoadClass, Stops> = {
  primary: [
    [8, 0.8],
    [11, 2],
    [13, 4.4],
    [15, 11],
    [16.5, 20],
    [18, 34],
  ],
  secondary: [
    [11, 1],
    [13, 2.4],
    [15, 8],
    [16.5, 14],
    [18, 26],
  ],
  minor: [
    [13, 1.3],
    [15, 5],
    [16.5, 9],
    [18, 18],
  ],
};
const CASING_WIDTH: Record<RoadClass, Stops> = {
  primary: [
    [11, 3],
    [13, 6],
    [15, 14],
    [16.5, 24],
    [18, 39],
  ],
  secondary: [
    [11, 1.6],
    [13, 3.6],
    [15, 10.5],
    [16.5, 17.5],
    [18, 30],
  ],
  minor: [
    [13.5, 1.3],
    [15, 7],
    [16.5, 12],
    [18, 21],
  ],
};
const ROAD_CLASSES: RoadClass[] = ["minor", "secondary", "primary"];
const FOOTWAY: Stops = [
  [15, 1.5],
  [16.5, 2],
  [18, 3],
];

// Service ways (yards, ramps, parking aisles) are half as wide, so that streets stay readable.
const narrowService = (stops: Stops, share = 1): ExpressionSpecification =>
  [
    "interpolate",
    ["exponential", 1.4],
    ["zoom"],
    ...stops.flatMap(([zoom, width]) => [
      zoom,
      ["match", ["get", "highway"], ["service", "track"], width * 0.55 * share, width * share],
    ]),
  ] as ExpressionSpecification;

/** Footways, then streets: tunnels below, casings, fills. */
export function roadLayers(p: MapPalette): LayerSpecification[] {
  return [
    {
      id: "footway",
      type: "line",
      source: BASE_SOURCE,
      "source-layer": "road",
      minzoom: 15,
      filter: ["all", ["==", ["get", "kind"], "footway"], ["!", inTunnel]],
      paint: { "line-color": p.casing.primary, "line-width": byZoom(FOOTWAY), "line-dasharray": [3, 2] },
    },
    ...ROAD_CLASSES.map((kind) => roadTunnel(p, kind)),
    ...ROAD_CLASSES.map((kind) => roadCasing(p, kind)),
    ...ROAD_CLASSES.map((kind) => roadFill(p, kind)),
  ];
}

const levelKey: ExpressionSpecification = ["coalesce", ["get", "level"], 0];

const ofClass = (kind: RoadClass, tunnel: boolean): FilterSpecification => [
  "all",
  ["==", ["get", "kind"], kind],
  tunnel ? inTunnel : ["!", inTunnel],
];
const roadFrom = (kind: RoadClass) => ({ minor: 13, secondary: 11, primary: 8 })[kind];

// Underground, a road is only two faint dashed edges: nothing above it is covered.
function roadTunnel(p: MapPalette, kind: RoadClass): LayerSpecification {
  return {
    id: `road-${kind}-tunnel`,
    type: "line",
    source: BASE_SOURCE,
    "source-layer": "road",
    minzoom: roadFrom(kind) + 1,
    filter: ofClass(kind, true),
    layout: { "line-join": "round" },
    paint: {
      "line-color": p.casing[kind],
      "line-width": 1,
      "line-gap-width": narrowService(FILL_WIDTH[kind], 0.7),
      "line-dasharray": [4, 3],
    },
  };
}

function roadCasing(p: MapPalette, kind: RoadClass): LayerSpecification {
  return {
    id: `road-${kind}-casing`,
    type: "line",
    source: BASE_SOURCE,
    "source-layer": "road",
    minzoom: kind === "minor" ? 13.5 : roadFrom(kind),
    filter: ofClass(kind, false),
    layout: { "line-cap": "butt", "line-join": "round", "line-sort-key": levelKey },
    paint: {
      "line-color": p.casing[kind],
      "line-width": narrowService(CASING_WIDTH[kind]),
    },
  };
}

function roadFill(p: MapPalette, kind: RoadClass): LayerSpecification {
  return {
    id: `road-${kind}`,
    type: "line",
    source: BASE_SOURCE,
    "source-layer": "road",
    minzoom: roadFrom(kind),
    filter: ofClass(kind, false),
    layout: { "line-cap": "round", "line-join": "round", "line-sort-key": levelKey },
    paint: {
      "line-color": p.road[kind],
      "line-width": narrowService(FILL_WIDTH[kind]),
    },
  };
}
