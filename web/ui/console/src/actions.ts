import { get, newKey, patch, post } from "@shared/api.ts";
import { words } from "@shared/language.ts";
import type { Ambulance, Disposition, Incident, Kind, Plan, Point, Severity } from "@shared/shapes.ts";
import { plan, select, showPanel, view } from "./state.ts";
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
  const made = await get<Plan>(`/incidents/${incident}/plan`);
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
  showPanel("none");
}

/** Record what is known of the ambulance; the former state can be put back. */
export async function setAmbulance(incident: Incident, state: Ambulance, etaS?: number): Promise<void> {
  const path = `/incidents/${incident.id}/ambulance`;
  const before = incident.ambulance;
  await attempt(async () => {
    await post(path, { state, ...(etaS ? { eta_s: etaS } : {}) });
    showPanel("none");
    say(words().console.done.ambulance(words().domain.ambulance[state]), () => post(path, { state: before }));
  });
}

export async function setSeverity(incident: Incident, severity: Severity): Promise<void> {
  if (severity === incident.severity) return;
  const path = `/incidents/${incident.id}`;
  await attempt(async () => {
    const changed = await patch<Incident>(path, { severity }, incident.version);
    say(words().console.done.severity(severity), () =>
      patch(path, { severity: incident.severity }, changed.version),
    );
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
    showPanel("none");
  });
}

/** Close an incident; throws a Problem for the panel to show. */
export async function closeIncident(incident: string, disposition: Disposition): Promise<void> {
  await post(`/incidents/${incident}/close`, { disposition });
  say(words().console.done.closed, () => post(`/incidents/${incident}/reopen`, {}));
  select(null);
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
