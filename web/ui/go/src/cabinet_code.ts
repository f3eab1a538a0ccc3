// PURE. The code of a cabinet on the screen: asked for by one tap, gone after a minute, kept nowhere.

import { Problem } from "@shared/api.ts";

const SHOWN_MS = 60_000;

export type CodeState =
  | { kind: "hidden" }
  | { kind: "asking" }
  | { kind: "shown"; code: string; until: number }
  | { kind: "failed"; why: "none" | "away" };

export const shownFrom = (code: string, now: number): CodeState => ({
  kind: "shown",
  code,
  until: now + SHOWN_MS,
});

/** Whether the server knows no code for this person, or could not be asked. */
export const failure = (error: unknown): CodeState => ({
  kind: "failed",
  why: error instanceof Problem && error.status === 404 ? "none" : "away",
});

/** The state at a time: what has been shown for a minute is hidden. */
export const at = (state: CodeState, now: number): CodeState =>
  state.kind === "shown" && now >= state.until ? { kind: "hidden" } : state;

export const secondsShown = (state: CodeState, now: number): number =>
  state.kind === "shown" ? Math.max(0, Math.ceil((state.until - now) / 1000)) : 0;
