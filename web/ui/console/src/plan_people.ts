/** PURE. The people of a plan in words: each one's sentence, and those not chosen by reason. */

import type { Language } from "@shared/language.ts";
import type { Candidate, Plan } from "@shared/shapes.ts";
import { type Words, wordFor } from "@shared/words/zh.ts";

/** The sentence of somebody whose name stands beside it already. */
export function ownSentence(person: Candidate, language: Language): string {
  const said = person.sentence[language];
  const lead = language === "zh" ? `${person.name} ` : `${person.name_en ?? person.name}: `;
  return capital(said.startsWith(lead) ? said.slice(lead.length) : said);
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Somebody within reach of thousands who was not weighed: no more than who, and why not. */
interface Aside {
  responder: string;
  reason: string;
}

/** A plan as it is sent: those who were not weighed stand among those who are not asked. */
export type PlanAnswer = Omit<Plan, "excluded" | "aside"> & { excluded: (Candidate | Aside)[] };

/** Keep those who were weighed as people, and of the others how many there are for each reason. */
export function parted(answer: PlanAnswer): Plan {
  const excluded = answer.excluded.filter((one): one is Candidate => "sentence" in one);
  return { ...answer, excluded, aside: countByReason(answer.excluded.filter((one) => !("sentence" in one))) };
}

export function countByReason(people: readonly { reason: string | null }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { reason } of people) if (reason) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

export interface ReasonGroup {
  reason: string;
  people: Candidate[];
  /** Walking seconds of the nearest of them. */
  nearestS: number | null;
}

const walkOf = (person: Candidate): number | null => person.direct_s ?? person.travel_s;

/** Those not chosen by reason, the reason of the nearest person first. */
export function byReason(people: readonly Candidate[]): ReasonGroup[] {
  const groups = new Map<string, Candidate[]>();
  for (const person of people) {
    if (person.reason === null) continue;
    groups.set(person.reason, [...(groups.get(person.reason) ?? []), person]);
  }
  return [...groups]
    .map(([reason, found]) => {
      const sorted = found.sort((a, b) => (walkOf(a) ?? 9e9) - (walkOf(b) ?? 9e9));
      return { reason, people: sorted, nearestS: sorted[0] ? walkOf(sorted[0]) : null };
    })
    .sort((a, b) => (a.nearestS ?? 9e9) - (b.nearestS ?? 9e9));
}

/** What a plan had to do without, in words; a code that is newer than the page is shown as it is. */
export const modesText = (modes: readonly string[], words: Words): string[] =>
  modes.map((mode) => wordFor(words.decision.modes, mode));

/** Whether a plan weighs people by minutes; others by points of the survival index. */
export const countsMinutes = ({ policy }: Plan): boolean => policy.startsWith("lexicographic");

/** The value of somebody: points of the modelled index, or minutes under the model without survival. */
export function gainText(marginal: number | null, isMinutes: boolean): string {
  if (marginal === null) return "";
  const value = isMinutes ? marginal : marginal * 100;
  return value >= 0.995 ? value.toFixed(1) : value.toFixed(2);
}
