import { hourMinute, minutesSeconds } from "@shared/clock.ts";
import { floorText } from "@shared/floor.ts";
import { useWords } from "@shared/language.ts";
import { aedTitle } from "@shared/map/aed_title.ts";
import { AedMark } from "@shared/parts/aed_mark.tsx";
import { Badge } from "@shared/parts/badge.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import type { Mission, MissionAed } from "@shared/shapes.ts";
import { useState } from "preact/hooks";
import { AedProblems } from "./aed_problem.tsx";
import { AedSheet } from "./aed_sheet.tsx";
import { CodeButton } from "./code_button.tsx";
import { useDevice } from "./device.ts";
import { AED_PROBLEMS } from "./moves.ts";
import type { Walk } from "./route.ts";

interface Props {
  mission: Mission;
  walk: Walk | null;
}

const facts = (...some: (string | null | undefined)[]) => some.filter(Boolean).join(" · ");

/** Where the AED hangs, how to get at it, and how far it is. */
export function AedCard({ mission, walk }: Props) {
  const all = useWords();
  const words = all.go;
  const { aed, times } = mission;
  if (!aed) return null;
  const taken = times.aed_collected_at ?? null;
  const toAed = !taken && walk && walk.legs.length > 1 ? walk.legs[0] : null;
  const until = aed.usable_until ? words.alert.closes(hourMinute(aed.usable_until)) : words.alert.usableNow;
  return (
    <section class={`card aed-card ${taken ? "done" : ""}`}>
      <AedMark state="usable" size={40} />
      <div class="card-text">
        <h2>{aedTitle(aed)}</h2>
        <p>{facts(floorText(aed.floor, all), aed.access_note ?? aed.address)}</p>
        <div class="card-chips">
          <span class={taken ? "chip" : "chip good"}>
            {taken ? words.mission.takenAt(hourMinute(taken)) : until}
          </span>
          <Details aed={aed} />
        </div>
      </div>
      {toAed ? <Seconds seconds={toAed.seconds} label={words.mission.toAed} walk={walk} /> : null}
      <Code aed={aed} isTaken={taken !== null} />
      <AedProblems mission={mission} kinds={taken ? ["broken"] : AED_PROBLEMS} />
    </section>
  );
}

/** The code of the cabinet, until the AED is taken. */
function Code({ aed, isTaken }: { aed: MissionAed; isTaken: boolean }) {
  if (aed.cabinet !== "code" || isTaken) return null;
  return (
    <div class="card-actions">
      <CodeButton key={aed.id} aed={aed.id} />
    </div>
  );
}

/** The way to its place and photos, and to a photo of one's own. */
function Details({ aed }: { aed: MissionAed }) {
  const words = useWords().go.device;
  const [open, setOpen] = useState(false);
  const device = useDevice(aed.id);
  const photos = device?.photos.length ?? aed.photos?.length ?? 0;
  return (
    <>
      <button type="button" class="details-link" data-testid="aed-details" onClick={() => setOpen(true)}>
        <Icon name="pin" size={18} />
        {photos > 0 ? words.findPhotos : words.find}
      </button>
      {open ? <AedSheet aed={aed} device={device} onClose={() => setOpen(false)} /> : null}
    </>
  );
}

/** Where the patient is, to the door. */
export function SceneCard({ mission, walk }: Props) {
  const all = useWords();
  const { incident } = mission;
  const whole = walk?.legs.reduce((sum, leg) => sum + leg.seconds, 0);
  return (
    <section class="card scene">
      <Badge severity={incident.severity ?? 1} size={36} label={all.domain.kind[incident.kind]} />
      <div class="card-text">
        <h2 data-testid="address">{incident.address ?? all.go.mission.noAddress}</h2>
        <p>
          {facts(floorText(incident.floor, all), incident.entrance, incident.note) ||
            all.domain.kind[incident.kind]}
        </p>
      </div>
      {whole === undefined ? null : <Seconds seconds={whole} label={all.go.mission.toPatient} walk={walk} />}
    </section>
  );
}

function Seconds({ seconds, label, walk }: { seconds: number; label: string; walk: Walk | null }) {
  const words = useWords();
  return (
    <p class="card-time" title={label}>
      <b>{minutesSeconds(seconds)}</b>
      {walk?.estimated ? <small>{words.parts.estimate}</small> : null}
    </p>
  );
}
