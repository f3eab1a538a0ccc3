/** PURE. Who was asked and what became of them, as rows of the card. */

import type { Positions } from "@shared/board/store.ts";
import { type Freshness, freshness } from "@shared/parts/controls.tsx";
import type { Alert, Assignment, Candidate, Incident, Line, Plan, Point } from "@shared/shapes.ts";

export interface PersonRow {
  alert: Alert;
  assignment: Assignment | null;
  position: Point | null;
  positionAgeS: number | null;
  fresh: Freshness;
  /** How the mark is drawn, on the map as in the list: filled only for who is on the way and fresh. */
  look: Freshness;
  /** Seconds until arrival; null when unknown or there already. */
  etaS: number | null;
  arrived: boolean;
  over: boolean;
  /** Enough others are coming, and the person was told so. */
  isCovered: boolean;
}

const ARRIVED = new Set(["on_scene", "with_patient", "handed_over", "cleared"]);
const ENDED = new Set(["cleared", "stood_down", "unable"]);
const CLOSED_ALERT = new Set(["declined", "timed_out", "stood_down"]);

export interface PeopleInput {
  alerts: readonly Alert[];
  assignments: readonly Assignment[];
  positions: Positions;
  plan: Plan | null;
  /** The timeline says who was told that enough are coming. */
  lines?: readonly Line[];
  now: number;
}

/** Rows of everyone asked: those on the way by arrival, then those who have not answered, then the rest. */
export function personRows({ alerts, assignments, positions, plan, lines, now }: PeopleInput): PersonRow[] {
  const byAlert = new Map(assignments.map((assignment) => [assignment.alert, assignment]));
  const covered = coveredBy(lines ?? []);
  const rows = alerts.map((alert) => ({
    ...rowOf(alert, byAlert.get(alert.id) ?? null, positions, plan, now),
    isCovered: alert.status === "stood_down" && covered.has(alert.id),
  }));
  return rows.sort(
    (a, b) =>
      order(a) - order(b) ||
      (a.etaS ?? a.alert.travel_s ?? 9e9) - (b.etaS ?? b.alert.travel_s ?? 9e9) ||
      (a.alert.id < b.alert.id ? -1 : 1),
  );
}

/** Ids of the alerts that were taken back because enough are coming. */
const coveredBy = (lines: readonly Line[]): ReadonlySet<string> =>
  new Set(
    lines
      .filter(({ kind }) => kind === "covered")
      .flatMap(({ args }) => (Array.isArray(args.responders) ? (args.responders as { alert: string }[]) : []))
      .map(({ alert }) => alert),
  );

function rowOf(
  alert: Alert,
  assignment: Assignment | null,
  positions: Positions,
  plan: Plan | null,
  now: number,
): Omit<PersonRow, "isCovered"> {
  const where = positionOf(alert, assignment, positions, plan, now);
  const fresh = where.position ? freshness(where.positionAgeS) : "recent";
  const arrived = assignment !== null && ARRIVED.has(assignment.status);
  const over = assignment ? ENDED.has(assignment.status) : CLOSED_ALERT.has(alert.status);
  const eta = assignment?.eta_at ? (Date.parse(assignment.eta_at) - now) / 1000 : null;
  return {
    alert,
    assignment,
    ...where,
    fresh,
    look: assignment || fresh === "stale" ? fresh : "recent",
    etaS: arrived || over ? null : assignment ? eta : alert.travel_s,
    arrived,
    over,
  };
}

/** The newest of: a live frame, what the assignment stored, what the plan knew. */
function positionOf(
  alert: Alert,
  assignment: Assignment | null,
  positions: Positions,
  plan: Plan | null,
  now: number,
) {
  const age = (at: string) => Math.max(0, Math.floor((now - Date.parse(at)) / 1000));
  const heard = positions[alert.responder];
  const stored = assignment?.position && assignment.position_at ? assignment : null;
  if (heard && !(stored?.position_at && Date.parse(stored.position_at) > Date.parse(heard.at))) {
    return { position: heard.position, positionAgeS: age(heard.at) };
  }
  if (stored?.position && stored.position_at)
    return { position: stored.position, positionAgeS: age(stored.position_at) };
  const planned = candidateOf(plan, alert.responder);
  if (!plan || !planned?.position) return { position: null, positionAgeS: null };
  const since = planned.position_age_s === null ? null : planned.position_age_s + age(plan.made_at);
  return { position: planned.position, positionAgeS: since };
}

const candidateOf = (plan: Plan | null, responder: string): Candidate | undefined =>
  plan
    ? [...plan.chosen, ...plan.excluded].find((candidate) => candidate.responder === responder)
    : undefined;

function order({ assignment, alert, over }: PersonRow): number {
  if (over) return 3;
  if (assignment) return 0;
  return alert.status === "seen" ? 1 : 2;
}

/** People near enough to be considered who were not asked, each with the reason; nearest first. */
export function notChosen(plan: Plan | null, alerts: readonly Alert[]): Candidate[] {
  if (!plan) return [];
  const asked = new Set(alerts.map((alert) => alert.responder));
  return [...plan.chosen, ...plan.excluded]
    .filter((candidate) => !asked.has(candidate.responder) && candidate.reason !== null)
    .sort((a, b) => (a.direct_s ?? a.travel_s ?? 9e9) - (b.direct_s ?? b.travel_s ?? 9e9));
}

export interface FirstArrival {
  /** Seconds from now, when someone is expected. */
  inS: number | null;
  /** Seconds after the call, when someone is there. */
  tookS: number | null;
}

/** When the first person is expected, or how long it took. */
export function firstArrival(incident: Incident, rows: readonly PersonRow[]): FirstArrival {
  if (incident.first_on_scene_at) {
    const tookS = (Date.parse(incident.first_on_scene_at) - Date.parse(incident.created_at)) / 1000;
    return { inS: null, tookS };
  }
  const etas = rows.filter((row) => row.assignment && !row.over).flatMap((row) => row.etaS ?? []);
  // Who is late may come at any time or not at all: the next one to be expected counts before.
  const ahead = etas.filter((eta) => eta >= 0);
  if (ahead.length) return { inS: Math.min(...ahead), tookS: null };
  return { inS: etas.length ? Math.max(...etas) : null, tookS: null };
}
