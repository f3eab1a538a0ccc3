import { post } from "@shared/api.ts";
import { serverNow } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { Button, Chip } from "@shared/parts/controls.tsx";
import type { Task } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { wordFor } from "@shared/words/zh.ts";
import { useState } from "preact/hooks";
import { ExerciseLine } from "../review_panel.tsx";
import { session } from "../state.ts";
import { say } from "../toast.ts";
import { touch, useList } from "./asking.ts";
import { useSubmit } from "./drafts.ts";
import { Trouble } from "./form_parts.tsx";
import { Blank } from "./list_pane.tsx";
import { useMayChange } from "./rights.ts";
import { useScene } from "./scene.ts";
import { Side } from "./side.tsx";
import { factsOf, subjectOf, timeLeft } from "./task_words.ts";
import { dayMinute } from "./when.ts";
import { go, useWhere } from "./where.ts";

/** The right column: one task, what to do about it, who does it. */
export function TaskSide() {
  const words = useWords().registry;
  const item = useWhere()?.item ?? null;
  const { items } = useList<Task>("/tasks", {});
  useScene(() => ({ marks: {} }), []);
  const task = items.find(({ id }) => id === item);
  if (task) return <OneTask key={task.id} task={task} />;
  return (
    <Side label={words.nothingChosen}>
      <Blank title={words.nothingChosen} line={words.nothingChosenMore} />
    </Side>
  );
}

function OneTask({ task }: { task: Task }) {
  const words = useWords();
  const own = words.office.task;
  const me = useStore(session)?.person.id;
  const mayChange = useMayChange("tasks");
  const [note, setNote] = useState("");
  const { isBusy, problem, run } = useSubmit();
  const isMine = task.taken_by === me;
  const send = (verb: "take" | "done", body: object, done: string) =>
    run(
      async (key) => {
        await post(`/tasks/${task.id}/${verb}`, body, { key });
        say(done);
        if (verb === "done") go({ item: null });
        touch();
      },
      [verb, body],
    );
  const finish = () => send("done", note.trim() ? { note: note.trim() } : {}, own.finished);
  const { text, isLate } = timeLeft(task, words, serverNow());
  return (
    <Side
      label={wordFor(own.kind, task.kind)}
      title={[wordFor(own.kind, task.kind), subjectOf(task, words)].filter(Boolean).join(" · ")}
      notice={<Trouble problem={problem} />}
      onSubmit={mayChange ? () => void (isMine ? finish() : send("take", {}, own.taken)) : undefined}
      actions={mayChange ? <Doing task={task} isMine={isMine} isBusy={isBusy} /> : null}
    >
      {task.exercise ? <ExerciseLine /> : null}
      <div class="reg-chips flush">
        <Chip look={isLate ? "warn" : "plain"}>{text}</Chip>
        <Chip>{own.due(dayMinute(task.due_at))}</Chip>
        {task.kind === "aftercare" ? <Chip icon="shield">{own.onlyCarers}</Chip> : null}
      </div>
      <p class="task-what">{wordFor(own.what, task.kind)}</p>
      <Subject task={task} />
      <dl class="reg-facts">
        {factsOf(task, words).map(([name, value]) => [
          <dt key={`${name} name`}>{name}</dt>,
          <dd key={name}>{value}</dd>,
        ])}
      </dl>
      {isMine ? (
        <div class="reg-fields">
          <div class="wide">
            <label for="task-note">{own.note}</label>
            <div class="gm-field">
              <textarea
                id="task-note"
                name="note"
                rows={2}
                value={note}
                onInput={(event) => setNote(event.currentTarget.value)}
              />
            </div>
          </div>
        </div>
      ) : null}
    </Side>
  );
}

const SUBJECTS: Record<string, "aeds" | "people"> = { aed_problem: "aeds", unreachable: "people" };

/** The way to what the task is about. */
function Subject({ task }: { task: Task }) {
  const own = useWords().office.task;
  const page = SUBJECTS[task.kind];
  if (!page) return null;
  return (
    <div class="reg-line">
      <Button size="small" onClick={() => go({ page, part: null, item: task.subject })}>
        {page === "aeds" ? own.openAed : own.openPerson}
      </Button>
    </div>
  );
}

function Doing({ task, isMine, isBusy }: { task: Task; isMine: boolean; isBusy: boolean }) {
  const own = useWords().office.task;
  if (task.taken_by !== null && !isMine) return <span class="reg-hint">{own.others}</span>;
  return (
    <Button look="primary" type="submit" keycap="Ctrl+⏎" data-save="" disabled={isBusy}>
      {isMine ? own.done : own.take}
    </Button>
  );
}
