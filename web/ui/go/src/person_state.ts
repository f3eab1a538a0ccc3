// PURE. What this phone knows of its owner's alert, mission and duty, and how messages change it.

import { aedTitle } from "@shared/map/aed_title.ts";
import type {
  AlertStatus,
  Duty,
  Mission,
  PersonAlert,
  PersonChanges,
  PersonSnapshot,
  StandDown,
  Step,
} from "@shared/shapes.ts";
import { type Deadline, deadlineOf, secondsLeft } from "./countdown.ts";
import type { Entry } from "./outbox.ts";

export interface PersonState {
  duty: Duty;
  dutyUntil: string | null;
  alert: PersonAlert | null;
  deadline: Deadline | null;
  mission: Mission | null;
  standDown: StandDown | null;
  /** Name of the AED that was carried when the stand-down came: it must go back. */
  carried: string | null;
}

export const nobody: PersonState = {
  duty: "unknown",
  dutyUntil: null,
  alert: null,
  deadline: null,
  mission: null,
  standDown: null,
  carried: null,
};

/** When a message is read: the monotonic clock, and how long ago the server wrote it. */
export interface Reading {
  monotonic: number;
  ageMs: number;
}

const OPEN: ReadonlySet<AlertStatus> = new Set(["pending", "notified", "delivered", "seen"]);
const isOpen = (alert: PersonAlert): boolean => OPEN.has(alert.status);

const isOver = (mission: Mission): boolean => ["cleared", "stood_down", "unable"].includes(mission.status);

/** A snapshot replaces everything. */
export function onSnapshot(body: PersonSnapshot, reading: Reading): PersonState {
  const fresh: PersonState = { ...nobody, duty: body.duty, dutyUntil: body.duty_until };
  const { alert, mission, stand_down } = body;
  return onChanges(fresh, { alert, mission, stand_down: stand_down ?? undefined }, reading);
}

/** Apply one event; a field that is absent stays as it was. */
export function onChanges(state: PersonState, body: PersonChanges, reading: Reading): PersonState {
  let next = state;
  if (body.duty) next = { ...next, duty: body.duty.duty, dutyUntil: body.duty.duty_until ?? null };
  if (body.alert !== undefined) next = withAlert(next, body.alert, reading);
  if (body.mission !== undefined) {
    next = { ...next, mission: body.mission && !isOver(body.mission) ? body.mission : null };
  }
  if (body.stand_down !== undefined) next = withStandDown(next, body.stand_down);
  return next;
}

/** A stand-down ends the alert and the mission it is about, and nothing else. */
function withStandDown(state: PersonState, standDown: StandDown | null): PersonState {
  if (!standDown) return { ...state, standDown: null, carried: null };
  const about = (id: string | undefined) => id === standDown.alert;
  const next = about(state.mission?.alert)
    ? { ...state, mission: null, carried: carriedOn(state.mission) }
    : state;
  return about(next.alert?.id) ? { ...next, alert: null, deadline: null, standDown } : { ...next, standDown };
}

const carriedOn = (mission: Mission | null): string | null =>
  mission?.times.aed_collected_at ? (mission.aed ? aedTitle(mission.aed) : null) : null;

function withAlert(state: PersonState, alert: PersonAlert | null, reading: Reading): PersonState {
  if (!alert) return { ...state, alert: null, deadline: null };
  const known = state.alert?.id === alert.id ? state.alert : null;
  if (known && known.revision > alert.revision) return state;
  if (!isOpen(alert)) {
    // The end of another alert than the one on screen changes nothing here.
    return state.alert && !known ? state : { ...state, alert: null, deadline: null };
  }
  const total = Date.parse(alert.expires_at) - Date.parse(alert.notified_at ?? "");
  const left = alert.expires_in_ms - reading.ageMs;
  // A new alert means that the old stand-down is history.
  return { ...state, alert, deadline: deadlineOf(left, total || left, reading.monotonic), standDown: null };
}

/** The mission as the owner of the phone sees it: with the steps tapped but not yet sent. */
export function withTaps(mission: Mission, waiting: readonly Entry[]): Mission {
  let seen = mission;
  for (const entry of waiting) {
    const step = stepOf(mission, entry);
    if (!step) continue;
    const after = seen.steps[seen.steps.indexOf(step) + 1] ?? null;
    seen = {
      ...seen,
      status: step,
      next_step: after,
      times: { ...seen.times, [`${step}_at`]: String(entry.body.at) },
    };
  }
  return seen;
}

/** Which step of this mission an entry of the outbox is, if any. */
export function stepOf(mission: Mission, entry: Entry): Step | null {
  const [, noun, id, step] = entry.path.split("/");
  if (noun !== "assignments" || id !== mission.id) return null;
  return mission.steps.find((known) => known === step) ?? null;
}

export type Screen = "stand_down" | "alert" | "mission" | "home";

/** The one screen that matters now. */
export function screenOf(state: PersonState, monotonic: number): Screen {
  if (state.standDown) return "stand_down";
  if (state.mission) return "mission";
  if (state.alert && state.deadline && secondsLeft(state.deadline, monotonic) > 0) return "alert";
  return "home";
}
