import type { LayerSpecification } from "maplibre-gl";
import { MAP_FONT_BOLD } from "./map_font.ts";
import { COVERAGE_CLASSES, type SymbolPalette } from "./palette.ts";

/** Coverage and counts per hexagon; they lie below the names of the base map, the digits above. */
export function hexagonLayers(p: SymbolPalette): LayerSpecification[] {
  const [none, low, half, high, full] = COVERAGE_CLASSES;
  return [
    {
      id: "hexagons-coverage",
      type: "fill",
      source: "hexagons",
      filter: ["has", "share"],
      paint: {
        "fill-color": ["step", ["get", "share"], none, 0.2, low, 0.4, half, 0.6, high, 0.8, full],
        "fill-opacity": 0.86,
        "fill-outline-color": p.hexagonGap,
      },
    },
    {
      id: "hexagons-count",
      type: "fill",
      source: "hexagons",
      filter: ["has", "count"],
      paint: {
        "fill-color": p.ink,
        "fill-opacity": ["interpolate", ["linear"], ["get", "count"], 0, 0.03, 15, 0.16, 40, 0.24],
      },
    },
    {
      id: "hexagons-gap",
      type: "line",
      source: "hexagons",
      paint: { "line-color": p.hexagonGap, "line-width": 1.5, "line-opacity": 0.75 },
    },
  ];
}

/** The count on each hexagon; a name of the base map that would lie on it gives way. */
export function hexagonDigits(p: SymbolPalette): LayerSpecification {
  return {
    id: "hexagons-digit",
    type: "symbol",
    source: "hexagons",
    filter: ["has", "count"],
    layout: {
      "text-field": ["to-string", ["get", "count"]],
      "text-font": MAP_FONT_BOLD,
      "text-size": 12,
      "text-allow-overlap": true,
    },
    paint: { "text-color": p.ink, "text-halo-color": p.halo, "text-halo-width": 1 },
  };
}
