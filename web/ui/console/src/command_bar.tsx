import { isComposing } from "@shared/keys.ts";
import { words as currentWords, useWords } from "@shared/language.ts";
import { Button, Keycap } from "@shared/parts/controls.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import type { Board, Incident } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { useEffect, useRef, useState } from "preact/hooks";
import { addLine, setAmbulance } from "./actions.ts";
import { type Command, parseCommand } from "./command_grammar.ts";
import { placeText } from "./names.ts";
import { goToNext } from "./next_action.ts";
import { boards, select, showPanel, startNew, view } from "./state.ts";
import { toast, undoLast } from "./toast.ts";

export const commandField: { focus: () => void } = { focus: () => undefined };

/** The command field, the last thing done with a way back, and the keys that work everywhere. */
export function CommandBar() {
  const words = useWords().console.command;
  return (
    <footer class="bar command-bar">
      <Field />
      <LastAction />
      <span class="keys">
        <button type="button" onClick={goToNext}>
          <Keycap>F2</Keycap>
          {words.next}
        </button>
        <button type="button" onClick={() => showPanel("alarms")}>
          <Keycap>F9</Keycap>
          {words.alarms}
        </button>
        <button type="button" onClick={() => showPanel("help")}>
          <Keycap>?</Keycap>
          {words.help}
        </button>
      </span>
    </footer>
  );
}

function Field() {
  const words = useWords().console.command;
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState("");
  const [focused, setFocused] = useState(false);
  const [refused, setRefused] = useState<string | null>(null);
  commandField.focus = () => input.current?.focus();
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event)) return;
    if (event.key === "Escape") {
      setText("");
      input.current?.blur();
    }
    if (event.key !== "Enter") return;
    const why = run(text);
    setRefused(why);
    if (why) return;
    setText("");
    // A command that opened a form has moved the focus there already.
    if (document.activeElement === input.current) input.current?.blur();
  };
  return (
    <div>
      <label class="gm-field">
        <Keycap>/</Keycap>
        <span class="sr-only">{words.label}</span>
        <input
          ref={input}
          value={text}
          placeholder={words.placeholder}
          autoComplete="off"
          spellcheck={false}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setRefused(null);
          }}
          onFocus={() => setFocused(true)}
          onBlur={() => {
            setFocused(false);
            setRefused(null);
          }}
          onKeyDown={onKeyDown}
        />
      </label>
      {focused ? (
        <ul class="suggest" role={refused ? "alert" : "status"}>
          {refused ? <li>{refused}</li> : Object.values(words.list).map((line) => <li key={line}>{line}</li>)}
        </ul>
      ) : null}
    </div>
  );
}

/** Do what a line says; returns why not, or null. */
function run(text: string): string | null {
  const words = currentWords();
  const command = parseCommand(text, words.domain.kind);
  const board = boards.board.get();
  if (command.do === "unknown") return words.console.command.notUnderstood;
  if (command.do === "new") {
    startNew({ kind: command.kind, where: command.where });
    return null;
  }
  const target = targetOf(command, board);
  if (!target) return missingText(command);
  act(command, target);
  return null;
}

function targetOf(
  command: Exclude<Command, { do: "new" | "unknown" }>,
  board: Board | null,
): Incident | null {
  if (!board) return null;
  const open = Object.values(board.incidents);
  const wanted = command.do === "find" ? command.text.toLowerCase() : command.number;
  if (!wanted) return board.incidents[view.get().selected ?? ""] ?? null;
  const byNumber = open.find(({ number }) => number === wanted || number.replace(/^.*\D0*/, "") === wanted);
  if (byNumber || command.do !== "find") return byNumber ?? null;
  return open.find((incident) => placeText(incident).toLowerCase().includes(wanted)) ?? null;
}

function missingText(command: Command): string {
  const words = currentWords().console.command;
  if (command.do === "find") return words.noSuchIncident(command.text);
  return "number" in command && command.number ? words.noSuchIncident(command.number) : words.noIncident;
}

function act(command: Command, incident: Incident): void {
  switch (command.do) {
    case "ambulance":
      void setAmbulance(incident, command.state, command.etaS ?? undefined);
      return;
    case "line":
      void addLine(incident.id, command.text);
      return;
    case "plan":
      select(incident.id, "plan");
      return;
    default:
      select(incident.id);
  }
}

function LastAction() {
  const words = useWords().console.command;
  const last = useStore(toast);
  const left = useSecondsLeft(last?.undoUntil ?? null);
  if (!last) return <span class="last" />;
  return (
    <span class={`last ${last.bad ? "bad" : ""}`} role={last.bad ? "alert" : "status"}>
      {last.bad ? <Icon name="warn" /> : null}
      <span class="text ellipsis" title={last.text}>
        {last.text}
      </span>
      {last.undo && left > 0 ? (
        <Button size="small" keycap="U" onClick={() => void undoLast()}>
          {words.undo}
        </Button>
      ) : null}
      {last.undo && left > 0 ? <span aria-hidden="true">{words.seconds(left)}</span> : null}
    </span>
  );
}

function useSecondsLeft(until: number | null): number {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    if (until === null) return setLeft(0);
    const tick = () => setLeft(Math.max(0, Math.ceil((until - Date.now()) / 1000)));
    tick();
    const timer = window.setInterval(tick, 250);
    return () => window.clearInterval(timer);
  }, [until]);
  return left;
}
