import { h } from "preact";
import type { AedState } from "../map/aed_state.ts";
import { aedShapes, PAGE_AED_COLOURS } from "../map/symbols.ts";

/** The map's AED symbol in a list or a legend. */
export function AedMark({ state, size = 24, label }: { state: AedState; size?: number; label?: string }) {
  return (
    <svg
      class="gm-badge"
      width={size}
      height={size}
      viewBox="2 2 28 28"
      role={label ? "img" : undefined}
      aria-label={label}
      aria-hidden={label ? undefined : true}
    >
      {label ? <title>{label}</title> : null}
      {aedShapes(state, PAGE_AED_COLOURS).map((shape, index) =>
        h(shape.tag, { key: index, ...shape.attrs }, shape.text),
      )}
    </svg>
  );
}
