/** What an office decides and has to do: alert policies with their simulations, and tasks. */

/** One version of a policy; it never changes. */
export interface PolicyVersion {
  id: string;
  org: string;
  name: string;
  version: number;
  note: string | null;
  status: "draft" | "published" | "retired";
  document: Record<string, unknown>;
  digest: string;
  kinds: string[];
  severities: number[];
  area: object | null;
  effective_from: string | null;
  effective_until: string | null;
  report: string | null;
  created_at: string;
  published_at: string | null;
  retired_at: string | null;
}

/** A policy that every installation has. */
export interface ShippedPolicy {
  name: string;
  version: number;
  chooser: string;
  document: Record<string, unknown>;
  digest: string;
}

export interface PolicyPage {
  items: PolicyVersion[];
  shipped: ShippedPolicy[];
  next_cursor: string | null;
}

/** Something that a person of the organisation has to do by a time. */
export interface Task {
  id: string;
  kind: string;
  subject: string;
  body: Record<string, unknown>;
  exercise: boolean;
  taken_by: string | null;
  done_by: string | null;
  note: string | null;
  created_at: string;
  due_at: string;
  taken_at: string | null;
  done_at: string | null;
  overdue_at: string | null;
}

/** How far a simulation of a policy is: so many incidents done of all. */
export interface Simulation {
  id: string;
  policy: string;
  status: "queued" | "running" | "done" | "failed";
  incidents: number;
  done: number;
  report: string | null;
  error: string | null;
}
