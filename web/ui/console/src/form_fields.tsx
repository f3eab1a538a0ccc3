import { useWords } from "@shared/language.ts";
import { Badge } from "@shared/parts/badge.tsx";
import { Segments } from "@shared/parts/controls.tsx";
import type { Ambulance, Place, Point, Severity } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import type { Words } from "@shared/words/zh.ts";
import { useEffect, useRef } from "preact/hooks";
import { type SearchState, useSearch } from "./address_search.ts";
import { AMBULANCE_STATES } from "./ambulance.tsx";
import type { Change, Draft } from "./incident_draft.ts";
import { type KindEntry, matchKinds } from "./kind_match.ts";
import { lacksNumber } from "./names.ts";
import { Picker } from "./picker.tsx";
import { pin } from "./state.ts";

interface FieldProps {
  draft: Draft;
  set: Change;
  bad: boolean;
  onDone: () => void;
}

export function WhereField({ draft, set, bad, onDone }: FieldProps) {
  const words = useWords().form;
  const pinned = useStore(pin);
  const open = draft.place === null;
  const { places, state, asked } = useSearch(open ? draft.where : "");
  const wantsFirst = useRef(false);
  const take = (place: Place) => {
    // A house number that is not on record was still said: keep it for whoever goes there.
    const text = lacksNumber(draft.where, place.text) ? draft.where.trim() : place.text;
    set({ place, where: text });
    pin.set({ position: place.position, label: text });
  };
  const fresh = state === "done" && asked === draft.where.trim();
  useEffect(() => {
    const [first] = places;
    if (!wantsFirst.current || !fresh) return;
    wantsFirst.current = false;
    if (first) take(first);
  }, [fresh, places]);
  const hint = whereHint({ draft, pinned, state, nothing: fresh && places.length === 0 }, words);
  return (
    <div>
      <Picker<Place>
        name="where"
        label={words.where}
        placeholder={words.wherePlaceholder}
        text={draft.where}
        onText={(where) => {
          // A pin that came with an address goes with it; one that was set on the map stays.
          if (pinned?.label) pin.set(null);
          wantsFirst.current = false;
          set({ where, place: null });
        }}
        options={fresh ? places : []}
        keyOf={(place) => `${place.text} ${place.position.coordinates.join()}`}
        show={(place) => (
          <>
            <span class="ellipsis">{place.text}</span>
            <span class="what">{words.placeKinds[place.kind as "street"] ?? place.kind}</span>
          </>
        )}
        onPick={(place) => {
          take(place);
          onDone();
        }}
        onEarlyEnter={() => {
          // The next question does not wait for the answer to this one: its first match is taken later.
          wantsFirst.current = !draft.place && !fresh && draft.where.trim() !== "";
          if (wantsFirst.current || pinned) onDone();
        }}
        open={open}
        bad={bad}
        focused
      />
      <p class="gm-error" role="status">
        {hint}
      </p>
    </div>
  );
}

interface WhereState {
  draft: Draft;
  pinned: { position: Point; label?: string } | null;
  state: SearchState;
  nothing: boolean;
}

/** What there is to know about the place: where it was taken from, or what to do. */
function whereHint({ draft, pinned, state, nothing }: WhereState, words: Words["form"]): string {
  if (pinned && !pinned.label) return words.pinned(...degrees(pinned.position));
  if (draft.place) return lacksNumber(draft.where, draft.place.text) ? words.streetOnly : "";
  if (!draft.where) return words.pinHint;
  if (state === "failed") return words.searchFailed;
  return nothing ? words.noMatch : "";
}

const degrees = ({ coordinates: [lon, lat] }: Point): [string, string] => [lon.toFixed(5), lat.toFixed(5)];

export function KindField({ draft, set, bad, onDone }: FieldProps) {
  const words = useWords();
  const names = words.domain.kind;
  const options = matchKinds(draft.kindText, names);
  return (
    <Picker<KindEntry>
      name="kind"
      label={words.form.kind}
      placeholder={words.form.kindPlaceholder}
      text={draft.kind ? names[draft.kind.kind] : draft.kindText}
      onText={(kindText) => set({ kindText: draft.kind ? "" : kindText, kind: null })}
      options={options}
      keyOf={(entry) => entry.kind}
      show={(entry) => (
        <>
          <Badge severity={entry.severity} size={18} />
          <span>{names[entry.kind]}</span>
          <span class="what">{entry.keys[0]}</span>
        </>
      )}
      onPick={(kind) => {
        set({ kind, kindText: "", severity: null });
        onDone();
      }}
      open={draft.kind === null && draft.kindText !== ""}
      bad={bad}
      foot={draft.kind ? <Badge severity={draft.kind.severity} size={18} /> : null}
    />
  );
}

export function SeverityAndAmbulance({ draft, set }: { draft: Draft; set: Change }) {
  const words = useWords();
  const severity = draft.severity ?? draft.kind?.severity ?? null;
  return (
    <>
      <div>
        <span class="caption">{words.form.severity}</span>
        <Segments<Severity>
          label={words.form.severity}
          value={severity}
          options={([1, 2, 3, 4] as const).map((level) => ({
            value: level,
            text: String(level),
            name: words.domain.severity[level],
          }))}
          onChange={(level) => set({ severity: level })}
          follow
        />
      </div>
      <div class="ambulance">
        <span class="caption">{words.form.ambulance}</span>
        <Segments<Ambulance>
          label={words.incident.ambulance.label}
          value={draft.ambulance}
          options={AMBULANCE_STATES.map((state) => ({ value: state, text: words.domain.ambulance[state] }))}
          onChange={(ambulance) => set({ ambulance })}
          follow
        />
        {draft.ambulance === "dispatched" ? (
          <label class="gm-field" style={{ marginTop: "6px" }}>
            <input
              name="minutes"
              inputMode="numeric"
              value={draft.minutes}
              onInput={(event) => set({ minutes: event.currentTarget.value })}
            />
            <span class="unit">{words.form.minutes}</span>
          </label>
        ) : null}
      </div>
    </>
  );
}

interface PlainProps {
  name: string;
  label: string;
  placeholder: string;
  value: string;
  onText: (text: string) => void;
  numeric?: boolean;
  /** Enter submits the form around it; else it does nothing, so that half an answer is not sent. */
  entersForm?: boolean;
}

export function Plain({ name, label, placeholder, value, onText, numeric, entersForm }: PlainProps) {
  return (
    <div>
      <label for={`new-${name}`}>{label}</label>
      <div class="gm-field">
        <input
          id={`new-${name}`}
          name={name}
          autoComplete="off"
          inputMode={numeric ? "tel" : "text"}
          placeholder={placeholder}
          value={value}
          onInput={(event) => onText(event.currentTarget.value)}
          // Enter in a plain field goes on to the next one; only Ctrl+Enter opens the incident.
          onKeyDown={(event) =>
            event.key === "Enter" && !event.ctrlKey && !entersForm && event.preventDefault()
          }
        />
      </div>
    </div>
  );
}
