import type { Point } from "@shared/shapes.ts";

/** Where this device is, or null when it may or can not be known. */
export const ownPosition = (): Promise<Point | null> =>
  new Promise((resolve) => {
    if (!navigator.geolocation) return resolve(null);
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => resolve({ type: "Point", coordinates: [coords.longitude, coords.latitude] }),
      () => resolve(null),
      { enableHighAccuracy: true, timeout: 15_000, maximumAge: 30_000 },
    );
  });
