import { newKey, Problem } from "@shared/api.ts";
import { useWords } from "@shared/language.ts";
import type { Ambulance, Place, Point, Severity } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import type { Words } from "@shared/words/zh.ts";
import { useEffect, useRef, useState } from "preact/hooks";
import { type NewIncident, openIncident } from "./actions.ts";
import { type KindEntry, matchKinds } from "./kind_match.ts";
import { pin, view } from "./state.ts";
import { problemText } from "./toast.ts";

/** What has been typed so far. */
export interface Draft {
  where: string;
  place: Place | null;
  phone: string;
  kindText: string;
  kind: KindEntry | null;
  severity: Severity | null;
  ambulance: Ambulance;
  minutes: string;
  floor: string;
  entrance: string;
  note: string;
  exercise: boolean;
}

const EMPTY: Draft = {
  where: "",
  place: null,
  phone: "",
  kindText: "",
  kind: null,
  severity: null,
  ambulance: "unknown",
  minutes: "",
  floor: "",
  entrance: "",
  note: "",
  exercise: false,
};

export type Change = (change: Partial<Draft>) => void;

/** The draft, and sending it once however often Ctrl+Enter is pressed. */
export function useDraft() {
  const words = useWords();
  const start = useStore(view).draft;
  const [draft, setDraft] = useState<Draft>(() => ({ ...EMPTY, where: start.where, kindText: start.kind }));
  const [sending, setSending] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);
  const [missing, setMissing] = useState<"place" | "kind" | null>(null);
  const key = useRef(newKey());
  const pinned = useStore(pin);
  // Sent before the address was found: it goes as soon as the first match is there.
  const waits = useRef(false);
  const set: Change = (change) => {
    if (change.place === null) waits.current = false; // the address is being typed anew
    setDraft((before) => ({ ...before, ...change }));
  };
  const submit = async () => {
    // The pin is where the chosen address is, or where somebody clicked afterwards.
    const ready = check(draft, pinned?.position ?? null, words);
    waits.current = ready.missing === "place" && draft.where.trim() !== "";
    setMissing(ready.missing);
    setFailed(ready.why);
    if (!ready.values || sending) return;
    setSending(true);
    try {
      await openIncident(ready.values, key.current);
    } catch (error) {
      // What was refused was not opened: the corrected form is another intent and needs another key.
      if (isRefusal(error)) key.current = newKey();
      setFailed(problemText(error));
      setSending(false);
    }
  };
  useSubmitKey(submit);
  useEffect(() => {
    if (pinned && waits.current) void submit();
  }, [pinned]);
  return { draft, set, submit, failed, missing, sending };
}

const isRefusal = (error: unknown): boolean =>
  error instanceof Problem && error.status >= 400 && error.status < 500;

interface Checked {
  values: NewIncident | null;
  missing: "place" | "kind" | null;
  why: string | null;
}

/** What would be sent, or the first thing that is missing; a kind only half typed counts as its best match. */
function check(draft: Draft, position: Point | null, words: Words): Checked {
  const [best] = draft.kindText ? matchKinds(draft.kindText, words.domain.kind) : [];
  const kind = draft.kind ?? best;
  if (!position) return { values: null, missing: "place", why: words.form.needPlace };
  if (!kind) return { values: null, missing: "kind", why: words.form.needKind };
  return { values: values(draft, position, kind), missing: null, why: null };
}

function values(draft: Draft, position: Point, kind: KindEntry): NewIncident {
  const minutes = Number(draft.minutes);
  const eta = draft.ambulance === "dispatched" && minutes > 0 ? { eta_s: Math.round(minutes * 60) } : {};
  const given = {
    address: draft.where.trim(),
    floor: draft.floor,
    entrance: draft.entrance,
    note: draft.note,
    caller_phone: draft.phone,
  };
  const filled = Object.fromEntries(Object.entries(given).filter(([, text]) => text.trim() !== ""));
  return {
    kind: kind.kind,
    severity: draft.severity ?? kind.severity,
    position,
    ambulance: draft.ambulance,
    exercise: draft.exercise,
    ...eta,
    ...filled,
  };
}

/** Ctrl+Enter from any field, wherever the focus is. */
function useSubmitKey(submit: () => Promise<void>): void {
  const latest = useRef(submit);
  latest.current = submit;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
      event.preventDefault();
      void latest.current();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}
