import { call } from "@shared/api.ts";
import { hourMinute, timeOfDay } from "@shared/clock.ts";
import { floorText } from "@shared/floor.ts";
import { setLanguage, useLanguage, useWords } from "@shared/language.ts";
import { aedTitle } from "@shared/map/aed_title.ts";
import { AedMark } from "@shared/parts/aed_mark.tsx";
import { Chip, Segments } from "@shared/parts/controls.tsx";
import { setTheme, type Theme, useTheme } from "@shared/theme.ts";
import { wordFor } from "@shared/words/zh.ts";
import { useState } from "preact/hooks";
import { tryCall } from "./alarm.ts";
import { CertificateSheet } from "./certificate_sheet.tsx";
import { useInstall } from "./install.ts";
import { type Found, stateOf, useNearby } from "./nearest.ts";
import { journal, signedOut, usePhone } from "./phone.ts";
import { endPush } from "./push.ts";

/** The AEDs around, nearest first; the last list serves without network. */
export function NearbyPage() {
  const all = useWords();
  const words = all.go;
  const nearby = useNearby(usePhone((state) => state.me));
  const none = nearby ? words.nearby.empty : words.home.needPosition;
  return (
    <div class="page">
      <header class="page-head">
        <h1>{words.nearby.title}</h1>
      </header>
      {nearby && nearby.features.length > 0 ? (
        <>
          <ul class="block rows">
            {nearby.features.map((found) => (
              <NearbyRow key={found.id} found={found} />
            ))}
          </ul>
          <p class="hint outside">{words.home.kept(hourMinute(nearby.readAt))}</p>
        </>
      ) : (
        <p class="block">{none}</p>
      )}
      <a class="phone-button" href="/aed">
        {words.nearby.map}
      </a>
    </div>
  );
}

function NearbyRow({ found }: { found: Found }) {
  const all = useWords();
  const { name, travel_s, usable, usable_until, floor, address } = found.properties;
  const until = usable === "yes" && usable_until ? all.go.alert.closes(hourMinute(usable_until)) : null;
  return (
    <li class="row">
      <AedMark state={stateOf(found)} size={32} />
      <div class="card-text">
        <h2>{aedTitle({ name, address })}</h2>
        <p>
          {[wordFor(all.domain.usable, usable ?? "unknown"), until, floorText(floor, all) ?? address]
            .filter(Boolean)
            .join(" · ")}
        </p>
      </div>
      {travel_s === null ? null : (
        <p class="nearest-time small">
          <b>{Math.max(1, Math.ceil(travel_s / 60))}</b>
          <small>{all.go.nearby.minutes}</small>
        </p>
      )}
    </li>
  );
}

/** What this phone has shown, newest first. */
export function RecordPage() {
  const all = useWords();
  const words = all.go.record;
  const lines = journal.alerts();
  return (
    <div class="page">
      <header class="page-head">
        <h1>{words.title}</h1>
      </header>
      {lines.length === 0 ? <p class="block">{words.empty}</p> : null}
      {lines.length > 0 ? (
        <ul class="block rows">
          {lines.map((line) => (
            <li key={line.alert} class="row">
              <div class="card-text">
                <h2>{all.domain.kind[line.kind as keyof typeof all.domain.kind] ?? line.kind}</h2>
                <p>
                  {new Date(line.shownAt).toLocaleDateString()} {timeOfDay(line.shownAt)}
                </p>
              </div>
              {line.exercise ? <Chip look="drill">{all.parts.exercise}</Chip> : null}
              <span class="row-end">{words.answers[line.answer ?? "none"]}</span>
            </li>
          ))}
        </ul>
      ) : null}
      <p class="hint outside">{words.here}</p>
    </div>
  );
}

/** Language, appearance, sound test, certificates, sign-out. */
export function MinePage() {
  const all = useWords();
  const words = all.go.mine;
  const me = usePhone((state) => state.me);
  const language = useLanguage();
  const theme = useTheme();
  const themes: Theme[] = ["light", "dark", "contrast"];
  const leave = () => {
    const end = () => call("DELETE", "/session");
    endPush()
      .then(end, end)
      .catch(() => undefined);
    signedOut();
  };
  return (
    <div class="page">
      <header class="page-head">
        <h1>{(language === "en" && me?.person.name_en) || me?.person.name || words.title}</h1>
      </header>
      <section class="block settings">
        <h2>{words.language}</h2>
        <Segments
          label={words.language}
          value={language}
          options={[
            { value: "zh", text: <span lang="zh-CN">中文</span> },
            { value: "en", text: <span lang="en">English</span> },
          ]}
          onChange={setLanguage}
        />
        <h2>{words.appearance}</h2>
        <Segments
          label={words.appearance}
          value={theme}
          options={themes.map((value) => ({ value, text: all.parts.theme[value] }))}
          onChange={setTheme}
        />
      </section>
      <Certificates />
      <InstallRow />
      <button type="button" class="phone-button" onClick={tryCall}>
        {words.testSound}
      </button>
      <button type="button" class="phone-button" onClick={leave}>
        {words.signOut}
      </button>
      {me?.person.is_invented ? <p class="hint outside">{all.parts.inventedData}</p> : null}
    </div>
  );
}

function Certificates() {
  const all = useWords();
  const [open, setOpen] = useState(false);
  const me = usePhone((state) => state.me);
  const skills: Record<string, string> = all.domain.skill;
  return (
    <section class="block settings">
      <h2>{all.go.mine.certificates}</h2>
      {(me?.certificates ?? []).map((one) => (
        <p key={`${one.kind} ${one.expires_on}`}>
          {[
            skills[one.kind] ?? one.kind,
            one.expires_on ? all.go.ready.certificateOk(one.expires_on) : null,
            one.status === "pending" ? all.care.certificate.pending : null,
            one.status === "revoked" ? all.care.certificate.revoked : null,
          ]
            .filter(Boolean)
            .join(" · ")}
        </p>
      ))}
      {me?.certificates.length ? null : <p>{all.go.ready.certificateNone}</p>}
      <button type="button" class="phone-button" onClick={() => setOpen(true)}>
        {all.care.certificate.title}
      </button>
      {open ? <CertificateSheet onClose={() => setOpen(false)} /> : null}
      <h2>{all.go.mine.places}</h2>
      {(me?.places ?? []).map((spot) => (
        <p key={spot.id ?? spot.label ?? spot.kind}>
          {[spot.label ?? spot.kind, spot.hours].filter(Boolean).join(" · ")}
        </p>
      ))}
      {me?.places.length ? null : <p>{all.go.mine.noPlaces}</p>}
    </section>
  );
}

function InstallRow() {
  const words = useWords().go.mine;
  const install = useInstall();
  if (install === "installed") return <p class="hint outside">{words.installed}</p>;
  if (!install) return <p class="hint outside">{words.installHow}</p>;
  return (
    <button type="button" class="phone-button" onClick={install}>
      {words.install}
    </button>
  );
}
