import { hourMinute, serverNow } from "@shared/clock.ts";
import { useLanguage, useWords } from "@shared/language.ts";
import { aedTitle } from "@shared/map/aed_title.ts";
import { AedMark } from "@shared/parts/aed_mark.tsx";
import { Avatar } from "@shared/parts/controls.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import { wordFor } from "@shared/words/zh.ts";
import { useState } from "preact/hooks";
import { unlockSound } from "./alarm.ts";
import { floorText } from "./floor.ts";
import { stateOf, useNearby } from "./nearest.ts";
import { setDuty, showNotice, usePhone } from "./phone.ts";
import { Readiness } from "./readiness.tsx";

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
      {me && !me.duty ? <p class="block">{words.notResponder}</p> : <DutyCard />}
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

/** What keeps this person from being asked, other than resting. */
const useBlocked = () => usePhone((state) => state.me?.blocked ?? NONE).filter((code) => code !== "off_duty");
const NONE: string[] = [];

function useTitle(): string {
  const words = useWords().go.home;
  const duty = usePhone((state) => state.duty);
  const blocked = useBlocked().length > 0;
  if (duty === "busy") return words.busy;
  if (duty !== "available") return words.offDuty;
  return blocked ? words.notAble : words.onDuty;
}

function Blocked() {
  const words = useWords();
  const blocked = useBlocked();
  if (blocked.length === 0) return null;
  return (
    <section class="block warn-block">
      <Icon name="warn" size={22} />
      <p>
        <b>{words.go.home.blocked}</b>
        {blocked.map((code) => wordFor(words.domain.reason, code)).join(" · ")}
      </p>
    </section>
  );
}

function DutyCard() {
  const words = useWords().go.home;
  const duty = usePhone((state) => state.duty);
  const until = usePhone((state) => state.dutyUntil);
  const [busy, setBusy] = useState(false);
  const on = duty === "available" || duty === "busy";
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
      {on ? <AutoRest until={until} onChange={(end) => change(true, end)} /> : null}
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

function AutoRest({ until, onChange }: { until: string | null; onChange: (until: string | null) => void }) {
  const words = useWords().go.home;
  const shown = until ? dayText(until, words) : words.never;
  return (
    <label class="auto-rest">
      <span>{words.autoRest}</span>
      <b>{shown}</b>
      <select
        aria-label={words.autoRest}
        value=""
        onChange={({ currentTarget }) => {
          const hours = Number(currentTarget.value);
          currentTarget.value = "";
          onChange(hours > 0 ? new Date(serverNow() + hours * 3_600_000).toISOString() : null);
        }}
      >
        <option value="" disabled hidden>
          {shown}
        </option>
        {HOURS.map((hours) => (
          <option key={hours} value={hours}>
            {words.inHours(hours)}
          </option>
        ))}
        <option value="0">{words.never}</option>
      </select>
    </label>
  );
}

function dayText(time: string, words: ReturnType<typeof useWords>["go"]["home"]): string {
  const today = new Date(serverNow()).toDateString() === new Date(time).toDateString();
  return today ? words.today(hourMinute(time)) : words.tomorrow(hourMinute(time));
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
