import { hourMinute, serverNow } from "@shared/clock.ts";
import { useLanguage, useWords } from "@shared/language.ts";
import { type AedState, aedState } from "@shared/map/aed_state.ts";
import { aedTitle } from "@shared/map/aed_title.ts";
import { mapLink, thisDevice } from "@shared/map/map_link.ts";
import { AedMark } from "@shared/parts/aed_mark.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import type { Point } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import type { Words } from "@shared/words/zh.ts";
import { useState } from "preact/hooks";
import { finder, fits, type PublicAed, select, type Walk } from "./finder.ts";
import { ReportButton } from "./report.tsx";

/** The answer: the nearest AED, how to get there, and what the symbols mean. */
export function FindSheet({ denied, onShow }: { denied: boolean; onShow: (position: Point) => void }) {
  const words = useWords();
  const [open, setOpen] = useState(false);
  const { aeds, selected, walks } = useStore(finder);
  const aed = selected ? aeds[selected] : undefined;
  return (
    <section class={`find-sheet ${open ? "open" : ""}`} aria-label={words.aed.title}>
      <button
        type="button"
        class="grabber"
        aria-expanded={open}
        aria-label={open ? words.aed.collapse : words.aed.expand}
        onClick={() => setOpen(!open)}
      />
      <div class="find-body" aria-live="polite">
        {aed ? <Chosen aed={aed} walk={walks[aed.id]} /> : <Hint denied={denied} />}
        <Legend />
        <Others onShow={onShow} />
        <footer>
          <p>
            {words.aed.emergency} {words.parts.map.notSurveyed} · WGS-84
          </p>
        </footer>
      </div>
    </section>
  );
}

function Hint({ denied }: { denied: boolean }) {
  const words = useWords().aed;
  const { phase } = useStore(finder);
  const texts = {
    idle: words.hint,
    looking: words.looking,
    found: words.hint,
    none: words.none,
    failed: words.failed,
  };
  return (
    <div class="find-hint" data-testid="hint">
      <Icon name={phase === "failed" || phase === "none" ? "warn" : "pin"} size={28} />
      <div>
        <h1>{denied ? words.denied : texts[phase]}</h1>
        <p>{words.hintMore}</p>
      </div>
    </div>
  );
}

function Chosen({ aed, walk }: { aed: PublicAed; walk: Walk | undefined }) {
  const all = useWords();
  const words = all.aed;
  const state = aedState(aed, serverNow());
  const { origin } = useStore(finder);
  return (
    <div data-testid="chosen">
      <div class="chosen">
        <AedMark state={state} size={44} label={words.states[state]} />
        <div class="chosen-text">
          <h1>{aedTitle(aed)}</h1>
          <p>{whereText(aed, all)}</p>
        </div>
        {walk ? (
          <p class="chosen-time" title={origin?.own ? words.fromYou : words.fromHere}>
            <b data-testid="minutes">{Math.max(1, Math.ceil(walk.travelS / 60))}</b>
            <small>{words.minWalk}</small>
            {walk.estimated ? <small>{words.estimate}</small> : null}
          </p>
        ) : null}
      </div>
      <Chips aed={aed} />
      <div class="find-buttons">
        <a class="big primary" href={mapLink(aed.position, aed.name, thisDevice())}>
          <Icon name="navigate" size={22} />
          {words.directions}
        </a>
        <ReportButton aed={aed.id} />
      </div>
    </div>
  );
}

/** The way in, in the words of whoever entered it. */
function whereText(aed: PublicAed, words: Words): string {
  const floor = aed.floor && /^-?\d+$/.test(aed.floor) ? words.go.floor(aed.floor) : aed.floor;
  return [floor, aed.entrance, aed.location_note, aedTitle(aed) === aed.address ? null : aed.address]
    .filter(Boolean)
    .join(" · ");
}

function Chips({ aed }: { aed: PublicAed }) {
  const all = useWords();
  const english = useLanguage() === "en";
  const good = aed.usable === "yes";
  const day = aed.verified_at
    ? new Date(aed.verified_at).toLocaleDateString(english ? "en-GB" : "zh-CN", {
        month: "short",
        day: "numeric",
        year: "numeric",
      })
    : null;
  return (
    <p class="find-chips">
      <span class={good ? "good" : ""}>{stateText(aed, all)}</span>
      <span>{day ? all.aed.checked(day) : all.aed.notChecked}</span>
      {aed.is_invented ? <span>{all.aed.invented}</span> : null}
    </p>
  );
}

function stateText(aed: PublicAed, words: Words): string {
  const { usable, usable_until, usable_reason, status } = aed;
  if (status === "out_of_service") return words.aed.states.out;
  const until = usable_until ? hourMinute(usable_until) : null;
  if (usable === "yes") {
    if (usable_reason === "always_open") return words.aed.usableAlways;
    return until ? words.aed.usableUntil(until) : words.aed.usableNow;
  }
  const why: Record<string, string> = words.planner.why;
  if (usable === "no" && usable_reason === "closed" && until) return words.aed.closedUntil(until);
  return why[usable_reason ?? ""] ?? words.domain.usable[usable];
}

const OTHERS = 4;

/** The next ones, also for those who cannot use the map. */
function Others({ onShow }: { onShow: (position: Point) => void }) {
  const words = useWords().aed;
  const { order, aeds, selected, walks, filter } = useStore(finder);
  const rest = order
    .map((id) => aeds[id])
    .filter((aed): aed is PublicAed => aed !== undefined && aed.id !== selected && fits(aed, filter))
    .slice(0, OTHERS);
  if (rest.length === 0) return null;
  return (
    <>
      <h2>{words.others}</h2>
      <ul class="others">
        {rest.map((aed) => (
          <li key={aed.id}>
            <button
              type="button"
              onClick={() => {
                select(aed.id);
                onShow(aed.position);
              }}
            >
              <AedMark
                state={aedState(aed, serverNow())}
                size={28}
                label={words.states[aedState(aed, serverNow())]}
              />
              <span>{aedTitle(aed)}</span>
              <b>{Math.max(1, Math.ceil((walks[aed.id]?.travelS ?? 0) / 60))}</b>
              <small>{words.minWalk}</small>
            </button>
          </li>
        ))}
      </ul>
    </>
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
