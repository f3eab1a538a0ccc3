import { running, serverNow, useNow } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { Icon, type IconName } from "@shared/parts/icon.tsx";
import { useStore } from "@shared/store.ts";
import { useState } from "preact/hooks";
import { sound, tryCall } from "./alarm.ts";
import { paperOf } from "./certificate.ts";
import { CertificateSheet } from "./certificate_sheet.tsx";
import { NumberSheet } from "./number_sheet.tsx";
import { PermissionSheet } from "./permission_sheet.tsx";
import { live, usePhone } from "./phone.ts";
import { place } from "./position.ts";
import { notifyState } from "./push.ts";
import { quietOf } from "./quiet.ts";
import { QuietSheet } from "./quiet_sheet.tsx";
import { useReach } from "./reach.ts";

interface Row {
  icon: IconName;
  name: string;
  text: string;
  /** Something to mend; only then there is colour and weight. */
  bad?: boolean;
  onTap?: () => void;
}

type Open = "notify" | "place" | "quiet" | "certificate" | "number";

/** Whether a call would reach this person: each row a fact, each fault a tap from its cure. */
export function Readiness() {
  const words = useWords().go.ready;
  const [open, setOpen] = useState<Open | null>(null);
  const notify = useNotifyRow(() => setOpen("notify"));
  const where = usePositionRow(() => setOpen("place"));
  const paper = useCertificateRow(() => setOpen("certificate"));
  const quiet = useQuietRow(() => setOpen("quiet"));
  const rows = [
    useSoundRow(),
    notify,
    ...useChannelRows(() => setOpen("number")),
    where,
    useNetworkRow(),
    paper,
    quiet,
  ];
  const shut = () => setOpen(null);
  return (
    <>
      <section class="block readiness" aria-label={words.label} data-testid="readiness">
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
      </section>
      {open === "notify" || open === "place" ? <PermissionSheet what={open} onClose={shut} /> : null}
      {open === "number" ? <NumberSheet onClose={shut} /> : null}
      {open === "quiet" ? <QuietSheet onClose={shut} /> : null}
      {open === "certificate" ? <CertificateSheet onClose={shut} /> : null}
    </>
  );
}

function RowText({ icon, name, text, bad, onTap }: Row) {
  return (
    <span class="ready-row">
      <Icon name={icon} size={22} />
      <span>{name}</span>
      <span class={bad ? "ready-text bad" : "ready-text"}>
        {bad ? <WarnMark /> : null}
        {text}
        {onTap ? <Icon name="chevron" size={16} /> : null}
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

/** What the phone allows, and what the server knows of the messages that it sent. */
function useNotifyRow(onTap: () => void): Row {
  const all = useWords();
  const words = all.go.ready;
  const push = useReach().find(({ channel }) => channel === "web_push");
  useNow(5000);
  const state = notifyState();
  const row = { icon: "bell" as const, name: words.notify };
  if (state !== "granted") {
    const texts = { default: words.notifyOff, denied: words.notifyDenied, missing: words.notifyNone };
    return { ...row, text: texts[state], bad: true, onTap };
  }
  if (push?.bad) return { ...row, text: push.text, bad: true, onTap };
  return { ...row, text: push?.text ?? words.notifyOn };
}

const CHANNEL_ICONS: Record<string, IconName> = { sms: "mobile", voice: "phone" };

/** The ways beside notifications that reach this person, with the last time that it was proved. */
function useChannelRows(onNumber: () => void): Row[] {
  const words: Record<string, unknown> = useWords().care.channel;
  return useReach()
    .filter(({ channel }) => channel !== "web_push")
    .map(({ channel, text, bad, wantsNumber }) => ({
      icon: CHANNEL_ICONS[channel] ?? "note",
      name: String(words[channel] ?? channel),
      text,
      bad,
      onTap: wantsNumber ? onNumber : undefined,
    }));
}

function usePositionRow(onTap: () => void): Row {
  const all = useWords();
  const words = all.go.ready;
  const { permission, fix } = useStore(place);
  const now = useNow(5000);
  const row = { icon: "pin" as const, name: words.position };
  if (permission === "granted") {
    const age = fix ? Math.max(0, Math.round((now - fix.at) / 1000)) : null;
    return { ...row, text: age === null ? words.positionOn : words.positionAge(all.parts.ago(age)) };
  }
  const text = permission === "denied" ? words.positionDenied : words.positionOff;
  return { ...row, text, bad: true, onTap };
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

function useQuietRow(onTap: () => void): Row {
  const words = useWords().care.quiet;
  const quiet = quietOf(usePhone((state) => state.me?.quiet));
  const text = quiet ? words.span(quiet.from, quiet.until) : words.none;
  return { icon: "moon", name: words.row, text, onTap };
}

function useCertificateRow(onTap: () => void): Row {
  const words = useWords();
  const me = usePhone((state) => state.me);
  const { text, bad, isPending } = paperOf(me?.certificates ?? [], words, serverNow());
  const name = words.go.ready.certificate;
  return { icon: "certificate", name, text, bad, onTap: bad && !isPending ? onTap : undefined };
}
