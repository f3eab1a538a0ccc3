/** The words that the server uses for states, and the pieces every shape is made of. */

export type Point = { type: "Point"; coordinates: [number, number] };

export type Severity = 1 | 2 | 3 | 4;

export type Kind =
  | "cardiac_arrest"
  | "trauma"
  | "fire"
  | "flood"
  | "relief"
  | "other"
  | "stroke"
  | "choking"
  | "drowning";

export type IncidentStatus = "received" | "alerting" | "responding" | "on_scene" | "handed_over" | "closed";

export type Disposition = "completed" | "false_alarm" | "duplicate" | "cancelled";

export type Ambulance = "unknown" | "notified" | "dispatched" | "on_scene";

export type Role = "direct" | "via_aed" | "guide";

export type EtaSource = "network" | "estimate";

export type Usable = "yes" | "no" | "unknown";

export type Duty = "available" | "busy" | "resting" | "off_duty" | "suspended" | "unknown";

export type AlertStatus =
  | "pending"
  | "notified"
  | "delivered"
  | "seen"
  | "accepted"
  | "declined"
  | "timed_out"
  | "stood_down";

export type Step = "en_route" | "aed_collected" | "on_scene" | "with_patient" | "handed_over" | "cleared";

export type AssignmentStatus = "accepted" | Step | "stood_down" | "unable";

export type AccountRole = "operator" | "responder" | "planner" | "keeper" | "admin" | "auditor" | "carer";

export type AssignmentTimes = Partial<Record<`${"accepted" | Step}_at`, string | null>>;
