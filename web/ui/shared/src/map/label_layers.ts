import type { ExpressionSpecification, FilterSpecification, LayerSpecification } from "maplibre-gl";
import type { Language } from "../language.ts";
import { BASE_SOURCE, isKind } from "./expressions.ts";
import { MAP_FONT, MAP_FONT_BOLD } from "./map_font.ts";
import type { MapPalette } from "./palette.ts";

/** The name in the reader's language where it is known, else the local one. */
function nameIn(language: Language): ExpressionSpecification {
  return ["coalesce", ["get", language === "zh" ? "name_zh" : "name_en"], ["get", "name"]];
}

// Strings compare by code point, and every Chinese character comes after U+2E80.
const spaced = (name: ExpressionSpecification): ExpressionSpecification => [
  "case",
  [">=", name, "\u2e80"],
  0.25,
  0.02,
];

interface LabelOptions {
  id: string;
  layer: string;
  filter: FilterSpecification;
  minzoom: number;
  maxzoom?: number;
  size: ExpressionSpecification | number;
  color: string;
  along?: boolean;
  bold?: boolean;
}

function label(p: MapPalette, language: Language, options: LabelOptions): LayerSpecification {
  const name = nameIn(language);
  return {
    id: options.id,
    type: "symbol",
    source: BASE_SOURCE,
    "source-layer": options.layer,
    minzoom: options.minzoom,
    maxzoom: options.maxzoom ?? 24,
    filter: options.filter,
    layout: {
      "text-field": name,
      "text-font": options.bold ? MAP_FONT_BOLD : MAP_FONT,
      "text-size": options.size,
      "text-letter-spacing": spaced(name),
      "text-max-width": 9,
      "text-padding": 4,
      "symbol-sort-key": ["coalesce", ["get", "rank"], 5],
      ...(options.along
        ? { "symbol-placement": "line" as const, "symbol-spacing": 320, "text-max-angle": 32 }
        : {}),
    },
    paint: {
      "text-color": options.color,
      "text-halo-color": p.halo,
      "text-halo-width": 1.5,
      "text-halo-blur": 0.4,
    },
  };
}

const grow = (from: number, to: number): ExpressionSpecification => [
  "interpolate",
  ["linear"],
  ["zoom"],
  ...[10, from, 15, to],
];

const kinds = (
  id: string,
  layer: string,
  minzoom: number,
  size: LabelOptions["size"],
  ...names: string[]
) => ({
  id: `label-${id}`,
  layer,
  filter: isKind(...names),
  minzoom,
  size,
});

/** What to name, from the least to the most important: later names win the room. */
function labelled(p: MapPalette): LabelOptions[] {
  const street = { color: p.label, along: true };
  return [
    { ...kinds("footway", "road_label", 17, 10.5, "footway"), ...street },
    { ...kinds("minor", "road_label", 16, 10.5, "minor"), ...street },
    { ...kinds("secondary", "road_label", 14, 11, "secondary"), ...street },
    { ...kinds("primary", "road_label", 12, 12, "primary"), ...street, color: p.labelPrimary },
    { ...kinds("green", "poi", 14.5, 11, "park", "cemetery"), color: p.greenLabel },
    { ...kinds("poi", "poi", 15.5, 11, "school", "station"), color: p.label },
    { ...kinds("water", "poi", 13, 12, "water"), color: p.waterLabel },
    { ...kinds("waterway", "waterway", 12, 15, "river", "canal"), color: p.waterLabel, along: true },
    { ...kinds("square", "place", 15, 11, "square", "neighbourhood", "island"), color: p.label },
    {
      ...kinds("district", "place", 11, grow(11, 13), "suburb", "village", "hamlet"),
      color: p.label,
      bold: true,
      maxzoom: 15.5,
    },
    {
      ...kinds("city", "place", 8, grow(12, 16), "city", "town"),
      color: p.labelPrimary,
      bold: true,
      maxzoom: 14,
    },
  ];
}

/** The names of the base map; they stand above coverage and below everything of ours. */
export const labelLayers = (p: MapPalette, language: Language): LayerSpecification[] =>
  labelled(p).map((options) => label(p, language, options));
