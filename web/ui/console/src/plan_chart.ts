/** PURE. What the plan's drawings show: one scale of minutes for all of them, and each person's way on it. */

import type { Candidate, Expectations, Plan } from "@shared/shapes.ts";

export interface Stretch {
  fromS: number;
  toS: number;
  /** Answering and getting ready; walking; walking to the AED; from the AED on; inside the building. */
  look: "wait" | "walk" | "fetch" | "carry" | "inside";
}

export interface Way {
  stretches: Stretch[];
  pickupS: number | null;
  arrivesS: number;
}

const STEP_S = 120;
const LEAST_S = 480;
const MOST_S = 2400;

/** Seconds at the right end: the last of what is drawn, rounded up to two minutes. */
export function chartLength(plan: Plan): number {
  const ends = [
    plan.scene.ambulance_s,
    ...plan.chosen.map((one) => one.arrives_s ?? 0),
    ...(plan.expected ? outcomes(plan.expected) : []),
  ].filter(Number.isFinite);
  const last = Math.max(LEAST_S, ...ends) + STEP_S / 4;
  return Math.min(MOST_S, Math.ceil(last / STEP_S) * STEP_S);
}

const outcomes = ({ plan, all_direct, nobody }: Expectations): number[] =>
  [plan, all_direct, nobody].flatMap(({ cpr_s, shock_s }) => [cpr_s, shock_s]);

/** Where a time stands, in per cent of the width; what lies beyond the end stands at it. */
export const percent = (seconds: number, lengthS: number): string =>
  `${(Math.min(1, Math.max(0, seconds / lengthS)) * 100).toFixed(2)}%`;

/** A chosen person's way from now to the patient; null when the time is not known. */
export function wayOf(person: Candidate, plan: Plan): Way | null {
  const { arrives_s: arrivesS, travel_s: travelS } = person;
  if (arrivesS === null || travelS === null) return null;
  const insideS = Math.max(0, arrivesS - Math.min(plan.scene.vertical_s, Math.max(0, arrivesS - travelS)));
  const startS = Math.max(0, insideS - travelS);
  const walkS = plan.aeds.find(({ id }) => id === person.aed)?.walk_s ?? null;
  const pickupS =
    person.role === "via_aed" && walkS !== null ? Math.min(insideS, Math.max(startS, insideS - walkS)) : null;
  const moving: Stretch[] =
    pickupS === null
      ? [{ fromS: startS, toS: insideS, look: person.role === "via_aed" ? "carry" : "walk" }]
      : [
          { fromS: startS, toS: pickupS, look: "fetch" },
          { fromS: pickupS, toS: insideS, look: "carry" },
        ];
  const all: Stretch[] = [
    { fromS: 0, toS: startS, look: "wait" },
    ...moving,
    { fromS: insideS, toS: arrivesS, look: "inside" },
  ];
  return { stretches: all.filter(({ fromS, toS }) => toS > fromS), pickupS, arrivesS };
}

/** The share of the greatest value that each of the chosen has, for a thin bar. */
export function gainShare(person: Candidate, plan: Plan): number {
  const most = Math.max(0, ...plan.chosen.map(({ marginal }) => marginal ?? 0));
  return most > 0 ? Math.max(0, person.marginal ?? 0) / most : 0;
}

export interface Sooner {
  cprS: number;
  shockS: number;
}

/** How much sooner than with nobody alerted; null when it makes no difference that could be seen. */
export function sooner(expected: Expectations): Sooner | null {
  const cprS = Math.max(0, expected.nobody.cpr_s - expected.plan.cpr_s);
  const shockS = Math.max(0, expected.nobody.shock_s - expected.plan.shock_s);
  return cprS < 1 && shockS < 1 ? null : { cprS, shockS };
}
