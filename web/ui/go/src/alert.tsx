import { useNow } from "@shared/clock.ts";
import { useLanguage, useWords } from "@shared/language.ts";
import { Icon } from "@shared/parts/icon.tsx";
import type { Org, PersonAlert } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { useEffect, useState } from "preact/hooks";
import { ring, sound, unlockSound } from "./alarm.ts";
import { Facts, Numbers, RoleCard } from "./alert_facts.tsx";
import { type Deadline, ringShare, secondsLeft } from "./countdown.ts";
import { useFit } from "./fit.ts";
import type { Verb } from "./phone.ts";

interface AlertProps {
  alert: PersonAlert;
  deadline: Deadline;
  org: Org | null;
  answering: Verb | null;
  waiting: number;
  /** On this phone only; nobody is told. */
  practice?: boolean;
  onAnswer: (verb: Verb) => void;
}

/** The full-screen alert: every fact and both buttons at once, on any phone, without scrolling. */
export function AlertScreen(props: AlertProps) {
  const { alert, deadline, org, practice } = props;
  const words = useWords();
  const english = useLanguage() === "en";
  const fit = useFit(3);
  useNow();
  useEffect(() => (props.answering ? undefined : ring()), [alert.id, props.answering]);
  const name = org && (english ? org.name_en : org.name_zh);
  const { exercise, kind } = alert.incident;
  return (
    <main
      class={`alert fit-${fit.level} ${exercise ? "exercise" : ""}`}
      ref={fit.ref}
      aria-label={words.domain.kind[kind]}
      data-testid="alert"
    >
      <header class="alert-head">
        <div role="alert">
          {exercise ? <span class="alert-drill">{words.parts.exercise}</span> : null}
          {name ? <p class="alert-org">{words.go.alert.call(name)}</p> : null}
          <h1>{words.domain.kind[kind]}</h1>
          {practice ? <p class="alert-practice">{words.go.alert.practice}</p> : null}
        </div>
        <Ring deadline={deadline} />
      </header>
      <RoleCard alert={alert} />
      <Numbers alert={alert} />
      <Facts alert={alert} />
      <SoundStrip />
      <Answers {...props} />
    </main>
  );
}

function Ring({ deadline }: { deadline: Deadline }) {
  const words = useWords().go.alert;
  const now = performance.now();
  const left = secondsLeft(deadline, now);
  const round = 2 * Math.PI * 32;
  return (
    <div class="ring" role="timer" aria-label={words.secondsLeft(left)}>
      <svg viewBox="0 0 68 68" aria-hidden="true">
        <circle cx="34" cy="34" r="32" class="ring-track" />
        <circle
          cx="34"
          cy="34"
          r="32"
          class="ring-left"
          stroke-dasharray={`${round * ringShare(deadline, now)} ${round}`}
          transform="rotate(-90 34 34)"
        />
      </svg>
      <b data-testid="countdown">{left}</b>
    </div>
  );
}

/** The sound may be asleep when the page has not been touched yet. */
function SoundStrip() {
  const words = useWords().go;
  const state = useStore(sound);
  if (state !== "blocked") return null;
  return (
    <button type="button" class="alert-sound" onClick={unlockSound}>
      <Icon name="muted" size={20} />
      {words.soundBlocked} · {words.soundEnable}
    </button>
  );
}

const SLOW_MS = 2000;

function Answers({ alert, answering, waiting, onAnswer }: AlertProps) {
  const words = useWords().go;
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    setSlow(false);
    if (!answering) return;
    const timer = window.setTimeout(() => setSlow(true), SLOW_MS);
    return () => window.clearTimeout(timer);
  }, [answering, alert.id]);
  const sending = slow && waiting > 0 ? words.waiting(waiting) : words.alert.sending;
  return (
    <div class="answers">
      <button
        type="button"
        class="accept"
        data-testid="accept"
        aria-disabled={answering !== null}
        onClick={() => !answering && onAnswer("accept")}
      >
        {answering === "accept" ? sending : words.alert.accept}
      </button>
      <button
        type="button"
        class="decline"
        data-testid="decline"
        aria-disabled={answering !== null}
        onClick={() => !answering && onAnswer("decline")}
      >
        {answering === "decline" ? sending : words.alert.decline}
      </button>
    </div>
  );
}
