import { get } from "@shared/api.ts";
import type { Incident, Plan, Point, RouteAnswer } from "@shared/shapes.ts";
import { useEffect, useRef, useState } from "preact/hooks";
import type { PersonRow } from "./people.ts";

/** A way that is drawn: from a responder by an AED to the patient. */
export interface DrawnRoute {
  id: string;
  kind: "direct" | "fetch";
  legs: GeoJSON.LineString[];
  etaS: number | null;
}

interface Wanted {
  id: string;
  kind: DrawnRoute["kind"];
  from: Point;
  via: Point | null;
  to: Point;
  etaS: number | null;
}

// A way is asked for again when the walker is this far from where it began.
const MOVED_M = 40;
const DRAWN_MOST = 6;

/** The ways of everyone who is going; before anyone is asked, the best two of the plan. */
export function wantedRoutes(
  incident: Incident | null,
  rows: readonly PersonRow[],
  plan: Plan | null,
): Wanted[] {
  if (!incident) return [];
  const going = rows
    .filter((row) => row.assignment && !row.over && !row.arrived && row.position)
    .flatMap((row): Wanted[] => {
      if (!row.position) return [];
      const fetching = row.alert.role === "via_aed" && !row.assignment?.times.aed_collected_at;
      return [
        {
          id: row.alert.responder,
          kind: row.alert.role === "via_aed" ? "fetch" : "direct",
          from: row.position,
          via: fetching ? (row.alert.aed?.position ?? null) : null,
          to: incident.position,
          etaS: row.etaS,
        },
      ];
    });
  return [...going, ...plannedRoutes(incident, plan)].slice(0, DRAWN_MOST);
}

function plannedRoutes(incident: Incident, plan: Plan | null): Wanted[] {
  const direct = plan?.chosen.find(({ role }) => role === "direct");
  const fetch = plan?.chosen.find(({ role }) => role === "via_aed");
  return [direct, fetch].flatMap((candidate): Wanted[] => {
    if (!candidate?.position) return [];
    const aed = plan?.aeds.find(({ id }) => id === candidate.aed);
    const kind = candidate.role === "via_aed" ? "fetch" : "direct";
    return [
      {
        id: candidate.responder,
        kind,
        from: candidate.position,
        via: aed?.position ?? null,
        to: incident.position,
        etaS: candidate.travel_s,
      },
    ];
  });
}

interface Known {
  from: Point;
  rest: string;
  route: DrawnRoute;
}

/** Keep the drawn ways near to what is wanted, asking the server only after a real move. */
export function useRoutes(wanted: readonly Wanted[]): DrawnRoute[] {
  const known = useRef(new Map<string, Known>());
  const [drawn, setDrawn] = useState<DrawnRoute[]>([]);
  const key = wanted.map((want) => `${want.id} ${rest(want)} ${rough(want.from)}`).join("|");
  useEffect(() => {
    let current = true;
    const ask = async () => {
      const routes = await Promise.all(wanted.map((want) => routeFor(want, known.current)));
      if (current) setDrawn(routes.flatMap((route) => route ?? []));
    };
    void ask();
    return () => {
      current = false;
    };
    // The key says all that matters of `wanted`, which is a new array each second.
  }, [key]);
  return drawn;
}

const pair = ({ coordinates: [lon, lat] }: Point) => `${lon.toFixed(6)},${lat.toFixed(6)}`;
const rough = ({ coordinates: [lon, lat] }: Point) => `${lon.toFixed(4)},${lat.toFixed(4)}`;
const rest = ({ via, to, kind }: Wanted) => `${kind} ${via ? pair(via) : ""} ${pair(to)}`;

async function routeFor(want: Wanted, known: Map<string, Known>): Promise<DrawnRoute | null> {
  const before = known.get(want.id);
  if (before && before.rest === rest(want) && metres(before.from, want.from) < MOVED_M) {
    return { ...before.route, etaS: want.etaS };
  }
  try {
    const answer = await get<RouteAnswer>("/routes", {
      from: pair(want.from),
      to: pair(want.to),
      via: want.via ? pair(want.via) : null,
      mode: "walk",
    });
    const route = { id: want.id, kind: want.kind, legs: answer.legs, etaS: want.etaS };
    known.set(want.id, { from: want.from, rest: rest(want), route });
    return route;
  } catch {
    // The people stay on the map without a line; the next move asks again.
    return before?.route ?? null;
  }
}

function metres(a: Point, b: Point): number {
  const [[lon1, lat1], [lon2, lat2]] = [a.coordinates, b.coordinates];
  return Math.hypot((lon2 - lon1) * Math.cos((lat1 * Math.PI) / 180), lat2 - lat1) * 111_195;
}
