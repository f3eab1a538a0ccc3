// A report that somebody is writing about an AED: what, more words, and where it is now.

import { newKey, Problem, post } from "@shared/api.ts";
import type { Point } from "@shared/shapes.ts";
import { createStore } from "@shared/store.ts";

export const KINDS = ["missing", "locked", "moved", "broken", "closed", "other"] as const;
export type Kind = (typeof KINDS)[number];

export interface Draft {
  aed: string;
  kind: Kind | null;
  note: string;
  /** Where a moved device hangs now. */
  position: Point | null;
  /** The map stands in front and waits for that place. */
  picking: boolean;
  phase: "asking" | "sending" | "sent" | "failed" | "tooMany";
  /** Seconds to wait after too many. */
  waitS: number;
  /** Makes a repeat harmless. */
  key: string;
}

export const draft = createStore<Draft | null>(null);

export const begin = (aed: string): void =>
  draft.set({
    aed,
    kind: null,
    note: "",
    position: null,
    picking: false,
    phase: "asking",
    waitS: 0,
    key: newKey(),
  });

export const amend = (some: Partial<Draft>): void =>
  draft.update((present) => present && { ...present, ...some });

export const end = (): void => draft.set(null);

/** Send what was written; the outcome stands in the draft. */
export async function send(): Promise<void> {
  const present = draft.get();
  if (!present?.kind) return;
  amend({ phase: "sending" });
  try {
    await post(`/aeds/${present.aed}/reports`, bodyOf(present), { key: present.key, retries: 0 });
    amend({ phase: "sent" });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    amend(afterRefusal(error));
  }
}

function bodyOf({ kind, note, position }: Draft): Record<string, unknown> {
  const body: Record<string, unknown> = { kind };
  if (note.trim()) body.note = note.trim();
  if (kind === "moved" && position) body.position = position;
  return body;
}

/** Whoever was refused may write something else, which needs another key; who was cut off may not. */
function afterRefusal({ status, retryAfterS }: Problem): Partial<Draft> {
  if (status === 0) return { phase: "failed" };
  if (status === 429) return { phase: "tooMany", waitS: retryAfterS ?? 60, key: newKey() };
  return { phase: "failed", key: newKey() };
}
