/** People: who is signed in, and what a responder may see. */

import type { Aed } from "./places.ts";
import type {
  AccountRole,
  AlertStatus,
  Ambulance,
  AssignmentStatus,
  AssignmentTimes,
  Duty,
  EtaSource,
  Kind,
  Point,
  Role,
  Severity,
  Step,
} from "./words.ts";

export interface Org {
  id: string;
  code: string;
  name_zh: string;
  name_en: string;
  /** 1 national, 2 province, 3 city, 4 county or district, 5 below. */
  level: number;
  parent: string | null;
  phone: string | null;
  is_demo: boolean;
}

export interface Person {
  id: string;
  name: string;
  name_en: string | null;
  username: string | null;
  language: string | null;
  is_invented: boolean;
}

export interface Session {
  person: Person;
  org: Org;
  roles: AccountRole[];
  server_time: string;
}

/** What a responder may see of an alert; place and aed are null once it is over. */
export interface PersonAlert {
  id: string;
  revision: number;
  incident: {
    id: string;
    kind: Kind;
    severity: Severity;
    exercise: boolean;
    ambulance: Ambulance;
    ambulance_eta_at: string | null;
  };
  status: AlertStatus;
  role: Role;
  aed: MissionAed | null;
  place: { position: Point; distance_m: number; bearing: string } | null;
  travel_s: number | null;
  eta_source: EtaSource | null;
  position_age_s: number | null;
  going: number;
  notified_at: string | null;
  expires_at: string;
  expires_in_ms: number;
}

export interface MissionAed {
  id: string;
  name: string;
  address: string | null;
  floor: string | null;
  position: Point;
  access_note: string | null;
  usable_until: string | null;
  cabinet?: Aed["cabinet"];
  /** Ids; the JPEG of one is at /api/v1/aeds/{id}/photos/{photo}. */
  photos?: string[];
}

/** Where an AED belongs that somebody took. */
export type CarriedAed = Pick<MissionAed, "id" | "name" | "address" | "floor" | "position"> & {
  entrance: string | null;
  location_note: string | null;
};

export interface Mission {
  id: string;
  alert: string;
  status: AssignmentStatus;
  role: Role;
  steps: Step[];
  next_step: Step | null;
  incident: {
    id: string;
    kind: Kind;
    exercise: boolean;
    number?: string;
    severity?: Severity;
    position?: Point;
    address?: string | null;
    floor?: string | null;
    entrance?: string | null;
    note?: string | null;
    ambulance?: Ambulance;
    ambulance_eta_at?: string | null;
  };
  aed: MissionAed | null;
  times: AssignmentTimes;
  call_phone: string | null;
  route_version: number;
}

export interface StandDown {
  alert: string;
  kind?: Kind;
  incident?: { id?: string; kind: Kind; exercise?: boolean };
  at: string;
  reason: string | null;
}

export interface Me {
  person: Person;
  org: Org;
  roles: AccountRole[];
  duty: Duty;
  duty_until: string | null;
  certificates: { kind: string; number?: string; expires_on?: string | null; status?: string }[];
  places: { id?: string; kind: string; label: string | null; position: Point; hours: string | null }[];
  position: { position: Point; accuracy_m: number | null; at: string } | null;
  readiness: { code: string; ok: boolean; detail: string | null }[];
  alert: PersonAlert | null;
  mission: Mission | null;
  stand_down: StandDown | null;
  blocked: string[];
  /** Everything that keeps this person from being alerted, by the code that decides when sending. */
  alertable?: { ok: boolean; reasons: { code: string; args?: Record<string, unknown> }[] };
  quiet?: Quiet | null;
  survey?: Survey | null;
}

/** Hours of the day, as HH:mm, at which one is not alerted but for these kinds. */
export interface Quiet {
  from: string;
  until: string;
  except: string[];
}

/** A question about how one is after a mission that waits for its answer. */
export interface Survey {
  id: string;
  /** 1: after ninety minutes; 2: after four weeks. */
  round: 1 | 2;
  incident: { id: string; kind: Kind; exercise: boolean };
}

/** How one channel reaches this person. */
export interface Reach {
  channel: string;
  state: "ready" | "off" | "none" | "dead" | "silent";
  /** When a message last got through for certain. */
  heard_at: string | null;
}

export interface PersonSnapshot {
  person: Person;
  duty: Duty;
  duty_until: string | null;
  alert: PersonAlert | null;
  mission: Mission | null;
  stand_down: StandDown | null;
}

export interface PersonChanges {
  alert?: PersonAlert | null;
  mission?: Mission | null;
  duty?: { duty: Duty; duty_until?: string | null };
  stand_down?: StandDown | null;
  /** Something about me is due: ask for the rest. */
  care?: { what: string; id?: string };
}
