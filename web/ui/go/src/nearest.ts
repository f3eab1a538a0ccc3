// AEDs around this phone; the last answer stays on the phone for when there is no network.

import { get } from "@shared/api.ts";
import { serverNow } from "@shared/clock.ts";
import { type AedState, aedState } from "@shared/map/aed_state.ts";
import type { Aed, Me, Nearest, NearestProperties, Point } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { useEffect, useState } from "preact/hooks";
import { metres, place } from "./position.ts";

const KEPT = "golden.go.nearest";
const AGAIN_MS = 60_000;
const AGAIN_M = 60;

type Properties = NearestProperties &
  Partial<Pick<Aed, "status" | "access" | "floor" | "location_note" | "address">>;
export type Found = Nearest<Properties>["features"][number];

export interface Nearby {
  readAt: number;
  features: Found[];
}

export const stateOf = ({ properties }: Found): AedState =>
  aedState(
    { ...properties, usable: properties.usable ?? "unknown", usable_until: properties.usable_until ?? null },
    serverNow(),
  );

function kept(): Nearby | null {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "null") as Nearby | null;
  } catch {
    return null;
  }
}

/** The nearest AEDs from where I am, or was; read again after a minute or sixty metres. */
export function useNearby(me: Me | null): Nearby | null {
  const { fix } = useStore(place);
  const [nearby, setNearby] = useState<Nearby | null>(kept);
  const from: Point | null = fix
    ? { type: "Point", coordinates: [fix.lon, fix.lat] }
    : (me?.position?.position ?? null);
  const [lon, lat] = from?.coordinates ?? [];
  const [asked, setAsked] = useState<{ lon: number; lat: number } | null>(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    const timer = window.setInterval(() => setRound((n) => n + 1), AGAIN_MS);
    return () => window.clearInterval(timer);
  }, []);
  useEffect(() => {
    if (lon === undefined || lat === undefined) return;
    if (!asked || metres(asked, { lon, lat }) >= AGAIN_M) setAsked({ lon, lat });
  }, [lon, lat]);
  useEffect(() => {
    if (!asked) return;
    const stop = new AbortController();
    get<Nearest<Properties>>("/nearest/aeds", { ...asked, limit: 20 }, stop.signal)
      .then(({ features }) => {
        const fresh = { readAt: Date.now(), features };
        localStorage.setItem(KEPT, JSON.stringify(fresh));
        setNearby(fresh);
      })
      .catch(() => undefined);
    return () => stop.abort();
  }, [asked, round]);
  return nearby;
}
