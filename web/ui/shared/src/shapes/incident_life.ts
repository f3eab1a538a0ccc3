/** What belongs to an incident besides its people: what sources said, pictures, a disaster above it. */

import type { Kind, Point } from "./words.ts";

export type ValueField = "address" | "floor" | "entrance" | "caller_phone" | "patients" | "position";
export type ValueSource = "caller" | "operator" | "responder" | "ambulance" | "device";

/** What one source said of one field. */
export interface IncidentValue {
  id: string;
  field: ValueField;
  value: string | number | Point;
  source: ValueSource;
  told_by: string | null;
  at: string;
  is_chosen: boolean;
  chosen_at: string | null;
  withdrawn_at: string | null;
}

export interface Attachment {
  id: string;
  incident: string;
  name: string | null;
  media_type: string;
  at: string;
}

/** A post of the command structure and who holds it. */
export interface Post {
  post: string;
  name: string;
  phone: string | null;
}

/** A disaster: many incidents under one command. */
export interface Disaster {
  id: string;
  org: string;
  name: string;
  kind: Kind;
  note: string | null;
  exercise: boolean;
  command: Post[];
  opened_at: string;
  closed_at: string | null;
  version: number;
}

export interface DisasterTotals {
  incidents: number;
  by_status: Record<string, number>;
  by_severity: Record<string, number>;
  patients: number;
  alerted: number;
  accepted: number;
  going: number;
}

export interface DisasterDetail extends Disaster {
  totals: DisasterTotals;
}
