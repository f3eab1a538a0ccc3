import { minutesSeconds, serverNow, timeOfDay } from "@shared/clock.ts";
import { useLanguage, useWords } from "@shared/language.ts";
import { Avatar } from "@shared/parts/controls.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import type { Alert, Candidate, Role } from "@shared/shapes.ts";
import { type Words, wordFor } from "@shared/words/zh.ts";
import { useState } from "preact/hooks";
import { arrivalText } from "./arrival_text.ts";
import { brokenWays, Ladder } from "./ladder.tsx";
import { nameIn, skillText } from "./names.ts";
import type { PersonRow } from "./people.ts";
import { reasonText } from "./reason_text.ts";

const FEW = 3;

/** Everyone who was asked, each with the last fact and the expected arrival. */
export function AlertedList({ rows }: { rows: PersonRow[] }) {
  const words = useWords().incident;
  if (rows.length === 0) return null;
  const accepted = rows.filter((row) => row.assignment).length;
  const silent = rows.filter((row) => !row.assignment && row.alert.status === "timed_out").length;
  const seen = rows.filter((row) => !row.assignment && row.alert.status === "seen").length;
  return (
    <section aria-label={words.alerted}>
      <div class="group-title">
        <h2>{words.alerted}</h2>
        <span>{words.alertedCounts(rows.length, accepted, seen, silent)}</span>
        <span class="right" title={words.etaHint} data-caption="eta">
          {words.etaLegend}
        </span>
      </div>
      {rows
        .filter((row) => !row.over)
        .map((row) => (
          <Person key={row.alert.id} row={row} />
        ))}
      <EndedList rows={rows.filter((row) => row.over)} />
    </section>
  );
}

/** Those who will not come or are done: a few, and the rest on demand. */
function EndedList({ rows }: { rows: PersonRow[] }) {
  const words = useWords().incident;
  const [all, setAll] = useState(false);
  const shown = all ? rows : rows.slice(0, FEW);
  return (
    <>
      {shown.map((row) => (
        <EndedPerson key={row.alert.id} row={row} />
      ))}
      {rows.length > FEW ? (
        <button type="button" class="link-button more" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? words.showFew : words.more(rows.length - FEW)}
        </button>
      ) : null}
    </>
  );
}

/** Someone who will not come, or is done: one thin row with the fact. */
function EndedPerson({ row }: { row: PersonRow }) {
  const words = useWords();
  const latin = useLanguage() === "en";
  const { alert, assignment } = row;
  return (
    <div class="reason-row" data-responder={alert.responder} data-status={assignment?.status ?? alert.status}>
      <i aria-hidden="true" />
      <b>{nameIn(alert, latin)}</b>
      <span title={endedFact(row, words)}>{endedFact(row, words)}</span>
      <em>{alert.travel_s === null ? "–" : minutesSeconds(alert.travel_s)}</em>
    </div>
  );
}

const ROLE_ICON = { direct: "walk", via_aed: "aed", guide: "door" } as const;

export function RoleMark({ role }: { role: Role }) {
  const words = useWords().domain.role;
  return (
    <span class={`role ${role}`}>
      <Icon name={ROLE_ICON[role]} size={14} />
      {words[role]}
    </span>
  );
}

function Person({ row }: { row: PersonRow }) {
  const words = useWords();
  const latin = useLanguage() === "en";
  const { alert, assignment } = row;
  const name = nameIn(alert, latin);
  const state = assignment ? words.domain.step[assignment.status] : words.domain.alertStatus[alert.status];
  return (
    <div class="person" data-responder={alert.responder} data-status={assignment?.status ?? alert.status}>
      <Avatar name={name} state={row.look} />
      <span class="facts">
        <span class="who">
          <b class="ellipsis">{name}</b>
          <RoleMark role={alert.role} />
          {alert.is_invented ? <span class="invented">{words.parts.invented}</span> : null}
        </span>
        <span class="fact-line">
          <span class="fact ellipsis">
            {[skillText(alert.skills, words), factOf(row, words)].filter(Boolean).join(" · ")}
          </span>
          {assignment ? null : <Ladder ways={alert.channels ?? []} />}
        </span>
      </span>
      <span class="right">
        <b>{row.etaS === null ? (row.arrived ? arrivedAfter(row) : "–") : arrivalText(row.etaS, words)}</b>
        {state}
      </span>
    </div>
  );
}

const arrivedAfter = ({ assignment, alert }: PersonRow): string => {
  const [there, asked] = [assignment?.times.on_scene_at, alert.notified_at];
  return there && asked ? minutesSeconds((Date.parse(there) - Date.parse(asked)) / 1000) : "–";
};

/** The last thing known of this person, as a fact with a time. */
function factOf({ alert, assignment }: PersonRow, words: Words): string {
  const facts = words.incident.facts;
  const estimate = alert.eta_source === "estimate" ? ` · ${facts.estimate}` : "";
  if (!assignment) return answerFact(alert, words) + estimate;
  const { times } = assignment;
  if (times.with_patient_at) return facts.withPatient(timeOfDay(times.with_patient_at));
  if (times.on_scene_at) return facts.onScene(timeOfDay(times.on_scene_at));
  if (times.aed_collected_at && alert.aed)
    return facts.collected(alert.aed.name, timeOfDay(times.aed_collected_at));
  if (alert.role === "via_aed" && alert.aed) return alert.aed.name + estimate;
  return facts.accepted(timeOfDay(times.accepted_at)) + estimate;
}

function endedFact({ alert, assignment, isCovered }: PersonRow, words: Words): string {
  if (isCovered) return words.decision.covered;
  if (!assignment)
    return [
      answerFact(alert, words),
      wordFor(words.domain.declineReason, alert.decline_reason),
      alert.status === "timed_out" ? brokenWays(alert.channels ?? [], words) : "",
    ]
      .filter(Boolean)
      .join(" · ");
  const state = words.domain.step[assignment.status];
  return [
    state,
    wordFor(words.domain.declineReason, assignment.unable_reason),
    timeOfDay(assignment.ended_at),
  ]
    .filter(Boolean)
    .join(" · ");
}

function answerFact(alert: Alert, words: Words): string {
  const facts = words.incident.facts;
  const ago = (time: string | null) =>
    words.parts.ago(time ? Math.round((serverNow() - Date.parse(time)) / 1000) : 0);
  switch (alert.status) {
    case "declined":
      return facts.declined(timeOfDay(alert.answered_at));
    case "timed_out":
      return facts.timedOut;
    case "stood_down":
      return facts.stoodDown;
    case "seen":
      return facts.seen(ago(alert.seen_at));
    case "delivered":
      return facts.delivered(ago(alert.delivered_at));
    default:
      return facts.notified(ago(alert.notified_at));
  }
}

/** Those near enough who were not asked, each with one reason. */
export function NotChosenList({ candidates }: { candidates: Candidate[] }) {
  const words = useWords().incident;
  const [all, setAll] = useState(false);
  if (candidates.length === 0) return null;
  const shown = all ? candidates : candidates.slice(0, FEW);
  return (
    <section aria-label={words.notChosen}>
      <div class="group-title">
        <h2>{words.notChosen}</h2>
        <span>{words.notChosenCounts(candidates.length, shown.length)}</span>
        {candidates.length > FEW ? (
          <button type="button" class="link-button" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? words.showFew : words.showAll}
          </button>
        ) : null}
        <span class="right">{words.reasonWalk}</span>
      </div>
      {shown.map((candidate) => (
        <NotChosen key={candidate.responder} candidate={candidate} />
      ))}
    </section>
  );
}

function NotChosen({ candidate }: { candidate: Candidate }) {
  const words = useWords();
  const language = useLanguage();
  const walk = candidate.direct_s ?? candidate.travel_s;
  const reason = reasonText(candidate, words, language);
  return (
    <div class="reason-row" data-reason={candidate.reason}>
      <i aria-hidden="true" />
      <b>{nameIn(candidate, language === "en")}</b>
      <span title={reason}>{reason}</span>
      <em>{walk === null ? "–" : minutesSeconds(walk)}</em>
    </div>
  );
}
