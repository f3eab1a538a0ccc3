import { serverNow } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { Chip } from "@shared/parts/controls.tsx";
import { Icon, type IconName } from "@shared/parts/icon.tsx";
import type { Task } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { type Words, wordFor } from "@shared/words/zh.ts";
import { session } from "../state.ts";
import { useList } from "./asking.ts";
import { Blank, Filter, ListPane, Row, Rows } from "./list_pane.tsx";
import { subjectOf, taskKinds, timeLeft } from "./task_words.ts";
import { go, useWhere } from "./where.ts";

const ICONS: Record<string, IconName> = {
  aftercare: "people",
  aed_problem: "aed",
  unreachable: "mobile",
  channel: "wifi",
  certificate: "certificate",
};

/** What is to be done, the most urgent first; what a person may not see is not in the answer. */
export function TaskList() {
  const words = useWords();
  const own = words.office.task;
  const kind = useWhere()?.filters.kind ?? "";
  const listed = useList<Task>("/tasks", {});
  const items = kind ? listed.items.filter((task) => task.kind === kind) : listed.items;
  return (
    <ListPane title={own.list}>
      <header>
        <h2>{own.list}</h2>
        <span class="n">{listed.items.length || ""}</span>
      </header>
      {taskKinds(listed.items).length > 1 ? (
        <div class="reg-filters">
          <Filter
            name="kind"
            label={own.list}
            options={taskKinds(listed.items).map((value) => ({ value, text: wordFor(own.kind, value) }))}
          />
        </div>
      ) : null}
      <Rows
        listed={{ ...listed, items }}
        label={own.list}
        nothing={<Blank title={own.none} line={own.noneMore} />}
        row={(task) => <TaskRow key={task.id} task={task} words={words} />}
      />
    </ListPane>
  );
}

function TaskRow({ task, words }: { task: Task; words: Words }) {
  const own = words.office.task;
  const item = useWhere()?.item;
  const me = useStore(session)?.person.id;
  const { text, isLate } = timeLeft(task, words, serverNow());
  const who = task.taken_by === null ? own.open : task.taken_by === me ? own.mine : own.others;
  return (
    <Row
      id={task.id}
      lead={<Icon name={ICONS[task.kind] ?? "list"} size={20} />}
      title={wordFor(own.kind, task.kind)}
      line={subjectOf(task, words)}
      chips={
        <>
          {task.exercise ? <Chip look="drill">{words.parts.exercise}</Chip> : null}
          <Chip look={isLate ? "warn" : "plain"}>{text}</Chip>
          <Chip>{who}</Chip>
        </>
      }
      isCurrent={item === task.id}
      onOpen={() => go({ item: task.id })}
    />
  );
}
