/** PURE. Which section of the queue an incident stands in, and what its chips say. */

import type { Assignment, Board, Incident, SilentChannel } from "@shared/shapes.ts";

export type Section = "action" | "progress" | "exercise";

export interface QueueFacts {
  incident: Incident;
  section: Section;
  /** Seconds for which the 120 state has been unknown; null when known or not medical. */
  ambulanceOpenS: number | null;
  /** Nobody was asked, or nobody who was asked accepted yet. */
  waiting: "not_alerted" | "nobody_accepted" | null;
  /** Minutes since the oldest position of someone on the way, when over five. */
  positionOldMin: number | null;
}

const MEDICAL = new Set(["cardiac_arrest", "trauma", "choking", "drowning", "stroke"]);
export const isMedical = (incident: Pick<Incident, "kind">): boolean => MEDICAL.has(incident.kind);

const MOVING = new Set(["accepted", "en_route", "aed_collected"]);
const ACCEPT_WITHIN_S = 60;

/** Look at one incident at a time (ms of the server's clock). */
function factsOf(incident: Incident, assignments: readonly Assignment[], now: number): QueueFacts {
  const since = (time: string | null) => (time ? Math.floor((now - Date.parse(time)) / 1000) : 0);
  const ambulanceOpenS =
    isMedical(incident) && incident.ambulance === "unknown" ? since(incident.created_at) : null;
  const facts = {
    incident,
    ambulanceOpenS,
    waiting: waitingFor(incident),
    positionOldMin: oldestPosition(assignments, now),
  };
  return { ...facts, section: sectionOf(incident, facts) };
}

function waitingFor(incident: Incident): QueueFacts["waiting"] {
  if (incident.status === "received") return isMedical(incident) ? "not_alerted" : null;
  const { accepted, on_scene } = incident.counts;
  return incident.status === "alerting" && accepted + on_scene === 0 ? "nobody_accepted" : null;
}

function oldestPosition(assignments: readonly Assignment[], now: number): number | null {
  const ages = assignments
    .filter((assignment) => MOVING.has(assignment.status) && assignment.position_at)
    .map((assignment) => now - Date.parse(assignment.position_at ?? ""));
  const minutes = Math.floor(Math.max(0, ...ages) / 60_000);
  return minutes >= 5 ? minutes : null;
}

function sectionOf(incident: Incident, facts: Omit<QueueFacts, "section">): Section {
  if (incident.exercise) return "exercise";
  const open = facts.waiting !== null || facts.ambulanceOpenS !== null || facts.positionOldMin !== null;
  return open && incident.severity <= 3 ? "action" : "progress";
}

/** All open incidents by section; in each the most severe first, then the oldest. */
export function rank(board: Board, now: number): Record<Section, QueueFacts[]> {
  const sections: Record<Section, QueueFacts[]> = { action: [], progress: [], exercise: [] };
  const assignments = Object.values(board.assignments);
  for (const incident of Object.values(board.incidents)) {
    const own = assignments.filter((assignment) => assignment.incident === incident.id);
    const facts = factsOf(incident, own, now);
    sections[facts.section].push(facts);
  }
  for (const list of Object.values(sections)) list.sort((a, b) => before(a.incident, b.incident));
  return sections;
}

const before = (a: Incident, b: Incident): number =>
  a.severity - b.severity || Date.parse(a.created_at) - Date.parse(b.created_at) || (a.id < b.id ? -1 : 1);

/** The queue from top to bottom, for moving with the arrow keys. */
export const inOrder = (sections: Record<Section, QueueFacts[]>): Incident[] =>
  [...sections.action, ...sections.progress, ...sections.exercise].map(({ incident }) => incident);

type AlarmKind = "not_alerted" | "no_accept" | "ambulance_open" | "position_old";

interface Raised {
  key: string;
  level: 1 | 2 | 3;
  sinceS: number;
}

/** Something an operator must act on; it ends by itself when the reason is gone. */
export type Alarm =
  | (Raised & { kind: AlarmKind; incident: Incident })
  | (Raised & { kind: "channel_silent"; channel: SilentChannel["channel"]; incident: null });

/** Every alarm of a board, most urgent first: of its incidents, and of channels that deliver nothing. */
export function boardAlarms(board: Board, now: number): Alarm[] {
  return inUrgency([...alarmsOf(rank(board, now), now), ...channelAlarms(board.channels ?? [], now)]);
}

const inUrgency = (alarms: Alarm[]): Alarm[] =>
  alarms.sort((a, b) => a.level - b.level || b.sinceS - a.sinceS);

const CHANNEL = "channel ";

/** Keys of alarms without those of incidents that are no longer open; the same set when none is. */
export function withoutClosed(keys: ReadonlySet<string>, open: Board["incidents"]): ReadonlySet<string> {
  const kept = [...keys].filter(
    (key) => key.startsWith(CHANNEL) || key.slice(0, key.lastIndexOf(" ")) in open,
  );
  return kept.length === keys.size ? keys : new Set(kept);
}

/** A gateway that takes every message and delivers none. */
function channelAlarms(channels: readonly SilentChannel[], now: number): Alarm[] {
  return channels.map(({ channel, silent_since }) => {
    const sinceS = silent_since ? Math.max(0, Math.floor((now - Date.parse(silent_since)) / 1000)) : 0;
    const key = `${CHANNEL}${channel} ${silent_since}`;
    return { key, kind: "channel_silent", level: 2, channel, incident: null, sinceS };
  });
}

/** The alarms that the board shows by itself, most urgent first; exercises raise none. */
export function alarmsOf(sections: Record<Section, QueueFacts[]>, now: number): Alarm[] {
  const alarms = [...sections.action, ...sections.progress].flatMap((facts) => alarmsOfOne(facts, now));
  return inUrgency(alarms);
}

function alarmsOfOne(
  { incident, ambulanceOpenS, waiting, positionOldMin }: QueueFacts,
  now: number,
): Alarm[] {
  const found: Alarm[] = [];
  const level = incident.severity === 1 ? 1 : 2;
  const add = (kind: AlarmKind, of: 1 | 2 | 3, sinceS: number) =>
    found.push({ key: `${incident.id} ${kind}`, kind, level: of, incident, sinceS });
  const age = Math.floor((now - Date.parse(incident.created_at)) / 1000) - ACCEPT_WITHIN_S;
  const alertAge = incident.first_alert_at
    ? Math.floor((now - Date.parse(incident.first_alert_at)) / 1000) - ACCEPT_WITHIN_S
    : -1;
  if (waiting === "not_alerted" && isMedical(incident) && age >= 0) add("not_alerted", level, age);
  if (waiting === "nobody_accepted" && alertAge >= 0) add("no_accept", level, alertAge);
  if (ambulanceOpenS !== null && age >= 0) add("ambulance_open", level, age);
  if (positionOldMin !== null) add("position_old", 3, positionOldMin * 60 - 300);
  return found;
}
