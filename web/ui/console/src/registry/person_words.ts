/** PURE. What a row says of a volunteer, and the parts of the record. */

import type { Certificate, Volunteer } from "@shared/shapes.ts";
import { type Words, wordFor } from "@shared/words/zh.ts";
import { daysUntil } from "./aed_words.ts";
import type { FieldSpec } from "./field_values.ts";

const RENEW_DAYS = 90;

/** Skills that are offered; others that somebody has are kept. */
export const SKILLS = ["first_aid", "cpr", "aed", "nurse", "doctor", "paramedic", "instructor"] as const;
/** Kinds of certificates that are offered. */
export const PROOFS = ["first_aid", "cpr", "nurse", "doctor", "paramedic", "instructor"] as const;

export const PERSON_FIELDS: readonly FieldSpec[] = [
  { name: "name", kind: "text", required: true },
  { name: "name_en", kind: "text" },
  { name: "phone", kind: "phone" },
  { name: "code", kind: "text" },
  { name: "born_on", kind: "day" },
  { name: "skills", kind: "words", wide: true },
  { name: "note", kind: "area" },
];

export const NEW_PERSON_FIELDS: readonly FieldSpec[] = [
  ...PERSON_FIELDS.slice(0, 4),
  { name: "username", kind: "text" },
  ...PERSON_FIELDS.slice(4),
];

export interface Papers {
  text: string;
  /** Something has to be done. */
  isWarning: boolean;
}

/** The one thing to know of somebody's certificates: to review, ended, ends soon, or the last day. */
export function papersOf(person: Volunteer, words: Words["registry"], now: number): Papers {
  if (person.certificates.some(({ status }) => status === "pending")) {
    return { text: words.people.paper.pending, isWarning: true };
  }
  const days = person.certificates
    .filter(({ status }) => status === "verified")
    .map((one) => daysUntil(one.expires_on, now) ?? Number.NEGATIVE_INFINITY);
  if (days.length === 0) return { text: words.people.noCertificate, isWarning: true };
  const left = Math.max(...days);
  return { text: words.days(left), isWarning: left < 0 || left <= RENEW_DAYS };
}

/** What a certificate is worth now, in words. */
export function certificateState(one: Certificate, words: Words["registry"], now: number): Papers {
  const left = daysUntil(one.expires_on, now) ?? 0;
  if (one.status === "verified" && left < 0) {
    return { text: `${words.people.expired} · ${words.days(left)}`, isWarning: true };
  }
  const state = wordFor(words.people.certificateStatus, one.status);
  if (one.status === "revoked") return { text: state, isWarning: false };
  return {
    text: `${state} · ${words.days(left)}`,
    isWarning: one.status === "pending" || left <= RENEW_DAYS,
  };
}
