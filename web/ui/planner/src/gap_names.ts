/** PURE. What people call a cell of the grid: by the AED that hangs nearest to it. */

import { aedTitle } from "@shared/map/aed_title.ts";
import type { Aed } from "@shared/shapes.ts";

const METRES_PER_DEGREE = 111_320;

export interface Landmark {
  name: string;
  metres: number;
}

/** The nearest AED with the straight way to it; null where none is registered. */
export function landmarkOf([lon, lat]: [number, number], aeds: readonly Aed[]): Landmark | null {
  const shrink = Math.cos((lat * Math.PI) / 180);
  const away = ({ position: { coordinates } }: Aed) =>
    Math.hypot(((coordinates[0] ?? 0) - lon) * shrink, (coordinates[1] ?? 0) - lat) * METRES_PER_DEGREE;
  let best: Landmark | null = null;
  for (const aed of aeds) {
    const metres = away(aed);
    if (!best || metres < best.metres) best = { name: aed.address ?? aedTitle(aed), metres };
  }
  return best;
}
