/** PURE. Several calls about one emergency: which incident goes on, and how near two of them are. */

import type { Incident } from "@shared/shapes.ts";

export interface MergeWay {
  /** Closes as a duplicate. */
  gone: Incident;
  /** Goes on, and learns what the other caller said. */
  kept: Incident;
}

/** Keep the one to which more people are on their way, then the one with more alerted, then the older. */
export function mergeWay(one: Incident, other: Incident): MergeWay {
  const order =
    weight(other) - weight(one) ||
    other.counts.alerted - one.counts.alerted ||
    Date.parse(one.created_at) - Date.parse(other.created_at) ||
    (one.id < other.id ? -1 : 1);
  return order <= 0 ? { gone: other, kept: one } : { gone: one, kept: other };
}

const weight = ({ counts }: Incident): number => counts.accepted + counts.on_scene;

/** Both have people on their way: nobody can be told to turn round by a merge. */
export const isStuck = ({ gone }: MergeWay): boolean => weight(gone) > 0;

const EARTH_M_PER_DEGREE = 111_195;

/** Straight metres between two incidents, good enough for a few hundred of them. */
export function apartM(one: Incident, other: Incident): number {
  const [[lon1, lat1], [lon2, lat2]] = [one.position.coordinates, other.position.coordinates];
  return Math.hypot((lon2 - lon1) * Math.cos((lat1 * Math.PI) / 180), lat2 - lat1) * EARTH_M_PER_DEGREE;
}
