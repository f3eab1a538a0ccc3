/** PURE. What a correction changes, and what somebody else has changed meanwhile. */

import type { Incident, Kind, Point } from "@shared/shapes.ts";

export const EDITED = ["address", "floor", "entrance", "caller_phone", "note"] as const;
export type Edited = Record<(typeof EDITED)[number], string>;

type Change = Partial<Record<keyof Edited, string | null>> & { kind?: Kind; position?: Point };

/** Only what differs from what the editor started with; an emptied field becomes null. */
export function changedFields(base: Incident, texts: Edited, kind: Kind, position: Point | null): Change {
  const change: Change = {};
  for (const field of EDITED) {
    const text = texts[field].trim();
    if (text !== (base[field] ?? "")) change[field] = text || null;
  }
  if (kind !== base.kind) change.kind = kind;
  if (position) change.position = position;
  return change;
}

/** Fields that are being changed here and were changed by somebody else: their new text by field. */
export function theirChanges(base: Incident, now: Incident, texts: Edited): Partial<Edited> {
  const conflicts: Partial<Edited> = {};
  for (const field of EDITED) {
    const [before, theirs, mine] = [base[field] ?? "", now[field] ?? "", texts[field].trim()];
    if (theirs !== before && mine !== before && mine !== theirs) conflicts[field] = theirs;
  }
  return conflicts;
}
