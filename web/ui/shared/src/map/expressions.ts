import type { ExpressionSpecification, FilterSpecification } from "maplibre-gl";

/** Pieces of the base map's style that several of its layers share. */

export const BASE_SOURCE = "base";

export type Stops = readonly (readonly [zoom: number, width: number])[];

export const byZoom = (stops: Stops): ExpressionSpecification =>
  ["interpolate", ["exponential", 1.4], ["zoom"], ...stops.flat()] as ExpressionSpecification;

export const isKind = (...kinds: string[]): FilterSpecification => [
  "match",
  ["get", "kind"],
  kinds,
  true,
  false,
];
export const inTunnel: ExpressionSpecification = ["has", "tunnel"];
