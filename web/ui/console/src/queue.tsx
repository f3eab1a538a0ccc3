import { hourMinute, minutesSeconds, running } from "@shared/clock.ts";
import { useLanguage, useWords } from "@shared/language.ts";
import { Badge } from "@shared/parts/badge.tsx";
import { Button, Chip, Keycap } from "@shared/parts/controls.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import type { Incident } from "@shared/shapes.ts";
import { useSelect, useStore } from "@shared/store.ts";
import type { Words } from "@shared/words/zh.ts";
import { placeText } from "./names.ts";
import { isMedical, type QueueFacts, type Section } from "./queue_rank.ts";
import { figures, select, startNew, view } from "./state.ts";
import { useQueue } from "./ticking.ts";

/** Open incidents by what they need, the last day's closed ones, and the figures of the shift. */
export function Queue() {
  const words = useWords().console.queue;
  const { now, sections } = useQueue();
  const count = sections.action.length + sections.progress.length + sections.exercise.length;
  return (
    <nav class="queue" aria-label={words.title}>
      <header>
        <h2>{words.title}</h2>
        <span class="n">{count}</span>
        <Button look="primary" keycap="N" onClick={() => startNew()}>
          {words.new}
        </Button>
      </header>
      <div class="queue-list">
        {count === 0 ? <Empty /> : null}
        <QueueSection name="action" rows={sections.action} now={now} />
        <QueueSection name="progress" rows={sections.progress} now={now} />
        <QueueSection name="exercise" rows={sections.exercise} now={now} />
      </div>
      {count === 0 ? <ClosedList /> : <Figures />}
    </nav>
  );
}

function QueueSection({ name, rows, now }: { name: Section; rows: QueueFacts[]; now: number }) {
  const words = useWords().console.queue;
  if (rows.length === 0) return null;
  const title = { action: words.needsAction, progress: words.inProgress, exercise: words.exercise }[name];
  return (
    <section aria-label={title}>
      <h3>
        <span>
          {title} · {rows.length}
        </span>
        {name === "action" ? <span>{words.sinceCall}</span> : null}
      </h3>
      {rows.map((facts) => (
        <Row key={facts.incident.id} facts={facts} now={now} />
      ))}
    </section>
  );
}

function Row({ facts, now }: { facts: QueueFacts; now: number }) {
  const words = useWords();
  const { incident } = facts;
  const selected = useSelect(view, (state) => state.selected === incident.id);
  const calm = facts.section === "progress" && !selected;
  return (
    <button
      type="button"
      class={`queue-row ${calm ? "calm" : ""} ${incident.exercise ? "gm-hatch" : ""}`}
      aria-current={selected}
      data-incident={incident.id}
      onClick={() => select(incident.id)}
    >
      <Badge severity={incident.severity} label={words.domain.severity[incident.severity]} />
      <span class="title ellipsis">{words.domain.kind[incident.kind]}</span>
      <span class="time">{running((now - Date.parse(incident.created_at)) / 1000)}</span>
      <span class="address ellipsis" title={placeText(incident)}>
        {placeText(incident)}
      </span>
      <span class="chips">{chipsOf(facts, words)}</span>
    </button>
  );
}

interface RowChip {
  key: string;
  look: "plain" | "warn" | "drill";
  text: string;
  /** What goes first when there is no room: the lowest. */
  worth: number;
}

// The row's width less badge, gaps and paddings; Latin letters of a 12 px chip are about 6.3 px.
const chipsRoom = () => (window.innerWidth < 1280 ? 192 : 226);
const textWidth = (text: string) =>
  [...text].reduce((sum, letter) => sum + (letter > "\u2e80" ? 12 : 6.3), 0);
const chipWidth = ({ look, text }: RowChip) => textWidth(text) + (look === "warn" ? 31 : 14) + 6;

/** At most three, one of them a warning: status goes first when there is no room, 120 last. */
function chipsOf(facts: QueueFacts, words: Words) {
  const chips = wantedChips(facts, words);
  const total = () => chips.reduce((sum, chip) => sum + chipWidth(chip), 0);
  while (chips.length > 3 || (chips.length > 1 && total() > chipsRoom())) {
    const least = chips.reduce((a, b) => (b.worth < a.worth ? b : a));
    chips.splice(chips.indexOf(least), 1);
  }
  return chips.map(({ key, look, text }) => (
    <Chip key={key} look={look}>
      {text}
    </Chip>
  ));
}

function wantedChips(facts: QueueFacts, words: Words): RowChip[] {
  const { incident } = facts;
  const text = words.console.queue;
  const warning = warningOf(facts, words);
  const going = goingText(incident, words);
  const chips: (RowChip | null)[] = [
    incident.exercise ? { key: "exercise", look: "drill", text: words.parts.exercise, worth: 5 } : null,
    warning ? { key: "warning", look: "warn", text: warning.text, worth: 4 } : null,
    { key: "status", look: "plain", text: words.domain.incidentStatus[incident.status], worth: 1 },
    going ? { key: "going", look: "plain", text: going, worth: 2 } : null,
    warning?.kind === "ambulance" || (incident.ambulance === "unknown" && !isMedical(incident))
      ? null
      : {
          key: "ambulance",
          look: "plain",
          text: text.ambulance(words.domain.ambulance[incident.ambulance]),
          worth: 3,
        },
  ];
  return chips.filter((chip) => chip !== null);
}

function goingText({ counts }: Incident, words: Words): string | null {
  const text = words.console.queue;
  if (counts.on_scene) return text.onScene(counts.on_scene);
  if (counts.accepted) return text.onTheWay(counts.accepted);
  return counts.alerted ? text.asked(counts.alerted) : null;
}

function warningOf(facts: QueueFacts, words: Words): { kind: string; text: string } | null {
  const text = words.console.queue;
  if (facts.waiting === "not_alerted") return { kind: "alert", text: text.notAlerted };
  if (facts.ambulanceOpenS !== null && facts.ambulanceOpenS >= 60) {
    return { kind: "ambulance", text: text.ambulanceOpen(minutesSeconds(facts.ambulanceOpenS)) };
  }
  if (facts.positionOldMin !== null)
    return { kind: "position", text: text.positionOld(facts.positionOldMin) };
  return facts.waiting === "nobody_accepted" ? { kind: "accept", text: text.nobodyYet } : null;
}

function Empty() {
  const words = useWords().console;
  return (
    <div class="queue-empty">
      <Icon name="clock" size={56} />
      <b>{words.queue.emptyTitle}</b>
      <span>{words.queue.emptyLine}</span>
      <span class="keys">
        <span>
          <Keycap>N</Keycap> {words.queue.new}
        </span>
        <span>
          <Keycap>/</Keycap> {words.command.label}
        </span>
      </span>
    </div>
  );
}

function ClosedList() {
  const words = useWords();
  const closed = useStore(figures)?.closed_24h ?? [];
  if (closed.length === 0) return null;
  return (
    <section class="closed-list">
      <h3>{words.console.queue.closed(closed.length)}</h3>
      {closed.slice(0, 4).map((incident) => (
        <div class="queue-row" key={incident.id}>
          <Badge severity={incident.severity} hollow />
          <span class="title ellipsis">{words.domain.kind[incident.kind]}</span>
          <span class="time">{incident.closed_at ? hourMinute(incident.closed_at) : ""}</span>
          <span class="address ellipsis">{closedText(incident, words)}</span>
        </div>
      ))}
    </section>
  );
}

function closedText(incident: Incident, words: Words): string {
  const took = incident.first_on_scene_at
    ? `${words.incident.arrived} ${running((Date.parse(incident.first_on_scene_at) - Date.parse(incident.created_at)) / 1000)}`
    : "";
  const how = incident.disposition ? words.domain.disposition[incident.disposition] : "";
  const drill = incident.exercise ? words.parts.exercise : "";
  return [drill, placeText(incident), took, how].filter(Boolean).join(" · ");
}

function Figures() {
  const words = useWords().console.figures;
  const known = useStore(figures);
  const latin = useLanguage() === "en";
  if (!known) return null;
  return (
    <footer>
      <div class="figure">
        <span>{words.onDuty}</span>
        <b>{known.on_duty}</b>
      </div>
      <div class="figure">
        <span>{words.aeds}</span>
        <b>{known.aeds_usable}</b>
        <small> / {known.aeds_total}</small>
      </div>
      <div class="figure" lang={latin ? "en" : "zh-CN"}>
        <span>{words.closed}</span>
        <b>{known.closed_24h.length}</b>
      </div>
    </footer>
  );
}
