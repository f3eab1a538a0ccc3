import { Problem } from "@shared/api.ts";
import { words } from "@shared/language.ts";
import { createStore } from "@shared/store.ts";

/** The last thing done, in the middle of the command bar, with a way back for ten seconds. */
export interface Toast {
  text: string;
  bad: boolean;
  /** Device time (ms) until which it can be undone. */
  undoUntil: number | null;
  undo: (() => Promise<unknown>) | null;
}

const UNDO_MS = 10_000;

export const toast = createStore<Toast | null>(null);

export function say(text: string, undo: (() => Promise<unknown>) | null = null): void {
  toast.set({ text, bad: false, undo, undoUntil: undo ? Date.now() + UNDO_MS : null });
}

/** Tell what went wrong and what to do about it. */
export function complain(error: unknown): void {
  toast.set({ text: problemText(error), bad: true, undo: null, undoUntil: null });
}

export async function undoLast(): Promise<void> {
  const last = toast.get();
  if (!last?.undo || !last.undoUntil || Date.now() > last.undoUntil) return;
  toast.set(null);
  try {
    await last.undo();
    say(words().console.done.undone);
  } catch (error) {
    complain(error);
  }
}

export function problemText(error: unknown): string {
  if (typeof error === "string") return error;
  const known: Record<string, string> = words().parts.problem;
  if (!(error instanceof Problem)) return known.unknown ?? "";
  const { body } = error;
  const said = [body.detail || body.title, body.what_to_do].filter(Boolean).join(" ");
  return known[error.code] ?? (said || known.unknown || "");
}
