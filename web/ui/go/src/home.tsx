import { hourMinute, serverNow } from "@shared/clock.ts";
import { floorText } from "@shared/floor.ts";
import { useLanguage, useWords } from "@shared/language.ts";
import { aedTitle } from "@shared/map/aed_title.ts";
import { AedMark } from "@shared/parts/aed_mark.tsx";
import { Avatar } from "@shared/parts/controls.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import { useState } from "preact/hooks";
import { unlockSound } from "./alarm.ts";
import { isPartly } from "./alertable.ts";
import { Blocked, useBlocks } from "./blocked.tsx";
import { daysAway, dayTime } from "./day_time.ts";
import { stateOf, useNearby } from "./nearest.ts";
import { setDuty, showNotice, usePhone } from "./phone.ts";
import { Readiness } from "./readiness.tsx";
import { Returns } from "./return_card.tsx";
import { SurveyCard } from "./survey_card.tsx";

/** Duty, whether this phone is ready, and the nearest AED. */
export function HomePage({ onPractise, onCpr }: { onPractise: () => void; onCpr: () => void }) {
  const words = useWords().go.home;
  const me = usePhone((state) => state.me);
  const english = useLanguage() === "en";
  return (
    <div class="page">
      <header class="page-head">
        <h1>{useTitle()}</h1>
        {me ? <Avatar name={(english && me.person.name_en) || me.person.name} /> : null}
      </header>
      <SurveyCard />
      {me && !me.duty ? <p class="block">{words.notResponder}</p> : <DutyCard />}
      <Returns />
      <Blocked />
      <Readiness />
      <NearestCard />
      <div class="pair">
        <button type="button" class="phone-button" onClick={onPractise}>
          {words.drill}
        </button>
        <button type="button" class="phone-button" onClick={onCpr}>
          {words.cpr}
        </button>
      </div>
    </div>
  );
}

function useTitle(): string {
  const words = useWords().go.home;
  const duty = usePhone((state) => state.duty);
  const blocks = useBlocks();
  if (duty === "busy") return words.busy;
  if (duty !== "available") return words.offDuty;
  return blocks.length > 0 && !isPartly(blocks) ? words.notAble : words.onDuty;
}

function DutyCard() {
  const words = useWords().go.home;
  const duty = usePhone((state) => state.duty);
  const dutyUntil = usePhone((state) => state.dutyUntil);
  const rest = useBlocks().find(({ code }) => code === "resting")?.args.until;
  const [busy, setBusy] = useState(false);
  const on = duty === "available" || duty === "busy";
  // Whoever rests for longer than duty is off is not called before the rest is over.
  const until =
    !on && dutyUntil && typeof rest === "string" && Date.parse(rest) > Date.parse(dutyUntil)
      ? rest
      : dutyUntil;
  const change = async (next: boolean, end: string | null) => {
    unlockSound();
    setBusy(true);
    try {
      await setDuty(next ? "available" : "off_duty", end);
    } catch (error) {
      showNotice({ kind: "refused", text: (error as Error).message });
    } finally {
      setBusy(false);
    }
  };
  return (
    <section class="block duty-block">
      <button
        type="button"
        role="switch"
        aria-checked={on}
        aria-label={words.dutySwitch}
        aria-busy={busy}
        class={`duty ${on ? "on" : ""}`}
        data-testid="duty"
        onClick={() => !busy && change(!on, null)}
      >
        <span>{on ? words.rest : <Thumb text={words.rest} />}</span>
        <span>{on ? <Thumb text={words.duty} /> : words.duty}</span>
      </button>
      <UntilRow on={on} until={until} onChange={(end) => change(on, end)} />
      <p class="hint">{on ? words.dutyMeans : words.restMeans}</p>
    </section>
  );
}

function Thumb({ text }: { text: string }) {
  return (
    <b>
      <Icon name="check" size={22} />
      {text}
    </b>
  );
}

const HOURS = [1, 2, 4, 8, 12];

interface UntilProps {
  on: boolean;
  until: string | null;
  onChange: (until: string | null) => void;
}

/** When duty ends, or begins again, by itself. */
function UntilRow({ on, until, onChange }: UntilProps) {
  const all = useWords();
  const words = all.go.home;
  const label = on ? words.autoRest : all.care.offUntil.label;
  const shown = until ? dayText(until, all) : words.never;
  const morning = nextMorning(serverNow());
  return (
    <label class="auto-rest">
      <span>{label}</span>
      <b>{shown}</b>
      <select
        aria-label={label}
        data-testid="until"
        value=""
        onChange={({ currentTarget }) => {
          const wanted = currentTarget.value;
          currentTarget.value = "";
          onChange(wanted === "never" ? null : wanted);
        }}
      >
        <option value="" disabled hidden>
          {shown}
        </option>
        {HOURS.map((hours) => (
          <option key={hours} value={new Date(serverNow() + hours * 3_600_000).toISOString()}>
            {words.inHours(hours)}
          </option>
        ))}
        {on ? null : <option value={morning}>{all.care.offUntil.morning(hourMinute(morning))}</option>}
        <option value="never">{words.never}</option>
      </select>
    </label>
  );
}

/** Eight o'clock of tomorrow. */
function nextMorning(now: number): string {
  const at = new Date(now);
  return new Date(at.getFullYear(), at.getMonth(), at.getDate() + 1, 8).toISOString();
}

function dayText(time: string, all: ReturnType<typeof useWords>): string {
  const away = daysAway(time, serverNow());
  if (away > 1) return dayTime(time, all);
  return away > 0 ? all.go.home.tomorrow(hourMinute(time)) : all.go.home.today(hourMinute(time));
}

function NearestCard() {
  const all = useWords();
  const words = all.go;
  const nearby = useNearby(usePhone((state) => state.me));
  const first = nearby?.features.find((found) => found.properties.usable === "yes");
  if (!first) {
    return <section class="block nearest">{nearby ? words.home.noNearest : words.home.needPosition}</section>;
  }
  const { name, address, floor, location_note, usable_until, travel_s } = first.properties;
  const until = usable_until ? words.alert.closes(hourMinute(usable_until)) : words.alert.usableNow;
  return (
    <section class="block nearest">
      <AedMark state={stateOf(first)} size={40} />
      <div class="card-text">
        <p>{words.home.nearest}</p>
        <h2>{aedTitle({ name, address })}</h2>
        <p>{[floorText(floor, all) ?? location_note, until].filter(Boolean).join(" · ")}</p>
      </div>
      {travel_s === null ? null : (
        <p class="nearest-time">
          <b>{Math.max(1, Math.ceil(travel_s / 60))}</b>
          <small>{words.nearby.minutes}</small>
        </p>
      )}
    </section>
  );
}
