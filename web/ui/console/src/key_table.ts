import { serverNow } from "@shared/clock.ts";
import { commandKey, isTextField } from "@shared/keys.ts";
import type { Severity } from "@shared/shapes.ts";
import { createStore } from "@shared/store.ts";
import { setSeverity } from "./actions.ts";
import { acknowledge } from "./alarm_strip.tsx";
import { commandField } from "./command_bar.tsx";
import { mergeFirst } from "./duplicates.tsx";
import { mapControl } from "./map_camera.ts";
import { goToNext, moveInQueue } from "./next_action.ts";
import { boardAlarms } from "./queue_rank.ts";
import { registryAction } from "./registry/registry_keys.ts";
import { toggleRegistry, where } from "./registry/where.ts";
import { unlockSound } from "./sound.ts";
import { boards, select, showPanel, startNew, view } from "./state.ts";
import { acknowledged } from "./ticking.ts";
import { undoLast } from "./toast.ts";
import { toggleTroubles } from "./troubles.ts";

const KEY = "golden.console.single-keys";

/** Single letters can be switched off; the function keys and Esc stay. */
export const singleKeys = createStore(localStorage.getItem(KEY) !== "off");

export function setSingleKeys(on: boolean): void {
  localStorage.setItem(KEY, on ? "on" : "off");
  singleKeys.set(on);
}

// These work from a text field too: none of them writes anything.
const EVERYWHERE: Record<string, () => void> = {
  F2: goToNext,
  F8: toggleTroubles,
  F9: () => showPanel(view.get().panel === "alarms" ? "none" : "alarms"),
  Escape: back,
};

const ANYWHERE: Record<string, () => void> = {
  N: () => startNew(),
  "/": () => commandField.focus(),
  "?": () => showPanel(view.get().panel === "help" ? "none" : "help"),
  U: () => void undoLast(),
  R: toggleRegistry,
  H: () => showPanel(view.get().panel === "review" ? "none" : "review"),
  A: acknowledgeFirst,
  ArrowUp: () => moveInQueue(-1),
  ArrowDown: () => moveInQueue(1),
  Enter: pressPrimary,
};

const WITH_INCIDENT: Record<string, () => void> = {
  D: () => showPanel("plan"),
  S: () => showPanel("ambulance"),
  L: () => showPanel("log"),
  E: () => showPanel("edit"),
  G: () => showPanel("stock"),
  X: () => showPanel("end"),
  V: () => showPanel("values"),
  F: () => showPanel("files"),
  B: () => showPanel("disaster"),
  M: () => mapControl.centre(),
};

/** Listen for command keys on the whole page. */
export function listenForKeys(): () => void {
  const onKey = (event: KeyboardEvent) => {
    void unlockSound();
    const key = commandKey(event);
    const action = key === null ? undefined : anyAction(key, event.target);
    if (!action) return;
    event.preventDefault();
    action();
  };
  window.addEventListener("keydown", onKey);
  return () => window.removeEventListener("keydown", onKey);
}

/** The registry has keys of its own; only the function keys mean the same there. */
function anyAction(key: string, target: EventTarget | null): (() => void) | undefined {
  if (where.get() === null || /^F\d/.test(key)) return actionFor(key, target);
  return registryAction(key, target, singleKeys.get());
}

function actionFor(key: string, target: EventTarget | null): (() => void) | undefined {
  if (EVERYWHERE[key]) return EVERYWHERE[key];
  if (isTextField(target) || (isLetter(key) && !singleKeys.get())) return undefined;
  // Enter and arrows belong to the control that has the focus, but rows of the queue and the plain
  // buttons of the card pass arrows on.
  const onControl = target instanceof HTMLElement && target.matches("button, a, input, canvas, [role=radio]");
  const onRow = target instanceof HTMLElement && target.matches(".queue-row, [data-door]");
  if (onControl && (key === "Enter" || (key.startsWith("Arrow") && !onRow))) return undefined;
  return ANYWHERE[key] ?? incidentAction(key);
}

function incidentAction(key: string): (() => void) | undefined {
  const incident = boards.board.get()?.incidents[view.get().selected ?? ""];
  if (!incident || view.get().panel === "new") return undefined;
  if (/^[1-4]$/.test(key)) return () => void setSeverity(incident, Number(key) as Severity);
  if (key === "J") return () => mergeFirst(incident);
  return WITH_INCIDENT[key];
}

const isLetter = (key: string) => key.length === 1;

/** Close what is open, one thing at a time. */
function back(): void {
  if (view.get().panel !== "none") showPanel("none");
  else select(null);
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
}

function pressPrimary(): void {
  document.querySelector<HTMLButtonElement>("[data-enter]")?.click();
}

function acknowledgeFirst(): void {
  const board = boards.board.get();
  if (!board) return;
  const first = boardAlarms(board, serverNow()).find(({ key }) => !acknowledged.get().has(key));
  if (first) acknowledge(first);
}
