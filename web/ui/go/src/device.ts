// What everybody may know of the AED that is fetched, kept for when there is no network.

import { get } from "@shared/api.ts";
import type { Aed, Photo } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { useEffect, useState } from "preact/hooks";
import { photos } from "./aed_photos.ts";

export type Device = Pick<
  Aed,
  "id" | "name" | "address" | "floor" | "entrance" | "location_note" | "hours_note" | "cabinet"
> & {
  phone: string | null;
  closed_note: string | null;
  has_child_pads: boolean | null;
  photos: Photo[];
};

const KEPT = "golden.go.device";

function kept(id: string): Device | null {
  try {
    const device = JSON.parse(localStorage.getItem(KEPT) ?? "null") as Device | null;
    return device?.id === id ? device : null;
  } catch {
    return null;
  }
}

export const photoAddress = (aed: string, photo: string): string => `/api/v1/aeds/${aed}/photos/${photo}`;

/** PURE. The surroundings before the cabinet: in that order one sees them. */
export const inOrder = (some: readonly Photo[]): Photo[] =>
  [...some].sort((a, b) => Number(a.kind === "cabinet") - Number(b.kind === "cabinet"));

/** One AED; read when a mission begins, and again when a photo of it has gone. */
export function useDevice(id: string | null): Device | null {
  const [device, setDevice] = useState<Device | null>(() => (id ? kept(id) : null));
  const { sent } = useStore(photos);
  useEffect(() => {
    if (!id) return;
    const stop = new AbortController();
    get<Device>(`/aeds/${id}`, {}, stop.signal)
      .then((fresh) => {
        localStorage.setItem(KEPT, JSON.stringify(fresh));
        setDevice(fresh);
        // Photos never change: once read they stay with the browser, for the cellar where no network is.
        for (const photo of fresh.photos) new Image().src = photoAddress(id, photo.id);
      })
      .catch(() => undefined);
    return () => stop.abort();
  }, [id, sent]);
  return device?.id === id ? device : null;
}
