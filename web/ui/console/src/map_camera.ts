import type { Camera, MapView } from "@shared/map/map_view.ts";
import type { MapMarks } from "@shared/map/marks.ts";
import type { Incident, Point } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { useEffect, useRef } from "preact/hooks";
import type { Home } from "./places_nearby.ts";
import { pin } from "./state.ts";

/** How the keyboard reaches the map: centre, and again to go back. */
export const mapControl: { centre: () => void } = { centre: () => undefined };

const PADDING = { top: 130, right: 100, bottom: 90, left: 90 };

const placesOf = (incident: Incident, marks: Partial<MapMarks>): Point[] => [
  incident.position,
  ...(marks.responders ?? []).map(({ position }) => position),
  ...(marks.aeds ?? []).filter(({ planned }) => planned).map(({ position }) => position),
];

/** Show an incident once when it is opened, and again when its people come; never after a hand on the map. */
export function useCamera(
  map: MapView | null,
  home: Home,
  incident: Incident | null,
  marks: Partial<MapMarks>,
  isIdle: boolean,
): () => void {
  // What was shown: an incident alone, then with its people; or "held" once somebody moved the map.
  const shown = useRef<{ id: string; how: "alone" | "people" | "held" } | null>(null);
  const before = useRef<Camera | null>(null);
  const pinned = useStore(pin);
  const id = incident?.id ?? null;
  const withPeople = (marks.responders?.length ?? 0) > 0;
  const showAll = () => incident && map?.fit(placesOf(incident, marks), { maxZoom: 16.5, padding: PADDING });
  useEffect(() => {
    if (!map || !id) return;
    const last = shown.current?.id === id ? shown.current.how : null;
    if (last !== null && (last !== "alone" || !withPeople)) return;
    shown.current = { id, how: withPeople ? "people" : "alone" };
    before.current = null;
    showAll();
  }, [map, id, withPeople]);
  useEffect(() => {
    // With nothing left open a street is no overview; who moved the map keeps what they look at.
    if (!map || !isIdle || !shown.current) return;
    if (shown.current.how !== "held") map.goTo(home.centre, home.zoom);
    shown.current = null;
  }, [map, isIdle]);
  useEffect(() => {
    if (map && pinned?.label) map.goTo(pinned.position.coordinates, Math.max(16, map.camera().zoom));
  }, [map, pinned]);
  mapControl.centre = () => {
    if (!map) return;
    const back = before.current;
    before.current = incident && !back ? map.camera() : null;
    if (!incident) map.goTo(home.centre, home.zoom);
    else if (back) map.goTo(back.centre, back.zoom);
    else showAll();
  };
  return () => {
    before.current = null;
    if (id) shown.current = { id, how: "held" };
  };
}
