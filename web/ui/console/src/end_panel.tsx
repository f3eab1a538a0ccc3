import { useWords } from "@shared/language.ts";
import { Button } from "@shared/parts/controls.tsx";
import type { Disposition, Incident } from "@shared/shapes.ts";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { closeIncident, standDown } from "./actions.ts";
import { isMedical } from "./queue_rank.ts";
import { showPanel } from "./state.ts";
import { problemText } from "./toast.ts";

type Ending = Disposition | "stand_down";
const ENDINGS: Ending[] = ["completed", "false_alarm", "duplicate", "cancelled", "stand_down"];

/** Close, or only stand people down: a digit, then Enter. */
export function EndDrawer({ incident, going }: { incident: Incident; going: number }) {
  const words = useWords().incident.end;
  const box = useRef<HTMLFormElement>(null);
  const [ending, setEnding] = useState<Ending>("completed");
  const [failed, setFailed] = useState<string | null>(null);
  useLayoutEffect(() => box.current?.querySelector<HTMLElement>("input")?.focus(), []);
  const needs120 = ending === "completed" && isMedical(incident) && incident.ambulance === "unknown";
  const confirm = async () => {
    if (needs120) return showPanel("ambulance");
    try {
      if (ending === "stand_down") await standDown(incident.id);
      else await closeIncident(incident.id, ending);
    } catch (error) {
      setFailed(problemText(error));
    }
  };
  const onDigit = (event: KeyboardEvent) => {
    const chosen = ENDINGS[Number(event.key) - 1];
    if (!chosen) return;
    event.preventDefault();
    event.stopPropagation();
    setEnding(chosen);
    box.current?.querySelectorAll<HTMLElement>("input")[ENDINGS.indexOf(chosen)]?.focus();
  };
  return (
    <form
      class="drawer"
      ref={box}
      onKeyDown={onDigit}
      onSubmit={(event) => {
        event.preventDefault();
        void confirm();
      }}
    >
      <h2>
        {words.title}
        <span>{words.keys}</span>
      </h2>
      <div class="choices" role="radiogroup" aria-label={words.title}>
        {ENDINGS.map((value, index) => (
          <label key={value}>
            <input
              type="radio"
              name="ending"
              value={value}
              checked={ending === value}
              onChange={() => setEnding(value)}
            />
            {index + 1} {words.options[value]}
          </label>
        ))}
      </div>
      {needs120 || failed ? (
        <p class="gm-error" role="alert">
          {failed ?? words.needsAmbulance}
        </p>
      ) : null}
      <div class="row" style={{ paddingTop: "8px" }}>
        <span style={{ flex: 1 }}>{going > 0 ? words.willStop(going) : words.nobodyToStop}</span>
        <Button look="primary" type="submit" keycap="⏎" data-enter>
          {words.confirm}
        </Button>
        <Button keycap="Esc" onClick={() => showPanel("none")}>
          {useWords().parts.cancel}
        </Button>
      </div>
    </form>
  );
}
