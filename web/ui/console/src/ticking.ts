import { useNow } from "@shared/clock.ts";
import { createStore, useStore } from "@shared/store.ts";
import { type Alarm, boardAlarms, rank, withoutClosed } from "./queue_rank.ts";
import { boards } from "./state.ts";

const NOTHING = { action: [], progress: [], exercise: [] };

/** The queue as it stands this second. */
export function useQueue() {
  const now = useNow();
  const board = useStore(boards.board);
  const sections = board ? rank(board, now) : NOTHING;
  return { now, board, sections };
}

/** Alarms that this console has acknowledged; they stay counted until their reason ends. */
export const acknowledged = createStore<ReadonlySet<string>>(new Set());

// What is opened again alarms again: nobody has taken note of it in this life.
boards.board.subscribe(() => {
  const board = boards.board.get();
  if (board) acknowledged.update((known) => withoutClosed(known, board.incidents));
});

export function useAlarms(): { all: Alarm[]; open: Alarm[] } {
  const { board, now } = useQueue();
  const known = useStore(acknowledged);
  const all = board ? boardAlarms(board, now) : [];
  return { all, open: all.filter((alarm) => !known.has(alarm.key)) };
}
