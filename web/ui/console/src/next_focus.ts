/** After the work in a panel is done the focus goes to what comes next, and not to the page. */

/** What comes after each panel, by the `data-door` of its button; else the panel's own door. */
const NEXT: Record<string, readonly string[]> = {
  // The alert is out: the state of 120 is what has to be kept true now.
  plan: ["ambulance"],
  end: ["new"],
};

/** The doors to try after a panel, the best first. */
export const doorsAfter = (panel: string): readonly string[] => NEXT[panel] ?? [panel, "ambulance"];

/** Move the focus once the panel is gone, unless the operator has put it somewhere meanwhile. */
export function focusNext(panel: string): void {
  if (typeof document === "undefined") return;
  requestAnimationFrame(() => {
    if (document.activeElement !== document.body) return;
    for (const door of doorsAfter(panel)) {
      const button = document.querySelector<HTMLElement>(`.side [data-door="${door}"]`);
      if (button) return button.focus({ preventScroll: true });
    }
  });
}
