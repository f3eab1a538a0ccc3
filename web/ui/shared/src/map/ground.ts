import type { LayerSpecification, SourceSpecification } from "maplibre-gl";
import type { Language } from "../language.ts";
import { baseLayers } from "./base_layers.ts";
import type { Ground } from "./city.ts";
import { BASE_SOURCE } from "./expressions.ts";
import { labelLayers } from "./label_layers.ts";
import type { MapPalette } from "./palette.ts";

/** What lies under our marks: our own base map, a licensed one, or nothing but a grid. */

export const GRID = "grid";

export function groundSources(ground: Ground): Record<string, SourceSpecification> {
  if (ground.kind === "own") {
    const tiles = [`${location.origin}/tiles/base/{z}/{x}/{y}.mvt`];
    return { [BASE_SOURCE]: { type: "vector", tiles, minzoom: 8, maxzoom: 16 } };
  }
  // The first is named as our own, so that the page learns in the same way whether its tiles arrive.
  return Object.fromEntries(
    tilesOf(ground).map((address, i) => [
      sourceName(i),
      { type: "raster" as const, tiles: [address], tileSize: 256, maxzoom: 18 },
    ]),
  );
}

export function groundLayers(ground: Ground, p: MapPalette): LayerSpecification[] {
  if (ground.kind === "own") return baseLayers(p);
  return [
    { id: "background", type: "background", paint: { "background-color": p.land } },
    { id: "grid", type: "background", paint: { "background-pattern": GRID } },
    ...tilesOf(ground).map(
      (_, i): LayerSpecification => ({ id: `licensed-${i}`, type: "raster", source: sourceName(i) }),
    ),
  ];
}

/** A licensed map brings its own names. */
export const groundLabels = (ground: Ground, p: MapPalette, language: Language): LayerSpecification[] =>
  ground.kind === "own" ? labelLayers(p, language) : [];

const tilesOf = ({ kind, tiles }: Ground): string[] => (kind === "licensed" ? tiles : []);
const sourceName = (i: number): string => (i === 0 ? BASE_SOURCE : `${BASE_SOURCE}-${i}`);
