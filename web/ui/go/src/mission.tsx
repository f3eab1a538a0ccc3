import { minutesSeconds, secondsSince, useNow } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { Icon } from "@shared/parts/icon.tsx";
import type { Mission, Point, Step } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { useEffect, useState } from "preact/hooks";
import { keepAwake } from "./alarm.ts";
import { HandOff } from "./hand_off.tsx";
import { HelpButton } from "./help.tsx";
import { AedCard, SceneCard } from "./mission_cards.tsx";
import { MissionMap } from "./mission_map.tsx";
import type { Entry } from "./outbox.ts";
import { withTaps } from "./person_state.ts";
import { place } from "./position.ts";
import { stopsAhead, useWalk } from "./route.ts";
import { Steps } from "./steps.tsx";

interface Props {
  mission: Mission;
  waiting: Entry[];
  onStep: (step: Step, reason?: string) => void;
  onUnable: (reason: string) => void;
  onCpr: () => void;
}

/** Everything from accept to the end: the map above, what to do below, one ink button. */
export function MissionScreen({ mission: sent, waiting, onStep, onUnable, onCpr }: Props) {
  const all = useWords();
  const words = all.go.mission;
  const mission = withTaps(sent, waiting);
  const { fix } = useStore(place);
  const from = useFrom(fix);
  const walk = useWalk(mission, from);
  const [hand, setHand] = useState(false);
  useEffect(() => keepAwake(), []);
  const { exercise } = mission.incident;
  const next = mission.next_step;
  return (
    <main
      class={`mission ${mission.aed ? "" : "direct"} ${exercise ? "exercise" : ""}`}
      aria-label={words.label}
      data-testid="mission"
    >
      <div class="mission-map">
        <MissionMap mission={mission} self={from} accuracyM={fix?.accuracy_m ?? null} walk={walk} />
        <AmbulancePill mission={mission} />
        {mission.call_phone ? (
          <a class="float call" href={`tel:${mission.call_phone}`} aria-label={words.callCentre}>
            <Icon name="phone" size={22} />
          </a>
        ) : null}
        <HelpButton phone={mission.call_phone} onUnable={onUnable} />
      </div>
      <div class="sheet">
        {exercise ? <p class="drill-line">{all.parts.exercise}</p> : null}
        <Steps mission={mission} />
        <div class="mission-cards">
          <AedCard mission={mission} walk={walk} />
          <SceneCard mission={mission} walk={walk} />
          <div class="pair">
            {mission.call_phone ? (
              <a class="phone-button" href={`tel:${mission.call_phone}`}>
                <Icon name="phone" size={20} />
                {words.callCentre}
              </a>
            ) : null}
            <button type="button" class="phone-button" onClick={onCpr}>
              {words.cpr}
            </button>
          </div>
        </div>
        <div class="mission-bar">
          <button type="button" class="phone-button" onClick={() => setHand(true)}>
            <Icon name="navigate" size={22} />
            {words.navigate}
          </button>
          {next ? (
            <button
              type="button"
              class="phone-button primary"
              data-testid="next-step"
              data-step={next}
              onClick={() => onStep(next)}
            >
              {words.steps[next]}
            </button>
          ) : null}
        </div>
      </div>
      {hand ? <HandOff target={targetOf(mission)} onClose={() => setHand(false)} /> : null}
    </main>
  );
}

/** The same object while the fix is the same, so that effects do not run for nothing. */
function useFrom(fix: { lon: number; lat: number } | null): Point | null {
  const [from, setFrom] = useState<Point | null>(null);
  useEffect(() => {
    setFrom(fix ? { type: "Point", coordinates: [fix.lon, fix.lat] } : null);
  }, [fix?.lon, fix?.lat]);
  return from;
}

/** Where the next walk goes. */
function targetOf(mission: Mission): { position: Point; address: string | null } | null {
  const [stop] = stopsAhead(mission);
  const { aed, incident } = mission;
  if (aed && stop === aed.position) return { position: stop, address: aed.address ?? aed.name };
  return incident.position ? { position: incident.position, address: incident.address ?? null } : null;
}

function AmbulancePill({ mission }: { mission: Mission }) {
  const words = useWords().go.alert;
  const now = useNow();
  const { ambulance = "unknown", ambulance_eta_at } = mission.incident;
  const left = -(secondsSince(ambulance_eta_at, now) ?? 0);
  return (
    <p class="float pill" role="status">
      <b>{words.ambulance}</b>
      {words.ambulanceState[ambulance]}
      {ambulance === "dispatched" && left > 0 ? <b>{minutesSeconds(left)}</b> : null}
    </p>
  );
}
