import { useWords } from "@shared/language.ts";
import { Icon } from "@shared/parts/icon.tsx";
import type { Quiet } from "@shared/shapes.ts";
import { useState } from "preact/hooks";
import { refresh, usePhone } from "./phone.ts";
import { quietOf, saveQuiet, USUAL, wrongWith } from "./quiet.ts";
import { Sheet } from "./sheet.tsx";

/** Begin and end of the quiet hours, and whether a cardiac arrest breaks them. */
export function QuietSheet({ onClose }: { onClose: () => void }) {
  const words = useWords().care.quiet;
  const held = quietOf(usePhone((state) => state.me?.quiet));
  const [quiet, setQuiet] = useState<Quiet>(held ?? USUAL);
  const [wrong, setWrong] = useState<string | null>(null);
  const save = async (wanted: Quiet | null) => {
    if (wanted && wrongWith(wanted)) return setWrong(words.same);
    try {
      await saveQuiet(wanted);
      await refresh();
      onClose();
    } catch (error) {
      setWrong((error as Error).message);
    }
  };
  return (
    <Sheet title={words.title} onClose={onClose}>
      <p>{words.why}</p>
      <QuietFields quiet={quiet} onChange={setQuiet} />
      {wrong ? (
        <p class="form-error" role="alert">
          <Icon name="warn" size={20} />
          {wrong}
        </p>
      ) : null}
      <button type="button" class="phone-button primary" data-testid="quiet-save" onClick={() => save(quiet)}>
        {words.save}
      </button>
      {held ? (
        <button type="button" class="phone-button" data-testid="quiet-clear" onClick={() => save(null)}>
          {words.clear}
        </button>
      ) : null}
    </Sheet>
  );
}

function QuietFields({ quiet, onChange }: { quiet: Quiet; onChange: (quiet: Quiet) => void }) {
  const words = useWords().care.quiet;
  const breaks = quiet.except.includes("cardiac_arrest");
  return (
    <>
      <div class="settings pair">
        {(["from", "until"] as const).map((name) => (
          <label key={name}>
            {words[name]}
            <input
              type="time"
              name={name}
              required
              value={quiet[name]}
              onInput={({ currentTarget }) => onChange({ ...quiet, [name]: currentTarget.value })}
            />
          </label>
        ))}
      </div>
      <label class="check-row">
        <input
          type="checkbox"
          checked={breaks}
          onChange={({ currentTarget }) =>
            onChange({ ...quiet, except: currentTarget.checked ? ["cardiac_arrest"] : [] })
          }
        />
        {words.except}
      </label>
    </>
  );
}
