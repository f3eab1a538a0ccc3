import { call, type Problem, patch, post } from "@shared/api.ts";
import { useWords } from "@shared/language.ts";
import { Button } from "@shared/parts/controls.tsx";
import type { OwnAed, Point } from "@shared/shapes.ts";
import { useEffect, useState } from "preact/hooks";
import { say } from "../toast.ts";
import { AedHead, type TabProps } from "./aed_head.tsx";
import { AED_FIELDS, AED_GROUPS, CRS, choiceWord, drawnState, EMPTY_AED } from "./aed_words.ts";
import { touch } from "./asking.ts";
import { type Draft, useDraft, useSubmit } from "./drafts.ts";
import { allOf, changesOf, type FieldSpec, missingOf } from "./field_values.ts";
import { Fields, focusRefused, Trouble } from "./form_parts.tsx";
import { showOnMap, useScene } from "./scene.ts";
import { SaveButtons, Side } from "./side.tsx";
import { go } from "./where.ts";

const PLACE_FIELDS: readonly FieldSpec[] = [
  { name: "lat", kind: "number", required: true },
  { name: "lon", kind: "number", required: true },
  { name: "crs", kind: "choice", options: CRS },
];
const SPECS = [...AED_FIELDS, ...PLACE_FIELDS];
const PLACE = new Set(["lat", "lon", "crs"]);

interface RecordProps {
  asked: TabProps["asked"] | null;
  isReadOnly?: boolean;
}

/** Everything that is said of an AED, to be changed; or an empty record for a new one. */
export function AedRecord({ asked, isReadOnly = false }: RecordProps) {
  const words = useWords().registry;
  const aed = asked?.value ?? null;
  const draft = useDraft(
    `aed ${aed?.id ?? "new"}`,
    SPECS,
    aed ? withPlace(aed) : { ...EMPTY_AED, crs: "wgs84" },
  );
  const { save, isBusy, problem, missing } = useSaving(asked, draft);
  usePlacing(aed, draft, isReadOnly);
  return (
    <Side
      label={aed?.name ?? words.aed.new}
      title={words.aed.new}
      isNew={aed === null}
      notice={
        <>
          <Lacking missing={missing} />
          <Trouble problem={problem} labels={words.aed.fields} />
        </>
      }
      head={aed ? <AedHead aed={aed} tab="record" /> : undefined}
      onSubmit={isReadOnly ? undefined : () => void save()}
      actions={
        isReadOnly ? null : (
          <>
            <SaveButtons isDirty={draft.isDirty} isBusy={isBusy} onDiscard={draft.clear} />
            {aed && aed.status !== "withdrawn" ? <Withdraw aed={aed} /> : null}
          </>
        )
      }
    >
      <Groups draft={draft} problem={problem} isReadOnly={isReadOnly} />
      {aed && !isReadOnly ? <Origin aed={aed} /> : null}
    </Side>
  );
}

function Lacking({ missing }: { missing: readonly string[] }) {
  const words = useWords().registry;
  if (missing.length === 0) return null;
  return (
    <p class="gm-error" role="alert">
      {words.mustFill(missing.map((name) => words.aed.fields[name] ?? name).join(" · "))}
    </p>
  );
}

interface GroupsProps {
  draft: Draft;
  problem: Problem | null;
  isReadOnly: boolean;
}

function Groups({ draft, problem, isReadOnly }: GroupsProps) {
  const words = useWords().registry;
  const shared = {
    ...{ draft, labels: words.aed.fields, hints: words.aed.hints, problem, isReadOnly },
    word: (field: string, option: string) => choiceWord(field, option, words),
  };
  return (
    <>
      {AED_GROUPS.map(([group, names]) => (
        <fieldset key={group} class="reg-group">
          <legend>{words.aed.groups[group]}</legend>
          <Fields names={names} {...shared} />
          {group === "place" ? <Fields names={["lat", "lon", "crs"]} {...shared} /> : null}
          {group === "place" && !isReadOnly ? <p class="reg-hint">{words.aed.placeHint}</p> : null}
        </fieldset>
      ))}
    </>
  );
}

const withPlace = (aed: OwnAed) => {
  const [lon, lat] = aed.position.coordinates;
  return { ...aed, lat: lat.toFixed(6), lon: lon.toFixed(6), crs: "wgs84" };
};

function useSaving(asked: RecordProps["asked"], draft: Draft) {
  const words = useWords().registry;
  const { isBusy, problem, run } = useSubmit();
  const [missing, setMissing] = useState<string[]>([]);
  const aed = asked?.value ?? null;
  const save = async () => {
    const lacking = missingOf(SPECS, draft.texts);
    setMissing(lacking);
    if (lacking.length) {
      document.querySelector<HTMLElement>(`.reg-side [name="${lacking[0]}"]`)?.focus();
      return;
    }
    const body = bodyOf(draft, aed === null);
    if (aed && Object.keys(body).length === 0) return;
    const went = await run(async (key) => {
      const saved = aed
        ? await patch<OwnAed>(`/aeds/${aed.id}`, body, aed.version)
        : await post<OwnAed>("/aeds", body, { key });
      draft.clear();
      say(words.saved(saved.name));
      if (!aed) go({ item: saved.id });
    }, body);
    // What somebody else wrote is fetched and shown beside what was typed.
    touch();
    if (!went) focusRefused();
  };
  return { save, isBusy, problem, missing };
}

/** What is sent: for a new device all that was said, else only what changed. */
function bodyOf(draft: Draft, isNew: boolean): Record<string, unknown> {
  const said = isNew ? allOf(SPECS, draft.texts) : changesOf(SPECS, draft.saved, draft.edits);
  const rest = Object.fromEntries(Object.entries(said).filter(([name]) => !PLACE.has(name)));
  if (!Object.keys(said).some((name) => PLACE.has(name))) return rest;
  const position = { lon: Number(draft.texts.lon), lat: Number(draft.texts.lat) };
  return { ...rest, position, crs: draft.texts.crs };
}

/** The map answers "where" while the record is open: a click or the dragged pin. */
function usePlacing(aed: OwnAed | null, draft: Draft, isReadOnly: boolean): void {
  const words = useWords().registry;
  const { lat, lon, crs } = draft.texts;
  const isMoved = draft.edits.lat !== undefined || draft.edits.lon !== undefined;
  const place = ({ coordinates }: Point) => {
    draft.set("lon", coordinates[0].toFixed(6));
    draft.set("lat", coordinates[1].toFixed(6));
    draft.set("crs", "wgs84");
    draft.set("position_method", "map");
  };
  useScene(() => {
    const isKnown = crs === "wgs84" && Number(lat) !== 0 && Number.isFinite(Number(lon) + Number(lat));
    const position: Point = { type: "Point", coordinates: [Number(lon), Number(lat)] };
    const mark = aed
      ? [
          {
            ...{ id: aed.id, position: aed.position, name: aed.name, planned: true, above: aed.name },
            state: drawnState(aed, Date.now()),
          },
        ]
      : [];
    return {
      marks: {
        aedTiles: true,
        aeds: mark,
        pin: isKnown && lat !== "" && isMoved ? { position, onDrag: place } : null,
      },
      ...(isReadOnly ? {} : { onPoint: place }),
      ...(aed || isMoved ? {} : { note: words.aed.placeHint }),
    };
  }, [aed, lat, lon, crs, isMoved, words]);
  const id = aed?.id;
  useEffect(() => {
    if (aed) showOnMap([aed.position]);
  }, [id]);
}

function Origin({ aed }: { aed: OwnAed }) {
  const words = useWords().registry;
  const raw =
    aed.raw_lat === null || aed.raw_lon === null ? null : words.point(`${aed.raw_lat}`, `${aed.raw_lon}`);
  const facts: [string, string | null | undefined][] = [
    [words.aed.fields.source ?? "", [aed.source, aed.source_ref].filter(Boolean).join(" · ")],
    [
      words.aed.fields.source_crs ?? "",
      [choiceWord("crs", aed.source_crs, words), raw].filter(Boolean).join(" · "),
    ],
    [words.aed.fields.time_zone ?? "", aed.time_zone],
  ];
  return (
    <dl class="reg-facts">
      {facts.map(([label, value]) => [
        <dt key={label}>{label}</dt>,
        <dd key={`${label} value`} class="ellipsis">
          {value || words.empty}
        </dd>,
      ])}
    </dl>
  );
}

/** Withdrawing asks once more, in its own place, and says what will happen. */
function Withdraw({ aed }: { aed: OwnAed }) {
  const words = useWords();
  const { run, problem, isBusy } = useSubmit();
  const [isAsking, setAsking] = useState(false);
  if (!isAsking) {
    return (
      <Button look="ghost" class="danger" onClick={() => setAsking(true)}>
        {words.registry.aed.withdraw}
      </Button>
    );
  }
  const withdraw = () =>
    run(async () => {
      await call("DELETE", `/aeds/${aed.id}`);
      say(words.registry.aed.withdrawn(aed.name));
      go({ item: null });
      touch();
    });
  return (
    <div class="reg-ask" role="alertdialog" aria-label={words.registry.aed.withdraw}>
      <p>{words.registry.aed.withdrawAsk(aed.name)}</p>
      <Trouble problem={problem} />
      <Button class="danger" disabled={isBusy} onClick={() => void withdraw()}>
        {words.registry.aed.withdraw}
      </Button>
      <Button onClick={() => setAsking(false)}>{words.parts.cancel}</Button>
    </div>
  );
}
