// How somebody is after a mission: one tap, which waits on the phone when there is no network.

import { serverNow } from "@shared/clock.ts";
import type { Me, Survey } from "@shared/shapes.ts";
import { createStore } from "@shared/store.ts";

export type Impact = "none" | "low" | "moderate" | "severe";
export const IMPACTS: Impact[] = ["none", "low", "moderate", "severe"];

/** What was answered and is still talked about on this screen. */
export interface Answered {
  survey: string;
  impact: Impact;
  exercise: boolean;
}

export const answered = createStore<Answered | null>(null);

const KEPT = "golden.go.surveys";

function done(): string[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(found) ? found.map(String) : [];
  } catch {
    return [];
  }
}

/** Remember that it was answered, so that a slow network does not ask twice. */
export function noteAnswered(survey: Survey, impact: Impact): void {
  localStorage.setItem(KEPT, JSON.stringify([...done().slice(-19), survey.id]));
  answered.set({ survey: survey.id, impact, exercise: survey.incident.exercise });
}

/** PURE. The question that is due and was not answered on this phone. */
export function dueOf(me: Me | null, known: readonly string[]): Survey | null {
  const survey = me?.survey ?? null;
  return survey && !known.includes(survey.id) ? survey : null;
}

export const dueSurvey = (me: Me | null): Survey | null => dueOf(me, done());

const HOUR_MS = 3_600_000;

/** PURE. How many hours of rest an answer offers; with the gravest one rests without asking. */
export const restHours = (impact: Impact): number | null =>
  impact === "moderate" || impact === "low" ? 24 : null;

export const restUntil = (hours: number): string => new Date(serverNow() + hours * HOUR_MS).toISOString();
