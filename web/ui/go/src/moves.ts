// What happens to a mission from outside: an AED that cannot be had, another task, an answer that came too late.

import type { Problem } from "@shared/api.ts";
import { serverNow } from "@shared/clock.ts";
import { aedTitle } from "@shared/map/aed_title.ts";
import type { Mission, Role, Step } from "@shared/shapes.ts";
import { createStore } from "@shared/store.ts";

/** What is wrong with an AED that somebody stands before. */
export type AedProblem = "missing" | "locked" | "broken";
export const AED_PROBLEMS: AedProblem[] = ["missing", "locked", "broken"];

export interface Reported {
  mission: string;
  aed: string;
  kind: AedProblem;
  /** Epoch milliseconds of the server's clock. */
  at: number;
}

/** The task is another one than the phone showed before. */
export interface Change {
  mission: string;
  role: Role;
  aed: string | null;
  /** The AED that need not be fetched any more. */
  old: string | null;
}

export interface Late {
  alert: string;
  /** How the alert had ended: covered, timed_out, stood_down. */
  why: string;
  exercise: boolean;
  at: string;
}

/** Where a report goes. */
export const reportPath = (aed: string): string => `/aeds/${aed}/reports`;

interface Moves {
  reported: Reported | null;
  change: Change | null;
  late: Late | null;
}

const KEPT = "golden.go.reported";

/** The last report survives a reload: without network nobody else knows of it. */
function kept(): Reported | null {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "null") as Reported | null;
  } catch {
    return null;
  }
}

export const moves = createStore<Moves>({ reported: kept(), change: null, late: null });
const merge = (some: Partial<Moves>) => moves.update((state) => ({ ...state, ...some }));

/** PURE. The same mission with another role or another AED than before; null when it goes on as it was. */
export function changeOf(before: Mission | null, after: Mission | null): Change | null {
  if (!before || !after || before.id !== after.id) return null;
  if (before.role === after.role && before.aed?.id === after.aed?.id) return null;
  // Who has it in hand does not go there any more anyway.
  const isOther = before.aed && before.aed.id !== after.aed?.id && !after.times.aed_collected_at;
  return {
    mission: after.id,
    role: after.role,
    aed: after.aed ? aedTitle(after.aed) : null,
    old: isOther && before.aed ? aedTitle(before.aed) : null,
  };
}

/** PURE. The mission without an AED that cannot be had: straight on, until another one is named. */
export function withoutAed(mission: Mission, reported: Reported | null): Mission {
  const { steps, next_step } = mission;
  if (!isAbout(mission, reported)) return mission;
  const rest = steps.filter((step) => step !== "aed_collected");
  return { ...mission, role: "direct", aed: null, steps: rest, next_step: after(steps, next_step) };
}

const after = (steps: Step[], next: Step | null): Step | null =>
  next === "aed_collected" ? (steps[steps.indexOf(next) + 1] ?? null) : next;

/** PURE. Whether the report is about the AED of this mission. */
export const isAbout = ({ id, aed }: Mission, reported: Reported | null): boolean =>
  reported !== null && reported.mission === id && reported.aed === aed?.id;

/** Remember what was reported, on this phone. */
export function noteReported(mission: Mission, kind: AedProblem): void {
  if (!mission.aed) return;
  const reported = { mission: mission.id, aed: mission.aed.id, kind, at: serverNow() };
  localStorage.setItem(KEPT, JSON.stringify(reported));
  merge({ reported });
}

/** Learn from the mission before and after a message whether the task has changed. */
export function noteMove(before: Mission | null, now: Mission | null): void {
  const change = changeOf(before, now);
  if (change) merge({ change });
  else if (!now && moves.get().change) merge({ change: null });
}

export const readChange = (): void => merge({ change: null });
export const readLate = (): void => merge({ late: null });

/** PURE. How the alert had ended that somebody wanted to accept, by what the server says of it. */
export function whyLate(problem: Problem): string | null {
  if (problem.status !== 409 || problem.code !== "alert_over") return null;
  const { status, reason } = problem.body.state ?? {};
  return reason === "covered" ? "covered" : typeof status === "string" ? status : "other";
}

export const noteLate = (alert: string, why: string, exercise: boolean): void =>
  merge({ late: { alert, why, exercise, at: new Date(serverNow()).toISOString() } });
