import type { Language } from "@shared/language.ts";
import type { Candidate } from "@shared/shapes.ts";
import { type Words, wordFor } from "@shared/words/zh.ts";

/** Why someone was not chosen, as a fact. */
export function reasonText(candidate: Candidate, words: Words, language: Language): string {
  const { reason, reason_args: args } = candidate;
  if (!reason) return "";
  const withFact = words.domain.reasonWith;
  const day = args.expired_on;
  if (reason === "certificate_expired" && typeof day === "string")
    return withFact.certificate_expired(dayText(day, language));
  const ageS = typeof args.age_s === "number" ? args.age_s : candidate.position_age_s;
  if (reason === "position_stale" && ageS !== null) return withFact.position_stale(Math.round(ageS / 60));
  const walkS = candidate.direct_s ?? candidate.travel_s;
  if (reason === "too_far" && walkS !== null) return withFact.too_far(Math.round(walkS / 60));
  return reason in words.domain.reason
    ? wordFor(words.domain.reason, reason)
    : (candidate.reason_text ?? reason);
}

function dayText(day: string, language: Language): string {
  const locale = language === "zh" ? "zh-CN" : "en-GB";
  return new Intl.DateTimeFormat(locale, {
    day: "numeric",
    month: language === "zh" ? "long" : "short",
  }).format(new Date(`${day.slice(0, 10)}T12:00:00`));
}
