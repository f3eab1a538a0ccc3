import { isTextField } from "@shared/keys.ts";
import { showPanel, view } from "../state.ts";
import { PAGES } from "./route.ts";
import { go, leaveRegistry, toggleRegistry, where } from "./where.ts";

/** What keys mean while the registry is shown: the same for its pages. */

const find = (selector: string) => document.querySelector<HTMLElement>(selector);

const EVERYWHERE: Record<string, () => void> = {
  Escape: back,
  "Ctrl+Enter": () => (find("[data-save]:not(:disabled)") ?? null)?.click(),
};

const ANYWHERE: Record<string, () => void> = {
  "/": () => find(".reg-search input")?.focus(),
  N: () => find("[data-new]")?.click(),
  R: toggleRegistry,
  "?": () => showPanel(view.get().panel === "help" ? "none" : "help"),
  ArrowUp: () => moveBy(-1),
  ArrowDown: () => moveBy(1),
};

PAGES.forEach((page, index) => {
  ANYWHERE[String(index + 1)] = () => go({ page, part: null, item: null });
});

/** The action of a key, or undefined when it belongs to the control that has the focus. */
export function registryAction(
  key: string,
  target: EventTarget | null,
  singleKeysOn: boolean,
): (() => void) | undefined {
  if (EVERYWHERE[key]) return EVERYWHERE[key];
  const search = target instanceof HTMLElement && target.closest(".reg-search") !== null;
  if (search && key === "ArrowDown") return () => moveBy(1);
  if (isTextField(target) || (key.length === 1 && !singleKeysOn)) return undefined;
  const onRow = target instanceof HTMLElement && target.matches(".reg-row");
  const owns = target instanceof HTMLElement && target.matches("canvas, [role=radio]");
  if (owns && key.startsWith("Arrow") && !onRow) return undefined;
  return ANYWHERE[key];
}

function moveBy(step: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>(".reg-row")];
  const focused = rows.indexOf(document.activeElement as HTMLElement);
  const at = focused >= 0 ? focused : rows.findIndex((row) => row.ariaCurrent === "true");
  rows[Math.max(0, Math.min(rows.length - 1, at + step))]?.focus();
}

/** One thing at a time: the sheet, the field, the open thing, the second list, the registry. */
function back(): void {
  const active = document.activeElement;
  const route = where.get();
  if (view.get().panel !== "none") showPanel("none");
  else if (isTextField(active) && active instanceof HTMLElement) active.blur();
  else if (route?.item) {
    const id = route.item;
    go({ item: null });
    requestAnimationFrame(() => find(`.reg-row[data-id="${CSS.escape(id)}"]`)?.focus());
  } else if (route?.part) go({ part: null });
  else leaveRegistry();
}
