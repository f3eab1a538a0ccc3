/** Why people were asked: sentences, expectations, the record of decisions, the review afterwards. */

/** One plain sentence in both languages. */
export interface Sentence {
  zh: string;
  en: string;
}

/** A modelled survival index, no chance of anybody, and seconds from now to CPR and to the shock. */
export interface Expected {
  index: number;
  cpr_s: number;
  shock_s: number;
}

export interface Expectations {
  nobody: Expected;
  all_direct: Expected;
  plan: Expected;
}

/** One person of a stored decision: no name and no position. */
export interface Decided {
  responder: string;
  role: string | null;
  aed: string | null;
  travel_s: number | null;
  arrives_s: number | null;
  direct_s: number | null;
  reason: string | null;
  marginal: number | null;
  sentence?: Sentence;
}

/** One decision as it was made. */
export interface Allocation {
  id: string;
  incident: string;
  wave: string | null;
  made_at: string;
  policy: string;
  inputs: { digest?: string; modes?: string[]; expected?: Expectations | null; named?: string[] | null };
  chosen: Decided[];
  excluded: Decided[];
  ms: number;
}

/** How one of those who were asked did. */
export interface ReviewedPerson {
  responder: string;
  name: string;
  role: string;
  wave: number;
  status: string;
  assignment: string | null;
  asked_at: string | null;
  answer_s: number | null;
  planned_s: number | null;
  travelled_s: number | null;
  unable_reason: string | null;
}

/** After the action: seconds of each step, and what everybody who was asked did. */
export interface Review {
  incident: string;
  number: string;
  exercise: boolean;
  disposition: string | null;
  intervals: Record<string, number | null>;
  counts: Record<string, number>;
  responders: ReviewedPerson[];
  silent: { responder: string; name: string; status: string }[];
  decisions: { id: string; made_at: string; policy: string; chosen: number; excluded: number }[];
}
