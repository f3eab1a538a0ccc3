/** What an office keeps: its AEDs with all that is known of them, its volunteers, and lists sent in. */

import type { Aed } from "./places.ts";
import type { Duty, Point } from "./words.ts";

export type Trust = "verified" | "ageing" | "suspect" | "dead";

/** An AED as its own organisation sees it; `has_code` and `photos` come with a single one only. */
export interface OwnAed extends Aed {
  phone: string | null;
  closed_from: string | null;
  closed_until: string | null;
  closed_note: string | null;
  has_child_pads: boolean | null;
  carrier: string | null;
  trust: Trust;
  source_crs: string;
  raw_lon: number | null;
  raw_lat: number | null;
  accuracy_m: number | null;
  position_method: string | null;
  time_zone: string;
  brand: string | null;
  model: string | null;
  serial: string | null;
  pads_expire_on: string | null;
  child_pads_expire_on: string | null;
  battery_expires_on: string | null;
  installed_on: string | null;
  acquired: string | null;
  donor: string | null;
  moved_at: string | null;
  check_every_days: number | null;
  check_due_at: string | null;
  suspect_since: string | null;
  taken_at: string | null;
  created_at: string;
  updated_at: string;
  photos?: Photo[];
  has_code?: boolean;
}

export interface Photo {
  id: string;
  kind: PhotoKind;
  width: number;
  height: number;
}

export type PhotoKind = "surroundings" | "cabinet";

export interface Custodian {
  rank: number;
  unit: string | null;
  name: string;
  phone: string | null;
  email: string | null;
}

interface Named {
  id: string;
  name: string;
}

export type CheckResult = "ok" | "fault" | "missing";

export interface AedCheck {
  id: string;
  result: CheckResult;
  pads_expire_on: string | null;
  child_pads_expire_on: string | null;
  battery_expires_on: string | null;
  away_m: number | null;
  is_far: boolean;
  note: string | null;
  by: Named | null;
  at: string;
}

export interface AedReport {
  id: string;
  aed: string | Named;
  kind: string;
  note: string | null;
  position: Point | null;
  at: string;
  signed_in: boolean;
  verdict: "open" | "accepted" | "rejected";
  settled_at: string | null;
  settled_by: Named | null;
  settled_note: string | null;
}

/** A report in the queue, with the name of its device. */
export interface QueuedReport extends AedReport {
  aed: Named;
}

export interface AedUse {
  id: string;
  incident: string | null;
  by: Named | null;
  taken_at: string;
  returned_at: string | null;
  pads_used: boolean | null;
  note: string | null;
}

export interface AedChange {
  version: number;
  at: string;
  reason: string;
  actor: Named | null;
  changed: Record<string, [unknown, unknown]>;
}

export interface Certificate {
  id: string;
  kind: string;
  number: string | null;
  issuer: string | null;
  issued_on: string | null;
  expires_on: string;
  status: string;
  reviewed_at: string | null;
}

export interface Volunteer {
  id: string;
  code: string | null;
  name: string;
  name_en: string | null;
  phone: string | null;
  username: string | null;
  note: string | null;
  skills: string[];
  /** Codes of the teams. */
  teams: string[];
  born_on: string | null;
  duty: Duty;
  duty_until: string | null;
  suspended_reason: string | null;
  certificates: Certificate[];
  is_invented: boolean;
  version: number;
}

export interface Team {
  id: string;
  code: string;
  name: string;
  leader: string | null;
  members: string[];
  version: number;
}

export type ListKind = "aeds" | "responders" | "stock";

/** A list that was sent in, with what taking it over would do, or did. */
export interface Upload {
  id: string;
  kind: ListKind;
  name: string;
  format: string;
  encoding: string | null;
  columns: string[];
  sample: Record<string, string>[];
  fields: { name: string; zh: string; en: string; is_required: boolean }[];
  mapping: Record<string, string | string[]>;
  layout: string;
  layouts: KnownLayout[];
  options: {
    crs: string;
    encoding: string | null;
    keep_far: boolean;
    source: string | null;
    layout: string | null;
  };
  missing: string[];
  report: UploadReport | null;
  warnings: { code: string; text: string; rows: number[]; proposal: string | null }[];
  preview: GeoJSON.FeatureCollection<GeoJSON.Point, PreviewPoint>;
  created_at: string;
  applied_at: string | null;
}

export interface KnownLayout {
  name: string;
  zh: string;
  en: string;
  fits: boolean;
}

export interface UploadReport {
  added: number;
  changed: number;
  unchanged: number;
  rejected: { row: number; reason: string }[];
}

export interface PreviewPoint {
  row: number;
  name: string;
  outcome: string;
}

/** A list in the list of lists. */
export type UploadSummary = Pick<Upload, "id" | "kind" | "name" | "created_at" | "applied_at"> & {
  report?: UploadReport | null;
};

export interface Layout {
  id: string;
  kind: ListKind;
  name: string;
  columns: Record<string, string | string[]>;
}
