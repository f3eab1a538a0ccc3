import { running, timeOfDay } from "@shared/clock.ts";
import { words as currentWords, useWords } from "@shared/language.ts";
import { Badge } from "@shared/parts/badge.tsx";
import { Button } from "@shared/parts/controls.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import { useStore } from "@shared/store.ts";
import { type Words, wordFor } from "@shared/words/zh.ts";
import { addLine } from "./actions.ts";
import type { Alarm } from "./queue_rank.ts";
import { go } from "./registry/where.ts";
import { sound, unlockSound } from "./sound.ts";
import { live, type Panel, select } from "./state.ts";
import { acknowledged, useAlarms } from "./ticking.ts";
import { useTroubles } from "./troubles.ts";

interface Said {
  what: string;
  action: string;
  button: string;
  panel: Panel;
}

/** Name an alarm by its incident's number, and say what to do. */
export function sayAlarm(alarm: Alarm, words: Words): Said {
  const { alarm: text } = words.console;
  if (alarm.kind === "channel_silent") {
    const what = words.decision.silent(wordFor(words.decision.channel, alarm.channel));
    return { what, action: words.decision.silentDo, button: words.office.task.list, panel: "none" };
  }
  const name = `${alarm.incident.number} ${words.domain.kind[alarm.incident.kind]}`;
  const said: Record<Exclude<Alarm["kind"], "channel_silent">, Said> = {
    not_alerted: {
      what: text.notAlerted(name),
      action: text.notAlertedDo,
      button: text.alert,
      panel: "plan",
    },
    no_accept: { what: text.noAccept(name), action: text.noAcceptDo, button: text.widen, panel: "plan" },
    ambulance_open: {
      what: text.ambulanceOpen(name),
      action: text.ambulanceDo,
      button: text.record,
      panel: "ambulance",
    },
    position_old: { what: text.positionOld(name), action: text.positionDo, button: text.open, panel: "none" },
  };
  return said[alarm.kind];
}

/** Take note of an alarm: it leaves the strip and the timeline says who took note. */
export function acknowledge(alarm: Alarm): void {
  acknowledged.update((known) => new Set([...known, alarm.key]));
  const words = currentWords();
  if (!alarm.incident) return;
  void addLine(alarm.incident.id, words.console.alarm.acknowledged(sayAlarm(alarm, words).what));
}

/** Go where something can be done about it. */
export function openAlarm(alarm: Alarm, panel: Panel): void {
  if (alarm.incident) select(alarm.incident.id, panel);
  else go({ page: "tasks", part: null, item: null });
}

/** The most urgent alarm, a lost connection and blocked sound: each a strip, never over the map. */
export function Strips() {
  const { open } = useAlarms();
  const [first, ...rest] = open;
  return (
    <>
      <LostStrip />
      <SoundStrip />
      {first ? <AlarmStrip alarm={first} more={rest.length} /> : null}
    </>
  );
}

function AlarmStrip({ alarm, more }: { alarm: Alarm; more: number }) {
  const words = useWords();
  const said = sayAlarm(alarm, words);
  return (
    <div class={`strip level-${alarm.level}`} data-alarm={alarm.kind}>
      <Badge severity={alarm.level} size={20} label={words.domain.severity[alarm.level]} />
      <span class="what">{said.what}</span>
      <span class="action">{said.action}</span>
      <span class="age">
        {more ? `${words.console.alarm.more(more)} · ` : ""}
        {words.console.alarm.unacknowledged(running(alarm.sinceS))}
      </span>
      <Button look="primary" size="small" onClick={() => openAlarm(alarm, said.panel)}>
        {said.button}
      </Button>
      <Button size="small" keycap="A" onClick={() => acknowledge(alarm)}>
        {words.console.alarm.acknowledge}
      </Button>
    </div>
  );
}

function LostStrip() {
  const words = useWords().parts.live;
  const { phase, heardAt } = useStore(live.state);
  const isLoud = useTroubles().some(({ kind }) => kind === "lost");
  if (phase !== "reconnecting" || heardAt === null || isLoud) return null;
  return (
    <div class="strip" role="status">
      <Icon name="warn" />
      <span class="what">{words.dataStoppedAt(timeOfDay(heardAt))}</span>
    </div>
  );
}

function SoundStrip() {
  const words = useWords().console.alarm;
  const { blocked, muted } = useStore(sound);
  if (!blocked || muted) return null;
  return (
    <div class="strip level-1" role="status">
      <Icon name="muted" />
      <span class="what">{words.soundBlocked}</span>
      <span class="action">{words.soundDo}</span>
      <span class="age" />
      <Button size="small" onClick={() => void unlockSound()}>
        {words.enable}
      </Button>
    </div>
  );
}
