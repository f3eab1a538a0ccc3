import { minutesSeconds, useNow } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { Button, Segments } from "@shared/parts/controls.tsx";
import type { Ambulance, Incident } from "@shared/shapes.ts";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { setAmbulance } from "./actions.ts";
import { isMedical } from "./queue_rank.ts";
import { showPanel } from "./state.ts";

export const AMBULANCE_STATES: Ambulance[] = ["unknown", "notified", "dispatched", "on_scene"];

/** The 120 state as four segments; always in view. */
export function AmbulanceRow({ incident }: { incident: Incident }) {
  const now = useNow();
  const words = useWords();
  const openS = Math.floor((now - Date.parse(incident.created_at)) / 1000);
  const late = incident.ambulance === "unknown" && isMedical(incident) && openS >= 60;
  const eta = incident.ambulance_eta_at ? (Date.parse(incident.ambulance_eta_at) - now) / 1000 : null;
  const text = (state: Ambulance): string => {
    const name = words.domain.ambulance[state];
    if (state === "unknown" && late) return words.incident.ambulance.unknownFor(minutesSeconds(openS));
    if (state !== "dispatched" || incident.ambulance !== "dispatched" || eta === null) return name;
    const when =
      eta >= 0
        ? words.incident.ambulance.inMinutes(minutesSeconds(eta))
        : words.incident.ambulance.late(minutesSeconds(-eta));
    return `${name} · ${when}`;
  };
  return (
    <div class="ambulance-row">
      <b>120</b>
      <Segments
        label={words.incident.ambulance.label}
        value={incident.ambulance}
        options={AMBULANCE_STATES.map((state) => ({
          value: state,
          text: text(state),
          warn: state === "unknown" && late,
        }))}
        onChange={(state) =>
          state === "dispatched" ? showPanel("ambulance") : void setAmbulance(incident, state)
        }
      />
    </div>
  );
}

/** Record the 120 state from the keyboard: a digit, then the minutes when it is on its way. */
export function AmbulanceDrawer({ incident }: { incident: Incident }) {
  const words = useWords();
  const first = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<Ambulance>(incident.ambulance === "unknown" ? "notified" : "dispatched");
  const [minutes, setMinutes] = useState("");
  useLayoutEffect(() => first.current?.querySelector<HTMLElement>("[tabindex='0']")?.focus(), []);
  const save = () => {
    const eta = Number(minutes);
    void setAmbulance(incident, state, state === "dispatched" && eta > 0 ? Math.round(eta * 60) : undefined);
  };
  const onDigit = (event: KeyboardEvent) => {
    // On a segment Enter would only choose it again; here it saves what the digit chose.
    if (
      event.key === "Enter" &&
      event.target instanceof HTMLElement &&
      event.target.matches("[role=radio]")
    ) {
      event.preventDefault();
      event.stopPropagation();
      return save();
    }
    const chosen = AMBULANCE_STATES[Number(event.key) - 1];
    if (event.target instanceof HTMLInputElement || !chosen) return;
    event.preventDefault();
    event.stopPropagation();
    setState(chosen);
    if (chosen === "dispatched")
      setTimeout(() => first.current?.querySelector<HTMLElement>("input")?.focus());
  };
  return (
    <form
      class="drawer"
      onKeyDown={onDigit}
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <h2>
        {words.incident.ambulance.label}
        <span>{words.incident.ambulance.keys}</span>
      </h2>
      <div ref={first}>
        <Segments
          label={words.incident.ambulance.label}
          value={state}
          options={AMBULANCE_STATES.map((value, index) => ({
            value,
            text: `${index + 1} ${words.domain.ambulance[value]}`,
          }))}
          onChange={setState}
          follow
        />
        <div class="row" style={{ paddingTop: "8px" }}>
          {state === "dispatched" ? (
            <label class="gm-field">
              <span class="unit">{words.incident.ambulance.minutesAway}</span>
              <input
                inputMode="numeric"
                value={minutes}
                onInput={(event) => setMinutes(event.currentTarget.value)}
              />
            </label>
          ) : (
            <span style={{ flex: 1 }} />
          )}
          <Button look="primary" type="submit" data-enter keycap="⏎">
            {words.incident.ambulance.save}
          </Button>
        </div>
      </div>
    </form>
  );
}
