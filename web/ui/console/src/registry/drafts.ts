import { newKey, Problem } from "@shared/api.ts";
import { createStore, useSelect } from "@shared/store.ts";
import { useRef, useState } from "preact/hooks";
import { conflictsOf, type Edits, type FieldSpec, type Texts, textsOf, withEdits } from "./field_values.ts";

// What was typed and not saved, by the form: it outlives the form, so that leaving it loses nothing.
const drafts = createStore<Readonly<Record<string, Edits>>>({});
const NOTHING: Edits = {};

export interface Draft {
  specs: readonly FieldSpec[];
  saved: Texts;
  edits: Edits;
  texts: Texts;
  theirs: Texts;
  isDirty: boolean;
  set: (name: string, text: string) => void;
  clear: () => void;
}

/** The fields of a form named by `key` over what the server says of the thing. */
export function useDraft(key: string, specs: readonly FieldSpec[], thing: object): Draft {
  const edits = useSelect(drafts, (all) => all[key] ?? NOTHING);
  const saved = textsOf(specs, thing);
  const texts = withEdits(saved, edits);
  return {
    ...{ specs, saved, edits, texts },
    theirs: conflictsOf(saved, edits),
    isDirty: Object.entries(edits).some(([name, { text }]) => text !== (saved[name] ?? "")),
    set: (name, text) =>
      drafts.update((all) => {
        const mine = all[key] ?? NOTHING;
        const base = mine[name]?.base ?? saved[name] ?? "";
        return { ...all, [key]: { ...mine, [name]: { text, base } } };
      }),
    clear: () => drafts.update(({ [key]: _gone, ...rest }) => rest),
  };
}

export interface Submitting {
  isBusy: boolean;
  problem: Problem | null;
  /** Do it once at a time; a refusal is kept for the form to show. True when it went well. */
  run: (work: (key: string) => Promise<unknown>, body?: unknown) => Promise<boolean>;
  forget: () => void;
}

/** Send a form; the same content keeps its key, so that a repeat after a lost answer is no second one. */
export function useSubmit(): Submitting {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const sent = useRef({ body: "", key: "" });
  const busy = useRef(false);
  const keyFor = (body: string): string => {
    if (!sent.current.key || sent.current.body !== body) sent.current = { body, key: newKey() };
    return sent.current.key;
  };
  const run = async (work: (key: string) => Promise<unknown>, body: unknown = null) => {
    if (busy.current) return false;
    busy.current = true;
    setBusy(true);
    try {
      await work(keyFor(JSON.stringify(body)));
      sent.current.key = "";
      setProblem(null);
      return true;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      // A refusal is an answer: what is sent after it is another intent.
      if (error.status !== 0) sent.current.key = "";
      setProblem(error);
      return false;
    } finally {
      busy.current = false;
      setBusy(false);
    }
  };
  return { isBusy, problem, run, forget: () => setProblem(null) };
}
