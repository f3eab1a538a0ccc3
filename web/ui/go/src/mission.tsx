import { minutesSeconds, secondsSince, useNow } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { Icon } from "@shared/parts/icon.tsx";
import type { Mission, Point, Step } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { useEffect, useState } from "preact/hooks";
import { ReportedCard } from "./aed_problem.tsx";
import { keepAwake } from "./alarm.ts";
import { toReturn, withMission } from "./carried.ts";
import { ChangedCard } from "./changed_card.tsx";
import { GuideCard } from "./guide_card.tsx";
import { HandOff } from "./hand_off.tsx";
import { HelpButton } from "./help.tsx";
import { AedCard, SceneCard } from "./mission_cards.tsx";
import { MissionMap } from "./mission_map.tsx";
import { isAbout, moves, withoutAed } from "./moves.ts";
import type { Entry } from "./outbox.ts";
import { withTaps } from "./person_state.ts";
import { place } from "./position.ts";
import { ReturnCard } from "./return_card.tsx";
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
  const { reported, change } = useStore(moves);
  const tapped = withTaps(sent, waiting);
  const mission = withoutAed(tapped, reported);
  const { fix } = useStore(place);
  const from = useFrom(fix);
  const walk = useWalk(mission, from);
  const [hand, setHand] = useState(false);
  useEffect(() => keepAwake(), []);
  const { exercise } = mission.incident;
  return (
    <main
      class={`mission ${mission.aed ? "" : "direct"} ${mission.role === "guide" ? "guiding" : ""} ${exercise ? "exercise" : ""}`}
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
        {change?.mission === mission.id ? <ChangedCard change={change} /> : null}
        <Steps mission={mission} />
        <div class="mission-cards">
          <CarriedBack mission={mission} waiting={waiting} />
          {reported && isAbout(tapped, reported) ? <ReportedCard reported={reported} /> : null}
          {mission.role === "guide" ? <GuideCard mission={mission} /> : null}
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
          <NextStep mission={mission} onStep={onStep} />
        </div>
      </div>
      {hand ? <HandOff target={targetOf(mission)} onClose={() => setHand(false)} /> : null}
    </main>
  );
}

/** The one ink button. */
function NextStep({ mission, onStep }: Pick<Props, "mission" | "onStep">) {
  const all = useWords();
  const next = mission.next_step;
  const words = mission.role === "guide" ? all.care.guide.steps : all.go.mission.steps;
  if (!next) return null;
  return (
    <button
      type="button"
      class="phone-button primary"
      data-testid="next-step"
      data-step={next}
      onClick={() => onStep(next)}
    >
      {words[next]}
    </button>
  );
}

/** Without network a mission ends on the phone alone; its AED can be brought back all the same. */
function CarriedBack({ mission, waiting }: { mission: Mission; waiting: Entry[] }) {
  const [carried] = mission.times.cleared_at ? toReturn(withMission([], mission), waiting) : [];
  return carried ? <ReturnCard carried={carried} /> : null;
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
