import { isComposing } from "@shared/keys.ts";
import { useWords } from "@shared/language.ts";
import { Button } from "@shared/parts/controls.tsx";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { addLine } from "./actions.ts";
import { leavePanel } from "./state.ts";

/** One line for the timeline; Enter saves, but not the Enter that ends a composition. */
export function LogDrawer({ incident }: { incident: string }) {
  const words = useWords().incident.log;
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState("");
  useLayoutEffect(() => input.current?.focus(), []);
  const save = async () => {
    if (text.trim() && (await addLine(incident, text.trim()))) leavePanel("log");
  };
  return (
    <div class="drawer">
      <div class="row">
        <label class="gm-field">
          <span class="sr-only">{words.label}</span>
          <input
            ref={input}
            value={text}
            maxLength={500}
            placeholder={words.placeholder}
            onInput={(event) => setText(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter" && !isComposing(event)) void save();
            }}
          />
        </label>
        <Button look="primary" onClick={() => void save()}>
          {words.label}
        </Button>
      </div>
    </div>
  );
}
