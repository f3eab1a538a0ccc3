import { serverNow } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { type AedState, aedState } from "@shared/map/aed_state.ts";
import { aedTitle } from "@shared/map/aed_title.ts";
import { AedMark } from "@shared/parts/aed_mark.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import { useStore } from "@shared/store.ts";
import { useEffect, useRef, useState } from "preact/hooks";
import { Chosen } from "./chosen.tsx";
import { emergencyNumber } from "./emergency.tsx";
import { finder, listed, type PublicAed } from "./finder.ts";
import { minutes, stateText, zoneAt } from "./texts.ts";

interface Props {
  denied: boolean;
  onLocate: () => void;
  onShow: (id: string) => void;
}

/** The answer: the nearest AED, how to get there, the others, and what the symbols mean. */
export function FindSheet({ denied, onLocate, onShow }: Props) {
  const words = useWords();
  const [open, setOpen] = useState(false);
  const { aeds, selected, walks } = useStore(finder);
  const aed = selected ? aeds[selected] : undefined;
  const body = useRef<HTMLDivElement>(null);
  useEffect(() => body.current?.scrollTo({ top: 0 }), [selected]);
  return (
    <section class={`find-sheet ${open ? "open" : ""}`} aria-label={words.aed.title}>
      <button
        type="button"
        class="grabber"
        aria-expanded={open}
        aria-label={open ? words.aed.collapse : words.aed.expand}
        onClick={() => setOpen(!open)}
      />
      <div class="find-body" ref={body}>
        <div aria-live="polite">
          {aed ? <Chosen aed={aed} walk={walks[aed.id]} /> : <Hint denied={denied} onLocate={onLocate} />}
        </div>
        <Legend />
        <Others onShow={onShow} />
        <footer>
          <p>{words.aed.emergency(emergencyNumber())} WGS-84</p>
        </footer>
      </div>
    </section>
  );
}

function Hint({ denied, onLocate }: { denied: boolean; onLocate: () => void }) {
  const words = useWords().aed;
  const { phase } = useStore(finder);
  const looking = phase === "looking";
  const texts: Record<typeof phase, [string, string]> = {
    idle: denied ? [words.denied, words.deniedMore] : [words.hint, words.hintMore],
    looking: [words.looking, words.hintMore],
    found: [words.hint, words.hintMore],
    none: [words.none, words.noneMore],
    failed: [words.failed, words.deniedMore],
  };
  const [title, more] = texts[phase];
  return (
    <div class="find-hint" data-testid="hint">
      <h1>{title}</h1>
      <p>{more}</p>
      <button type="button" class="big primary" data-testid="nearest" disabled={looking} onClick={onLocate}>
        <Icon name="target" size={22} />
        {looking ? words.looking : words.findNearest}
      </button>
    </div>
  );
}

const GROUPS = ["yes", "unknown", "no"] as const;

/** Every AED of the map once more as a list, what can be taken first; for those who cannot use the map. */
function Others({ onShow }: { onShow: (id: string) => void }) {
  const words = useWords().aed;
  const state = useStore(finder);
  const rest = listed(state);
  if (rest.length === 0) return null;
  return (
    <div class="others" data-testid="others">
      <h2>{state.order.length ? words.others : words.inView}</h2>
      {GROUPS.map((usable) => {
        const some = rest.filter((aed) => aed.usable === usable);
        if (some.length === 0) return null;
        return (
          <section key={usable} aria-label={words.groups[usable]}>
            <h3>{words.groups[usable]}</h3>
            <ul>
              {some.map((aed) => (
                <Other key={aed.id} aed={aed} seconds={state.walks[aed.id]?.travelS} onShow={onShow} />
              ))}
            </ul>
          </section>
        );
      })}
    </div>
  );
}

interface OtherProps {
  aed: PublicAed;
  seconds: number | undefined;
  onShow: (id: string) => void;
}

function Other({ aed, seconds, onShow }: OtherProps) {
  const words = useWords();
  const state = aedState(aed, serverNow());
  const zone = zoneAt(useStore(finder).cities, aed.position);
  return (
    <li>
      <button type="button" onClick={() => onShow(aed.id)}>
        <AedMark state={state} size={28} label={words.aed.states[state]} />
        <span>
          {aedTitle(aed)}
          <small>{stateText(aed, words, serverNow(), zone)}</small>
        </span>
        {seconds === undefined ? null : (
          <>
            <b>{minutes(seconds)}</b>
            <small>{words.aed.minWalk}</small>
          </>
        )}
      </button>
    </li>
  );
}

const STATES: AedState[] = ["usable", "soon", "closed", "unknown", "out"];

function Legend() {
  const words = useWords().aed;
  return (
    <ul class="legend-list" aria-label={words.legend}>
      {STATES.map((state) => (
        <li key={state}>
          <AedMark state={state} size={24} />
          {words.states[state]}
        </li>
      ))}
    </ul>
  );
}
