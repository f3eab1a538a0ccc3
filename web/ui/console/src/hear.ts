import type { LiveEvent } from "@shared/live/socket.ts";
import type { Changes } from "@shared/shapes.ts";

/** Things that react to an event of the board: sounds and what assistive technology says. */
type Listener = (kind: string, changes: Changes) => void;

const listeners = new Set<Listener>();

export function onBoardEvent(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function hearEvent(event: LiveEvent): void {
  for (const listener of [...listeners]) listener(event.kind, event.body as Changes);
}
