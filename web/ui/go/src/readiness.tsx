import { running, secondsSince, serverNow, useNow } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { Icon, type IconName } from "@shared/parts/icon.tsx";
import type { Me } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { useState } from "preact/hooks";
import { sound, tryCall } from "./alarm.ts";
import { live, usePhone } from "./phone.ts";
import { askPosition, place } from "./position.ts";

interface Row {
  icon: IconName;
  name: string;
  text: string;
  /** Something to mend; only then there is colour and weight. */
  bad?: boolean;
  onTap?: () => void;
}

/** Whether a call would reach this person: each row a fact, each fault a tap from its cure. */
export function Readiness() {
  const words = useWords().go.ready;
  const rows = [useSoundRow(), useNotifyRow(), usePositionRow(), useNetworkRow(), useCertificateRow()];
  const { permission } = useStore(place);
  const denied = permission === "denied" || notifyPermission() === "denied";
  return (
    <section class="block readiness" aria-label={words.label}>
      <ul>
        {rows.map((row) => (
          <li key={row.name}>
            {row.onTap ? (
              <button type="button" onClick={row.onTap}>
                <RowText {...row} />
              </button>
            ) : (
              <RowText {...row} />
            )}
          </li>
        ))}
      </ul>
      {permission === "prompt" ? <p class="hint">{words.positionWhy}</p> : null}
      {denied ? <p class="hint">{words.deniedPath}</p> : null}
    </section>
  );
}

function RowText({ icon, name, text, bad }: Row) {
  return (
    <span class="ready-row">
      <Icon name={icon} size={22} />
      <span>{name}</span>
      <span class={bad ? "ready-text bad" : "ready-text"}>
        {bad ? <WarnMark /> : null}
        {text}
      </span>
    </span>
  );
}

function WarnMark() {
  return (
    <svg width="20" height="20" viewBox="0 0 24 24" class="warn-mark" aria-hidden="true">
      <path d="M12 3 22.5 21H1.5Z" />
      <path d="M12 9.5v5.5M12 17.6v.4" />
    </svg>
  );
}

function useSoundRow(): Row {
  const words = useWords().go.ready;
  const ready = useStore(sound) === "ready";
  return {
    icon: "sound",
    name: words.sound,
    text: ready ? words.soundOn : words.soundOff,
    bad: !ready,
    onTap: tryCall,
  };
}

type Notify = NotificationPermission | "missing";
const notifyPermission = (): Notify => ("Notification" in window ? Notification.permission : "missing");

function useNotifyRow(): Row {
  const words = useWords().go.ready;
  const [state, setState] = useState(notifyPermission);
  const texts = {
    granted: words.notifyOn,
    default: words.notifyOff,
    denied: words.notifyDenied,
    missing: words.notifyNone,
  };
  const ask = () => void Notification.requestPermission().then(setState);
  return {
    icon: "bell",
    name: words.notify,
    text: texts[state],
    bad: state !== "granted",
    onTap: state === "default" ? ask : undefined,
  };
}

function usePositionRow(): Row {
  const all = useWords();
  const words = all.go.ready;
  const { permission, fix } = useStore(place);
  const now = useNow(5000);
  const row = { icon: "pin" as const, name: words.position };
  if (permission === "granted") {
    const age = fix ? Math.max(0, Math.round((now - fix.at) / 1000)) : null;
    return { ...row, text: age === null ? words.positionOn : words.positionAge(all.parts.ago(age)) };
  }
  if (permission === "denied") return { ...row, text: words.positionDenied, bad: true };
  return { ...row, text: words.positionOff, bad: true, onTap: askPosition };
}

function useNetworkRow(): Row {
  const all = useWords();
  const state = useStore(live.state);
  useNow();
  const row = { icon: "wifi" as const, name: all.go.ready.network };
  if (state.phase === "live") return { ...row, text: all.go.ready.networkOn };
  if (state.phase === "connecting" && !state.lostAt) return { ...row, text: all.parts.live.connecting };
  const lost = state.lostAt ? running((Date.now() - state.lostAt) / 1000) : "";
  return { ...row, text: all.parts.live.lost(lost), bad: true };
}

const SOON_DAYS = 30;

function useCertificateRow(): Row {
  const words = useWords().go.ready;
  const me = usePhone((state) => state.me);
  return { icon: "certificate", name: words.certificate, ...certificateText(me, words) };
}

type ReadyWords = ReturnType<typeof useWords>["go"]["ready"];

function certificateText(me: Me | null, words: ReadyWords): { text: string; bad: boolean } {
  const ends = (me?.certificates ?? [])
    .map((one) => one.expires_on)
    .filter((day): day is string => Boolean(day));
  const last = ends.sort().at(-1);
  if (!last)
    return {
      text: me?.certificates.length ? words.certificateNoEnd : words.certificateNone,
      bad: !me?.certificates.length,
    };
  const days = -Math.ceil((secondsSince(`${last}T23:59:59`, serverNow()) ?? 0) / 86_400);
  if (days < 0) return { text: words.certificateOver(last), bad: true };
  return days <= SOON_DAYS
    ? { text: words.certificateSoon(days), bad: true }
    : { text: words.certificateOk(last), bad: false };
}
