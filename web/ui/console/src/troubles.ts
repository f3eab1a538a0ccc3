import { useNow } from "@shared/clock.ts";
import { createStore, useStore } from "@shared/store.ts";
import { type Words, wordFor } from "@shared/words/zh.ts";
import { live } from "./state.ts";

/** A broken link in the way of an alert, as the server or this page itself found it. */
export interface Trouble {
  kind: string;
  since: string;
  subject?: string | null;
  seconds?: number | null;
}

export interface Said {
  what: string;
  action: string;
}

/** A short break is the page's own affair: it has reconnected before anybody has read a banner. */
const LOST_AFTER_MS = 5000;
/** All else is worth a red banner and a sound. */
const CALM = new Set(["hints", "clock"]);
const CALM_SUBJECTS = new Set(["planning"]);

export const isCalm = ({ kind, subject }: Trouble): boolean =>
  CALM.has(kind) || CALM_SUBJECTS.has(subject ?? "");

export const keyOf = ({ kind, subject }: Trouble): string => `${kind} ${subject ?? ""}`;

/** PURE. What is broken, the page's own loss first: then what the server said last is old. */
export function allTroubles(told: readonly Trouble[], lostAt: number | null, now: number): Trouble[] {
  const isLost = lostAt !== null && now - lostAt >= LOST_AFTER_MS;
  const lost = isLost ? [{ kind: "lost", since: new Date(lostAt).toISOString() }] : [];
  const [loud, calm] = [told.filter((one) => !isCalm(one)), told.filter(isCalm)];
  return [...lost, ...loud, ...calm];
}

/** PURE. True when something is broken that was not when the operator shrank the banner. */
export const isNews = (troubles: readonly Trouble[], seen: ReadonlySet<string>): boolean =>
  troubles.some((one) => !seen.has(keyOf(one)));

/** PURE. Say in plain words what is broken and what to do. */
export function sayTrouble({ kind, subject, seconds }: Trouble, words: Words): Said {
  const { trouble } = words;
  const known = trouble.what as Readonly<Record<string, string>>;
  const what = known[kind];
  if (what === undefined) return { what: trouble.unknown(kind), action: trouble.unknownDo };
  const names = { ...trouble.subject, ...words.decision.channel };
  const more = [wordFor(names, subject), seconds ? trouble.seconds(Math.abs(seconds)) : ""];
  const [open, close] = words.parts.live.live === "Live" ? [" (", ")"] : ["（", "）"];
  const noted = more.filter(Boolean).join(" ");
  return { what: noted ? `${what}${open}${noted}${close}` : what, action: wordFor(trouble.action, kind) };
}

/** What the operator has taken note of; the banner is a thin line until something else breaks. */
export const noted = createStore<ReadonlySet<string>>(new Set());

export function useTroubles(): Trouble[] {
  useNow();
  const { phase, troubles, lostAt } = useStore(live.state);
  return allTroubles(troubles, phase === "reconnecting" ? lostAt : null, Date.now());
}

function present(): Trouble[] {
  const { phase, troubles, lostAt } = live.state.get();
  return allTroubles(troubles, phase === "reconnecting" ? lostAt : null, Date.now());
}

/** Shrink the banner to a line, or open it again. */
export function toggleTroubles(): void {
  const troubles = present();
  noted.update((seen) => (isNews(troubles, seen) ? new Set(troubles.map(keyOf)) : new Set()));
}

/** What has ended is news when it comes again. */
export function forgetEnded(troubles: readonly Trouble[]): void {
  const keys = new Set(troubles.map(keyOf));
  const ended = [...noted.get()].some((key) => !keys.has(key));
  if (ended) noted.update((seen) => new Set([...seen].filter((key) => keys.has(key))));
}
