import { get } from "@shared/api.ts";
import { loadCities } from "@shared/map/city.ts";
import type { MapFrame } from "@shared/map/map_view.ts";
import type { Aed, Coverage, Nearest, NearestProperties, Page, Point } from "@shared/shapes.ts";
import { createStore } from "@shared/store.ts";
import { useEffect, useState } from "preact/hooks";
import { onBoardEvent } from "./hear.ts";

/** Things on the map that are no part of an incident: AEDs, depots, coverage, people on duty. */

export interface Depot {
  id: string;
  code: string;
  name: string;
  name_en: string | null;
  position: Point;
}

const EVERY_MS = 30_000;
const AEDS_MOST = 500;
export const PEOPLE_MOST = 200;
const within = (outer: MapFrame["bounds"], inner: MapFrame["bounds"]) =>
  inner[0] >= outer[0] && inner[1] >= outer[1] && inner[2] <= outer[2] && inner[3] <= outer[3];

/** AEDs in view, and a margin around it so that a small move asks for nothing. */
export function useAeds(frame: MapFrame | null): Aed[] {
  const [aeds, setAeds] = useState<Aed[]>([]);
  const [area, setArea] = useState<MapFrame["bounds"] | null>(null);
  useEffect(() => {
    if (frame && frame.zoom >= 9 && !(area && within(area, frame.bounds))) setArea(widen(frame.bounds));
  }, [frame, area]);
  useEffect(() => {
    if (!area) return;
    const ask = () =>
      get<Page<Aed>>("/aeds", { bbox: area.map((n) => n.toFixed(5)).join(), limit: AEDS_MOST })
        .then((page) => setAeds(page.items.filter((aed) => aed.status !== "withdrawn")))
        .catch(() => null);
    void ask();
    const timer = window.setInterval(ask, EVERY_MS);
    return () => window.clearInterval(timer);
  }, [area]);
  return aeds;
}

function widen([west, south, east, north]: MapFrame["bounds"]): MapFrame["bounds"] {
  const [dx, dy] = [(east - west) * 0.5, (north - south) * 0.5];
  return [
    Math.max(-180, west - dx),
    Math.max(-90, south - dy),
    Math.min(180, east + dx),
    Math.min(90, north + dy),
  ];
}

export function useDepots(): Depot[] {
  const [depots, setDepots] = useState<Depot[]>([]);
  useEffect(() => {
    get<Page<Depot>>("/depots")
      .then((page) => setDepots(page.items))
      .catch(() => null);
  }, []);
  return depots;
}

/** Share of buildings within four minutes, asked for only while it is shown. */
export function useCoverage(wanted: boolean): Coverage | null {
  const [coverage, setCoverage] = useState<Coverage | null>(null);
  useEffect(() => {
    if (!wanted) return;
    get<Coverage>("/coverage", { within_s: 240 })
      .then(setCoverage)
      .catch(() => null);
  }, [wanted]);
  return coverage;
}

/** Where people on duty are, for counting per hexagon; refreshed when the board moves. */
export function useOnDuty(wanted: boolean, centre: [number, number] | null): Point[] {
  const [points, setPoints] = useState<Point[]>([]);
  const [stamp, setStamp] = useState(0);
  useEffect(() => onBoardEvent(() => setStamp((n) => n + 1)), []);
  const where = centre ? centre.map((n) => n.toFixed(2)).join() : "";
  useEffect(() => {
    const [lon, lat] = where.split(",");
    if (!wanted || !lon || !lat) return;
    const ask = () =>
      get<Nearest<NearestProperties>>("/nearest/responders", {
        lon,
        lat,
        within_s: 7200,
        usable: "yes",
        limit: PEOPLE_MOST,
      })
        .then((found) => setPoints(found.features.map(({ geometry }) => geometry)))
        .catch(() => null);
    void ask();
    const timer = window.setInterval(ask, EVERY_MS * 2);
    return () => window.clearInterval(timer);
  }, [wanted, where, stamp]);
  return points;
}

/** Where to look first, and whose data the map shows. */
export interface Home {
  centre: [number, number];
  zoom: number;
  attribution: string;
}

export const home = createStore<Home | null>(null);

const NOWHERE: Home = { centre: [0, 20], zoom: 2, attribution: "© OpenStreetMap contributors" };

/** Learn where the city is; a machine without a base map still gets a map. */
export async function loadHome(): Promise<void> {
  const [first] = await loadCities();
  home.set(first ? { centre: first.centre, zoom: 14, attribution: first.attribution } : NOWHERE);
}
