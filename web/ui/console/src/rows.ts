import { useNow } from "@shared/clock.ts";
import type { Alert, Incident, Line, Reservation } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { type PersonRow, personRows } from "./people.ts";
import { boards, plan as planStore, view } from "./state.ts";

export interface OpenIncident {
  incident: Incident | null;
  alerts: Alert[];
  rows: PersonRow[];
  lines: Line[];
  reservations: Reservation[];
}

const NOBODY: OpenIncident = { incident: null, alerts: [], rows: [], lines: [], reservations: [] };

/** The selected incident with its people; from the board at once, from its own topic when that answers. */
export function useRows(): OpenIncident {
  const now = useNow();
  const { selected } = useStore(view);
  const board = useStore(boards.board);
  const snapshot = useStore(boards.incident);
  const positions = useStore(boards.positions);
  const known = useStore(planStore);
  if (!selected) return NOBODY;
  const own = snapshot?.incident.id === selected ? snapshot : null;
  const incident = own?.incident ?? board?.incidents[selected] ?? null;
  if (!incident) return NOBODY;
  const ofIt = <T extends { incident: string }>(things: Record<string, T> | undefined): T[] =>
    Object.values(things ?? {}).filter((thing) => thing.incident === selected);
  const alerts = ofIt(own?.alerts ?? board?.alerts);
  const assignments = ofIt(own?.assignments ?? board?.assignments);
  const plan = known?.incident === selected ? known.plan : null;
  return {
    incident,
    alerts,
    rows: personRows({ alerts, assignments, positions, plan, lines: own?.lines ?? [], now }),
    lines: own?.lines ?? [],
    reservations: own?.reservations ?? [],
  };
}
