/** Incidents with all that belongs to them, as an operator sees them, and the events that change them. */

import type { Expectations, Sentence } from "./decisions.ts";
import type { Org } from "./people.ts";
import type {
  AlertStatus,
  Ambulance,
  AssignmentStatus,
  AssignmentTimes,
  Disposition,
  Duty,
  EtaSource,
  IncidentStatus,
  Kind,
  Point,
  Role,
  Severity,
  Usable,
} from "./words.ts";

export interface Incident {
  id: string;
  number: string;
  org: string;
  kind: Kind;
  severity: Severity;
  status: IncidentStatus;
  disposition: Disposition | null;
  exercise: boolean;
  position: Point;
  address: string | null;
  floor: string | null;
  entrance: string | null;
  note: string | null;
  caller_phone: string | null;
  patients?: number | null;
  disaster?: string | null;
  merged_into?: string | null;
  ambulance: Ambulance;
  ambulance_eta_at: string | null;
  ambulance_changed_at: string | null;
  opened_by: string | null;
  created_at: string;
  first_alert_at: string | null;
  first_accept_at: string | null;
  first_on_scene_at: string | null;
  with_patient_at: string | null;
  handed_over_at: string | null;
  closed_at: string | null;
  stood_down_at?: string | null;
  drill_speed?: number;
  counts: { alerted: number; accepted: number; on_scene: number };
  version: number;
}

export interface AlertAed {
  id: string;
  name: string;
  position: Point;
}

/** An alert as the operator sees it. */
export interface Alert {
  id: string;
  incident: string;
  responder: string;
  name: string;
  name_en: string | null;
  skills: string[];
  role: Role;
  aed: AlertAed | null;
  status: AlertStatus;
  wave: number;
  travel_s: number | null;
  distance_m: number | null;
  eta_source: EtaSource | null;
  notified_at: string | null;
  delivered_at: string | null;
  seen_at: string | null;
  answered_at: string | null;
  expires_at: string | null;
  stood_down_at?: string | null;
  stand_down_seen_at?: string | null;
  decline_reason?: string | null;
  /** How its message fares on the way: queued, sent, delivered, unacknowledged … */
  delivery?: string | null;
  /** Each channel that was tried, the live one first. */
  channels?: Way[];
  team?: string | null;
  revision: number;
  is_invented: boolean;
}

/** How far an alert has come on one channel, and why no further. */
export interface Way {
  channel: "live" | "web_push" | "sms" | "voice" | "wecom" | "dingtalk" | "feishu";
  status:
    | "queued"
    | "sent"
    | "delivered"
    | "seen"
    | "acted"
    | "unacknowledged"
    | "failed"
    | "silenced"
    | "expired";
  why: string | null;
  at: string | null;
}

/** A channel whose gateway takes everything and delivers nothing. */
export interface SilentChannel {
  channel: Way["channel"];
  silent_since: string | null;
}

/** An assignment as the operator sees it. */
export interface Assignment {
  id: string;
  alert: string;
  incident: string;
  responder: string;
  name: string;
  name_en: string | null;
  role: Role;
  aed: AlertAed | null;
  status: AssignmentStatus;
  times: AssignmentTimes;
  ended_at?: string | null;
  unable_reason?: string | null;
  eta_at: string | null;
  position: Point | null;
  position_at: string | null;
}

export interface Reservation {
  id: string;
  incident: string;
  item: string;
  item_name: string;
  item_name_en: string | null;
  depot: string;
  depot_name: string;
  depot_name_en: string | null;
  quantity: number;
  unit: string;
  unit_en: string | null;
  status: "active" | "issued" | "released" | "expired";
  expires_at: string | null;
}

export interface Line {
  id: string;
  incident: string;
  at: string;
  device_at: string | null;
  actor: { id: string; name: string } | null;
  channel: "console" | "phone" | "system" | "ambulance";
  kind: string;
  args: Record<string, unknown>;
  text: string | null;
  struck_at: string | null;
  struck_by: string | null;
}

export interface Candidate {
  responder: string;
  name: string;
  name_en: string | null;
  skills: string[];
  duty: Duty;
  position: Point | null;
  position_source: string | null;
  position_age_s: number | null;
  role: Role | null;
  aed: string | null;
  travel_s: number | null;
  direct_s: number | null;
  distance_m: number | null;
  eta_source: EtaSource | null;
  rank: number | null;
  reason: string | null;
  reason_args: Record<string, unknown>;
  reason_text?: string | null;
  /** Seconds from now to the patient: answering and the way through the building included. */
  arrives_s: number | null;
  /** How surely the person says yes. */
  accept: number;
  /** What the plan loses without somebody chosen, or what somebody not chosen would add. */
  marginal: number | null;
  sentence: Sentence;
  is_invented: boolean;
}

export interface PlanAed {
  id: string;
  name: string;
  position: Point;
  usable: Usable;
  usable_reason: string | null;
  usable_until: string | null;
  walk_s: number | null;
  chosen: boolean;
}

export interface Plan {
  incident: string;
  made_at: string;
  policy: string;
  network: EtaSource;
  ms: number;
  /** What the plan had to do without. */
  modes: string[];
  /** Null where the policy chooses by rule. */
  expected: Expectations | null;
  scene: { ambulance_s: number; lead_s: number; vertical_s: number };
  chosen: Candidate[];
  excluded: Candidate[];
  /** How many more were within reach and not weighed, by reason: too many others are nearer. */
  aside: Record<string, number>;
  aeds: PlanAed[];
}

export interface Board {
  org: Org;
  incidents: Record<string, Incident>;
  alerts: Record<string, Alert>;
  assignments: Record<string, Assignment>;
  channels?: SilentChannel[];
}

/** What one event of an `org:` or `incident:` topic carries: whole objects that replace the old ones. */
export interface Changes {
  incident?: Incident;
  alerts?: Alert[];
  assignments?: Assignment[];
  lines?: Line[];
  reservations?: Reservation[];
  channels?: SilentChannel[];
}

/** The snapshot body of an `incident:` topic. */
export interface IncidentSnapshot {
  incident: Incident;
  alerts: Record<string, Alert>;
  assignments: Record<string, Assignment>;
  lines: Line[];
  reservations: Reservation[];
}

export interface PositionItem {
  responder: string;
  position: Point;
  accuracy_m: number | null;
  at: string;
}

/** A channel that is on, and when a message last arrived by it for certain. */
export interface ChannelProof extends SilentChannel {
  is_test: boolean;
  proved_at: string | null;
}

export interface Figures {
  channels?: ChannelProof[];
  on_duty: number;
  aeds_usable: number;
  aeds_total: number;
  closed_24h: Incident[];
  [extra: string]: unknown;
}
