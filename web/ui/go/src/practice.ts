import { Problem, post } from "@shared/api.ts";
import { serverNow } from "@shared/clock.ts";
import { words } from "@shared/language.ts";
import type { PersonAlert } from "@shared/shapes.ts";
import { showNotice } from "./phone.ts";

export const PRACTICE_MS = 60_000;

/** A made-up alert for this phone alone: it shows, rings and counts down as a real one, marked as exercise. */
export function practiceAlert(): PersonAlert {
  const now = serverNow();
  const iso = (at: number) => new Date(at).toISOString();
  return {
    id: "practice",
    revision: 1,
    incident: {
      id: "practice",
      kind: "cardiac_arrest",
      severity: 1,
      exercise: true,
      ambulance: "notified",
      ambulance_eta_at: null,
    },
    status: "notified",
    role: "direct",
    aed: null,
    place: { position: { type: "Point", coordinates: [0, 0] }, distance_m: 350, bearing: "se" },
    travel_s: 230,
    eta_source: "estimate",
    position_age_s: 0,
    going: 0,
    notified_at: iso(now),
    expires_at: iso(now + PRACTICE_MS),
    expires_in_ms: PRACTICE_MS,
  };
}

/** Ask the server to call this phone, by the way a real call takes; false without network. */
export async function askPractice(): Promise<boolean> {
  const { sending, sent, offline, notNow } = words().care.practice;
  showNotice({ kind: "said", text: sending });
  try {
    await post("/me/practice", {}, { retries: 0 });
    showNotice({ kind: "said", text: sent });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status === 0) {
      showNotice({ kind: "said", text: offline });
      return false;
    }
    showNotice({ kind: "refused", text: error.code === "nobody_to_alert" ? notNow : error.message });
  }
  return true;
}
