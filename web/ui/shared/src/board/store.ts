import type { LiveEvent, LiveHandlers } from "../live/socket.ts";
import type { Board, Changes, IncidentSnapshot, PositionItem } from "../shapes.ts";
import { createStore, type Store } from "../store.ts";
import { applyToBoard, applyToIncident } from "./apply_event.ts";

export type Positions = Readonly<Record<string, PositionItem>>;

/** The one board, the incident that is open beside it, and the newest positions. */
export interface BoardStore {
  board: Store<Board | null>;
  incident: Store<IncidentSnapshot | null>;
  positions: Store<Positions>;
  handlers: LiveHandlers;
}

/** Make the stores and the handlers that keep them equal to the server's log. */
export function createBoardStore(onChange?: (event: LiveEvent) => void): BoardStore {
  const board = createStore<Board | null>(null);
  const incident = createStore<IncidentSnapshot | null>(null);
  const positions = createStore<Positions>({});
  const handlers: LiveHandlers = {
    onSnapshot(topic, body) {
      if (topic.startsWith("org:")) board.set(body as Board);
      if (topic.startsWith("incident:")) incident.set(body as IncidentSnapshot);
    },
    onEvent(event) {
      const changes = event.body as Changes;
      if (event.topic.startsWith("org:")) {
        board.update((known) => known && applyToBoard(known, changes));
        onChange?.(event);
      } else if (event.topic.startsWith("incident:")) {
        incident.update((known) => known && applyToIncident(known, changes));
      }
    },
    onPositions(_topic, items) {
      positions.update((known) => ({
        ...known,
        ...Object.fromEntries(items.map((item) => [item.responder, item])),
      }));
    },
  };
  return { board, incident, positions, handlers };
}
