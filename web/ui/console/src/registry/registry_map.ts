import type { MapView } from "@shared/map/map_view.ts";
import { NO_MARKS, type PickKind } from "@shared/map/marks.ts";
import type { Point } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { useEffect, useMemo } from "preact/hooks";
import { changes } from "./asking.ts";
import { scene, wantedView } from "./scene.ts";
import { go, useWhere, where } from "./where.ts";

const PADDING = { top: 70, right: 80, bottom: 70, left: 60 };
// A tile may be a second old when it is drawn and is kept by the browser for two: asked for again after both.
const TILES_AGAIN_MS = [1200, 3600];

interface RegistryMap {
  marks: typeof NO_MARKS;
  note: string | undefined;
  onPoint: ((position: Point) => void) | undefined;
  onPick: (kind: PickKind, id: string) => void;
}

/** The map while the registry is shown; null while the board is. */
export function useRegistryMap(map: MapView | null): RegistryMap | null {
  const isOpen = useWhere() !== null;
  const { marks, note, onPoint } = useStore(scene);
  const wanted = useStore(wantedView);
  const changed = useStore(changes);
  useEffect(() => {
    if (!map || !wanted || !isOpen) return;
    // On a telephone the map is a strip: half the padding leaves room for the places.
    const isSmall = window.innerWidth < 700;
    const padding = isSmall ? { top: 45, right: 60, bottom: 55, left: 30 } : PADDING;
    map.fit(wanted.positions, { maxZoom: wanted.zoom, padding });
    wantedView.set(null);
  }, [map, wanted, isOpen]);
  useEffect(() => {
    if (!map || !isOpen) return;
    const timers = TILES_AGAIN_MS.map((after) => window.setTimeout(() => map.refreshAeds(), after));
    return () => {
      for (const timer of timers) window.clearTimeout(timer);
    };
  }, [map, changed, isOpen]);
  // The same object as long as nothing changed: the map draws it once.
  const whole = useMemo(() => ({ ...NO_MARKS, ...marks }), [marks]);
  if (!isOpen) return null;
  return { marks: whole, note, onPoint, onPick };
}

function onPick(kind: PickKind, id: string): void {
  if (kind !== "aed") return;
  if (where.get()?.page === "aeds") go({ item: id });
}
