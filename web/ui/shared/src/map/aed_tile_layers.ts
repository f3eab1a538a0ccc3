import type { ExpressionSpecification, LayerSpecification, SourceSpecification } from "maplibre-gl";
import { MAP_FONT_BOLD } from "./map_font.ts";
import type { SymbolPalette } from "./palette.ts";

/** Every AED of the registry as its tiles tell, drawn by its state now; counts far out. */

export const AED_TILES = "aed-tiles";
const PREFIX = "aed-tile";

export const isAedTileLayer = (id: string): boolean => id.startsWith(PREFIX);

export const aedTileSource = (): SourceSpecification => ({
  type: "vector",
  tiles: [`${location.origin}/tiles/aeds/{z}/{x}/{y}.mvt`],
  minzoom: 0,
  maxzoom: 16,
});

// The same rule as `aedState`, where the end of the opening time does not matter.
const picture: ExpressionSpecification = [
  "case",
  ["==", ["get", "status"], "out_of_service"],
  "aed-out",
  ["==", ["get", "usable"], "unknown"],
  "aed-unknown",
  ["==", ["get", "usable"], "no"],
  "aed-closed",
  ["in", ["get", "access"], ["literal", ["staff", "members"]]],
  "aed-soon",
  "aed-usable",
];

export function aedTileLayers(p: SymbolPalette, isShown: boolean): LayerSpecification[] {
  const visibility = isShown ? ("visible" as const) : ("none" as const);
  const counts = { source: AED_TILES, "source-layer": "aed_clusters" };
  return [
    {
      id: "aed-tile-cluster",
      type: "circle",
      ...counts,
      layout: { visibility },
      paint: {
        "circle-color": p.raised,
        "circle-radius": 13,
        "circle-stroke-color": p.ink,
        "circle-stroke-width": 2,
      },
    },
    {
      id: "aed-tile-cluster-count",
      type: "symbol",
      ...counts,
      layout: {
        visibility,
        "text-field": ["to-string", ["get", "count"]],
        "text-font": MAP_FONT_BOLD,
        "text-size": 12,
        "text-allow-overlap": true,
      },
      paint: { "text-color": p.ink },
    },
    {
      id: "aed-tile",
      type: "symbol",
      source: AED_TILES,
      "source-layer": "aeds",
      layout: { visibility, "icon-image": picture, "icon-allow-overlap": true },
    },
  ];
}
