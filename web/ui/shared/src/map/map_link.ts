/** PURE. Addresses that hand a way over to a map outside this app. */

import type { Point } from "../shapes.ts";

export interface Device {
  platform: string;
  /** A phone or tablet: it has map apps that answer. */
  touch: boolean;
}

export const thisDevice = (): Device => ({
  platform: navigator.platform,
  touch: navigator.maxTouchPoints > 0,
});

/** Any map app answers to `geo:`, latitude first; Apple's devices take their own map, desks a web page. */
export function mapLink(position: Point, name: string | null, { platform, touch }: Device): string {
  const [lon, lat] = position.coordinates;
  const place = `${lat.toFixed(6)},${lon.toFixed(6)}`;
  if (/iPhone|iPad|iPod|Mac/.test(platform)) return `https://maps.apple.com/?daddr=${place}&dirflg=w`;
  if (!touch) return `https://www.openstreetmap.org/directions?to=${encodeURIComponent(place)}`;
  return `geo:${place}?q=${place}${name ? `(${encodeURIComponent(name)})` : ""}`;
}
