import { Problem } from "@shared/api.ts";
import { useWords } from "@shared/language.ts";
import { Button } from "@shared/parts/controls.tsx";
import type { Incident, Kind } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { correct } from "./actions.ts";
import { changedFields, EDITED, type Edited, theirChanges } from "./edit_fields.ts";
import { Plain } from "./form_fields.tsx";
import { KINDS } from "./kind_match.ts";
import { pin, showPanel } from "./state.ts";
import { problemText, say } from "./toast.ts";

/** Correct what is known of an incident; a click on the map moves it. */
export function EditDrawer({ incident }: { incident: Incident }) {
  const words = useWords();
  const form = useRef<HTMLFormElement>(null);
  const { texts, set, kind, setKind, save, failed, theirs } = useEditing(incident);
  const pinned = useStore(pin);
  useLayoutEffect(() => form.current?.querySelector<HTMLElement>("input")?.focus(), []);
  return (
    <form
      class="drawer form"
      ref={form}
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <div class="pair">
        {EDITED.map((field) => (
          <div key={field}>
            <Plain
              name={field}
              label={words.incident.fields[field]}
              placeholder=""
              value={texts[field]}
              onText={(text) => set(field, text)}
              entersForm
            />
            {theirs[field] === undefined ? null : (
              <p class="gm-error">{words.incident.edit.theirs(theirs[field])}</p>
            )}
          </div>
        ))}
        <div>
          <label for="edit-kind">{words.incident.fields.kind}</label>
          <div class="gm-field">
            <select
              id="edit-kind"
              value={kind}
              onChange={(event) => setKind(event.currentTarget.value as Kind)}
            >
              {KINDS.map((entry) => (
                <option key={entry.kind} value={entry.kind}>
                  {words.domain.kind[entry.kind]}
                </option>
              ))}
            </select>
          </div>
        </div>
      </div>
      {failed ? (
        <p class="gm-error" role="alert">
          {failed}
        </p>
      ) : null}
      <div class="row">
        <span class="grow">{pinned ? words.incident.edit.moved : words.incident.edit.move}</span>
        <Button look="primary" type="submit" keycap="⏎">
          {words.incident.edit.save}
        </Button>
        <Button keycap="Esc" onClick={() => showPanel("none")}>
          {words.parts.cancel}
        </Button>
      </div>
    </form>
  );
}

/** What was typed, against what the incident said when the drawer opened. */
function useEditing(incident: Incident) {
  const words = useWords();
  const [base, setBase] = useState(incident);
  const [texts, setTexts] = useState<Edited>(() => textsOf(incident));
  const [kind, setKind] = useState(incident.kind);
  const [failed, setFailed] = useState<string | null>(null);
  const pinned = useStore(pin);
  const theirs = theirChanges(base, incident, texts);
  const save = async () => {
    const change = changedFields(base, texts, kind, pinned?.position ?? null);
    if (Object.keys(change).length === 0) return showPanel("none");
    try {
      // Somebody else's change to another field is no conflict; to the same field it is shown first.
      await correct(Object.keys(theirs).length ? base : incident, change);
      say(words.console.done.edited);
      showPanel("none");
    } catch (error) {
      setFailed(problemText(error));
      if (error instanceof Problem && error.status === 412) setBase(incident);
    }
  };
  const set = (field: keyof Edited, text: string) => setTexts((now) => ({ ...now, [field]: text }));
  return { texts, set, kind, setKind, save, failed, theirs };
}

const textsOf = (incident: Incident): Edited =>
  Object.fromEntries(EDITED.map((field) => [field, incident[field] ?? ""])) as unknown as Edited;
