import type { ExpressionSpecification, LayerSpecification, SourceSpecification } from "maplibre-gl";
import { MAP_FONT, MAP_FONT_BOLD } from "./map_font.ts";
import type { MapMarks } from "./marks.ts";
import type { SymbolPalette } from "./palette.ts";

const EMPTY: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };
const points = (extra: object = {}): SourceSpecification => ({ type: "geojson", data: EMPTY, ...extra });

/** Our own sources, empty; `overlayData` fills them. */
export const overlaySources = (): Record<string, SourceSpecification> => ({
  hexagons: points(),
  routes: points(),
  accuracy: points(),
  aeds: points({ cluster: true, clusterMaxZoom: 13, clusterRadius: 46 }),
  "aeds-plan": points(),
  "aeds-dots": points(),
  outcomes: points(),
  obstacles: points(),
});

const width: ExpressionSpecification = ["interpolate", ["linear"], ["zoom"], 12, 3, 15, 4.5, 18, 6];
const casing: ExpressionSpecification = ["interpolate", ["linear"], ["zoom"], 12, 6, 15, 8.5, 18, 11];

/** Our own layers above the names, in drawing order: walked, routes, own accuracy, AEDs. */
export function overlayLayers(p: SymbolPalette): LayerSpecification[] {
  return [
    ...routeLayers(p),
    accuracyLayer(p),
    aedDotLayer(p),
    ...aedLayers(p),
    outcomeLayer(p),
    obstacleLayer(),
  ];
}

function routeLayers(p: SymbolPalette): LayerSpecification[] {
  const round = { "line-cap": "round" as const, "line-join": "round" as const };
  const color: ExpressionSpecification = ["match", ["get", "kind"], "fetch", p.aed, p.ink];
  return [
    {
      id: "routes-casing",
      type: "line",
      source: "routes",
      layout: round,
      paint: {
        "line-color": p.routeCasing,
        "line-width": casing,
        "line-opacity": ["case", ["has", "walked"], 0.35, 1],
      },
    },
    {
      id: "routes-walked",
      type: "line",
      source: "routes",
      filter: ["has", "walked"],
      layout: round,
      paint: { "line-color": color, "line-width": width, "line-opacity": 0.35 },
    },
    {
      id: "routes-solid",
      type: "line",
      source: "routes",
      filter: ["all", ["!", ["has", "walked"]], ["!", ["has", "dotted"]]],
      layout: round,
      paint: { "line-color": color, "line-width": width },
    },
    {
      id: "routes-dotted",
      type: "line",
      source: "routes",
      filter: ["has", "dotted"],
      layout: round,
      paint: { "line-color": color, "line-width": width, "line-dasharray": [0, 2] },
    },
  ];
}

function accuracyLayer(p: SymbolPalette): LayerSpecification {
  // Metres to pixels: the web-mercator resolution halves with every zoom, so an exponential of 2 is exact.
  const metres: ExpressionSpecification = ["get", "pixels_at_20"];
  return {
    id: "accuracy",
    type: "circle",
    source: "accuracy",
    paint: {
      "circle-color": p.focus,
      "circle-opacity": 0.14,
      "circle-radius": ["interpolate", ["exponential", 2], ["zoom"], 0, 0, 20, metres],
    },
  };
}

function aedDotLayer(p: SymbolPalette): LayerSpecification {
  const byState = (usable: string, soon: string, other: string): ExpressionSpecification => [
    "match",
    ["get", "icon"],
    "aed-usable",
    usable,
    "aed-soon",
    soon,
    other,
  ];
  return {
    id: "aed-dot",
    type: "circle",
    source: "aeds-dots",
    paint: {
      "circle-radius": ["interpolate", ["linear"], ["zoom"], 12, 3.5, 16, 6],
      "circle-color": byState(p.aed, "#F57C00", p.raised),
      "circle-stroke-color": byState(p.raised, "#111111", "#6B747E"),
      "circle-stroke-width": 1.75,
    },
  };
}

function aedLayers(p: SymbolPalette): LayerSpecification[] {
  const text = { "text-color": p.ink, "text-halo-color": p.halo, "text-halo-width": 1.5 };
  const icon = (id: string, source: string): LayerSpecification => ({
    id,
    type: "symbol",
    source,
    filter: ["!", ["has", "point_count"]],
    layout: {
      "icon-image": ["get", "icon"],
      "icon-allow-overlap": true,
      "text-field": ["get", "label"],
      "text-font": MAP_FONT_BOLD,
      "text-size": 12,
      "text-anchor": "left",
      "text-offset": [1.3, 0],
      "text-optional": true,
    },
    paint: text,
  });
  return [
    {
      id: "aed-cluster",
      type: "circle",
      source: "aeds",
      filter: ["has", "point_count"],
      paint: {
        "circle-color": p.raised,
        "circle-radius": 13,
        "circle-stroke-color": p.ink,
        "circle-stroke-width": 2,
      },
    },
    {
      id: "aed-cluster-count",
      type: "symbol",
      source: "aeds",
      filter: ["has", "point_count"],
      layout: {
        "text-field": ["to-string", ["get", "point_count"]],
        "text-font": MAP_FONT_BOLD,
        "text-size": 12,
        "text-allow-overlap": true,
      },
      paint: { "text-color": p.ink },
    },
    icon("aed", "aeds"),
    icon("aed-plan", "aeds-plan"),
    {
      id: "aed-plan-above",
      type: "symbol",
      source: "aeds-plan",
      filter: ["has", "above"],
      layout: {
        "text-field": ["get", "above"],
        "text-font": MAP_FONT_BOLD,
        "text-size": 12,
        "text-anchor": "bottom",
        "text-offset": [0, -1.8],
        "text-allow-overlap": true,
      },
      paint: text,
    },
  ];
}

// Filled is new, a ring is changed, small and grey stays as it was.
function outcomeLayer(p: SymbolPalette): LayerSpecification {
  const by = (added: string, changed: string, other: string): ExpressionSpecification => [
    "match",
    ["get", "outcome"],
    "added",
    added,
    "changed",
    changed,
    other,
  ];
  return {
    id: "outcomes",
    type: "circle",
    source: "outcomes",
    paint: {
      "circle-radius": ["match", ["get", "outcome"], "unchanged", 3.5, 5.5],
      "circle-color": by(p.gain, p.raised, "#6B747E"),
      "circle-stroke-color": by(p.raised, p.gain, p.raised),
      "circle-stroke-width": ["match", ["get", "outcome"], "changed", 3, 1.5],
    },
  };
}

// Invisible symbols under our page markers: labels of the base map give way to them.
function obstacleLayer(): LayerSpecification {
  return {
    id: "obstacles",
    type: "symbol",
    source: "obstacles",
    layout: {
      "icon-image": "clear",
      "icon-size": ["get", "size"],
      "icon-allow-overlap": true,
      "text-font": MAP_FONT,
    },
  };
}

type Feature = GeoJSON.Feature<GeoJSON.Geometry, Record<string, unknown>>;
const feature = (geometry: GeoJSON.Geometry, properties: Record<string, unknown>): Feature => ({
  type: "Feature",
  geometry,
  // A property that is there but undefined would count as present in the style.
  properties: Object.fromEntries(
    Object.entries(properties).filter(([, value]) => value !== undefined && value !== false),
  ),
});
const collection = (features: Feature[]): GeoJSON.FeatureCollection => ({
  type: "FeatureCollection",
  features,
});

/** What each of our sources holds for these marks. */
export function overlayData(marks: MapMarks): Record<string, GeoJSON.FeatureCollection> {
  const aed = (planned: boolean, dot = false) =>
    collection(
      marks.aeds
        .filter((mark) => mark.planned === planned && (mark.dot ?? false) === dot)
        .map(({ id, position, state, label, above, name }) =>
          feature(position, { id, name, icon: `aed-${state}${planned ? "-plan" : ""}`, label, above }),
        ),
    );
  return {
    hexagons: marks.hexagons?.features ?? EMPTY,
    routes: collection(
      marks.routes.map(({ line, kind, dotted, walked }) => feature(line, { kind, dotted, walked })),
    ),
    accuracy: collection(accuracyOf(marks)),
    aeds: aed(false),
    "aeds-plan": aed(true),
    "aeds-dots": aed(false, true),
    outcomes: collection(
      marks.outcomes.map(({ position, name, outcome }) => feature(position, { name, outcome })),
    ),
    obstacles: collection(obstaclesOf(marks)),
  };
}

function accuracyOf({ self }: MapMarks): Feature[] {
  if (!self?.accuracyM) return [];
  const latitude = ((self.position.coordinates[1] ?? 0) * Math.PI) / 180;
  const metresPerPixel = (Math.cos(latitude) * 40_075_016.7) / (512 * 2 ** 20);
  return [feature(self.position, { pixels_at_20: self.accuracyM / metresPerPixel })];
}

function obstaclesOf(marks: MapMarks): Feature[] {
  return [
    ...marks.incidents.map(({ position, selected }) => feature(position, { size: selected ? 2.2 : 1 })),
    ...marks.responders.map(({ position }) => feature(position, { size: 1 })),
    ...marks.depots.map(({ position }) => feature(position, { size: 1 })),
    ...marks.etas.map(({ position }) => feature(position, { size: 1.6 })),
  ];
}
