import { useLanguage, useWords } from "@shared/language.ts";
import type { Changes, Incident } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import type { Words } from "@shared/words/zh.ts";
import { useEffect, useState } from "preact/hooks";
import { sayAlarm } from "./alarm_strip.tsx";
import { onBoardEvent } from "./hear.ts";
import { nameIn, placeText } from "./names.ts";
import { play } from "./sound.ts";
import { live } from "./state.ts";
import { useAlarms } from "./ticking.ts";

type Say = (text: string) => void;

/** Say each new alarm once; its age would otherwise be read out every second. */
function useAlarmCalls(urgently: Say, politely: Say): void {
  const words = useWords();
  const [first] = useAlarms().open;
  useEffect(() => {
    if (!first) return;
    const { what, action } = sayAlarm(first, words);
    if (first.level === 1) play("critical");
    (first.level === 1 ? urgently : politely)(`${what}. ${action}`);
  }, [first?.key]);
}

interface News {
  text: string;
  urgent: boolean;
  tone: Parameters<typeof play>[0] | null;
}

/** What an event of the board is worth saying, if anything. */
function newsOf(kind: string, { incident, assignments }: Changes, words: Words, latin: boolean): News | null {
  const say = words.console.announce;
  const name = assignments?.[0] ? nameIn(assignments[0], latin) : null;
  if (kind === "incident_opened" && incident) return opened(incident, words);
  if (kind === "alert_accepted" && name) return { text: say.accepted(name), urgent: false, tone: "accepted" };
  const arrived = kind === "assignment_moved" && assignments?.[0]?.status === "on_scene";
  return arrived && name ? { text: say.onScene(name), urgent: false, tone: null } : null;
}

function opened(incident: Incident, words: Words): News {
  const urgent = incident.severity === 1;
  const kind = words.domain.kind[incident.kind];
  const text = words.console.announce.newIncident(incident.severity, kind, placeText(incident));
  return { text, urgent, tone: urgent ? "critical" : "newIncident" };
}

/** Sounds for what the board brings, each with its twin for people who do not hear or see it. */
export function Announcer() {
  const words = useWords();
  const latin = useLanguage() === "en";
  const [urgent, setUrgent] = useState("");
  const [polite, setPolite] = useState("");
  useEffect(
    () =>
      onBoardEvent((kind, changes) => {
        const news = newsOf(kind, changes, words, latin);
        if (!news) return;
        if (news.tone) play(news.tone);
        (news.urgent ? setUrgent : setPolite)(news.text);
      }),
    [words, latin],
  );
  useAlarmCalls(setUrgent, setPolite);
  const { phase } = useStore(live.state);
  useEffect(() => {
    if (phase === "live" || phase === "reconnecting") setPolite(words.parts.live[phase]);
  }, [phase]);
  return (
    <div class="sr-only">
      <p role="alert">{urgent}</p>
      <p role="status">{polite}</p>
    </div>
  );
}
