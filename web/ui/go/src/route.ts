// The walk of a mission: asked again when the phone has moved on, and split into its legs.

import { get } from "@shared/api.ts";
import type { Mission, Point, RouteAnswer } from "@shared/shapes.ts";
import { useEffect, useRef, useState } from "preact/hooks";
import { metres } from "./position.ts";

const MOVED_M = 30;
const EVERY_MS = 15_000;

export interface Walk {
  legs: { line: GeoJSON.LineString; seconds: number }[];
  estimated: boolean;
}

const lonLat = ({ coordinates: [lon, lat] }: Point) => ({ lon, lat });
const text = (point: Point) => point.coordinates.join(",");

/** Stops still ahead: the AED until it has been taken, then the patient. */
export function stopsAhead(mission: Mission): Point[] {
  const { position } = mission.incident;
  if (!position || mission.times.on_scene_at) return [];
  return mission.aed && !mission.times.aed_collected_at ? [mission.aed.position, position] : [position];
}

const lengthOf = (line: GeoJSON.LineString): number =>
  line.coordinates.slice(1).reduce((sum, to, i) => sum + metres(pair(line.coordinates[i]), pair(to)), 0);

const pair = (at: GeoJSON.Position | undefined) => ({ lon: at?.[0] ?? 0, lat: at?.[1] ?? 0 });

/** The answer as legs, each with its share of the time by length. */
export function walkOf(answer: RouteAnswer): Walk {
  const lines = answer.legs.length > 0 ? answer.legs : [answer.line];
  const lengths = lines.map(lengthOf);
  const whole = lengths.reduce((sum, length) => sum + length, 0) || 1;
  return {
    legs: lines.map((line, i) => ({ line, seconds: (answer.travel_s * (lengths[i] ?? 0)) / whole })),
    estimated: answer.source === "estimate",
  };
}

/** The walk from here to the stops ahead; keeps the last one while the network is away. */
export function useWalk(mission: Mission, from: Point | null): Walk | null {
  const [walk, setWalk] = useState<Walk | null>(null);
  const asked = useRef<{ key: string; from: Point; at: number } | null>(null);
  const stops = stopsAhead(mission);
  const key = stops.map(text).join(";");
  useEffect(() => {
    const last = stops.at(-1);
    if (!from || !last) {
      setWalk(null);
      return;
    }
    const old = asked.current;
    const now = performance.now();
    const moved = old ? metres(lonLat(old.from), lonLat(from)) : Number.POSITIVE_INFINITY;
    if (old?.key === key && (moved < MOVED_M || now - old.at < EVERY_MS)) return;
    asked.current = { key, from, at: now };
    const via = stops.length > 1 ? text(stops[0] ?? last) : undefined;
    get<RouteAnswer>("/routes", { from: text(from), via, to: text(last), mode: "walk" })
      .then((answer) => asked.current?.key === key && setWalk(walkOf(answer)))
      .catch(() => {
        // Asked again at the next move; the line on screen is the best there is.
        asked.current = null;
      });
  }, [key, from]);
  return walk;
}
