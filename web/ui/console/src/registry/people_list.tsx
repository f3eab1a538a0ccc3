import { serverNow } from "@shared/clock.ts";
import { useLanguage, useWords } from "@shared/language.ts";
import { Avatar, Chip, Segments } from "@shared/parts/controls.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import type { Duty, Team, Volunteer } from "@shared/shapes.ts";
import { createStore, useStore } from "@shared/store.ts";
import { wordFor } from "@shared/words/zh.ts";
import { nameIn } from "../names.ts";
import { useList, useSettled } from "./asking.ts";
import { Blank, Filter, ListPane, Row, Rows, SearchRow } from "./list_pane.tsx";
import { papersOf } from "./person_words.ts";
import { useMayChange } from "./rights.ts";
import { go, useWhere } from "./where.ts";

const searched = createStore("");
const DUTIES: readonly Duty[] = ["available", "busy", "resting", "off_duty", "suspended"];

/** Volunteers, or their teams. */
export function PeopleList() {
  const words = useWords().registry.people;
  const part = useWhere()?.part === "teams" ? "teams" : "everyone";
  return (
    <ListPane title={words.list}>
      <div class="reg-parts">
        <Segments<"everyone" | "teams">
          label={words.listLabel}
          value={part}
          options={[
            { value: "everyone", text: words.everyone },
            { value: "teams", text: words.teams },
          ]}
          onChange={(value) => go({ part: value === "teams" ? "teams" : null, item: null })}
        />
      </div>
      {part === "teams" ? <Teams /> : <People />}
    </ListPane>
  );
}

function People() {
  const words = useWords();
  const own = words.registry;
  const mayChange = useMayChange("responders");
  const { duty, team, certificate } = useWhere()?.filters ?? {};
  const text = useStore(searched);
  const q = useSettled(text);
  const teams = useList<Team>("/teams", {});
  const listed = useList<Volunteer>("/responders", { q, duty, team, certificate });
  return (
    <>
      <SearchRow
        text={text}
        onText={searched.set}
        placeholder={own.searchPeople}
        newLabel={own.people.new}
        onNew={mayChange ? () => go({ part: null, item: "new" }) : undefined}
      />
      <div class="reg-filters">
        <Filter
          name="duty"
          label={own.people.duty}
          options={DUTIES.map((value) => ({ value, text: words.domain.duty[value] }))}
        />
        <Filter
          name="team"
          label={own.people.team}
          options={teams.items.map(({ id, name }) => ({ value: id, text: name }))}
        />
        <Filter
          name="certificate"
          label={own.people.papers}
          options={Object.entries(own.people.paper).map(([value, said]) => ({ value, text: said }))}
        />
      </div>
      <Rows
        listed={listed}
        label={own.people.list}
        row={(person) => <PersonRow key={person.id} person={person} />}
      />
    </>
  );
}

function PersonRow({ person }: { person: Volunteer }) {
  const words = useWords();
  const latin = useLanguage() === "en";
  const item = useWhere()?.item;
  const papers = papersOf(person, words.registry, serverNow());
  const skills = person.skills.map((skill) => wordFor(words.registry.people.skill, skill));
  const name = nameIn(person, latin);
  return (
    <Row
      id={person.id}
      lead={<Avatar name={name} state={person.duty === "available" ? "fresh" : "recent"} />}
      title={name}
      right={person.code ?? ""}
      line={[...new Set([...skills, ...person.teams])].join(" · ")}
      chips={
        <>
          <Chip>{words.domain.duty[person.duty]}</Chip>
          <Chip icon="certificate" look={papers.isWarning ? "warn" : "plain"}>
            {papers.text}
          </Chip>
        </>
      }
      isCurrent={item === person.id}
      onOpen={() => go({ item: person.id })}
    />
  );
}

function Teams() {
  const words = useWords().registry;
  const mayChange = useMayChange("responders");
  const item = useWhere()?.item;
  const text = useStore(searched);
  const listed = useList<Team>("/teams", {});
  const wanted = text.trim().toLowerCase();
  const items = listed.items.filter(({ name, code }) => `${name} ${code}`.toLowerCase().includes(wanted));
  return (
    <>
      <SearchRow
        text={text}
        onText={searched.set}
        placeholder={words.people.teamFields.name ?? ""}
        newLabel={words.people.newTeam}
        onNew={mayChange ? () => go({ part: "teams", item: "new" }) : undefined}
      />
      <Rows
        listed={{ ...listed, items }}
        label={words.people.teams}
        nothing={<Blank title={words.people.noTeams} />}
        row={(team) => (
          <Row
            key={team.id}
            id={team.id}
            lead={<Icon name="people" size={20} />}
            title={team.name}
            line={`${team.code} · ${words.people.members(team.members.length)}`}
            isCurrent={item === team.id}
            onOpen={() => go({ item: team.id })}
          />
        )}
      />
    </>
  );
}
