import { put } from "@shared/api.ts";
import { useWords } from "@shared/language.ts";
import { Icon } from "@shared/parts/icon.tsx";
import { useState } from "preact/hooks";
import { learnReach } from "./reach.ts";
import { Sheet } from "./sheet.tsx";

/** The number for text messages and calls. */
export function NumberSheet({ onClose }: { onClose: () => void }) {
  const words = useWords().care.number;
  const [wrong, setWrong] = useState<string | null>(null);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    try {
      await put("/me", { phone: String(form.get("phone")).trim() });
      await learnReach();
      onClose();
    } catch (error) {
      setWrong((error as Error).message);
    }
  };
  return (
    <Sheet title={words.title} onClose={onClose}>
      <form class="settings" onSubmit={submit}>
        <p>{words.why}</p>
        <label>
          {words.label}
          <input name="phone" type="tel" autocomplete="tel" required pattern="[+0-9 ()\\-]{5,20}" />
        </label>
        {wrong ? (
          <p class="form-error" role="alert">
            <Icon name="warn" size={20} />
            {wrong}
          </p>
        ) : null}
        <button type="submit" class="phone-button primary">
          {words.save}
        </button>
      </form>
    </Sheet>
  );
}
