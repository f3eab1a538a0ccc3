import { useWords } from "@shared/language.ts";
import { Button } from "@shared/parts/controls.tsx";
import { useRef } from "preact/hooks";
import { KindField, Plain, SeverityAndAmbulance, WhereField } from "./form_fields.tsx";
import { useDraft } from "./incident_draft.ts";
import { showPanel } from "./state.ts";

/** Where, call-back number, what, 120, danger: the questions of a call in their order. */
export function NewIncidentForm() {
  const words = useWords();
  const form = useRef<HTMLFormElement>(null);
  const { draft, set, submit, failed, missing, sending } = useDraft();
  const next = (field: string) => form.current?.querySelector<HTMLElement>(field)?.focus();
  return (
    <aside class="side" aria-label={words.form.title}>
      <form
        ref={form}
        class={`side-scroll ${draft.exercise ? "gm-hatch" : ""}`}
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <div class="form">
          <h1>{words.form.title}</h1>
          <WhereField draft={draft} set={set} bad={missing === "place"} onDone={() => next("[name=phone]")} />
          <Plain
            name="phone"
            label={words.form.phone}
            placeholder={words.form.phonePlaceholder}
            value={draft.phone}
            onText={(phone) => set({ phone })}
            numeric
          />
          <KindField
            draft={draft}
            set={set}
            bad={missing === "kind"}
            onDone={() => next(".ambulance [tabindex='0']")}
          />
          <SeverityAndAmbulance draft={draft} set={set} />
          <div class="pair">
            <Plain
              name="floor"
              label={words.form.floor}
              placeholder={words.form.floorPlaceholder}
              value={draft.floor}
              onText={(floor) => set({ floor })}
            />
            <Plain
              name="entrance"
              label={words.form.entrance}
              placeholder={words.form.entrancePlaceholder}
              value={draft.entrance}
              onText={(entrance) => set({ entrance })}
            />
          </div>
          <Plain
            name="note"
            label={words.form.note}
            placeholder=""
            value={draft.note}
            onText={(note) => set({ note })}
          />
          <label class="check">
            <input
              type="checkbox"
              checked={draft.exercise}
              onChange={(event) => set({ exercise: event.currentTarget.checked })}
            />
            {words.form.exercise} · {words.form.exerciseHint}
          </label>
          {failed ? (
            <p class="gm-error" role="alert">
              {failed}
            </p>
          ) : null}
        </div>
      </form>
      <div class="actions">
        <Button look="primary" keycap="Ctrl+⏎" onClick={() => void submit()}>
          {sending ? words.form.sending : words.form.submit}
        </Button>
        <Button keycap="Esc" onClick={() => showPanel("none")}>
          {words.form.cancel}
        </Button>
      </div>
    </aside>
  );
}
