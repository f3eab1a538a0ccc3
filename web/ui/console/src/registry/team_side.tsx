import { patch, post } from "@shared/api.ts";
import { useLanguage, useWords } from "@shared/language.ts";
import type { Team, Volunteer } from "@shared/shapes.ts";
import { useState } from "preact/hooks";
import { nameIn } from "../names.ts";
import { say } from "../toast.ts";
import { touch, useAsked, useList, useSettled } from "./asking.ts";
import { type Draft, useDraft, useSubmit } from "./drafts.ts";
import { changesOf, type FieldSpec, missingOf, sentOf } from "./field_values.ts";
import { Fields, Trouble } from "./form_parts.tsx";
import { Bars } from "./list_pane.tsx";
import { useMayChange } from "./rights.ts";
import { SaveButtons, Side } from "./side.tsx";
import { go } from "./where.ts";

const NAME: FieldSpec = { name: "name", kind: "text", required: true };
const MEMBERS: FieldSpec = { name: "members", kind: "words" };

/** A team: its name, its leader, who belongs to it. */
export function TeamSide({ id }: { id: string | null }) {
  const words = useWords().registry.people;
  const asked = useAsked<Team>(id ? `/teams/${id}` : null);
  // Everybody, so that members have names whatever is searched for.
  const people = useList<Volunteer>("/responders", { limit: 200 });
  if ((id && !asked.value) || people.isFirst) {
    return (
      <Side label={words.teams}>
        <Bars />
      </Side>
    );
  }
  return <TeamForm team={asked.value} people={people.items} onSaved={asked.set} />;
}

interface FormProps {
  team: Team | null;
  people: readonly Volunteer[];
  onSaved: (team: Team) => void;
}

function TeamForm({ team, people, onSaved }: FormProps) {
  const words = useWords().registry;
  const latin = useLanguage() === "en";
  const leader: FieldSpec = {
    ...{ name: "leader", kind: "choice", canBeEmpty: true },
    options: people.map(({ id }) => id),
  };
  const code: FieldSpec = { name: "code", kind: "text", required: true };
  const specs = team ? [NAME, leader, MEMBERS] : [code, NAME, leader, MEMBERS];
  const draft = useDraft(`team ${team?.id ?? "new"}`, specs, team ?? { members: [] });
  const mayChange = useMayChange("responders");
  const { isBusy, problem, run } = useSubmit();
  const isLacking = missingOf(specs, draft.texts).length > 0;
  const save = async () => {
    const all = Object.fromEntries(
      specs.map((spec) => [spec.name, sentOf(spec, draft.texts[spec.name] ?? "")]),
    );
    const body = team ? changesOf(specs, draft.saved, draft.edits) : all;
    if (isLacking || Object.keys(body).length === 0) return;
    await run(async (key) => {
      const saved = team
        ? await patch<Team>(`/teams/${team.id}`, body, team.version)
        : await post<Team>("/teams", body, { key });
      draft.clear();
      say(words.saved(saved.name));
      if (team) onSaved(saved);
      else go({ item: saved.id });
    }, body);
    touch();
  };
  const names = new Map(people.map((person) => [person.id, nameIn(person, latin)]));
  return (
    <Side
      label={team?.name ?? words.people.newTeam}
      title={team?.name ?? words.people.newTeam}
      isNew={team === null}
      onSubmit={mayChange ? () => void save() : undefined}
      actions={
        mayChange ? <SaveButtons isDirty={draft.isDirty} isBusy={isBusy} onDiscard={draft.clear} /> : null
      }
    >
      <fieldset class="reg-group">
        <legend>{words.people.facts}</legend>
        <Fields
          draft={draft}
          names={specs.map(({ name }) => name).filter((name) => name !== "members")}
          labels={words.people.teamFields}
          hints={words.people.teamHints}
          word={(_, id) => names.get(id) ?? id}
          problem={problem}
          isReadOnly={!mayChange}
        />
        <Trouble problem={problem} labels={words.people.teamFields} />
      </fieldset>
      <Members draft={draft} names={names} />
    </Side>
  );
}

/** Who belongs to it: those who do first, then whoever the search finds. */
function Members({ draft, names }: { draft: Draft; names: ReadonlyMap<string, string> }) {
  const words = useWords().registry.people;
  const [text, setText] = useState("");
  const q = useSettled(text);
  const latin = useLanguage() === "en";
  const found = useList<Volunteer>("/responders", { q, limit: 50 });
  const held = sentOf(MEMBERS, draft.texts.members ?? "") as string[];
  const others = found.items.filter(({ id }) => !held.includes(id));
  const rows = [
    ...held.map((id) => [id, names.get(id) ?? id] as const),
    ...others.map((person) => [person.id, nameIn(person, latin)] as const),
  ];
  const toggle = (id: string) => {
    const next = held.includes(id) ? held.filter((one) => one !== id) : [...held, id];
    draft.set("members", next.join(", "));
  };
  return (
    <fieldset class="reg-group">
      <legend>{words.members(held.length)}</legend>
      <div class="gm-field">
        <input
          type="search"
          aria-label={words.memberSearch}
          placeholder={words.memberSearch}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </div>
      <div class="reg-members">
        {rows.map(([id, name]) => (
          <label key={id}>
            <input type="checkbox" checked={held.includes(id)} onChange={() => toggle(id)} />
            {name}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
