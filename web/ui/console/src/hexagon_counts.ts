/** PURE. Counting places per hexagon, for the idle map. */

import type { Point } from "@shared/shapes.ts";

const EARTH_M = 6_378_137;
const toX = (lon: number) => (EARTH_M * lon * Math.PI) / 180;
const toY = (lat: number) => EARTH_M * Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360));
const toLon = (x: number) => (x / EARTH_M) * (180 / Math.PI);
const toLat = (y: number) => (2 * Math.atan(Math.exp(y / EARTH_M)) - Math.PI / 2) * (180 / Math.PI);

type Counted = GeoJSON.FeatureCollection<GeoJSON.Polygon, { count: number }>;

/** Hexagons with flat sides left and right, `radius` Web-Mercator metres from centre to corner. */
export function hexagonCounts(points: readonly Point[], radius: number): Counted {
  const cells = new Map<string, { q: number; r: number; count: number }>();
  for (const point of points) {
    const [q, r] = cellOf(toX(point.coordinates[0]), toY(point.coordinates[1]), radius);
    const key = `${q},${r}`;
    const cell = cells.get(key) ?? { q, r, count: 0 };
    cell.count += 1;
    cells.set(key, cell);
  }
  return {
    type: "FeatureCollection",
    features: [...cells.values()].map(({ q, r, count }) => ({
      type: "Feature",
      properties: { count },
      geometry: { type: "Polygon", coordinates: [cornersOf(q, r, radius)] },
    })),
  };
}

/** The axial cell that holds a point: round in cube coordinates, mend the one that rounded worst. */
function cellOf(x: number, y: number, radius: number): [number, number] {
  const q = ((Math.sqrt(3) / 3) * x - y / 3) / radius;
  const r = ((2 / 3) * y) / radius;
  const s = -q - r;
  const [rq, rr, rs] = [Math.round(q), Math.round(r), Math.round(s)];
  const [dq, dr, ds] = [Math.abs(rq - q), Math.abs(rr - r), Math.abs(rs - s)];
  if (dq > dr && dq > ds) return [-rr - rs, rr];
  return dr > ds ? [rq, -rq - rs] : [rq, rr];
}

function cornersOf(q: number, r: number, radius: number): [number, number][] {
  const x = radius * Math.sqrt(3) * (q + r / 2);
  const y = radius * 1.5 * r;
  return [0, 1, 2, 3, 4, 5, 0].map((i) => {
    const angle = (Math.PI / 3) * i + Math.PI / 6;
    return [toLon(x + radius * Math.cos(angle)), toLat(y + radius * Math.sin(angle))];
  });
}
