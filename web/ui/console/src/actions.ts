import { get, newKey, Problem, patch, post } from "@shared/api.ts";
import { words } from "@shared/language.ts";
import type { Ambulance, Disposition, Incident, Kind, Plan, Point, Severity } from "@shared/shapes.ts";
import type { Edited } from "./edit_fields.ts";
import { focusNext } from "./next_focus.ts";
import { type PlanAnswer, parted } from "./plan_people.ts";
import { leavePanel, plan, select, view } from "./state.ts";
import { complain, say } from "./toast.ts";

/** Everything an operator does to an incident; each tells its outcome in the command bar. */

export interface NewIncident {
  kind: Kind;
  severity: Severity;
  position: Point;
  address?: string;
  floor?: string;
  entrance?: string;
  note?: string;
  caller_phone?: string;
  ambulance: Ambulance;
  eta_s?: number;
  exercise: boolean;
}

/** Open an incident and show its plan at once. Throws a Problem for the form to show. */
export async function openIncident(values: NewIncident, key: string): Promise<void> {
  const opened = await post<Incident>("/incidents", values, { key });
  say(words().console.done.opened(opened.number));
  select(opened.id, "plan");
}

export async function loadPlan(incident: string): Promise<Plan> {
  const made = parted(await get<PlanAnswer>(`/incidents/${incident}/plan`));
  if (view.get().selected === incident) plan.set({ incident, plan: made });
  return made;
}

/** Alert by policy, or exactly these responders. Throws a Problem for the panel to show. */
export async function sendAlert(incident: string, responders: string[] | null, key: string): Promise<void> {
  const answer = await post<{ alerts?: unknown[] }>(
    `/incidents/${incident}/alert`,
    responders ? { responders } : {},
    { key },
  );
  say(words().console.done.sent(answer.alerts?.length ?? responders?.length ?? 0));
  leavePanel("plan");
}

/** Record what is known of the ambulance; the former state can be put back. */
export async function setAmbulance(incident: Incident, state: Ambulance, etaS?: number): Promise<void> {
  const path = `/incidents/${incident.id}/ambulance`;
  const before = incident.ambulance;
  await attempt(async () => {
    await post(path, { state, ...(etaS ? { eta_s: etaS } : {}) });
    leavePanel("ambulance");
    say(words().console.done.ambulance(words().domain.ambulance[state]), () => post(path, { state: before }));
  });
}

type Correction = Partial<Pick<Incident, "severity" | "kind" | "position" | keyof Edited>>;

/** Correct an incident. Its version moves with every answer of a responder, so a stale one is no conflict
 * by itself: only when somebody else has changed the same fields is the refusal passed on. */
export async function correct(seen: Incident, change: Correction): Promise<Incident> {
  const path = `/incidents/${seen.id}`;
  try {
    return await patch<Incident>(path, change, seen.version);
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 412) throw error;
    const now = await get<Incident>(path);
    const fields = Object.keys(change) as (keyof Correction)[];
    const same = fields.every((field) => JSON.stringify(now[field]) === JSON.stringify(seen[field]));
    if (!same) throw error;
    return patch<Incident>(path, change, now.version);
  }
}

export async function setSeverity(incident: Incident, severity: Severity): Promise<void> {
  if (severity === incident.severity) return;
  await attempt(async () => {
    const changed = await correct(incident, { severity });
    say(words().console.done.severity(severity), () => correct(changed, { severity: incident.severity }));
  });
}

export async function addLine(incident: string, text: string): Promise<boolean> {
  return attempt(async () => {
    await post(`/incidents/${incident}/timeline`, { text }, { key: newKey() });
    say(words().console.done.line);
  });
}

export async function strikeLine(incident: string, line: string): Promise<void> {
  await attempt(() => post(`/incidents/${incident}/timeline`, { strike: line }));
}

export async function standDown(incident: string): Promise<boolean> {
  return attempt(async () => {
    await post(`/incidents/${incident}/stand-down`, {});
    say(words().console.done.stoodDown);
    leavePanel("end");
  });
}

/** Close an incident; throws a Problem for the panel to show. */
export async function closeIncident(incident: string, disposition: Disposition): Promise<void> {
  await post(`/incidents/${incident}/close`, { disposition });
  say(words().console.done.closed, () => post(`/incidents/${incident}/reopen`, {}));
  select(null);
  focusNext("end");
}

/** Do something and tell what went wrong; true when it went well. */
async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    complain(error);
    return false;
  }
}
