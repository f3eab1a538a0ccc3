// Where this phone is: one watch, asked for only after a tap, and what of it is worth sending.

import { put } from "@shared/api.ts";
import { createStore } from "@shared/store.ts";

export interface Fix {
  lon: number;
  lat: number;
  accuracy_m: number;
  /** Epoch milliseconds. */
  at: number;
}

export type Permission = "unknown" | "prompt" | "granted" | "denied" | "unsupported";
type Need = "none" | "duty" | "mission";
type Send = (message: Record<string, unknown>) => boolean;

export const place = createStore<{ permission: Permission; fix: Fix | null }>({
  permission: "unknown",
  fix: null,
});

const MISSION_EVERY_MS = 3000;
const DUTY_EVERY_MS = 60_000;
const DUTY_MOVED_M = 100;
const DUTY_LEAST_MS = 10_000;

/** Whether a fix adds enough to the last one sent. */
export function worthSending(last: Fix | null, fix: Fix, need: Need): boolean {
  if (need === "none") return false;
  if (!last) return true;
  const passed = fix.at - last.at;
  if (need === "mission") return passed >= MISSION_EVERY_MS;
  return passed >= DUTY_EVERY_MS || (passed >= DUTY_LEAST_MS && metres(last, fix) >= DUTY_MOVED_M);
}

/** Metres between two close points; a few per cent are enough for what is decided here. */
export function metres(a: { lon: number; lat: number }, b: { lon: number; lat: number }): number {
  const east = (b.lon - a.lon) * Math.cos((a.lat * Math.PI) / 180);
  return Math.hypot(east, b.lat - a.lat) * 111_195;
}

let need: Need = "none";
let watch: number | null = null;
let lastSent: Fix | null = null;
let send: Send = () => false;

/** Learn what the browser allows, without asking. */
export async function learnPermission(sender: Send): Promise<void> {
  send = sender;
  if (!("geolocation" in navigator)) {
    place.update((state) => ({ ...state, permission: "unsupported" }));
    return;
  }
  try {
    const status = await navigator.permissions.query({ name: "geolocation" });
    const learn = () => {
      place.update((state) => ({ ...state, permission: status.state }));
      rewatch();
    };
    status.addEventListener("change", learn);
    learn();
  } catch {
    // Older Safari cannot tell; the first tap will ask.
    place.update((state) => ({ ...state, permission: "prompt" }));
  }
}

/** Ask for the position, from a tap only, and tell the server; `ask` when the person has to allow it first. */
export async function sharePosition(): Promise<"sent" | "ask"> {
  const fix = await current();
  if (!fix) return "ask";
  await put("/me/position", bodyOf(fix));
  return "sent";
}

const current = (): Promise<Fix | null> =>
  new Promise((resolve) => {
    if (!("geolocation" in navigator)) return resolve(null);
    const found = (position: GeolocationPosition) => {
      onFix(position);
      resolve(place.get().fix);
    };
    const refused = (error: GeolocationPositionError) => {
      onRefusal(error);
      resolve(null);
    };
    navigator.geolocation.getCurrentPosition(found, refused, { enableHighAccuracy: true, timeout: 15_000 });
  });

/** Watch as closely as the moment needs. */
export function needPosition(now: Need): void {
  if (now === need) return;
  need = now;
  if (need === "none") lastSent = null;
  rewatch();
}

function rewatch(): void {
  if (watch !== null) navigator.geolocation.clearWatch(watch);
  watch = null;
  if (need === "none" || place.get().permission !== "granted") return;
  watch = navigator.geolocation.watchPosition(onFix, onRefusal, {
    enableHighAccuracy: need === "mission",
    maximumAge: need === "mission" ? 0 : 30_000,
  });
}

function onFix({ coords, timestamp }: GeolocationPosition): void {
  const fix: Fix = {
    lon: coords.longitude,
    lat: coords.latitude,
    accuracy_m: Math.round(coords.accuracy),
    // Some phones stamp fixes with another clock; a fix cannot be from the future.
    at: Math.min(Date.now(), timestamp),
  };
  const granted = place.get().permission === "granted";
  place.set({ permission: "granted", fix });
  if (!granted) rewatch();
  if (worthSending(lastSent, fix, need)) tell(fix);
}

function onRefusal(error: GeolocationPositionError): void {
  if (error.code === error.PERMISSION_DENIED) place.update((state) => ({ ...state, permission: "denied" }));
}

const bodyOf = (fix: Fix) => ({
  lon: fix.lon,
  lat: fix.lat,
  accuracy_m: fix.accuracy_m,
  at: new Date(fix.at).toISOString(),
});

function tell(fix: Fix): void {
  lastSent = fix;
  const body = bodyOf(fix);
  if (send({ type: "position", ...body })) return;
  // Without a socket the position goes by HTTP; a lost one is replaced by the next.
  put("/me/position", body).catch(() => {
    lastSent = null;
  });
}
