import { get } from "@shared/api.ts";
import { minutesSeconds, timeOfDay } from "@shared/clock.ts";
import { useLanguage, useWords } from "@shared/language.ts";
import { Icon } from "@shared/parts/icon.tsx";
import type { Allocation, Candidate, Decided, Incident, Page, Plan } from "@shared/shapes.ts";
import { useEffect, useState } from "preact/hooks";
import { nameIn } from "./names.ts";
import { countByReason, modesText } from "./plan_people.ts";
import { AsideLine, onFoldKey } from "./plan_rows.tsx";
import { policyName } from "./policy_name.ts";
import { useRows } from "./rows.ts";

/** Every decision that was carried out, the latest first, each with all its sentences. */
export function DecisionLog({ incident, plan }: { incident: Incident; plan: Plan }) {
  const words = useWords().decision;
  const records = useRecords(incident);
  return (
    <section aria-label={words.log}>
      <div class="group-title">
        <h2>{words.log}</h2>
        <span>{records?.length ? words.logCount(records.length) : words.logEmpty}</span>
      </div>
      {(records ?? []).map((record) => (
        <Decision key={record.id} record={record} plan={plan} />
      ))}
    </section>
  );
}

/** Asked again whenever somebody more was alerted. */
function useRecords(incident: Incident): Allocation[] | null {
  const [records, setRecords] = useState<Allocation[] | null>(null);
  const asked = incident.counts.alerted;
  useEffect(() => {
    if (asked === 0) return setRecords([]);
    const stop = new AbortController();
    get<Page<Allocation>>(`/incidents/${incident.id}/allocation`, {}, stop.signal)
      .then(({ items }) => setRecords(items))
      .catch(() => null);
    return () => stop.abort();
  }, [incident.id, asked]);
  return records;
}

function Decision({ record, plan }: { record: Allocation; plan: Plan }) {
  const all = useWords();
  const words = all.decision;
  const [isOpen, setOpen] = useState(false);
  const time = timeOfDay(record.made_at);
  return (
    <div class="reason-group">
      <button
        type="button"
        class="fold"
        aria-expanded={isOpen}
        aria-label={`${words.logOpen(time)}, ${words.logLine(record.chosen.length, record.excluded.length)}`}
        onClick={() => setOpen(!isOpen)}
        onKeyDown={(event) => onFoldKey(event, setOpen)}
      >
        <Icon name="chevron" size={14} />
        <b>{time}</b>
        <span class="ellipsis">
          {[
            words.logLine(record.chosen.length, record.excluded.length),
            record.inputs.named ? words.logNamed : policyName(record.policy, all),
          ].join(" · ")}
        </span>
        <em>{words.ms(Math.round(record.ms))}</em>
      </button>
      {isOpen ? <Record record={record} plan={plan} /> : null}
    </div>
  );
}

function Record({ record, plan }: { record: Allocation; plan: Plan }) {
  const words = useWords();
  const { expected, modes = [], digest } = record.inputs;
  const facts = [
    expected
      ? `${words.decision.cpr} ${minutesSeconds(expected.plan.cpr_s)} · ${words.decision.shock} ${minutesSeconds(expected.plan.shock_s)}`
      : "",
    ...modesText(modes, words),
    digest ? words.decision.digest(digest.slice(0, 12)) : "",
  ].filter(Boolean);
  const people = [...record.chosen, ...record.excluded];
  return (
    <ul class="record">
      <li class="plan-note">{facts.join(" · ")}</li>
      {people.filter(wasWeighed).map((person) => (
        <Told key={person.responder} person={person} plan={plan} />
      ))}
      {Object.entries(countByReason(people.filter((person) => !wasWeighed(person)))).map(([reason, many]) => (
        <li key={reason}>
          <AsideLine reason={reason} many={many} />
        </li>
      ))}
    </ul>
  );
}

/** Of thousands within reach those who were not weighed have no more than a reason. */
const wasWeighed = (person: Decided): boolean => "role" in person;

/** The record holds no names; whoever is known to this desk is named. */
function Told({ person, plan }: { person: Decided; plan: Plan }) {
  const words = useWords().decision;
  const language = useLanguage();
  const { alerts } = useRows();
  const known: { name: string; name_en: string | null } | undefined =
    alerts.find(({ responder }) => responder === person.responder) ?? candidate(plan, person.responder);
  return (
    <li class="left-out">
      <b>{known ? nameIn(known, language === "en") : words.formerly}</b>
      <span>{person.sentence?.[language] ?? person.reason}</span>
      <em>{person.arrives_s === null ? "" : minutesSeconds(person.arrives_s)}</em>
    </li>
  );
}

const candidate = (plan: Plan, id: string): Candidate | undefined =>
  [...plan.chosen, ...plan.excluded].find(({ responder }) => responder === id);
