import type { MapMarks } from "@shared/map/marks.ts";
import type { Point } from "@shared/shapes.ts";
import { createStore } from "@shared/store.ts";
import { useLayoutEffect, useRef } from "preact/hooks";

/** What the map shows for the registry, and what a click on it does. */
export interface Scene {
  marks: Partial<MapMarks>;
  /** A click is the answer to "where". */
  onPoint?: (position: Point) => void;
  note?: string;
}

export const scene = createStore<Scene>({ marks: {} });

/** Places that the map is to bring into view; each new object once. */
export const wantedView = createStore<{ positions: readonly Point[]; zoom: number } | null>(null);

export function showOnMap(positions: readonly Point[], zoom = 17): void {
  if (positions.length) wantedView.set({ positions, zoom });
}

/** Let the map show this while the component lives; made anew when something it rests on changes. */
export function useScene(make: () => Scene, restsOn: readonly unknown[]): void {
  const mine = useRef<Scene | null>(null);
  useLayoutEffect(() => {
    mine.current = make();
    scene.set(mine.current);
  }, restsOn);
  useLayoutEffect(
    () => () => {
      // Whoever came after has set the scene already.
      if (scene.get() === mine.current) scene.set({ marks: {} });
    },
    [],
  );
}
