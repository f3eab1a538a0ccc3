import { get, newKey, post } from "@shared/api.ts";
import { timeOfDay } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { Button, Chip, Keycap } from "@shared/parts/controls.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import type { Incident, IncidentValue, Line, Page, ValueField, ValueSource } from "@shared/shapes.ts";
import { createStore, useStore } from "@shared/store.ts";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { showPanel } from "./state.ts";
import { differing, FIELDS, lastOf, PRESENT, valueText } from "./telling.ts";
import { problemText, say } from "./toast.ts";

const SOURCES: readonly ValueSource[] = ["caller", "responder", "ambulance", "device", "operator"];
const TOLD = new Set(["value_told", "value_chosen", "merged", "unmerged"]);

/** What was looked at here and left as it is; a new saying asks again. */
const settled = createStore<ReadonlySet<string>>(new Set());
const stamp = createStore(0);

/** What was said of the incident, read again when its timeline says that somebody said something. */
function useValues(incident: Incident, lines: readonly Line[]): IncidentValue[] {
  const [known, setKnown] = useState<{ id: string; values: IncidentValue[] } | null>(null);
  const told = lines.filter(({ kind }) => TOLD.has(kind)).length;
  const changed = useStore(stamp);
  useEffect(() => {
    if (told === 0) return;
    const stop = new AbortController();
    get<Page<IncidentValue>>(`/incidents/${incident.id}/values`, {}, stop.signal)
      .then(({ items }) => setKnown({ id: incident.id, values: items }))
      .catch(() => null);
    return () => stop.abort();
  }, [incident.id, told, changed]);
  return known?.id === incident.id ? known.values : [];
}

interface Props {
  incident: Incident;
  lines: readonly Line[];
}

/** Sources differ: which fields, and the way to choose. */
export function ValueStrip({ incident, lines }: Props) {
  const words = useWords();
  const own = words.incidentLife.value;
  const seen = useStore(settled);
  const open = differing(useValues(incident, lines), incident).filter(
    (one) => one.isOpen && !seen.has(lastOf(one)),
  );
  if (open.length === 0) return null;
  const fields = open.map(({ field }) => own.fields[field]).join(words.parts.listComma);
  return (
    <section class="notice" data-notice="values" aria-label={own.title}>
      <Icon name="warn" size={16} />
      <span class="text">
        <b>{own.line(fields)}</b>
      </span>
      <Button size="small" keycap="V" onClick={() => showPanel("values")}>
        {own.choose}
      </Button>
    </section>
  );
}

/** Choose which source is believed, or note what another one says. */
export function ValuesDrawer({ incident, lines }: Props) {
  const words = useWords();
  const own = words.incidentLife.value;
  const values = useValues(incident, lines);
  const fields = differing(values, incident);
  const all = fields.flatMap((one) => one.values);
  const box = useRef<HTMLDivElement>(null);
  const [picked, setPicked] = useState<string | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  const ready = all.length > 0;
  useLayoutEffect(() => box.current?.querySelector<HTMLElement>("input, select")?.focus(), [ready]);
  const chosen = picked ?? all.find(({ is_chosen }) => is_chosen)?.id ?? null;
  const believe = async () => {
    const value = all.find(({ id }) => id === chosen);
    if (!value) return;
    try {
      // What the incident carries already needs no choice on record.
      if (!value.id.startsWith(PRESENT)) await post(`/incidents/${incident.id}/values/${value.id}/choose`);
      settled.update((known) => new Set([...known, ...fields.map(lastOf)]));
      stamp.update((n) => n + 1);
      say(own.took(own.fields[value.field]));
      showPanel("none");
    } catch (error) {
      setFailed(problemText(error));
    }
  };
  const onKey = (event: KeyboardEvent) => {
    const value =
      event.target instanceof HTMLInputElement && event.target.type === "radio" && all[Number(event.key) - 1];
    if (!value) return;
    event.preventDefault();
    event.stopPropagation();
    setPicked(value.id);
  };
  return (
    <div class="drawer tall" ref={box}>
      <h2>
        {own.title}
        <span>{ready ? own.keys : own.none}</span>
      </h2>
      <form
        onKeyDown={onKey}
        onSubmit={(event) => {
          event.preventDefault();
          void believe();
        }}
      >
        {fields.map(({ field, values: said }) => (
          <Choices
            key={field}
            title={own.fields[field]}
            values={said}
            first={all.indexOf(said[0] as IncidentValue)}
            chosen={chosen}
            incident={incident}
            onPick={setPicked}
          />
        ))}
        {failed ? (
          <p class="gm-error" role="alert">
            {failed}
          </p>
        ) : null}
        <div class="row">
          <span class="grow" />
          {ready ? (
            <Button look="primary" type="submit" keycap="⏎" data-enter>
              {own.believe}
            </Button>
          ) : null}
          <Button keycap="Esc" onClick={() => showPanel("none")}>
            {words.parts.close}
          </Button>
        </div>
      </form>
      <AddValue incident={incident} />
    </div>
  );
}

interface ChoicesProps {
  title: string;
  values: IncidentValue[];
  /** The number before the first of them. */
  first: number;
  chosen: string | null;
  incident: Incident;
  onPick: (id: string) => void;
}

function Choices({ title, values, first, chosen, incident, onPick }: ChoicesProps) {
  const words = useWords();
  const own = words.incidentLife.value;
  return (
    <fieldset class="choices">
      <legend>{title}</legend>
      {values.map((value, index) => (
        <label key={value.id} data-value={value.id}>
          <input type="radio" name="value" checked={value.id === chosen} onChange={() => onPick(value.id)} />
          <Keycap>{first + index + 1}</Keycap>
          <span class="grow ellipsis">{valueText(value, incident, words)}</span>
          <Chip>{value.told_by ? own.otherCall : own.sources[value.source]}</Chip>
          <span class="when">{value.is_chosen ? own.chosen : timeOfDay(value.at)}</span>
        </label>
      ))}
    </fieldset>
  );
}

function AddValue({ incident }: { incident: Incident }) {
  const words = useWords().incidentLife.value;
  const [field, setField] = useState<ValueField>("address");
  const [source, setSource] = useState<ValueSource>("responder");
  const [text, setText] = useState("");
  const [failed, setFailed] = useState<string | null>(null);
  const save = async () => {
    const value = field === "patients" ? Number(text) : text.trim();
    if (value === "") return;
    if (Number.isNaN(value)) return setFailed(words.needNumber);
    try {
      await post(`/incidents/${incident.id}/values`, { field, source, value }, { key: newKey() });
      stamp.update((n) => n + 1);
      setText("");
      setFailed(null);
      say(words.saved);
    } catch (error) {
      setFailed(problemText(error));
    }
  };
  return (
    <form
      class="add-value"
      aria-label={words.add}
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <Choose
        label={words.field}
        value={field}
        of={FIELDS.filter((one) => one !== "position")}
        said={words.fields}
        onChange={(one) => setField(one as ValueField)}
      />
      <Choose
        label={words.source}
        value={source}
        of={SOURCES}
        said={words.sources}
        onChange={(one) => setSource(one as ValueSource)}
      />
      <label class="gm-field">
        <span class="sr-only">{words.text}</span>
        <input
          name="said"
          value={text}
          maxLength={200}
          autoComplete="off"
          placeholder={words.text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <Button size="small" type="submit">
        {words.save}
      </Button>
      {failed ? (
        <p class="gm-error" role="alert">
          {failed}
        </p>
      ) : null}
    </form>
  );
}

interface ChooseProps {
  label: string;
  value: string;
  of: readonly string[];
  said: Readonly<Record<string, string>>;
  onChange: (value: string) => void;
}

function Choose({ label, value, of, said, onChange }: ChooseProps) {
  return (
    <label class="gm-field">
      <span class="sr-only">{label}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {of.map((one) => (
          <option key={one} value={one}>
            {said[one]}
          </option>
        ))}
      </select>
    </label>
  );
}
