import { patch, post } from "@shared/api.ts";
import { useWords } from "@shared/language.ts";
import { Badge } from "@shared/parts/badge.tsx";
import { Button } from "@shared/parts/controls.tsx";
import type { Disaster, DisasterDetail, Incident, Kind, Severity } from "@shared/shapes.ts";
import { wordFor } from "@shared/words/zh.ts";
import { useEffect, useState } from "preact/hooks";
import { KINDS } from "../kind_match.ts";
import { placeText } from "../names.ts";
import { ExerciseLine } from "../review_panel.tsx";
import { select } from "../state.ts";
import { say } from "../toast.ts";
import { touch, useAsked, useList } from "./asking.ts";
import { Command } from "./disaster_command.tsx";
import { useSubmit } from "./drafts.ts";
import { Trouble } from "./form_parts.tsx";
import { Bars, Blank } from "./list_pane.tsx";
import { useMayChange } from "./rights.ts";
import { showOnMap, useScene } from "./scene.ts";
import { Side } from "./side.tsx";
import { dayMinute } from "./when.ts";
import { go, useWhere } from "./where.ts";

/** The right column: one disaster with its sums, its command and its incidents; or a new one. */
export function DisasterSide() {
  const words = useWords().registry;
  const item = useWhere()?.item ?? null;
  if (item === "new") return <NewDisaster />;
  if (item) return <OneDisaster key={item} id={item} />;
  return (
    <Side label={words.nothingChosen}>
      <Blank title={words.nothingChosen} line={words.nothingChosenMore} />
    </Side>
  );
}

function OneDisaster({ id }: { id: string }) {
  const words = useWords();
  const asked = useAsked<DisasterDetail>(`/disasters/${id}`);
  const { items } = useList<Incident>(`/disasters/${id}/incidents`, {});
  useScene(
    () => ({
      marks: {
        incidents: items.map((incident) => ({
          id: incident.id,
          position: incident.position,
          severity: incident.severity,
          selected: false,
          exercise: incident.exercise,
          title: `${incident.number} ${words.domain.kind[incident.kind]}`,
        })),
      },
    }),
    [items, words],
  );
  const places = items.map(({ id }) => id).join();
  useEffect(() => showOnMap(items.map(({ position }) => position)), [places]);
  const disaster = asked.value;
  if (!disaster) {
    return (
      <Side label={words.incidentLife.disaster.title}>
        {asked.failed ? <Blank title={words.registry.failed} /> : <Bars />}
      </Side>
    );
  }
  return <Detail disaster={disaster} incidents={items} />;
}

function Detail({ disaster, incidents }: { disaster: DisasterDetail; incidents: Incident[] }) {
  const words = useWords();
  const own = words.incidentLife.disaster;
  const mayChange = useMayChange("disasters") && disaster.closed_at === null;
  const { isBusy, problem, run } = useSubmit();
  const close = () =>
    run(async (key) => {
      await post(`/disasters/${disaster.id}/close`, {}, { key });
      say(own.closed(disaster.name));
      touch();
    });
  const keep = (command: Disaster["command"]) =>
    run(async () => {
      await patch(`/disasters/${disaster.id}`, { command }, disaster.version);
      say(words.registry.saved(own.command));
      touch();
    }, command);
  return (
    <Side
      label={disaster.name}
      title={disaster.name}
      notice={<Trouble problem={problem} />}
      isText
      actions={
        mayChange ? (
          <Button disabled={isBusy} title={own.closeHint} onClick={() => void close()}>
            {own.close}
          </Button>
        ) : null
      }
    >
      {disaster.exercise ? <ExerciseLine /> : null}
      <p>
        {[
          words.domain.kind[disaster.kind],
          own.since(dayMinute(disaster.opened_at)),
          disaster.closed_at ? own.ended(dayMinute(disaster.closed_at)) : "",
          disaster.note ?? "",
        ]
          .filter(Boolean)
          .join(" · ")}
      </p>
      <Totals disaster={disaster} />
      <Command posts={disaster.command} onSave={mayChange ? keep : null} isBusy={isBusy} />
      <Incidents incidents={incidents} />
    </Side>
  );
}

function Totals({ disaster: { totals } }: { disaster: DisasterDetail }) {
  const words = useWords();
  const own = words.incidentLife.disaster;
  const by = (counts: Record<string, number>, word: (code: string) => string) =>
    Object.entries(counts)
      .map(([code, count]) => `${word(code)} ${count}`)
      .join(" · ");
  return (
    <section class="reg-group" data-totals="">
      <dl class="tally wide">
        {(["incidents", "patients", "alerted", "accepted", "going"] as const).map((name) => (
          <div key={name} data-total={name}>
            <dt>{own.totals[name]}</dt>
            <dd>{totals[name]}</dd>
          </div>
        ))}
      </dl>
      <dl class="reg-facts">
        <dt>{own.byStatus}</dt>
        <dd>{by(totals.by_status, (code) => wordFor(words.domain.incidentStatus, code)) || "–"}</dd>
        <dt>{own.bySeverity}</dt>
        <dd>
          {by(totals.by_severity, (code) => words.domain.severity[Number(code) as Severity] ?? code) || "–"}
        </dd>
      </dl>
    </section>
  );
}

function Incidents({ incidents }: { incidents: Incident[] }) {
  const words = useWords();
  const own = words.incidentLife.disaster;
  return (
    <section class="reg-group" aria-label={own.incidents}>
      <h2>{own.incidents}</h2>
      {incidents.length === 0 ? <p class="reg-hint">{own.noIncidents}</p> : null}
      <ul class="told flush">
        {incidents.map((incident) => (
          <li key={incident.id}>
            <button
              type="button"
              class="line-button"
              disabled={incident.status === "closed"}
              onClick={() => select(incident.id)}
            >
              <Badge severity={incident.severity} size={18} hollow={incident.status === "closed"} />
              <b>{incident.number}</b>
              <span class="ellipsis">
                {[words.domain.kind[incident.kind], placeText(incident)].join(" · ")}
              </span>
              <span>{words.domain.incidentStatus[incident.status]}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function NewDisaster() {
  const words = useWords();
  const own = words.incidentLife.disaster;
  const { isBusy, problem, run } = useSubmit();
  const [draft, setDraft] = useState({ name: "", kind: "flood" as Kind, note: "", exercise: false });
  const save = () =>
    run(async (key) => {
      const made = await post<Disaster>("/disasters", { ...draft, note: draft.note || null }, { key });
      say(own.opened(made.name));
      touch();
      go({ item: made.id });
    }, draft);
  return (
    <Side
      label={own.new}
      title={own.new}
      isNew
      notice={<Trouble problem={problem} />}
      onSubmit={() => draft.name.trim() && void save()}
      actions={
        <Button look="primary" type="submit" keycap="Ctrl+⏎" data-save="" disabled={isBusy}>
          {words.registry.save}
        </Button>
      }
    >
      <fieldset class="reg-group">
        <div class="reg-fields">
          <div class="wide">
            <label for="disaster-name">{own.name}</label>
            <div class="gm-field">
              <input
                id="disaster-name"
                name="name"
                required
                value={draft.name}
                onInput={(event) => setDraft({ ...draft, name: event.currentTarget.value })}
              />
            </div>
          </div>
          <div>
            <label for="disaster-kind">{own.kind}</label>
            <div class="gm-field">
              <select
                id="disaster-kind"
                value={draft.kind}
                onChange={(event) => setDraft({ ...draft, kind: event.currentTarget.value as Kind })}
              >
                {KINDS.map(({ kind }) => (
                  <option key={kind} value={kind}>
                    {words.domain.kind[kind]}
                  </option>
                ))}
              </select>
            </div>
          </div>
          <div class="wide">
            <label for="disaster-note">{own.note}</label>
            <div class="gm-field">
              <textarea
                id="disaster-note"
                rows={2}
                value={draft.note}
                onInput={(event) => setDraft({ ...draft, note: event.currentTarget.value })}
              />
            </div>
          </div>
          <label class="reg-check">
            <input
              type="checkbox"
              checked={draft.exercise}
              onChange={() => setDraft({ ...draft, exercise: !draft.exercise })}
            />
            {own.exercise}
          </label>
        </div>
      </fieldset>
    </Side>
  );
}
