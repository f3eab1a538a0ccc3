import { patch, post } from "@shared/api.ts";
import { serverNow } from "@shared/clock.ts";
import { useLanguage, useWords } from "@shared/language.ts";
import { Avatar, Button, Chip } from "@shared/parts/controls.tsx";
import type { Volunteer } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { useState } from "preact/hooks";
import { hexagonCounts } from "../hexagon_counts.ts";
import { nameIn } from "../names.ts";
import { home, useOnDuty } from "../places_nearby.ts";
import { say } from "../toast.ts";
import { type Asked, touch, useAsked } from "./asking.ts";
import { Certificates } from "./certificates.tsx";
import { useDraft, useSubmit } from "./drafts.ts";
import { allOf, changesOf, missingOf } from "./field_values.ts";
import { Fields, focusRefused, Trouble } from "./form_parts.tsx";
import { Bars, Blank } from "./list_pane.tsx";
import { NEW_PERSON_FIELDS, PERSON_FIELDS, papersOf } from "./person_words.ts";
import { useMayChange } from "./rights.ts";
import { useScene } from "./scene.ts";
import { SaveButtons, Side } from "./side.tsx";
import { SkillsField } from "./skills_field.tsx";
import { TeamSide } from "./team_side.tsx";
import { go, useWhere } from "./where.ts";

const HEXAGON_M = 300;

/** The right column of the people page: a volunteer, a team, or a new one. */
export function PeopleSide() {
  const words = useWords().registry;
  const route = useWhere();
  usePeopleScene();
  const item = route?.item ?? null;
  if (item && route?.part === "teams") return <TeamSide key={item} id={item === "new" ? null : item} />;
  if (item === "new") return <PersonForm key="new" person={null} onSaved={() => undefined} />;
  if (item) return <OnePerson key={item} id={item} />;
  return (
    <Side label={words.nothingChosen}>
      <Blank title={words.nothingChosen} line={words.nothingChosenMore} />
    </Side>
  );
}

/** Counts per hexagon of those on duty: nobody's place is shown. */
function usePeopleScene(): void {
  const words = useWords().registry.people;
  const onDuty = useOnDuty(true, useStore(home)?.centre ?? null);
  useScene(
    () => ({
      marks: { hexagons: { look: "count", features: hexagonCounts(onDuty, HEXAGON_M) } },
      note: words.mapNote,
    }),
    [onDuty, words],
  );
}

function OnePerson({ id }: { id: string }) {
  const words = useWords().registry;
  const asked: Asked<Volunteer> = useAsked<Volunteer>(`/responders/${id}`);
  if (asked.value) return <PersonForm person={asked.value} onSaved={asked.set} />;
  return (
    <Side label={words.people.everyone}>{asked.failed ? <Blank title={words.failed} /> : <Bars />}</Side>
  );
}

interface FormProps {
  person: Volunteer | null;
  onSaved: (person: Volunteer) => void;
}

function PersonForm({ person, onSaved }: FormProps) {
  const words = useWords().registry;
  const specs = person ? PERSON_FIELDS : NEW_PERSON_FIELDS;
  const draft = useDraft(`person ${person?.id ?? "new"}`, specs, person ?? {});
  const mayChange = useMayChange("responders");
  const { isBusy, problem, run } = useSubmit();
  const [isLacking, setLacking] = useState(false);
  const save = async () => {
    const lacks = missingOf(specs, draft.texts).length > 0;
    setLacking(lacks);
    const body = person ? changesOf(specs, draft.saved, draft.edits) : allOf(specs, draft.texts);
    if (lacks || (person && Object.keys(body).length === 0)) return;
    const went = await run(async (key) => {
      const saved = person
        ? await patch<Volunteer>(`/responders/${person.id}`, body, person.version)
        : await post<Volunteer>("/responders", body, { key });
      draft.clear();
      say(words.saved(saved.name));
      if (person) onSaved(saved);
      else go({ item: saved.id });
    }, body);
    touch();
    if (!went) focusRefused();
  };
  const { fields: labels, hints } = words.people;
  const names = specs.map(({ name }) => name).filter((name) => name !== "skills");
  return (
    <Side
      label={person?.name ?? words.people.new}
      title={words.people.new}
      isNew={person === null}
      notice={
        <>
          {isLacking ? (
            <p class="gm-error" role="alert">
              {words.mustFill(labels.name ?? "")}
            </p>
          ) : null}
          <Trouble problem={problem} labels={labels} />
        </>
      }
      head={person ? <PersonHead person={person} /> : undefined}
      onSubmit={mayChange ? () => void save() : undefined}
      actions={
        mayChange ? (
          <>
            <SaveButtons isDirty={draft.isDirty} isBusy={isBusy} onDiscard={draft.clear} />
            {person ? <Suspending person={person} onSaved={onSaved} /> : null}
          </>
        ) : null
      }
    >
      <fieldset class="reg-group">
        <legend>{words.people.facts}</legend>
        <Fields {...{ draft, names, labels, hints, problem }} isReadOnly={!mayChange} />
        <SkillsField draft={draft} isReadOnly={!mayChange} />
      </fieldset>
      {person ? <Certificates person={person} onSaved={onSaved} /> : null}
    </Side>
  );
}

function PersonHead({ person }: { person: Volunteer }) {
  const words = useWords();
  const latin = useLanguage() === "en";
  const name = nameIn(person, latin);
  const papers = papersOf(person, words.registry, serverNow());
  const facts = [person.code, person.username, ...person.teams].filter(Boolean);
  return (
    <>
      <div class="reg-head">
        <Avatar name={name} state={person.duty === "available" ? "fresh" : "recent"} />
        <div>
          <h1 class="ellipsis">{name}</h1>
          <p class="ellipsis">{facts.join(" · ") || words.registry.people.noTeam}</p>
        </div>
      </div>
      <div class="reg-chips">
        <Chip look={person.duty === "suspended" ? "warn" : "plain"}>
          {person.suspended_reason
            ? words.registry.people.suspendedFor(person.suspended_reason)
            : words.domain.duty[person.duty]}
        </Chip>
        <Chip icon="certificate" look={papers.isWarning ? "warn" : "plain"}>
          {papers.text}
        </Chip>
        {person.is_invented ? <Chip look="outlined">{words.parts.invented}</Chip> : null}
      </div>
    </>
  );
}

/** Suspend with a reason, or take back. */
function Suspending({ person, onSaved }: FormProps & { person: Volunteer }) {
  const words = useWords();
  const own = words.registry.people;
  const { isBusy, problem, run } = useSubmit();
  const [reason, setReason] = useState<string | null>(null);
  const send = (path: string, body: object, done: string) =>
    run(
      async (key) => {
        onSaved(await post<Volunteer>(`/responders/${person.id}/${path}`, body, { key }));
        setReason(null);
        say(done);
        touch();
      },
      [path, body],
    );
  if (person.duty === "suspended") {
    return (
      <Button disabled={isBusy} onClick={() => void send("resume", {}, own.resumed(person.name))}>
        {own.resume}
      </Button>
    );
  }
  if (reason === null) {
    return (
      <Button look="ghost" class="danger" onClick={() => setReason("")}>
        {own.suspend}
      </Button>
    );
  }
  return (
    <div class="reg-ask">
      <div class="gm-field">
        <input
          name="suspend_reason"
          aria-label={own.suspendReason}
          placeholder={own.suspendReason}
          value={reason}
          onInput={(event) => setReason(event.currentTarget.value)}
        />
      </div>
      <Trouble problem={problem} />
      <Button
        class="danger"
        disabled={isBusy || reason.trim() === ""}
        onClick={() => void send("suspend", { reason: reason.trim() }, own.suspended(person.name))}
      >
        {own.suspend}
      </Button>
      <Button onClick={() => setReason(null)}>{words.parts.cancel}</Button>
    </div>
  );
}
