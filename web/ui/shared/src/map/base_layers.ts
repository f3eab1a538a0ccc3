import type { FilterSpecification, LayerSpecification } from "maplibre-gl";
import { BASE_SOURCE, byZoom, inTunnel, isKind } from "./expressions.ts";
import type { MapPalette } from "./palette.ts";
import { roadLayers } from "./road_layers.ts";

const area = (
  id: string,
  layer: string,
  color: string,
  filter?: FilterSpecification,
  minzoom = 0,
): LayerSpecification => ({
  id,
  type: "fill",
  source: BASE_SOURCE,
  "source-layer": layer,
  minzoom,
  ...(filter ? { filter } : {}),
  paint: { "fill-color": color },
});

function grounds(p: MapPalette): LayerSpecification[] {
  return [
    { id: "background", type: "background", paint: { "background-color": p.land } },
    area("land", "land", p.block),
    area("green", "green", p.green),
    area("green-trees", "green", p.trees, isKind("wood", "pitch")),
    area("water", "water", p.water),
    {
      id: "water-bank",
      type: "line",
      source: BASE_SOURCE,
      "source-layer": "water",
      minzoom: 12,
      paint: { "line-color": p.bank, "line-width": 1 },
    },
    {
      id: "waterway",
      type: "line",
      source: BASE_SOURCE,
      "source-layer": "waterway",
      filter: ["!", inTunnel],
      paint: {
        "line-color": p.water,
        "line-width": byZoom([
          [11, 0.8],
          [15, 3],
          [18, 9],
        ]),
      },
    },
    area("pier", "land", p.block, isKind("pier")),
  ];
}

function buildings(p: MapPalette): LayerSpecification[] {
  return [
    {
      id: "building",
      type: "fill",
      source: BASE_SOURCE,
      "source-layer": "building",
      minzoom: 14.5,
      paint: {
        "fill-color": p.building,
        "fill-outline-color": p.buildingEdge,
        "fill-opacity": ["interpolate", ["linear"], ["zoom"], 14.5, 0, 15.2, 1],
      },
    },
  ];
}

function lines(p: MapPalette): LayerSpecification[] {
  return [
    ...roadLayers(p),
    {
      id: "rail",
      type: "line",
      source: BASE_SOURCE,
      "source-layer": "rail",
      minzoom: 12,
      filter: ["!", inTunnel],
      paint: {
        "line-color": p.rail,
        "line-width": byZoom([
          [12, 0.8],
          [15, 1.6],
          [18, 3],
        ]),
      },
    },
    {
      id: "boundary",
      type: "line",
      source: BASE_SOURCE,
      "source-layer": "boundary",
      paint: {
        "line-color": p.boundary,
        "line-width": 1,
        "line-dasharray": [7, 3, 1.5, 3],
        "line-opacity": 0.8,
      },
    },
  ];
}

/** The base map without its names, in drawing order. */
export const baseLayers = (palette: MapPalette): LayerSpecification[] => [
  ...grounds(palette),
  ...buildings(palette),
  ...lines(palette),
];
