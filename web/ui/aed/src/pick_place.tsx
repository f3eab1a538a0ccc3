import { useWords } from "@shared/language.ts";
import type { MapView } from "@shared/map/map_view.ts";
import { useEffect, useRef } from "preact/hooks";
import { amend } from "./reporting.ts";

/** Choose where a moved AED hangs now: the map moves under a cross, by finger, mouse or arrow keys. */
export function PickPlace({ view }: { view: MapView | null }) {
  const words = useWords().aed;
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => first.current?.focus(), []);
  const use = () => {
    const centre = view?.camera().centre;
    if (centre) amend({ picking: false, position: { type: "Point", coordinates: centre } });
  };
  return (
    <>
      <div class="pick-cross" aria-hidden="true" />
      <section class="find-sheet pick-sheet" aria-label={words.newPlace}>
        <p role="status">{words.pickHint}</p>
        <div class="find-buttons">
          <button ref={first} type="button" class="big primary" onClick={use}>
            {words.usePlace}
          </button>
          <button type="button" class="big" onClick={() => amend({ picking: false })}>
            {words.back}
          </button>
        </div>
      </section>
    </>
  );
}
