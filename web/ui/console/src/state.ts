import { createBoardStore } from "@shared/board/store.ts";
import { Live } from "@shared/live/socket.ts";
import type { Figures, Plan, Point, Session } from "@shared/shapes.ts";
import { createStore } from "@shared/store.ts";
import { hearEvent } from "./hear.ts";
import { focusNext } from "./next_focus.ts";

/** What fills the right column or the lower part of the card. */
export type Panel =
  | "none"
  | "new"
  | "plan"
  | "end"
  | "log"
  | "ambulance"
  | "stock"
  | "edit"
  | "values"
  | "files"
  | "disaster"
  | "review"
  | "help"
  | "alarms";

export interface View {
  selected: string | null;
  panel: Panel;
  /** Text with which the new-incident form begins, from the command bar. */
  draft: { kind: string; where: string };
}

export interface LayerChoice {
  aeds: boolean;
  responders: boolean;
  routes: boolean;
  depots: boolean;
  coverage: boolean;
}

const LAYERS_KEY = "golden.console.layers";
const ALL_LAYERS: LayerChoice = { aeds: true, responders: true, routes: true, depots: true, coverage: false };

export const session = createStore<Session | null>(null);
export const view = createStore<View>({ selected: null, panel: "none", draft: { kind: "", where: "" } });
export const layers = createStore<LayerChoice>(storedLayers());
export const figures = createStore<Figures | null>(null);
/** The plan of the selected incident: before sending, and for those not chosen afterwards. */
export const plan = createStore<{ incident: string; plan: Plan } | null>(null);
/** Where the new incident is to be, from the address list or a click on the map. */
export const pin = createStore<{ position: Point; label?: string } | null>(null);

export const boards = createBoardStore(hearEvent);
export const live = new Live("console", boards.handlers);

export function toggleLayer(layer: keyof LayerChoice): void {
  layers.update((choice) => ({ ...choice, [layer]: !choice[layer] }));
  localStorage.setItem(LAYERS_KEY, JSON.stringify(layers.get()));
}

function storedLayers(): LayerChoice {
  try {
    return {
      ...ALL_LAYERS,
      ...(JSON.parse(localStorage.getItem(LAYERS_KEY) ?? "{}") as Partial<LayerChoice>),
    };
  } catch {
    return ALL_LAYERS;
  }
}

/** Open a panel; the selected incident stays. */
export function showPanel(panel: Panel): void {
  if (panel !== "new") pin.set(null);
  view.update((now) => ({ ...now, panel }));
}

/** Close a panel whose work is done, unless the operator has opened another one meanwhile. */
export function leavePanel(panel: Panel): void {
  if (view.get().panel !== panel) return;
  showPanel("none");
  focusNext(panel);
}

/** Open the form for a new incident, perhaps with what the command bar has already heard. */
export function startNew(draft = { kind: "", where: "" }): void {
  pin.set(null);
  view.update((now) => ({ ...now, panel: "new", draft }));
}

/** Open an incident's card and listen to its topic; null closes the card. */
export function select(id: string | null, panel: Panel = "none"): void {
  const before = view.get();
  if (before.selected !== id) {
    plan.set(null);
    boards.incident.set(null);
  }
  pin.set(null);
  view.set({ ...before, selected: id, panel });
  const org = session.get()?.org.code;
  if (org) live.setTopics(id ? [`org:${org}`, `incident:${id}`] : [`org:${org}`]);
}
