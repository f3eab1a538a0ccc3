import type { MapView } from "@shared/map/map_view.ts";
import { createStore } from "@shared/store.ts";

/** The map's view, so that a row of a table can lead to its place. */
export const camera = createStore<MapView | null>(null);

export const goTo = (centre: [number, number], zoom = 16): void => camera.get()?.goTo(centre, zoom);
