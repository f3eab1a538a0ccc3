import { put } from "@shared/api.ts";
import { useWords } from "@shared/language.ts";
import { Button } from "@shared/parts/controls.tsx";
import type { Custodian } from "@shared/shapes.ts";
import { useState } from "preact/hooks";
import { say } from "../toast.ts";
import { AedHead, type TabProps, useAedScene } from "./aed_head.tsx";
import { Photos } from "./aed_photos.tsx";
import { touch, useAsked } from "./asking.ts";
import { useDraft, useSubmit } from "./drafts.ts";
import { type FieldSpec, sentOf, type Texts } from "./field_values.ts";
import { Fields, Trouble } from "./form_parts.tsx";
import { Bars } from "./list_pane.tsx";
import { SaveButtons, Side } from "./side.tsx";

const RANKS = [1, 2] as const;
const PARTS: readonly FieldSpec[] = [
  { name: "name", kind: "text" },
  { name: "unit", kind: "text" },
  { name: "phone", kind: "phone" },
  { name: "email", kind: "email" },
];
// Both custodians are one form: rank 1 has name1, unit1 and so on.
const SPECS = RANKS.flatMap((rank) => PARTS.map((part) => ({ ...part, name: `${part.name}${rank}` })));

/** Who answers for it, the code of its lock, its photos. */
export function AedKeeping({ asked }: TabProps) {
  useAedScene(asked);
  const aed = asked.value;
  const words = useWords().registry.aed;
  const known = useAsked<{ items: Custodian[] }>(`/aeds/${aed.id}/custodians`);
  const draft = useDraft(`custodians ${aed.id}`, SPECS, flat(known.value?.items ?? []));
  const { isBusy, problem, run } = useSubmit();
  const save = async () => {
    const items = RANKS.flatMap((rank) => said(draft.texts, rank));
    await run(async () => {
      known.set(await put<{ items: Custodian[] }>(`/aeds/${aed.id}/custodians`, { items }));
      draft.clear();
      say(words.custodiansSaved);
    });
  };
  const labels = Object.fromEntries(
    RANKS.flatMap((rank) =>
      PARTS.map(({ name }) => [`${name}${rank}`, fieldWord(words.custodianFields, name)]),
    ),
  );
  return (
    <Side
      label={aed.name}
      head={<AedHead aed={aed} tab="keeping" />}
      onSubmit={() => void save()}
      notice={<Trouble problem={problem} labels={words.custodianFields} />}
      actions={
        <SaveButtons
          isDirty={draft.isDirty}
          isBusy={isBusy}
          label={words.custodiansSave}
          onDiscard={draft.clear}
        />
      }
    >
      {known.value ? (
        RANKS.map((rank) => (
          <fieldset key={rank} class="reg-group">
            <legend>{words.custodian(rank)}</legend>
            <Fields draft={draft} names={PARTS.map(({ name }) => `${name}${rank}`)} labels={labels} />
          </fieldset>
        ))
      ) : (
        <Bars />
      )}
      <LockCode asked={asked} />
      <Photos aed={aed} />
    </Side>
  );
}

const fieldWord = (words: Readonly<Record<string, string>>, name: string): string => words[name] ?? name;

const flat = (items: readonly Custodian[]): Record<string, string | null> =>
  Object.fromEntries(
    items.flatMap((one) => PARTS.map(({ name }) => [`${name}${one.rank}`, one[name as "name"] ?? null])),
  );

/** One custodian as sent; nobody when nothing was said, refused by the server when only the name lacks. */
function said(texts: Texts, rank: number): object[] {
  const facts = PARTS.map((part) => [part.name, sentOf(part, texts[`${part.name}${rank}`] ?? "")] as const);
  if (facts.every(([, value]) => value === null)) return [];
  return [{ rank, ...Object.fromEntries(facts), name: facts[0]?.[1] ?? "" }];
}

/** The code is written here and never read back. */
function LockCode({ asked }: TabProps) {
  const words = useWords().registry.aed;
  const aed = asked.value;
  const [code, setCode] = useState("");
  const { isBusy, problem, run } = useSubmit();
  const keep = (value: string | null) =>
    run(async () => {
      await put(`/aeds/${aed.id}/code`, { code: value });
      setCode("");
      say(value === null ? words.codeForgotten : words.codeSaved);
      touch();
    });
  return (
    <fieldset class="reg-group">
      <legend>{words.code}</legend>
      <p class="reg-hint">{`${aed.has_code ? words.codeKept : words.codeNone} · ${words.codeNote}`}</p>
      <div class="reg-line">
        <div class="gm-field">
          <input
            type="password"
            name="lock_code"
            aria-label={words.codeNew}
            placeholder={words.codeNew}
            autoComplete="new-password"
            maxLength={40}
            value={code}
            onInput={(event) => setCode(event.currentTarget.value)}
          />
        </div>
        <Button disabled={isBusy || code.trim() === ""} onClick={() => void keep(code.trim())}>
          {words.codeSave}
        </Button>
        {aed.has_code ? (
          <Button look="ghost" disabled={isBusy} onClick={() => void keep(null)}>
            {words.codeForget}
          </Button>
        ) : null}
      </div>
      <Trouble problem={problem} />
    </fieldset>
  );
}
