// PURE. How the certificates of a volunteer stand, in one line.

import type { Me } from "@shared/shapes.ts";
import type { Words } from "@shared/words/zh.ts";

const SOON_DAYS = 30;
const DAY_MS = 86_400_000;

type Held = Me["certificates"];

export interface Paper {
  text: string;
  /** Something to mend. */
  bad: boolean;
  /** A new one has been handed in already. */
  isPending: boolean;
}

/** The certificate that is valid longest counts; one that nobody has looked at yet counts for nothing. */
export function paperOf(held: Held, words: Words, now: number): Paper {
  const isPending = held.some(({ status }) => status === "pending");
  const counting = held.filter(({ status = "verified" }) => status === "verified");
  const last = counting
    .map(({ expires_on }) => expires_on)
    .filter((day): day is string => Boolean(day))
    .sort()
    .at(-1);
  const said = last ? untilText(last, words.go.ready, now) : endlessText(counting, words.go.ready);
  const more = said.bad && isPending ? ` · ${words.care.certificate.pending}` : "";
  return { text: said.text + more, bad: said.bad, isPending };
}

type ReadyWords = Words["go"]["ready"];

const endlessText = (held: Held, words: ReadyWords) =>
  held.length > 0 ? { text: words.certificateNoEnd, bad: false } : { text: words.certificateNone, bad: true };

function untilText(last: string, words: ReadyWords, now: number) {
  const days = Math.floor((Date.parse(`${last}T23:59:59`) - now) / DAY_MS);
  if (days < 0) return { text: words.certificateOver(last), bad: true };
  return days <= SOON_DAYS
    ? { text: words.certificateSoon(days), bad: true }
    : { text: words.certificateOk(last), bad: false };
}
