/** PURE. The only way in which a board or an incident changes: whole objects replace the old ones. */

import type { Alert, Board, Changes, Incident, IncidentSnapshot } from "../shapes.ts";

type ById<T> = Record<string, T>;

/** Apply one event of an `org:` topic: an incident that closed leaves with all that is its own. */
export function applyToBoard(board: Board, changes: Changes): Board {
  if (changes.incident?.status === "closed") return withoutIncident(board, changes.incident);
  const incidents = changes.incident ? put(board.incidents, [changes.incident]) : board.incidents;
  return {
    ...board,
    incidents,
    alerts: put(board.alerts, changes.alerts),
    assignments: put(board.assignments, changes.assignments),
    ...(changes.channels ? { channels: changes.channels } : {}),
  };
}

/** Apply one event of an `incident:` topic; lines keep the order in which they were written. */
export function applyToIncident(snapshot: IncidentSnapshot, changes: Changes): IncidentSnapshot {
  return {
    ...snapshot,
    incident: changes.incident ?? snapshot.incident,
    alerts: put(snapshot.alerts, changes.alerts),
    assignments: put(snapshot.assignments, changes.assignments),
    lines: upsertList(snapshot.lines, changes.lines),
    reservations: upsertList(snapshot.reservations, changes.reservations),
  };
}

/** Snapshot and changes of a `team:` topic, as its leader hears them. */
interface TeamSnapshot {
  team: unknown;
  alerts: ById<Alert>;
}
interface TeamChanges {
  alerts?: Alert[];
  closed?: string;
}

/** Apply one event of a `team:` topic: alerts of an incident that ended leave. */
export function applyToTeam(snapshot: TeamSnapshot, changes: TeamChanges): TeamSnapshot {
  const alerts = Object.entries(put(snapshot.alerts, changes.alerts));
  return {
    ...snapshot,
    alerts: Object.fromEntries(alerts.filter(([, alert]) => alert.incident !== changes.closed)),
  };
}

function withoutIncident(board: Board, closed: Incident): Board {
  const { [closed.id]: _gone, ...incidents } = board.incidents;
  const ofOthers = <T extends { incident: string }>(things: ById<T>): ById<T> =>
    Object.fromEntries(Object.entries(things).filter(([, thing]) => thing.incident !== closed.id));
  return {
    ...board,
    incidents,
    alerts: ofOthers(board.alerts),
    assignments: ofOthers(board.assignments),
  };
}

function put<T extends { id: string }>(things: ById<T>, changed: T[] | undefined): ById<T> {
  if (!changed?.length) return things;
  const next = { ...things };
  for (const thing of changed) next[thing.id] = thing;
  return next;
}

function upsertList<T extends { id: string }>(list: T[], changed: T[] | undefined): T[] {
  if (!changed?.length) return list;
  const replaced = new Map(changed.map((thing) => [thing.id, thing]));
  const kept = list.map((thing) => take(replaced, thing));
  return [...kept, ...replaced.values()];
}

function take<T extends { id: string }>(replaced: Map<string, T>, thing: T): T {
  const next = replaced.get(thing.id);
  replaced.delete(thing.id);
  return next ?? thing;
}
