/** Example values for tests: valid by default, changed where a test looks. */

import type { Alert, Assignment, Board, Candidate, Incident, Line, Plan, Point } from "@shared/shapes.ts";

export const NOW = Date.parse("2026-11-22T22:47:31Z");
export const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();
export const point = (lon = 7.42, lat = 43.735): Point => ({ type: "Point", coordinates: [lon, lat] });

export const incident = (change: Partial<Incident> = {}): Incident => ({
  id: "i1",
  number: "2026-000012",
  org: "demo",
  kind: "cardiac_arrest",
  severity: 1,
  status: "responding",
  disposition: null,
  exercise: false,
  position: point(),
  address: "12 Rue Grimaldi",
  floor: null,
  entrance: null,
  note: null,
  caller_phone: null,
  ambulance: "dispatched",
  ambulance_eta_at: null,
  ambulance_changed_at: null,
  opened_by: null,
  created_at: ago(192),
  first_alert_at: ago(161),
  first_accept_at: ago(130),
  first_on_scene_at: null,
  with_patient_at: null,
  handed_over_at: null,
  closed_at: null,
  counts: { alerted: 4, accepted: 3, on_scene: 0 },
  version: 5,
  ...change,
});

export const alert = (change: Partial<Alert> = {}): Alert => ({
  id: "a1",
  incident: "i1",
  responder: "r1",
  name: "王建国",
  name_en: "Jianguo Wang",
  skills: ["first_aid"],
  role: "direct",
  aed: null,
  status: "notified",
  wave: 1,
  travel_s: 120,
  distance_m: 170,
  eta_source: "network",
  notified_at: ago(161),
  delivered_at: null,
  seen_at: null,
  answered_at: null,
  expires_at: ago(101),
  revision: 1,
  is_invented: true,
  ...change,
});

export const assignment = (change: Partial<Assignment> = {}): Assignment => ({
  id: "s1",
  alert: "a1",
  incident: "i1",
  responder: "r1",
  name: "王建国",
  name_en: "Jianguo Wang",
  role: "direct",
  aed: null,
  status: "en_route",
  times: { accepted_at: ago(130) },
  eta_at: new Date(NOW + 50_000).toISOString(),
  position: point(7.421, 43.736),
  position_at: ago(10),
  ...change,
});

export const candidate = (change: Partial<Candidate> = {}): Candidate => ({
  responder: "r9",
  name: "吴迪",
  name_en: "Di Wu",
  skills: ["first_aid"],
  duty: "available",
  position: point(),
  position_source: "live",
  position_age_s: 12,
  role: null,
  aed: null,
  travel_s: 110,
  direct_s: 110,
  distance_m: 150,
  eta_source: "network",
  rank: 1,
  reason: "busy",
  reason_args: {},
  arrives_s: null,
  accept: 0.287,
  marginal: null,
  sentence: { zh: "吴迪 未通知：距离80米，任务中", en: "Di Wu: not asked: 80 m away, busy" },
  is_invented: true,
  ...change,
});

export const plan = (change: Partial<Plan> = {}): Plan => ({
  incident: "i1",
  made_at: ago(5),
  policy: "first-policy v1",
  network: "network",
  ms: 12,
  modes: [],
  expected: null,
  scene: { ambulance_s: 560, lead_s: 70, vertical_s: 168 },
  chosen: [],
  excluded: [],
  aside: {},
  aeds: [],
  ...change,
});

export const line = (change: Partial<Line> = {}): Line => ({
  id: "l1",
  incident: "i1",
  at: ago(100),
  device_at: null,
  actor: { id: "p1", name: "陈静" },
  channel: "console",
  kind: "note",
  args: {},
  text: null,
  struck_at: null,
  struck_by: null,
  ...change,
});

export function board(incidents: Incident[], assignments: Assignment[] = []): Board {
  const byId = <T extends { id: string }>(things: T[]) =>
    Object.fromEntries(things.map((thing) => [thing.id, thing]));
  const org = {
    id: "o",
    code: "demo",
    name_zh: "演示",
    name_en: "Demo",
    level: 4,
    parent: null,
    phone: null,
    is_demo: true,
  };
  return { org, incidents: byId(incidents), alerts: {}, assignments: byId(assignments) };
}
