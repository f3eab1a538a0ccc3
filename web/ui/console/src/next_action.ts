import { serverNow } from "@shared/clock.ts";
import { inOrder, rank } from "./queue_rank.ts";
import { boards, select, view } from "./state.ts";

/** Open the next incident that needs action, after the one that is open. */
export function goToNext(): void {
  const board = boards.board.get();
  if (!board) return;
  const { action } = rank(board, serverNow());
  const at = action.findIndex(({ incident }) => incident.id === view.get().selected);
  const next = action[(at + 1) % action.length];
  if (next) select(next.incident.id);
}

/** Open the incident one row up or down in the queue. */
export function moveInQueue(step: 1 | -1): void {
  const board = boards.board.get();
  if (!board) return;
  const order = inOrder(rank(board, serverNow()));
  const at = order.findIndex(({ id }) => id === view.get().selected);
  const next = order[at < 0 ? (step > 0 ? 0 : order.length - 1) : at + step];
  if (!next) return;
  select(next.id);
  requestAnimationFrame(() =>
    document.querySelector<HTMLElement>(`.queue-row[data-incident="${next.id}"]`)?.focus(),
  );
}
