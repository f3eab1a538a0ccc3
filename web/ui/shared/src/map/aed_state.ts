import type { Aed, Usable } from "../shapes.ts";

/** How an AED is drawn: usable, restricted or closing soon, closed, unknown, out of service. */
export type AedState = "usable" | "soon" | "closed" | "unknown" | "out";

const SOON_MS = 15 * 60 * 1000;

interface Facts {
  usable: Usable;
  usable_until: string | null;
  status?: Aed["status"];
  access?: Aed["access"];
}

/** Decide the drawing from what the server computed; `now` is the server's clock in ms. */
export function aedState(facts: Facts, now: number): AedState {
  if (facts.status === "out_of_service") return "out";
  if (facts.usable === "unknown") return "unknown";
  if (facts.usable === "no") return "closed";
  return closesSoon(facts, now) || facts.access === "staff" || facts.access === "members" ? "soon" : "usable";
}

/** True when it stops being usable within a quarter of an hour. */
export function closesSoon(facts: Facts, now: number): boolean {
  if (facts.usable !== "yes" || !facts.usable_until) return false;
  return Date.parse(facts.usable_until) - now <= SOON_MS;
}
